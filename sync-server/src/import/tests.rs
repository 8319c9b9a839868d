//! Files as departments make them and as nobody should, read from the disk.

use std::io::Write;

use rust_xlsxwriter::Workbook;
use tempfile::NamedTempFile;
use wanhu_core::domain::identity::check_character;

use super::table::{Table, TableError};

mod contrary;
mod counted;
mod forgiven;
mod hostile;
mod rows;
mod table;
mod xls;

/// A file with these bytes.
fn file(bytes: &[u8]) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    file
}

pub(super) fn read(bytes: &[u8]) -> Result<Table, TableError> {
    Table::read(file(bytes).path())
}

/// The bytes of a workbook that is filled by `fill`.
fn xlsx(fill: impl FnOnce(&mut Workbook)) -> Vec<u8> {
    let mut book = Workbook::new();
    fill(&mut book);
    book.save_to_buffer().unwrap()
}

/// All rows: number and cells.
fn cells(table: &Table) -> Vec<(u32, Vec<&str>)> {
    table.rows().map(|row| (row.number, row.cells().collect())).collect()
}

/// A number that checks; another for every `person`.
pub(super) fn identity(person: u32) -> String {
    let day = person / 1000 % 28 + 1;
    let digits = format!("431022{}{day:02}{:03}", 195_001 + person / 28_000 * 100, person % 1000);
    let check = check_character(&digits).unwrap();
    format!("{digits}{check}")
}
