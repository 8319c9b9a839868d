//! XLS files, written record by record: one as a spreadsheet writes it, and some that ask for too much.

use std::io::Cursor;

use super::*;
use crate::import::table::{Bound, Bounds};

/// A record.
fn record(kind: u16, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap();
    [&kind.to_le_bytes()[..], &length.to_le_bytes(), content].concat()
}

fn words(words: &[u16]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// A string as the table of shared strings has it, with wide characters.
fn string(text: &str) -> Vec<u8> {
    let wide: Vec<u16> = text.encode_utf16().collect();
    let length = u16::try_from(wide.len()).unwrap().to_le_bytes();
    [&length[..], &[1], &words(&wide)].concat()
}

/// A compound file with one sheet of these records; the second sheet begins where the first does, if wanted.
fn book(strings: &[&str], records: &[Vec<u8>], twice: bool) -> Vec<u8> {
    let count = u32::try_from(strings.len()).unwrap().to_le_bytes();
    let table = strings.iter().flat_map(|text| string(text)).collect::<Vec<u8>>();
    let table = record(0x00FC, &[&count[..], &count, &table].concat());
    let begin = record(0x0809, &words(&[0x0600, 0x0005, 0, 0, 0, 0, 0, 0]));
    let day = record(0x00E0, &[&words(&[0, 14])[..], &[0; 16]].concat());
    let plain = record(0x00E0, &[0; 20]);
    let sheet = |at: u32| record(0x0085, &[&at.to_le_bytes()[..], &[0, 0, 1, 0, b'S']].concat());
    let count = if twice { 2 } else { 1 };
    let length = begin.len() + plain.len() + day.len() + sheet(0).len() * count + table.len() + 4;
    let sheets = sheet(u32::try_from(length).unwrap()).repeat(count);
    let end = record(0x000A, &[]);
    let globals = [&begin[..], &plain, &day, &sheets, &table, &end].concat();
    assert_eq!(globals.len(), length);
    let worksheet = record(0x0809, &words(&[0x0600, 0x0010, 0, 0, 0, 0, 0, 0]));
    let stream = [&globals[..], &worksheet, &records.concat(), &end].concat();
    let mut file = cfb::CompoundFile::create(Cursor::new(Vec::new())).unwrap();
    file.create_stream("/Workbook").unwrap().write_all(&stream).unwrap();
    file.into_inner().into_inner()
}

fn text(row: u16, column: u16, index: u32) -> Vec<u8> {
    record(0x00FD, &[&words(&[row, column, 0])[..], &index.to_le_bytes()].concat())
}

fn number(row: u16, column: u16, format: u16, number: f64) -> Vec<u8> {
    record(0x0203, &[&words(&[row, column, format])[..], &number.to_le_bytes()].concat())
}

fn formula(row: u16, column: u16, value: f64) -> Vec<u8> {
    let tokens = [3u16.to_le_bytes().to_vec(), vec![0x1E, 1, 0]].concat();
    let content = [&words(&[row, column, 0])[..], &value.to_le_bytes(), &[0; 6], &tokens].concat();
    record(0x0006, &content)
}

/// A good file.
pub(super) fn good() -> Vec<u8> {
    let records = [
        record(
            0x0200,
            &[&0u32.to_le_bytes()[..], &4u32.to_le_bytes(), &words(&[0, 3, 0])].concat(),
        ),
        text(0, 0, 0),
        text(0, 1, 1),
        text(1, 0, 2),
        number(1, 1, 0, 12_000.5),
        number(2, 0, 1, 43_862.0),
        formula(2, 1, 42.0),
        record(0x00E5, &words(&[1, 1, 2, 2, 2])),
    ];
    book(&["姓名", "金额", "陈永昌"], &records, false)
}

fn bound(bytes: &[u8]) -> Option<Bound> {
    match read(bytes) {
        Err(TableError::TooLarge(bound)) => Some(bound),
        _ => None,
    }
}

#[test]
fn an_old_workbook_is_read() {
    let table = read(&good()).unwrap();
    let expected =
        [(1, vec!["姓名", "金额"]), (2, vec!["陈永昌", "12000.5"]), (3, vec!["2020-02-01", "42"])];
    assert_eq!(cells(&table), expected);
}

#[test]
fn claims_of_size_make_no_room() {
    let all =
        [&0u32.to_le_bytes()[..], &u32::MAX.to_le_bytes(), &words(&[0, u16::MAX, 0])].concat();
    let table = read(&book(&["a"], &[record(0x0200, &all), text(0, 0, 0)], false)).unwrap();
    assert_eq!(cells(&table), [(1, vec!["a"])]);
}

#[test]
fn cells_far_apart_are_refused() {
    let apart = |column| book(&["a"], &[text(0, 0, 0), text(u16::MAX, column, 0)], false);
    assert_eq!(bound(&apart(u16::MAX)), Some(Bound::Columns));
    assert_eq!(bound(&apart(255)), Some(Bound::Content));
    assert_eq!(bound(&apart(1)), None);
}

#[test]
fn a_long_string_in_many_cells_is_refused() {
    let long = "长".repeat(400);
    let bounds = Bounds { text_bytes: 1 << 20, ..Bounds::default() };
    let rows = |count| {
        let records: Vec<Vec<u8>> = (0..count).map(|row| text(row, 0, 0)).collect();
        Table::read_within(file(&book(&[&long], &records, false)).path(), &bounds)
    };
    assert_eq!(rows(600).unwrap().rows().len(), 600);
    assert!(matches!(rows(700), Err(TableError::TooLarge(Bound::Content))));
}

#[test]
fn sheets_that_overlap_are_refused() {
    assert!(matches!(read(&book(&["a"], &[text(0, 0, 0)], true)), Err(TableError::Malformed)));
}

#[test]
fn what_needs_a_password_is_said_to() {
    let mut file = cfb::CompoundFile::create(Cursor::new(Vec::new())).unwrap();
    file.create_stream("/EncryptedPackage").unwrap().write_all(b"x").unwrap();
    let package = file.into_inner().into_inner();
    assert!(matches!(read(&package), Err(TableError::Encrypted)), "a newer workbook, wrapped");
    let old = book(&["a"], &[text(0, 0, 0)], false);
    let locked = record(0x002F, &words(&[1, 0]));
    assert!(read(&old).is_ok());
    let stream = [record(0x0809, &words(&[0x0600, 5, 0, 0])), locked].concat();
    let mut file = cfb::CompoundFile::create(Cursor::new(Vec::new())).unwrap();
    file.create_stream("/Workbook").unwrap().write_all(&stream).unwrap();
    assert!(matches!(read(&file.into_inner().into_inner()), Err(TableError::Encrypted)));
}
