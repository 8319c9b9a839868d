//! What an XLS, a stream of records in a compound file, would cost: looked at record by record before the
//! library that reads it makes room for what the file claims. Must not know what a sheet says.
//!
//! That library reads all sheets into rectangles, copies a shared string for every cell that names it, and
//! writes out formulas; a few records could so ask for all the memory there is. What is handed on is a new
//! compound file with nothing but the stream looked at, so that both see the same bytes. Formulas and claimed
//! dimensions are blotted out in it: only values count. Source: MS-XLS 2.4, MS-CFB.

use std::fs::File;
use std::io::{Cursor, Read, Write};
use std::ops::Range;
use std::path::Path;

use super::table::{Bound, Bounds, TableError};

/// Bytes of the file, whose directory is kept whole.
const FILE_BYTES_MAX: u64 = 128 << 20;
/// Bytes of the stream.
const STREAM_BYTES_MAX: u64 = 64 << 20;
/// Sheets of a workbook.
const SHEETS_MAX: usize = 256;
/// Cells of the rectangles round all sheets' cells.
const CELLS_MAX: usize = 8 << 20;
/// Columns that the format has.
const COLUMNS_MAX: u16 = 256;
/// Longest UTF-8 of one character.
const CHARACTER_BYTES: usize = 4;

const FORMULA: u16 = 0x0006;
const END: u16 = 0x000A;
const NAME: u16 = 0x0018;
const PASSWORD: u16 = 0x002F;
const CONTINUE: u16 = 0x003C;
const SHEET: u16 = 0x0085;
const MANY_NUMBERS: u16 = 0x00BD;
const STRINGS: u16 = 0x00FC;
const STRING_CELL: u16 = 0x00FD;
const DIMENSIONS: u16 = 0x0200;
/// A record that nobody reads.
const BLANK: u16 = 0x0201;
/// Number, label, logical, short number, rich text: a cell of its own.
const VALUES: [u16; 5] = [0x0203, 0x0204, 0x0205, 0x027E, 0x00D6];
/// Fixed part of a formula's record, before its tokens.
const FORMULA_HEAD: usize = 20;

/// The bytes of a compound file that is safe to read.
pub(super) fn checked(path: &Path, bounds: &Bounds) -> Result<Vec<u8>, TableError> {
    let mut stream = open(path)?;
    let book = globals(&mut stream)?;
    let (mut cells, mut text) = (0usize, 0usize);
    let mut free_from = 0;
    for begin in book.sheets {
        // Sheets that overlap would be counted once and read often.
        if begin < free_from {
            return Err(TableError::Malformed);
        }
        let sheet = sheet(&mut stream, begin, &book.string_bytes)?;
        free_from = sheet.end;
        cells = cells.saturating_add(sheet.cells);
        text = text.saturating_add(sheet.text_bytes);
        if cells > CELLS_MAX || text > bounds.text_bytes {
            return Err(TableError::TooLarge(Bound::Content));
        }
    }
    let mut file =
        cfb::CompoundFile::create_with_version(cfb::Version::V3, Cursor::new(Vec::new()))?;
    file.create_stream("/Workbook")?.write_all(&stream)?;
    file.flush()?;
    Ok(file.into_inner().into_inner())
}

fn open(path: &Path) -> Result<Vec<u8>, TableError> {
    let malformed = |_| TableError::Malformed;
    let file = File::open(path)?;
    if file.metadata()?.len() > FILE_BYTES_MAX {
        return Err(TableError::TooLarge(Bound::FileBytes));
    }
    let mut file = cfb::CompoundFile::open(file).map_err(malformed)?;
    if file.exists("/EncryptedPackage") {
        return Err(TableError::Encrypted);
    }
    let name = if file.exists("/Workbook") { "/Workbook" } else { "/Book" };
    let source = file.open_stream(name).map_err(malformed)?;
    let mut stream = Vec::new();
    source.take(STREAM_BYTES_MAX + 1).read_to_end(&mut stream).map_err(malformed)?;
    if u64::try_from(stream.len()).is_ok_and(|length| length > STREAM_BYTES_MAX) {
        return Err(TableError::TooLarge(Bound::FileBytes));
    }
    Ok(stream)
}

/// A record: its kind, where it begins, where its content stands.
struct Record {
    kind: u16,
    begin: usize,
    content: Range<usize>,
}

/// The record at a place of the stream; `None` at its end.
fn record(stream: &[u8], begin: usize) -> Result<Option<Record>, TableError> {
    if begin == stream.len() {
        return Ok(None);
    }
    let kind = word(stream, begin)?;
    let length = usize::from(word(stream, begin + 2)?);
    let content = begin + 4..begin + 4 + length;
    if content.end > stream.len() {
        return Err(TableError::Malformed);
    }
    Ok(Some(Record { kind, begin, content }))
}

fn word(bytes: &[u8], at: usize) -> Result<u16, TableError> {
    let pair = bytes.get(at..at + 2).ok_or(TableError::Malformed)?;
    Ok(u16::from_le_bytes([pair[0], pair[1]]))
}

fn double_word(bytes: &[u8], at: usize) -> Result<usize, TableError> {
    let (low, high) = (usize::from(word(bytes, at)?), usize::from(word(bytes, at + 2)?));
    Ok(high << 16 | low)
}

struct Globals {
    /// Where the sheets begin, ascending.
    sheets: Vec<usize>,
    /// Bytes of each shared string, at most.
    string_bytes: Vec<usize>,
}

/// Reads what stands before the sheets; names are blotted out.
fn globals(stream: &mut [u8]) -> Result<Globals, TableError> {
    let mut globals = Globals { sheets: Vec::new(), string_bytes: Vec::new() };
    let mut at = 0;
    while let Some(found) = record(stream, at)? {
        at = found.content.end;
        match found.kind {
            PASSWORD => return Err(TableError::Encrypted),
            SHEET => globals.sheets.push(double_word(stream, found.content.start)?),
            NAME => blot(stream, found.begin),
            STRINGS => {
                let mut parts = vec![found.content];
                while let Some(more) = record(stream, at)?.filter(|next| next.kind == CONTINUE) {
                    at = more.content.end;
                    parts.push(more.content);
                }
                let parts = parts.into_iter().map(|part| &stream[part]).collect();
                globals.string_bytes = Strings { parts, part: 0, at: 8 }.lengths()?;
            }
            END => break,
            _ => {}
        }
    }
    globals.sheets.sort_unstable();
    if globals.sheets.first().is_some_and(|first| *first < at) {
        return Err(TableError::Malformed);
    }
    if globals.sheets.len() > SHEETS_MAX {
        return Err(TableError::TooLarge(Bound::Content));
    }
    Ok(globals)
}

/// Makes a record one that nobody reads.
fn blot(stream: &mut [u8], begin: usize) {
    stream[begin..begin + 2].copy_from_slice(&BLANK.to_le_bytes());
}

#[derive(Default)]
struct Extent {
    end: usize,
    cells: usize,
    text_bytes: usize,
}

/// Reads a sheet's records up to its end, those of charts in it too.
fn sheet(stream: &mut [u8], begin: usize, strings: &[usize]) -> Result<Extent, TableError> {
    let mut extent = Extent::default();
    let (mut rows, mut columns) = ((u16::MAX, 0), (u16::MAX, 0));
    let mut at = begin;
    let mut depth = 0usize;
    while let Some(found) = record(stream, at)? {
        at = found.content.end;
        let content = found.content.start;
        match found.kind {
            0x0809 => depth += 1,
            END if depth <= 1 => break,
            END => depth -= 1,
            DIMENSIONS => blot(stream, found.begin),
            FORMULA => stream[(content + FORMULA_HEAD).min(at)..at].fill(0),
            _ => {}
        }
        let is_cell = VALUES.contains(&found.kind)
            || matches!(found.kind, FORMULA | STRING_CELL | MANY_NUMBERS);
        if !is_cell {
            continue;
        }
        let (row, column) = (word(stream, content)?, word(stream, content + 2)?);
        let several = found.kind == MANY_NUMBERS;
        let last = if several { word(stream, at.saturating_sub(2))? } else { column };
        if last >= COLUMNS_MAX || column > last {
            return Err(TableError::TooLarge(Bound::Columns));
        }
        rows = (rows.0.min(row), rows.1.max(row));
        columns = (columns.0.min(column), columns.1.max(last));
        if found.kind == STRING_CELL {
            let bytes = strings.get(double_word(stream, content + 6)?).copied();
            extent.text_bytes = extent.text_bytes.saturating_add(bytes.unwrap_or(0));
        }
    }
    let span = |(first, last): (u16, u16)| usize::from(last.saturating_sub(first)) + 1;
    extent.cells = span(rows) * span(columns);
    extent.end = at;
    Ok(extent)
}

/// The table of shared strings, in one record and those that continue it.
struct Strings<'s> {
    parts: Vec<&'s [u8]>,
    part: usize,
    at: usize,
}

impl Strings<'_> {
    /// Bytes of each string in UTF-8, at most.
    fn lengths(mut self) -> Result<Vec<usize>, TableError> {
        let mut lengths = Vec::new();
        while self.left() > 0 || self.next_part() {
            let characters = usize::from(word(self.parts[self.part], self.at)?);
            let flags = self.byte(2)?;
            self.at += 3;
            let mut runs = 0;
            if flags & 8 != 0 {
                runs = usize::from(word(self.parts[self.part], self.at)?);
                self.at += 2;
            }
            let mut extension = 0;
            if flags & 4 != 0 {
                extension = double_word(self.parts[self.part], self.at)?;
                self.at += 4;
            }
            self.skip_characters(characters, flags & 1 != 0)?;
            self.skip(runs * 4)?;
            self.skip(extension)?;
            lengths.push(characters * CHARACTER_BYTES);
        }
        Ok(lengths)
    }

    fn left(&self) -> usize {
        self.parts[self.part].len().saturating_sub(self.at)
    }

    fn next_part(&mut self) -> bool {
        let more = self.part + 1 < self.parts.len();
        if more {
            (self.part, self.at) = (self.part + 1, 0);
        }
        more
    }

    fn byte(&self, ahead: usize) -> Result<u8, TableError> {
        self.parts[self.part].get(self.at + ahead).copied().ok_or(TableError::Malformed)
    }

    /// A string goes on in the next record behind a byte that says anew how wide its characters are.
    fn skip_characters(&mut self, mut count: usize, mut wide: bool) -> Result<(), TableError> {
        loop {
            let width = 1 + usize::from(wide);
            let here = count.min(self.left() / width);
            self.at += here * width;
            count -= here;
            if count == 0 {
                return Ok(());
            }
            if !self.next_part() {
                return Err(TableError::Malformed);
            }
            wide = self.byte(0)? & 1 != 0;
            self.at = 1;
        }
    }

    fn skip(&mut self, mut count: usize) -> Result<(), TableError> {
        loop {
            let here = count.min(self.left());
            self.at += here;
            count -= here;
            if count == 0 {
                return Ok(());
            }
            if !self.next_part() {
                return Err(TableError::Malformed);
            }
        }
    }
}
