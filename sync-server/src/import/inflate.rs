//! What an XLSX, a zip of XML, would cost: looked at by inflating it once within bounds and keeping nothing,
//! before the library that reads it may believe a word of it. Must not know what a sheet says.
//!
//! That library keeps strings, styles and merges whole, holds each piece of XML in memory, and makes room for
//! as many strings as the file claims; a few kilobytes could so ask for all the memory there is.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use zip::ZipArchive;

use super::table::{Bound, Bounds, TableError};

/// Parts of a workbook.
const PARTS_MAX: usize = 2_000;
/// Bytes of one piece of text.
const PIECE_BYTES_MAX: u64 = 256 << 10;
/// Bytes of one tag.
const TAG_BYTES_MAX: usize = 8 << 10;
/// Shared strings.
const STRINGS_MAX: u64 = 8_000_000;
/// Cell styles; a spreadsheet has at most 64,000.
const STYLES_MAX: u64 = 65_536;
/// Elements that are kept whole: styles, names, relationships, merges.
const KEPT_MAX: u64 = 500_000;
/// Bytes of text in them.
const KEPT_BYTES_MAX: u64 = 64 << 20;
/// Bytes of a part that is not XML.
const OTHER_PART_BYTES_MAX: u64 = 64 << 20;
/// Elements that are read and let go, cell by cell or string by string.
const PASSING: [&str; 18] = [
    "row",
    "c",
    "v",
    "f",
    "is",
    "t",
    "r",
    "rPr",
    "sz",
    "color",
    "rFont",
    "family",
    "charset",
    "scheme",
    "b",
    "i",
    "u",
    "phoneticPr",
];

/// What was seen.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Whether any cells are merged.
    pub(super) merges: bool,
    strings: u64,
    styles: u64,
    kept: u64,
    kept_bytes: u64,
}

/// Inflates every part of a workbook once.
pub(super) fn look_at(path: &Path, bounds: &Bounds) -> Result<Seen, TableError> {
    if parts_at_most(path)? > PARTS_MAX {
        return Err(TableError::TooLarge(Bound::Content));
    }
    let file = BufReader::new(File::open(path)?);
    let mut zip = ZipArchive::new(file).map_err(|_| TableError::Malformed)?;
    let too_large = TableError::TooLarge(Bound::InflatedBytes);
    let claimed = zip.decompressed_size().unwrap_or_default();
    if claimed > u128::from(bounds.inflated_bytes) {
        return Err(too_large);
    }
    let mut seen = Seen::default();
    let mut left = bounds.inflated_bytes;
    for index in 0..zip.len() {
        let part = zip.by_index(index).map_err(|_| TableError::Malformed)?;
        let name = part.name().map_err(|_| TableError::Malformed)?.to_ascii_lowercase();
        let xml = [".xml", ".rels", ".vml"].iter().any(|ending| name.ends_with(ending));
        let most = if xml { left } else { left.min(OTHER_PART_BYTES_MAX) };
        let mut leash = Leash { inner: BufReader::new(part), taken: 0, piece: 0, most };
        let strings_before = seen.strings;
        if xml {
            leash = seen.look_at_part(leash)?;
        }
        // What no XML reader gets through must still be paid for: the library may read it all.
        leash.piece = 0;
        while leash.skip_block()? {}
        let has_strings = seen.strings > strings_before;
        if leash.is_beyond() || (has_strings && leash.taken > bounds.shared_bytes) {
            return Err(too_large);
        }
        left -= leash.taken;
    }
    Ok(seen)
}

/// How many parts the file can have: each has an entry in the directory, which is kept whole, and each entry
/// begins with these bytes.
fn parts_at_most(path: &Path) -> io::Result<usize> {
    let mut file = BufReader::with_capacity(1 << 20, File::open(path)?);
    let (mut count, mut matched) = (0, 0);
    loop {
        let block = file.fill_buf()?;
        if block.is_empty() {
            return Ok(count);
        }
        for byte in block {
            matched = match (matched, byte) {
                (1, b'K') => 2,
                (2, 1) => 3,
                (3, 2) => {
                    count += 1;
                    0
                }
                (_, b'P') => 1,
                _ => 0,
            };
        }
        let length = block.len();
        file.consume(length);
    }
}

impl Seen {
    fn look_at_part<R: Read>(&mut self, leash: Leash<R>) -> Result<Leash<R>, TableError> {
        let mut xml = Reader::from_reader(leash);
        let settings = xml.config_mut();
        // As the library reads it.
        settings.check_end_names = false;
        settings.check_comments = false;
        let mut buffer = Vec::new();
        let mut is_kept = false;
        loop {
            buffer.clear();
            xml.get_mut().piece = 0;
            match xml.read_event_into(&mut buffer) {
                Ok(Event::Start(tag) | Event::Empty(tag)) => is_kept = self.tag(&tag)?,
                Ok(Event::Text(text)) if is_kept => {
                    self.kept_bytes += u64::try_from(text.len()).unwrap_or(u64::MAX);
                }
                Ok(Event::Eof) => break,
                Ok(_) => {}
                Err(_) if xml.get_ref().is_beyond() => {
                    return Err(TableError::TooLarge(Bound::InflatedBytes));
                }
                Err(_) => break,
            }
            if self.kept_bytes > KEPT_BYTES_MAX {
                return Err(TableError::TooLarge(Bound::Content));
            }
        }
        Ok(xml.into_inner())
    }

    /// Counts an element; whether it is one that is kept.
    fn tag(&mut self, tag: &BytesStart<'_>) -> Result<bool, TableError> {
        let name = tag.local_name();
        let name = name.as_ref();
        let mut claimed = 0;
        match name {
            "si" => self.strings += 1,
            "xf" => self.styles += 1,
            "sst" => {
                let count = tag.try_get_attribute("uniqueCount").ok().flatten();
                claimed = count.map_or(0, |count| count.value.parse().unwrap_or(0));
            }
            _ => {}
        }
        let passes = name == "si" || PASSING.contains(&name);
        self.merges |= name == "mergeCell";
        self.kept += u64::from(!passes);
        let too_many = self.strings.max(claimed) > STRINGS_MAX
            || self.styles > STYLES_MAX
            || self.kept > KEPT_MAX
            || tag.len() > TAG_BYTES_MAX;
        if too_many { Err(TableError::TooLarge(Bound::Content)) } else { Ok(!passes) }
    }
}

/// A part that may be read so far and no further, in pieces no longer than so.
struct Leash<R> {
    inner: BufReader<R>,
    taken: u64,
    piece: u64,
    most: u64,
}

impl<R> Leash<R> {
    fn is_beyond(&self) -> bool {
        self.taken > self.most || self.piece > PIECE_BYTES_MAX
    }
}

impl<R: Read> Leash<R> {
    /// Skips a block; whether there was one within the bound.
    fn skip_block(&mut self) -> Result<bool, TableError> {
        let Ok(block) = self.inner.fill_buf() else { return Err(TableError::Malformed) };
        let length = block.len();
        self.inner.consume(length);
        self.taken += u64::try_from(length).unwrap_or(u64::MAX);
        Ok(length > 0 && self.taken <= self.most)
    }
}

impl<R: Read> Read for Leash<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut block = self.fill_buf()?;
        let count = block.read(into)?;
        self.consume(count);
        Ok(count)
    }
}

impl<R: Read> BufRead for Leash<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.is_beyond() {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.inner.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        let bytes = u64::try_from(count).unwrap_or(u64::MAX);
        self.taken = self.taken.saturating_add(bytes);
        self.piece = self.piece.saturating_add(bytes);
        self.inner.consume(count);
    }
}
