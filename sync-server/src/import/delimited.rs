//! Text files: which encoding, which separator, and rows one at a time through a window of fixed size, so that
//! one quote that nobody closed costs its row and not the rest. Must not know what a column means.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};
use encoding_rs::{CoderResult, Encoding, GB18030, UTF_8};
use encoding_rs_io::{DecodeReaderBytes, DecodeReaderBytesBuilder};

use super::table::{Bounds, Draft, RowState, Table, TableError};

/// Separators tried, the usual one first.
const SEPARATORS: [u8; 4] = *b",;\t|";
/// Rows looked at to find the separator.
const SAMPLE_ROWS: usize = 40;
/// Bytes of the longest row.
const ROW_BYTES_MAX: usize = 256 << 10;
/// Bytes read at a time.
const BLOCK_BYTES: usize = 1 << 20;
/// Han characters of a line that is UTF-8 beyond doubt.
const HAN_MIN: usize = 4;
/// A file counts as UTF-8 while fewer than one in so many of its foreign characters is damaged.
const DAMAGED_ONE_IN: usize = 50;

/// Whether a file that begins like this may be text.
pub(super) fn is_text(first: &[u8]) -> bool {
    let marked = Encoding::for_bom(first).is_some();
    let html = first.trim_ascii_start().starts_with(b"<");
    marked || !(html || first.contains(&0))
}

/// Reads a text file.
pub(super) fn read(path: &Path, bounds: &Bounds) -> Result<Table, TableError> {
    let encoding = encoding(path)?;
    let mut window = Window::open(path, encoding)?;
    window.fill(ROW_BYTES_MAX)?;
    let (separator, width) = separator(window.rest());
    let mut records = Records::new(separator, bounds.columns);
    let mut draft = Draft::new(bounds);
    let mut number = 0u32;
    loop {
        window.fill(ROW_BYTES_MAX)?;
        if window.rest().is_empty() {
            return Ok(draft.finish());
        }
        number = number.saturating_add(1);
        if window.skip_line_end() {
            continue;
        }
        let state = match records.next(window.rest()) {
            Some(used) if records.is_single(&window.rest()[..used], width) => {
                window.skip(used);
                RowState::Whole
            }
            found => {
                window.skip_line()?;
                if found.is_some() { RowState::OpenQuote } else { RowState::TooLong }
            }
        };
        draft.push(number, state, records.cells(state)?.into_iter())?;
    }
}

/// UTF-8 unless what is not ASCII hardly ever is; then the national encoding, which contains GBK and GB 2312. A
/// byte order mark decides alone.
fn encoding(path: &Path) -> Result<&'static Encoding, TableError> {
    let mut file = File::open(path)?;
    let mut block = vec![0u8; BLOCK_BYTES];
    let mut text = vec![0u8; BLOCK_BYTES * 3];
    let mut decoder = UTF_8.new_decoder_without_bom_handling();
    let (mut foreign, mut damaged) = (0usize, 0usize);
    let (mut is_begin, mut begins_as_utf8) = (true, false);
    loop {
        let read = file.read(&mut block)?;
        begins_as_utf8 |= is_begin && has_utf8_line(&block[..read]);
        is_begin = false;
        let mut from = 0;
        loop {
            let (result, used, written, is_damaged) =
                decoder.decode_to_utf8(&block[from..read], &mut text, read == 0);
            from += used;
            let text = &text[..written];
            foreign += text.iter().filter(|byte| **byte >= 0xC0).count();
            if is_damaged {
                damaged += text.windows(3).filter(|c| *c == "\u{FFFD}".as_bytes()).count();
            }
            if result == CoderResult::InputEmpty {
                break;
            }
        }
        if read == 0 {
            let is_utf8 = damaged == 0 || damaged * DAMAGED_ONE_IN < foreign;
            return match is_utf8 {
                true => Ok(UTF_8),
                false if begins_as_utf8 => Err(TableError::MixedEncodings),
                false => Ok(GB18030),
            };
        }
    }
}

/// Whether the first line is UTF-8 with so many characters that no other encoding says the same by chance.
fn has_utf8_line(text: &[u8]) -> bool {
    let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let is_han = |character: &char| ('\u{4E00}'..='\u{9FFF}').contains(character);
    std::str::from_utf8(line).is_ok_and(|line| line.chars().filter(is_han).count() >= HAN_MIN)
}

/// The separator by which most of the first rows have the same number of cells, and that number.
fn separator(sample: &[u8]) -> (u8, usize) {
    let mut best = (SEPARATORS[0], 1, 0);
    for separator in SEPARATORS {
        let mut records = Records::new(separator, 1_024);
        let mut counts = Vec::new();
        let mut rest = sample;
        while counts.len() < SAMPLE_ROWS && !rest.is_empty() {
            let Some(used) = records.next(rest) else { break };
            counts.push(records.count);
            rest = &rest[used..];
        }
        let agreeing = |width: usize| counts.iter().filter(|count| **count == width).count();
        for width in counts.iter().copied().filter(|width| *width > 1) {
            let weight = agreeing(width) * width;
            if weight > best.2 {
                best = (separator, width, weight);
            }
        }
    }
    (best.0, best.1)
}

/// The record read last.
struct Records {
    reader: Reader,
    separator: u8,
    text: Vec<u8>,
    ends: Vec<usize>,
    count: usize,
}

impl Records {
    fn new(separator: u8, columns: usize) -> Self {
        Self {
            reader: ReaderBuilder::new().delimiter(separator).build(),
            separator,
            text: vec![0; ROW_BYTES_MAX],
            // One more cell than allowed tells that there are too many.
            ends: vec![0; columns + 2],
            count: 0,
        }
    }

    /// Reads the record that `input` begins with; its bytes, or `None` where it does not end or is too long.
    fn next(&mut self, input: &[u8]) -> Option<usize> {
        self.reader.reset();
        self.count = 0;
        let input = &input[..input.len().min(ROW_BYTES_MAX)];
        let (result, used, written, ends) =
            self.reader.read_record(input, &mut self.text, &mut self.ends);
        let result = if result == ReadRecordResult::InputEmpty && input.len() < ROW_BYTES_MAX {
            let (text, cells) = (&mut self.text[written..], &mut self.ends[ends..]);
            let (result, _, _, more) = self.reader.read_record(&[], text, cells);
            self.count = more;
            result
        } else {
            result
        };
        self.count += ends;
        (result == ReadRecordResult::Record).then_some(used)
    }

    /// Whether a record is one row. A quote that was never closed swallows what follows up to the next
    /// quote: then a line inside has as many separators as a row, or text follows the closing quote.
    fn is_single(&self, record: &[u8], width: usize) -> bool {
        let record = record.trim_ascii_end();
        if !record.contains(&b'\n') {
            // In the last line of a file a quote may stay open without swallowing anything.
            let quotes = record.iter().filter(|byte| **byte == b'"').count();
            return quotes % 2 == 0 || self.quotes_close(record);
        }
        let lines: Vec<&[u8]> = record.split(|byte| *byte == b'\n').collect();
        let separators = |line: &&[u8]| line.iter().filter(|b| **b == self.separator).count();
        let inside = &lines[1..lines.len() - 1];
        let has_rows = width > 2 && inside.iter().map(separators).any(|count| count + 1 >= width);
        !has_rows && self.quotes_close(record)
    }

    /// Whether every quoted cell ends with its cell.
    fn quotes_close(&self, record: &[u8]) -> bool {
        let (mut quoted, mut at_begin) = (false, true);
        let mut bytes = record.iter().copied().peekable();
        while let Some(byte) = bytes.next() {
            if !quoted {
                quoted = at_begin && byte == b'"';
                at_begin = byte == self.separator;
            } else if byte == b'"' && bytes.next_if_eq(&b'"').is_none() {
                quoted = false;
                if bytes.peek().is_some_and(|next| *next != self.separator) {
                    return false;
                }
            }
        }
        !quoted
    }

    /// The cells read last; none of a row that is not whole, since where its cells end is not known.
    fn cells(&self, state: RowState) -> Result<Vec<&str>, TableError> {
        if state != RowState::Whole {
            return Ok(Vec::new());
        }
        let mut begin = 0;
        let ends = &self.ends[..self.count];
        let cells = ends.iter().map(|end| {
            let cell = self.text.get(begin..*end).ok_or(TableError::Malformed)?;
            begin = *end;
            std::str::from_utf8(cell).map_err(|_| TableError::Malformed)
        });
        cells.collect()
    }
}

/// The part of a file that is being read, decoded.
struct Window {
    source: DecodeReaderBytes<File, Vec<u8>>,
    bytes: Vec<u8>,
    begin: usize,
    ended: bool,
}

impl Window {
    fn open(path: &Path, encoding: &'static Encoding) -> Result<Self, TableError> {
        let source = DecodeReaderBytesBuilder::new()
            .encoding(Some(encoding))
            .bom_override(true)
            .build_with_buffer(File::open(path)?, vec![0; BLOCK_BYTES])?;
        Ok(Self { source, bytes: Vec::new(), begin: 0, ended: false })
    }

    fn rest(&self) -> &[u8] {
        &self.bytes[self.begin..]
    }

    /// Reads on until there are so many bytes, or no more.
    fn fill(&mut self, wanted: usize) -> Result<(), TableError> {
        while !self.ended && self.rest().len() < wanted {
            self.bytes.drain(..self.begin);
            self.begin = 0;
            let block = u64::try_from(BLOCK_BYTES).unwrap_or(u64::MAX);
            let read = self.source.by_ref().take(block).read_to_end(&mut self.bytes)?;
            self.ended = read < BLOCK_BYTES;
        }
        Ok(())
    }

    fn skip(&mut self, count: usize) {
        self.begin += count;
        let after_return = self.bytes[..self.begin].ends_with(b"\r");
        if after_return && self.rest().first() == Some(&b'\n') {
            self.begin += 1;
        }
    }

    /// Skips the end of a line, where one stands here.
    fn skip_line_end(&mut self) -> bool {
        let here = matches!(self.rest().first(), Some(b'\n' | b'\r'));
        if here {
            self.skip(1);
        }
        here
    }

    fn skip_line(&mut self) -> Result<(), TableError> {
        loop {
            if let Some(end) = self.rest().iter().position(|byte| *byte == b'\n') {
                self.begin += end + 1;
                return Ok(());
            }
            self.begin = self.bytes.len();
            self.fill(1)?;
            if self.rest().is_empty() {
                return Ok(());
            }
        }
    }
}
