//! The columns in which automerge keeps the operations of one change: run-length encoded numbers and
//! texts, deltas, ticks. Every column is read row by row, and no more rows than one change may hold, so
//! that hostile bytes cost what honest ones do. Must not know what an operation means.
//!
//! Layout: automerge's binary format, "change chunk".

use super::DocumentError;
use super::varint::Reader;

/// One run of a column: how many rows it covers and what each holds.
#[derive(Clone, Copy, Debug)]
enum Run<T> {
    /// So many rows of one value.
    Same(u64, T),
    /// So many rows, each with a value of its own.
    Each(u64),
    /// So many empty rows.
    Empty(u64),
}

/// A run-length encoded column; rows beyond its end are empty.
#[derive(Clone, Debug)]
pub(super) struct Runs<'a, T> {
    reader: Reader<'a>,
    run: Run<T>,
    read: fn(&mut Reader<'a>) -> Result<T, DocumentError>,
}

impl<'a, T: Copy> Runs<'a, T> {
    fn new(bytes: &'a [u8], read: fn(&mut Reader<'a>) -> Result<T, DocumentError>) -> Self {
        Self { reader: Reader(bytes), run: Run::Empty(0), read }
    }

    /// The next row's value.
    pub(super) fn row(&mut self) -> Result<Option<T>, DocumentError> {
        loop {
            match &mut self.run {
                Run::Same(rows, value) if *rows > 0 => {
                    *rows -= 1;
                    return Ok(Some(*value));
                }
                Run::Each(rows) if *rows > 0 => {
                    *rows -= 1;
                    return (self.read)(&mut self.reader).map(Some);
                }
                Run::Empty(rows) if *rows > 0 => {
                    *rows -= 1;
                    return Ok(None);
                }
                Run::Same(..) | Run::Each(..) | Run::Empty(..) if self.reader.0.is_empty() => {
                    return Ok(None);
                }
                Run::Same(..) | Run::Each(..) | Run::Empty(..) => self.next_run()?,
            }
        }
    }

    /// The next row's value in a column that has one for every row.
    pub(super) fn value(&mut self) -> Result<T, DocumentError> {
        self.row()?.ok_or(DocumentError::Malformed)
    }

    fn next_run(&mut self) -> Result<(), DocumentError> {
        let rows = self.reader.signed()?;
        self.run = match rows {
            0 => match self.reader.number()? {
                0 => return Err(DocumentError::Malformed),
                rows => Run::Empty(rows),
            },
            1.. => Run::Same(rows.unsigned_abs(), (self.read)(&mut self.reader)?),
            ..0 => Run::Each(rows.unsigned_abs()),
        };
        Ok(())
    }

    /// Whether no row is left.
    pub(super) fn is_at_end(&self) -> bool {
        let (Run::Same(left, _) | Run::Each(left) | Run::Empty(left)) = &self.run;
        *left == 0 && self.reader.0.is_empty()
    }
}

/// A column of numbers.
pub(super) fn numbers(bytes: &[u8]) -> Runs<'_, u64> {
    Runs::new(bytes, Reader::number)
}

/// A column of texts.
pub(super) fn texts(bytes: &[u8]) -> Runs<'_, &str> {
    Runs::new(bytes, Reader::text)
}

/// A column of numbers kept as differences.
#[derive(Clone, Debug)]
pub(super) struct Deltas<'a> {
    steps: Runs<'a, i64>,
    last: i64,
}

impl<'a> Deltas<'a> {
    /// Reads from a column's bytes.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { steps: Runs::new(bytes, Reader::signed), last: 0 }
    }

    /// The next row's value.
    pub(super) fn row(&mut self) -> Result<Option<u64>, DocumentError> {
        let Some(step) = self.steps.row()? else { return Ok(None) };
        self.last = self.last.checked_add(step).ok_or(DocumentError::Malformed)?;
        u64::try_from(self.last).map(Some).map_err(|_| DocumentError::Malformed)
    }

    /// Whether no row is left.
    pub(super) fn is_at_end(&self) -> bool {
        self.steps.is_at_end()
    }
}

/// Whether a column of ticks holds "no" in so many rows and nothing else. Its runs alternate, beginning
/// with "no".
pub(super) fn is_unticked(bytes: &[u8], rows: usize) -> Result<bool, DocumentError> {
    let mut reader = Reader(bytes);
    Ok(reader.size()? == rows && reader.0.is_empty())
}

/// The columns of a change, by automerge's column number.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Columns<'a> {
    /// Author of the operation that made the addressed container, as a place in the actor table.
    pub(super) object_actor: &'a [u8],
    /// Counter of that operation.
    pub(super) object_counter: &'a [u8],
    /// Key in the container.
    pub(super) key: &'a [u8],
    /// Whether the operation inserts into a list.
    pub(super) insert: &'a [u8],
    /// Kind of operation.
    pub(super) action: &'a [u8],
    /// Length and type of each value.
    pub(super) value_meta: &'a [u8],
    /// The values' bytes.
    pub(super) value: &'a [u8],
    /// Number of predecessors of each operation.
    pub(super) predecessor_count: &'a [u8],
    /// Their authors.
    pub(super) predecessor_actor: &'a [u8],
    /// Their counters.
    pub(super) predecessor_counter: &'a [u8],
}

impl<'a> Columns<'a> {
    /// Reads the list of columns and the columns behind it.
    ///
    /// # Errors
    /// `ForeignOperation` for a column that no operation of ours has, `Malformed` for columns out of
    /// order or longer than the bytes.
    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self, DocumentError> {
        let count = reader.size()?;
        let mut listed = Vec::new();
        let mut last = None;
        for _ in 0..count {
            let (number, length) = (reader.number()?, reader.size()?);
            if last.is_some_and(|last| last >= number) {
                return Err(DocumentError::Malformed);
            }
            last = Some(number);
            listed.push((number, length));
        }
        let mut columns = Self::default();
        for (number, length) in listed {
            *columns.column(number)? = reader.take(length)?;
        }
        Ok(columns)
    }

    fn column(&mut self, number: u64) -> Result<&mut &'a [u8], DocumentError> {
        Ok(match number {
            0x01 => &mut self.object_actor,
            0x02 => &mut self.object_counter,
            0x15 => &mut self.key,
            0x34 => &mut self.insert,
            0x42 => &mut self.action,
            0x56 => &mut self.value_meta,
            0x57 => &mut self.value,
            0x70 => &mut self.predecessor_count,
            0x71 => &mut self.predecessor_actor,
            0x73 => &mut self.predecessor_counter,
            _ => return Err(DocumentError::ForeignOperation),
        })
    }
}
