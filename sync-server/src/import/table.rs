//! A file of a department as rows of text, with the numbers the rows have in the file. Must not know what
//! a column means.
//!
//! What kind of file it is follows from its first bytes, never from its name.

use std::fs::File;
use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use super::{delimited, workbook};

/// What a file may cost. The defaults take a county's year of medical bills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Bytes of the file.
    pub file_bytes: u64,
    /// Bytes of all parts of an XLSX, inflated.
    pub inflated_bytes: u64,
    /// Bytes of the part of an XLSX that holds shared strings, inflated.
    pub shared_bytes: u64,
    /// Number of the last row.
    pub rows: u32,
    /// Columns.
    pub columns: usize,
    /// Bytes of a cell; a row with a longer one is not taken.
    pub cell_bytes: usize,
    /// Bytes of all cells.
    pub text_bytes: usize,
    /// Cells of all rows.
    pub cells: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            file_bytes: 512 << 20,
            inflated_bytes: 2 << 30,
            shared_bytes: 512 << 20,
            rows: 1_200_000,
            columns: 256,
            cell_bytes: 32 << 10,
            text_bytes: 1 << 30,
            cells: 64 << 20,
        }
    }
}

/// A bound that a file goes beyond.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// Bytes of the file.
    FileBytes,
    /// Bytes it inflates to, or that one of its parts does.
    InflatedBytes,
    /// Rows.
    Rows,
    /// Columns.
    Columns,
    /// Text or number of all cells, shared strings, styles and merges.
    Content,
}

/// Why a file is no table.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// It cannot be read.
    #[error("file: {0}")]
    File(#[from] std::io::Error),
    /// It is damaged, or not what it says it is.
    #[error("file malformed")]
    Malformed,
    /// It is protected by a password.
    #[error("file encrypted")]
    Encrypted,
    /// It is neither XLSX, XLS nor text: a page of the web with the name of a workbook, for example.
    #[error("not a table; save it as .xlsx or .csv")]
    Unsupported,
    /// Its first line is UTF-8 and most of the others are not.
    #[error("two encodings in one file")]
    MixedEncodings,
    /// It would cost too much.
    #[error("file beyond its bounds: {0:?}")]
    TooLarge(Bound),
}

/// Stands behind a number that a merged cell gives to a further row. It has no width, and nobody types it.
pub(super) const REPEATED: char = '\u{2060}';

/// Whether a row could be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowState {
    /// All its cells are there.
    Whole,
    /// It has too long a cell or too many; only the beginning is there.
    TooLong,
    /// A quote in it was never closed; the rows after it are read as if it had been.
    OpenQuote,
}

/// A table in memory: one text, and where its cells and rows end. Rows without any text are left out.
#[derive(Default)]
pub struct Table {
    text: String,
    cell_ends: Vec<u32>,
    rows: Vec<Mark>,
    /// Whether its days are counted from 1904 rather than 1900.
    pub from_1904: bool,
    /// Sheets of the workbook with something on them that were not read: only the first is.
    pub sheets_left: Vec<String>,
}

struct Mark {
    number: u32,
    cells_end: u32,
    state: RowState,
}

/// One row.
#[derive(Clone, Copy)]
pub struct Row<'t> {
    table: &'t Table,
    /// Its number in the file, from 1, as a spreadsheet shows it.
    pub number: u32,
    /// Whether it could be read.
    pub state: RowState,
    first: usize,
    end: usize,
}

impl Table {
    /// Reads a file: XLSX and XLS (the first visible sheet with something on it; formulas by the value they
    /// had when saved; a merged cell's value in all its rows), or text in UTF-8, UTF-16 or GB 18030,
    /// separated by comma, semicolon, tab or bar.
    ///
    /// # Errors
    /// Any [`TableError`]; `TooLarge` before the memory is used.
    pub fn read(path: &Path) -> Result<Self, TableError> {
        Self::read_within(path, &Bounds::default())
    }

    /// As [`Table::read`], with bounds of one's own.
    ///
    /// # Errors
    /// As there.
    pub fn read_within(path: &Path, bounds: &Bounds) -> Result<Self, TableError> {
        let mut first = Vec::new();
        let file = File::open(path)?;
        if file.metadata()?.len() > bounds.file_bytes {
            return Err(TableError::TooLarge(Bound::FileBytes));
        }
        file.take(4_096).read_to_end(&mut first)?;
        // The readers of formats are not ours: what makes one panic is a damaged file and no more.
        let read = catch_unwind(AssertUnwindSafe(|| match first.as_slice() {
            [b'P', b'K', 3, 4, ..] => workbook::read_xlsx(path, bounds),
            [0xD0, 0xCF, 0x11, 0xE0, ..] => workbook::read_xls(path, bounds),
            text if delimited::is_text(text) => delimited::read(path, bounds),
            _ => Err(TableError::Unsupported),
        }));
        read.unwrap_or(Err(TableError::Malformed))
    }

    /// Its rows, top to bottom.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = Row<'_>> {
        (0..self.rows.len()).map(|index| self.at(index))
    }

    /// The row of this number.
    pub fn row(&self, number: u32) -> Option<Row<'_>> {
        let index = self.rows.binary_search_by_key(&number, |mark| mark.number).ok()?;
        Some(self.at(index))
    }

    fn at(&self, index: usize) -> Row<'_> {
        let mark = &self.rows[index];
        let first = index.checked_sub(1).map_or(0, |above| self.rows[above].cells_end);
        Row {
            table: self,
            number: mark.number,
            state: mark.state,
            first: place(first),
            end: place(mark.cells_end),
        }
    }
}

/// Cells and bytes are counted in 32 bits to keep a million rows small; every target has wider or equal words.
fn place(count: u32) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

impl<'t> Row<'t> {
    /// How many cells it has; empty ones at its end do not count.
    pub fn len(&self) -> usize {
        self.end - self.first
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.first == self.end
    }

    /// The text of a cell, columns counted from 0; empty where there is none.
    pub fn cell(&self, column: usize) -> &'t str {
        let index = self.first.saturating_add(column);
        if index >= self.end {
            return "";
        }
        let ends = &self.table.cell_ends;
        let begin = index.checked_sub(1).map_or(0, |before| place(ends[before]));
        let text = &self.table.text[begin..place(ends[index])];
        text.strip_suffix(REPEATED).unwrap_or(text)
    }

    /// Whether the number in a cell stands in a row above, in a cell that is merged with this one.
    pub fn is_repeated(&self, column: usize) -> bool {
        let index = self.first.saturating_add(column);
        let end = self.table.cell_ends.get(index).filter(|_| index < self.end);
        end.is_some_and(|end| self.table.text[..place(*end)].ends_with(REPEATED))
    }

    /// All its cells.
    pub fn cells(&self) -> impl Iterator<Item = &'t str> {
        let row = *self;
        (0..row.len()).map(move |column| row.cell(column))
    }
}

impl std::fmt::Debug for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Table({} rows)", self.rows.len())
    }
}

impl std::fmt::Debug for Row<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Row({}, {} cells)", self.number, self.len())
    }
}

/// A table being filled, row after row.
pub(super) struct Draft<'b> {
    table: Table,
    bounds: &'b Bounds,
}

impl<'b> Draft<'b> {
    pub(super) fn new(bounds: &'b Bounds) -> Self {
        Self { table: Table::default(), bounds }
    }

    /// Adds a row of this number below the others; one without text is left out.
    pub(super) fn push<'c>(
        &mut self,
        number: u32,
        mut state: RowState,
        cells: impl Iterator<Item = &'c str>,
    ) -> Result<(), TableError> {
        if number > self.bounds.rows {
            return Err(TableError::TooLarge(Bound::Rows));
        }
        let table = &mut self.table;
        let (mut text_len, mut cells_len) = (table.text.len(), table.cell_ends.len());
        let (text_first, cells_first) = (text_len, cells_len);
        for cell in cells {
            if table.cell_ends.len() - cells_first == self.bounds.columns {
                state = if cell.is_empty() { state } else { RowState::TooLong };
                continue;
            }
            let fits = cell.len() <= self.bounds.cell_bytes;
            state = if fits { state } else { RowState::TooLong };
            let cell = if fits { cell } else { "" };
            table.text.push_str(cell);
            let end = u32::try_from(table.text.len()).ok();
            table.cell_ends.push(end.ok_or(TableError::TooLarge(Bound::Content))?);
            if !cell.trim_start().is_empty() {
                (text_len, cells_len) = (table.text.len(), table.cell_ends.len());
            }
        }
        table.text.truncate(text_len);
        table.cell_ends.truncate(cells_len);
        if text_len > self.bounds.text_bytes || cells_len > self.bounds.cells {
            return Err(TableError::TooLarge(Bound::Content));
        }
        if text_len == text_first && state == RowState::Whole {
            return Ok(());
        }
        let cells_end =
            u32::try_from(cells_len).map_err(|_| TableError::TooLarge(Bound::Content))?;
        table.rows.push(Mark { number, cells_end, state });
        Ok(())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.table.rows.is_empty()
    }

    pub(super) fn finish(mut self) -> Table {
        self.table.text.shrink_to_fit();
        self.table.cell_ends.shrink_to_fit();
        self.table
    }
}
