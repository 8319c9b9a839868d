//! Files that want all the memory there is, and files that are noise.

use std::io::Cursor;

use proptest::prelude::*;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::*;
use crate::import::table::{Bound, Bounds};
use crate::import::{delimited, inflate, xls as guard};

const SHEET: &str = "xl/worksheets/sheet1.xml";

/// A workbook with these parts beside those that every one has.
fn workbook(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let types = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let package = format!(
        r#"<Relationships><Relationship Id="a" Type="{types}/officeDocument" Target="xl/workbook.xml"/></Relationships>"#
    );
    let book = r#"<workbook xmlns:r="r"><sheets><sheet name="S" sheetId="1" r:id="a"/></sheets></workbook>"#;
    let sheets = format!(
        r#"<Relationships><Relationship Id="a" Type="{types}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>"#
    );
    let own = [
        ("_rels/.rels", package.as_bytes()),
        ("xl/workbook.xml", book.as_bytes()),
        ("xl/_rels/workbook.xml.rels", sheets.as_bytes()),
    ];
    for (name, content) in own.iter().chain(parts) {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn sheet(rows: &str) -> Vec<u8> {
    format!("<worksheet><sheetData>{rows}</sheetData></worksheet>").into_bytes()
}

fn bound(bytes: &[u8], bounds: &Bounds) -> Option<Bound> {
    match Table::read_within(file(bytes).path(), bounds) {
        Err(TableError::TooLarge(bound)) => Some(bound),
        _ => None,
    }
}

#[test]
fn a_workbook_made_by_hand_is_read() {
    let cells = r#"<row r="2"><c r="B2" t="inlineStr"><is><t>陈</t></is></c><c r="C2"><v>1.5</v></c></row>"#;
    let table = read(&workbook(&[(SHEET, &sheet(cells))])).unwrap();
    assert_eq!(super::cells(&table), [(2, vec!["", "陈", "1.5"])]);
}

#[test]
fn a_zip_bomb_is_refused_whatever_it_claims() {
    let bounds = Bounds { inflated_bytes: 4 << 20, ..Bounds::default() };
    let size = 16usize << 20;
    let mut bytes = workbook(&[(SHEET, &sheet("")), ("xl/media/bomb.bin", &vec![0; size])]);
    assert!(bytes.len() < 100_000);
    assert_eq!(bound(&bytes, &bounds), Some(Bound::InflatedBytes), "honest");
    let claim = u32::try_from(size).unwrap().to_le_bytes();
    let places: Vec<usize> =
        (0..bytes.len() - 4).filter(|at| bytes[*at..*at + 4] == claim).collect();
    assert!(!places.is_empty());
    for at in places {
        bytes[at..at + 4].copy_from_slice(&100u32.to_le_bytes());
    }
    let read = Table::read_within(file(&bytes).path(), &bounds);
    assert!(matches!(
        read,
        Err(TableError::TooLarge(Bound::InflatedBytes) | TableError::Malformed)
    ));
}

#[test]
fn rows_and_columns_beyond_all_sense_are_refused() {
    let claims = br#"<worksheet><dimension ref="A1:B1000000000"/><sheetData/></worksheet>"#;
    let far = sheet(r#"<row r="1000000000"><c r="A1000000000"><v>1</v></c></row>"#);
    let wide = sheet(r#"<row r="1"><c r="XFD1"><v>1</v></c></row>"#);
    let bounds = Bounds::default();
    assert_eq!(bound(&workbook(&[(SHEET, claims)]), &bounds), Some(Bound::Rows));
    assert_eq!(bound(&workbook(&[(SHEET, &far)]), &bounds), Some(Bound::Rows));
    assert_eq!(bound(&workbook(&[(SHEET, &wide)]), &bounds), Some(Bound::Columns));
    let lines = "a,b\n".repeat(11);
    assert_eq!(bound(lines.as_bytes(), &Bounds { rows: 10, ..bounds }), Some(Bound::Rows));
    assert_eq!(bound(lines.as_bytes(), &Bounds { rows: 11, ..bounds }), None);
    let small = Bounds { file_bytes: 10, ..bounds };
    assert_eq!(bound(lines.as_bytes(), &small), Some(Bound::FileBytes));
    let few = Bounds { text_bytes: 10, ..bounds };
    assert_eq!(bound(lines.as_bytes(), &few), Some(Bound::Content));
}

#[test]
fn strings_that_are_only_claimed_make_no_room() {
    let strings = br#"<sst uniqueCount="1000000000000000"><si><t>a</t></si></sst>"#;
    let parts: [(&str, &[u8]); 2] = [(SHEET, &sheet("")), ("xl/sharedStrings.xml", strings)];
    assert_eq!(bound(&workbook(&parts), &Bounds::default()), Some(Bound::Content));
}

#[test]
fn strings_styles_and_pieces_are_bounded() {
    let strings = format!("<sst>{}</sst>", "<si><t>abc</t></si>".repeat(100_000));
    let styles = format!("<styleSheet><cellXfs>{}</cellXfs></styleSheet>", "<xf/>".repeat(70_000));
    let merges = format!("<worksheet><sheetData/>{}</worksheet>", "<mergeCell/>".repeat(600_000));
    let piece = sheet(&format!("<row><c t=\"str\"><v>{}</v></c></row>", "x".repeat(1 << 20)));
    let comment = sheet(&format!("<!--{}-->", "<a>".repeat(1 << 20)));
    let tag = sheet(&format!("<row a=\"{}\"/>", "x".repeat(100_000)));
    let bounds = Bounds { shared_bytes: 1 << 20, ..Bounds::default() };
    let empty = sheet("");
    for (name, content, expected) in [
        ("xl/sharedStrings.xml", strings.as_bytes(), Bound::InflatedBytes),
        ("xl/styles.xml", styles.as_bytes(), Bound::Content),
        ("xl/worksheets/sheet2.xml", merges.as_bytes(), Bound::Content),
        ("xl/worksheets/sheet3.xml", &piece, Bound::InflatedBytes),
        ("xl/worksheets/sheet4.xml", &comment, Bound::InflatedBytes),
        ("xl/worksheets/sheet5.xml", &tag, Bound::Content),
    ] {
        let bytes = workbook(&[(SHEET, &empty), (name, content)]);
        assert_eq!(bound(&bytes, &bounds), Some(expected), "{name}");
    }
}

#[test]
fn a_directory_without_end_is_not_read() {
    let names: Vec<String> = (0..2_100).map(|part| format!("x{part}")).collect();
    let parts: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), &b""[..])).collect();
    assert_eq!(bound(&workbook(&parts), &Bounds::default()), Some(Bound::Content));
}

#[test]
fn rows_that_go_back_are_no_sheet() {
    let rows =
        sheet(r#"<row r="2"><c r="A2"><v>1</v></c></row><row r="1"><c r="A1"><v>1</v></c></row>"#);
    assert!(matches!(read(&workbook(&[(SHEET, &rows)])), Err(TableError::Malformed)));
}

const STRINGS: &str = "xl/sharedStrings.xml";

fn good_sheet() -> Vec<u8> {
    let rows = r#"<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1"><f>1+1</f><v>2</v></c></row>"#;
    let merges = r#"<mergeCells><mergeCell ref="A1:A3"/></mergeCells>"#;
    let dimension = r#"<dimension ref="A1:B1"/>"#;
    format!("<worksheet>{dimension}<sheetData>{rows}</sheetData>{merges}</worksheet>").into_bytes()
}

fn good_strings() -> Vec<u8> {
    br#"<sst uniqueCount="1"><si><r><t>a</t></r><r><t>b &amp;</t></r></si></sst>"#.to_vec()
}

fn good_xlsx() -> Vec<u8> {
    workbook(&[(SHEET, &good_sheet()), (STRINGS, &good_strings())])
}

/// A good file with some bytes replaced and its end perhaps cut off.
fn mutated(good: Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
    let length = good.len();
    let changes = prop::collection::vec((0..length, any::<u8>()), 0..12);
    (changes, length / 2..=length).prop_map(move |(changes, end)| {
        let mut bytes = good.clone();
        for (at, byte) in changes {
            bytes[at] = byte;
        }
        bytes.truncate(end);
        bytes
    })
}

/// Within small bounds, what is read is within them; what looks at a file first does not panic itself.
fn survives(bytes: &[u8]) -> Result<(), TestCaseError> {
    let bounds =
        Bounds { rows: 500, inflated_bytes: 8 << 20, text_bytes: 1 << 20, ..Bounds::default() };
    let file = file(bytes);
    if let Ok(table) = Table::read_within(file.path(), &bounds) {
        prop_assert!(table.rows().all(|row| row.number <= 500 && row.len() <= bounds.columns));
        prop_assert!(table.rows().map(|row| row.number).is_sorted());
    }
    // Without the net that `Table` spreads under the libraries.
    let _ = inflate::look_at(file.path(), &bounds);
    let _ = guard::checked(file.path(), &bounds);
    let _ = delimited::read(file.path(), &bounds);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn noise_is_survived(bytes in prop::collection::vec(any::<u8>(), 0..2_000), kind in 0..4u8) {
        let magic: &[u8] = match kind {
            0 => b"PK\x03\x04",
            1 => &[0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1],
            2 => b"\xEF\xBB\xBF",
            _ => b"",
        };
        survives(&[magic, &bytes].concat())?;
    }

    #[test]
    fn damaged_workbooks_are_survived(bytes in mutated(good_xlsx())) {
        survives(&bytes)?;
    }

    #[test]
    fn damaged_sheets_are_survived(sheet in mutated(good_sheet()), strings in mutated(good_strings())) {
        survives(&workbook(&[(SHEET, &sheet), (STRINGS, &strings)]))?;
    }

    #[test]
    fn damaged_old_workbooks_are_survived(bytes in mutated(xls::good())) {
        survives(&bytes)?;
    }

    #[test]
    fn every_line_of_noisy_text_is_a_row_or_empty(text in "[a\",;\n\r甲]{0,200}") {
        survives(text.as_bytes())?;
        let table = delimited::read(file(text.as_bytes()).path(), &Bounds::default()).unwrap();
        let lines = text.split(['\n', '\r']).count();
        prop_assert!(table.rows().all(|row| usize::try_from(row.number).unwrap() <= lines));
    }
}
