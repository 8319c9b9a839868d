//! Tables of every kind come out as the same rows of text.

use encoding_rs::GB18030;
use rust_xlsxwriter::{ExcelDateTime, Format, Formula};

use super::*;
use crate::import::table::RowState;

const TEXT: &str =
    "姓名,住址,金额\n陈永昌,福岭村;3组,\"12,000.50\"\n\n李秀英,\"两行\n地址\",800\n,,\n王五,x,\n";

fn expected() -> Vec<(u32, Vec<&'static str>)> {
    vec![
        (1, vec!["姓名", "住址", "金额"]),
        (2, vec!["陈永昌", "福岭村;3组", "12,000.50"]),
        (4, vec!["李秀英", "两行\n地址", "800"]),
        (6, vec!["王五", "x"]),
    ]
}

#[test]
fn text_in_every_encoding_is_the_same() {
    let utf_16 = [0xFF, 0xFE].into_iter().chain(TEXT.encode_utf16().flat_map(u16::to_le_bytes));
    for (bytes, encoding) in [
        (TEXT.as_bytes().to_vec(), "UTF-8"),
        ([b"\xEF\xBB\xBF", TEXT.as_bytes()].concat(), "UTF-8 with a mark"),
        (GB18030.encode(TEXT).0.into_owned(), "GBK"),
        (utf_16.collect(), "UTF-16"),
        (TEXT.replace('\n', "\r\n").replace("两行\r", "两行").into_bytes(), "lines of Windows"),
    ] {
        assert_eq!(cells(&read(&bytes).unwrap()), expected(), "{encoding}");
    }
}

#[test]
fn every_separator_is_found() {
    let rows =
        [["姓名", "住址", "金额"], ["陈永昌", "福岭村,3组", "1"], ["李秀英", "福岭村,4组", "2"]];
    for separator in [";", "\t", "|"] {
        let text: String = rows.iter().map(|row| row.join(separator) + "\n").collect();
        let table = read(text.as_bytes()).unwrap();
        assert_eq!(cells(&table)[2], (3, rows[2].to_vec()), "{separator:?}");
    }
}

#[test]
fn one_damaged_byte_does_not_make_the_file_another_encoding() {
    let mut bytes = TEXT.repeat(20).into_bytes();
    let at = bytes.len() - 30;
    bytes[at] = 0xFF;
    let table = read(&bytes).unwrap();
    assert_eq!(table.rows().next().unwrap().cell(0), "姓名");
    let damaged =
        |row: crate::import::table::Row<'_>| row.cells().any(|cell| cell.contains('\u{FFFD}'));
    assert_eq!(table.rows().filter(|row| damaged(*row)).count(), 1);
}

#[test]
fn a_quote_that_nobody_closed_costs_its_row_only() {
    let text = "姓名,住址,金额\n甲,\"福岭村,1\n乙,\"福岭村\",2\n丙,x,3\n丁,\"y,4\n";
    let table = read(text.as_bytes()).unwrap();
    let states: Vec<_> = table.rows().map(|row| (row.number, row.state)).collect();
    assert_eq!(
        states,
        [
            (1, RowState::Whole),
            (2, RowState::OpenQuote),
            (3, RowState::Whole),
            (4, RowState::Whole),
            (5, RowState::OpenQuote),
        ]
    );
    assert_eq!(table.row(3).unwrap().cells().collect::<Vec<_>>(), ["乙", "福岭村", "2"]);
}

#[test]
fn a_row_too_long_costs_its_row_only() {
    let long = "长".repeat(200_000);
    for middle in
        [format!("甲,{long},1"), format!("甲,\"{long},1"), format!("甲{}", ",x".repeat(300))]
    {
        let table = read(format!("姓名,住址,金额\n{middle}\n乙,x,2\n").as_bytes()).unwrap();
        let states: Vec<_> = table.rows().map(|row| (row.number, row.state)).collect();
        let too_long = (2, RowState::TooLong);
        assert_eq!(states, [(1, RowState::Whole), too_long, (3, RowState::Whole)]);
        assert_eq!(table.row(3).unwrap().cell(0), "乙");
    }
}

#[test]
fn cells_of_a_workbook_are_written_as_a_person_reads_them() {
    let bytes = xlsx(|book| {
        let sheet = book.add_worksheet();
        let day = Format::new().set_num_format("yyyy/m/d");
        sheet.write(0, 0, "标题").unwrap();
        sheet.write(2, 0, "11010519491231002X").unwrap();
        sheet.write(2, 1, 12_000.5).unwrap();
        sheet.write(2, 2, 0.1 + 0.2).unwrap();
        sheet.write(2, 3, 431_022_199_001_011_234_f64).unwrap();
        sheet.write_with_format(2, 4, ExcelDateTime::from_ymd(2020, 2, 1).unwrap(), &day).unwrap();
        sheet.write(2, 5, true).unwrap();
        sheet.write(2, 6, Formula::new("=1+1").set_result("42")).unwrap();
        sheet.write(2, 7, Formula::new("=\"a\"&\"b\"").set_result("ab")).unwrap();
        sheet.write(2, 8, 43_862).unwrap();
        sheet.write(2, 9, 110_105_491_231_002_f64).unwrap();
    });
    let table = read(&bytes).unwrap();
    let row = [
        "11010519491231002X",
        "12000.5",
        "0.3",
        "4.31022199001011E17",
        "2020-02-01",
        "TRUE",
        "42",
        "ab",
        "43862",
        "110105491231002",
    ];
    // What a spreadsheet keeps of 18 digits are 15; the file holds what the writer was given.
    let read = cells(&table);
    assert_eq!(read[0], (1, vec!["标题"]));
    assert_eq!(read[1].0, 3);
    for (found, expected) in read[1].1.iter().zip(row) {
        assert!(*found == expected || expected.contains('E') && found.ends_with("E17"), "{found}");
    }
    assert_eq!(read[1].1.len(), row.len());
}

#[test]
fn a_merged_cell_counts_for_all_its_rows() {
    let bytes = xlsx(|book| {
        let sheet = book.add_worksheet();
        let plain = Format::new();
        sheet.merge_range(0, 0, 0, 2, "标题", &plain).unwrap();
        sheet.merge_range(1, 0, 3, 0, "福岭村", &plain).unwrap();
        for row in 1..5 {
            sheet.write(row, 1, row).unwrap();
        }
        // A merge below the table makes no rows.
        sheet.merge_range(5, 0, 9, 2, "备注", &plain).unwrap();
    });
    let read = read(&bytes).unwrap();
    let column: Vec<_> = read.rows().map(|row| (row.number, row.cell(0), row.cell(1))).collect();
    assert_eq!(
        column,
        [
            (1, "标题", ""),
            (2, "福岭村", "1"),
            (3, "福岭村", "2"),
            (4, "福岭村", "3"),
            (5, "", "4"),
            (6, "备注", "")
        ]
    );
}

#[test]
fn the_first_visible_sheet_with_something_on_it_is_read_and_others_are_named() {
    let bytes = xlsx(|book| {
        for (name, hidden, text) in [
            ("空", false, ""),
            ("隐藏", true, "x"),
            ("表", false, "y"),
            ("附", false, "z"),
            ("末", false, ""),
        ] {
            let sheet = book.add_worksheet().set_name(name).unwrap();
            sheet.set_hidden(hidden);
            if !text.is_empty() {
                sheet.write(0, 0, text).unwrap();
            }
            if name == "表" {
                sheet.set_active(true);
            }
        }
    });
    let table = read(&bytes).unwrap();
    assert_eq!(cells(&table), [(1, vec!["y"])]);
    assert_eq!(table.sheets_left, ["附"]);
}

#[test]
fn what_is_no_table_is_refused() {
    for bytes in [&b"\x89PNG\r\n\x1a\n\0\0\0"[..], b"<html><table>", b"%PDF-1.4\0"] {
        assert!(matches!(read(bytes), Err(TableError::Unsupported)));
    }
    assert!(matches!(read(b"PK\x03\x04 and no more"), Err(TableError::Malformed)));
    assert!(matches!(Table::read("/nowhere".as_ref()), Err(TableError::File(_))));
    assert_eq!(read(b"").unwrap().rows().len(), 0);
}
