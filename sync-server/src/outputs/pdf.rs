//! A sheet as PDF on A4: typeset by `typst` from one shape (`sheet.typ`) and the sheet as data, so that nothing a
//! record holds is ever read as markup. Must not drop a character: what no font has is reported.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use typst::diag::{FileError, FileResult};
use typst::foundations::{Bytes, Datetime, Duration, Smart};
use typst::syntax::{FileId, RootedPath, Source, VirtualPath, VirtualRoot};
use typst::text::{Font, FontBook};
use typst::utils::LazyHash;
use typst::{Library, LibraryExt, World};
use typst_layout::PagedDocument;
use typst_pdf::{PdfOptions, Timestamp};
use wanhu_core::document::form::Sheet;
use wanhu_core::domain::day::Day;

use super::OutputError;

mod layout;

/// A sheet on paper.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pdf {
    /// The file.
    pub bytes: Vec<u8>,
    /// Characters that no font has, ascending: the file shows boxes in their place.
    pub missing: Vec<char>,
}

const SHAPE: &str = include_str!("sheet.typ");
const MAIN: &str = "sheet.typ";
const DATA: &str = "sheet.json";
/// A font with this character is one for Chinese text.
const CHINESE: char = '中';

static LIBRARY: LazyLock<LazyHash<Library>> = LazyLock::new(|| LazyHash::new(Library::default()));
/// GB 2312 and what forms need besides; how it was made: `assets/README.md`.
static EMBEDDED: LazyLock<Vec<Font>> = LazyLock::new(|| {
    let bytes: &'static [u8] = include_bytes!("../../assets/NotoSansSC-subset.ttf");
    Font::iter(Bytes::new(bytes)).collect()
});

/// Writes a sheet. `fonts` are files, or folders of files, that are asked before the embedded font; one that
/// cannot be read is passed over, and what it lacks shows in [`Pdf::missing`].
///
/// # Errors
/// `Refused` where the typesetter gives up.
pub fn write(sheet: &Sheet, fonts: &[PathBuf]) -> Result<Pdf, OutputError> {
    let fonts = found(fonts);
    let data = layout::of(sheet, &families(&fonts));
    let data = serde_json::to_string(&data).map_err(|_| OutputError::Refused)?;
    let missing = missing(&data, &fonts);
    let desk = Desk::of(fonts, data)?;
    let document = typst::compile::<PagedDocument>(&desk).output;
    let written = document.and_then(|document| typst_pdf::pdf(&document, &options(sheet)));
    // The typesetter remembers what it set, for the next version of the same text; ours is another household.
    typst::comemo::evict(0);
    Ok(Pdf { bytes: written.map_err(|_| OutputError::Refused)?, missing })
}

/// The same sheet is the same file, whenever it is made.
fn options(sheet: &Sheet) -> PdfOptions {
    let timestamp = datetime(sheet.as_of).map(Timestamp::new_utc);
    PdfOptions {
        ident: Smart::Custom(sheet.form.clone()),
        creator: Smart::Custom(Some("wanhu".into())),
        timestamp,
        ..PdfOptions::default()
    }
}

fn datetime(day: Day) -> Option<Datetime> {
    let (year, month, day) = day.civil();
    let (month, day) = (u8::try_from(month).ok()?, u8::try_from(day).ok()?);
    Datetime::from_ymd_hms(year, month, day, 0, 0, 0)
}

/// Fonts in the order in which they are asked.
fn found(paths: &[PathBuf]) -> Vec<Font> {
    let files = paths.iter().flat_map(|path| files(path));
    let read = files.filter_map(|file| std::fs::read(file).ok());
    read.flat_map(|bytes| Font::iter(Bytes::new(bytes))).chain(EMBEDDED.iter().cloned()).collect()
}

/// The file itself, or the font files of a folder by name; folders inside it are not looked into.
fn files(path: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(path) else { return vec![path.to_owned()] };
    let is_font = |file: &PathBuf| {
        let extension = file.extension().and_then(|e| e.to_str()).unwrap_or_default();
        ["ttf", "otf", "ttc", "otc"].contains(&extension.to_ascii_lowercase().as_str())
    };
    let mut files: Vec<PathBuf> =
        entries.flatten().map(|entry| entry.path()).filter(is_font).collect();
    files.sort();
    files
}

/// Families in order: those for Chinese text first, as a folder may begin with symbols.
fn families(fonts: &[Font]) -> Vec<String> {
    let (chinese, others): (Vec<&Font>, Vec<&Font>) =
        fonts.iter().partition(|font| has(font, CHINESE));
    let mut families: Vec<String> = Vec::new();
    for font in chinese.into_iter().chain(others) {
        let family = &font.info().family;
        if !families.contains(family) {
            families.push(family.clone());
        }
    }
    families
}

fn has(font: &Font, character: char) -> bool {
    font.info().coverage.contains(u32::from(character))
}

fn missing(text: &str, fonts: &[Font]) -> Vec<char> {
    let shown = text.chars().filter(|c| !c.is_whitespace() && !c.is_control());
    let all: BTreeSet<char> = shown.collect();
    all.into_iter().filter(|c| !fonts.iter().any(|font| has(font, *c))).collect()
}

/// All the typesetter sees: one text, one file of data, the fonts. No disk, no network, no clock.
struct Desk {
    book: LazyHash<FontBook>,
    fonts: Vec<Font>,
    main: Source,
    data: (FileId, Bytes),
}

fn file_id(name: &str) -> Result<FileId, OutputError> {
    let path = VirtualPath::new(name).map_err(|_| OutputError::Refused)?;
    Ok(RootedPath::new(VirtualRoot::Project, path).intern())
}

impl Desk {
    fn of(fonts: Vec<Font>, data: String) -> Result<Self, OutputError> {
        Ok(Self {
            book: LazyHash::new(FontBook::from_fonts(&fonts)),
            fonts,
            main: Source::new(file_id(MAIN)?, SHAPE.to_owned()),
            data: (file_id(DATA)?, Bytes::from_string(data)),
        })
    }
}

impl World for Desk {
    fn library(&self) -> &LazyHash<Library> {
        &LIBRARY
    }

    fn book(&self) -> &LazyHash<FontBook> {
        &self.book
    }

    fn main(&self) -> FileId {
        self.main.id()
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        if id == self.main.id() { Ok(self.main.clone()) } else { Err(FileError::NotSource) }
    }

    fn file(&self, id: FileId) -> FileResult<Bytes> {
        let (own, bytes) = &self.data;
        if id == *own { Ok(bytes.clone()) } else { Err(FileError::AccessDenied) }
    }

    fn font(&self, index: usize) -> Option<Font> {
        self.fonts.get(index).cloned()
    }

    fn today(&self, _offset: Option<Duration>) -> Option<Datetime> {
        None
    }
}
