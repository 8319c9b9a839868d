//! A sheet as CSV: UTF-8 with a byte order mark, so that spreadsheets read Chinese; CRLF; one table after the
//! other, then the stamp. Must not let a cell act as a formula.

use wanhu_core::document::form::{Cell, Sheet, Shown};

use super::{OutputError, tables};

const BYTE_ORDER_MARK: &str = "\u{feff}";
/// What begins a formula in some spreadsheet, full-width forms included.
const FORMULA_STARTS: [char; 10] = ['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠'];
/// Digits beyond which a spreadsheet rounds a number: identity numbers and bank cards have more.
const EXACT_DIGITS_MAX: usize = 11;

/// Writes a sheet.
///
/// # Errors
/// `Refused` where the writer fails, which memory does not.
pub fn write(sheet: &Sheet) -> Result<Vec<u8>, OutputError> {
    let mut writer = csv::WriterBuilder::new()
        .flexible(true)
        .terminator(csv::Terminator::CRLF)
        .from_writer(BYTE_ORDER_MARK.as_bytes().to_vec());
    let mut record =
        |cells: Vec<String>| writer.write_record(cells).map_err(|_| OutputError::Refused);
    for (at, table) in tables(sheet).iter().enumerate() {
        if at > 0 {
            record(vec![String::new()])?;
        }
        if !table.title.is_empty() {
            record(vec![harmless(table.title)])?;
        }
        record(table.header.iter().map(|heading| harmless(&heading.label)).collect())?;
        for line in &table.lines {
            record(line.iter().map(field).collect())?;
        }
    }
    record(vec![String::new()])?;
    record([&sheet.title].into_iter().chain(&sheet.stamp).map(|text| harmless(text)).collect())?;
    for text in &sheet.footer {
        record(vec![harmless(text)])?;
    }
    record(sheet.sign.iter().map(|text| harmless(&format!("{text}:"))).collect())?;
    writer.into_inner().map_err(|_| OutputError::Refused)
}

fn field(cell: &Cell) -> String {
    match cell.shown {
        Shown::Number { .. } | Shown::Day(_) | Shown::Empty => cell.text(),
        Shown::Text(_) => harmless(&cell.text()),
    }
}

/// Text that stays text: behind an apostrophe where it would be a formula, behind a tab where it would be a
/// rounded number.
fn harmless(text: &str) -> String {
    let is_number = |text: &str| {
        text.len() > EXACT_DIGITS_MAX
            && text.chars().all(|c| c.is_ascii_digit() || matches!(c, 'x' | 'X'))
    };
    if text.starts_with(FORMULA_STARTS) {
        format!("'{text}")
    } else if is_number(text) {
        format!("\t{text}")
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_text() {
        for (text, written) in [
            ("=HYPERLINK(\"http://x\")", "'=HYPERLINK(\"http://x\")"),
            ("+86", "'+86"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("＝1+1", "'＝1+1"),
            ("\t=1", "'\t=1"),
            ("431022197203151230", "\t431022197203151230"),
            ("13812345678", "13812345678"),
            ("陈永昌", "陈永昌"),
            ("", ""),
        ] {
            assert_eq!(harmless(text), written, "{text}");
        }
        let debt = Cell { shown: Shown::Number { value: -1_250, decimals: 2 }, disputed: false };
        assert_eq!(field(&debt), "-12.50", "a number is no formula");
    }
}
