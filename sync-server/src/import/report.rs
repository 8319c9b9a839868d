//! What the sender of a table gets back: a CSV with one line for what is said of a row, why it was not taken or what
//! became of it. It opens in a spreadsheet, so no cell of it may be taken for a formula, and no identity number
//! stands in it whole. Must not know what a row means.

use std::borrow::Cow;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use wanhu_core::domain::schema;

use super::afterwards::Listed;
use super::delivery::DeliveryError;
use super::outcome::Fault;
use super::proposals::Proposals;
use super::rows::Rows;

/// A byte order mark, without which a spreadsheet takes UTF-8 for something else.
const UTF_8_MARK: &[u8] = b"\xEF\xBB\xBF";
/// The title of the column in which rows that found nobody have households of somebody of that name.
const PROPOSED: &str = "同村同名,仅供核实 Of that name in that village";
/// The first line.
const TITLES: [&str; 6] =
    ["行号 Row", "列 Column", "原因", "Reason", "姓名 Name", "证件号码 Identity number"];
/// Digits in a row, from here on, that may be an identity number wherever they stand.
const NUMBER_DIGITS_MIN: usize = 12;
/// Characters of an identity number that are shown, at its beginning and at its end.
const SHOWN: (usize, usize) = (6, 2);

/// What is said of a row: a code of one of the lists in `core/schema/words.toml`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'l> {
    /// Its number in the file.
    pub(super) row: u32,
    /// The header of the column; empty where the row as a whole is meant.
    pub(super) column: &'l str,
    /// The list that has the words.
    pub(super) list: &'static str,
    /// The code.
    pub(super) code: &'static str,
}

/// Makes a report's file and has it written.
pub(super) fn to_file(
    path: &Path,
    write: impl FnOnce(BufWriter<File>) -> Result<(), csv::Error>,
) -> Result<(), DeliveryError> {
    let out = File::create(path).map_err(|error| DeliveryError::Report(error.to_string()))?;
    write(BufWriter::new(out)).map_err(|error| DeliveryError::Report(error.to_string()))
}

/// Writes the report of some faults of a table, with the words of the list `import_fault` and what is proposed.
///
/// # Errors
/// Where it cannot be written.
pub fn write<'f>(
    out: impl Write,
    rows: &Rows<'_>,
    faults: impl IntoIterator<Item = &'f Fault>,
    proposals: &Proposals,
) -> Result<(), csv::Error> {
    let line = |fault: &'f Fault| {
        let (list, code) = ("import_fault", fault.code.code());
        Line { row: fault.row, column: &fault.column, list, code }
    };
    write_lines(out, rows, faults.into_iter().map(line), Some(proposals))
}

/// Writes a report of what is said of rows.
pub(super) fn write_lines<'l>(
    mut out: impl Write,
    rows: &Rows<'_>,
    said: impl Iterator<Item = Line<'l>>,
    proposals: Option<&Proposals>,
) -> Result<(), csv::Error> {
    out.write_all(UTF_8_MARK)?;
    let mut lines = csv::Writer::from_writer(out);
    lines.write_record(TITLES.into_iter().chain(proposals.map(|_| PROPOSED)))?;
    for Line { row, column, list, code } in said {
        let words = schema::words(list, code);
        let (zh, en) = words.map_or((code, ""), |words| (&words.zh, &words.en));
        let (name, identity) = rows.who(row).unwrap_or_default();
        let (name, identity) = (hide_numbers(name), masked(identity.trim()));
        let number = row.to_string();
        let proposed = proposals.map(|known| {
            let ids = known.get(&row).into_iter().flatten().map(ToString::to_string);
            ids.collect::<Vec<_>>().join(" ")
        });
        let cells = [&number, column, zh, en, &name, &identity];
        let cells = cells.into_iter().chain(proposed.as_deref());
        lines.write_record(cells.map(|cell| defused(cell).into_owned()))?;
    }
    lines.flush()?;
    Ok(())
}

/// Writes what a withdrawn delivery leaves on record, a line a field.
pub(super) fn write_standing(mut out: impl Write, standing: &[Listed]) -> Result<(), csv::Error> {
    out.write_all(UTF_8_MARK)?;
    let mut lines = csv::Writer::from_writer(out);
    lines.write_record(["农户 Household", "行号 Row", "位置 Place", "字段 Field", "值 Value"])?;
    for field in standing {
        let (label, value) = field.words();
        let place = format!("{}.{}", field.container, field.key);
        let cells = [&field.household.to_string(), &field.row.to_string(), &place, label, &value];
        lines.write_record(cells.map(|cell| defused(cell).into_owned()))?;
    }
    lines.flush()?;
    Ok(())
}

/// A cell that no spreadsheet takes for a formula.
fn defused(cell: &str) -> Cow<'_, str> {
    let dangerous = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];
    if cell.trim_start_matches([' ', '\u{3000}']).starts_with(dangerous) {
        return Cow::Owned(format!("'{cell}"));
    }
    Cow::Borrowed(cell)
}

/// The first six and the last two characters; of a shorter text none.
fn masked(number: &str) -> String {
    let characters: Vec<char> = number.chars().collect();
    let hidden = |from: usize, to: usize| characters.iter().take(to).skip(from).map(|_| '*');
    let length = characters.len();
    if length <= SHOWN.0 + SHOWN.1 {
        return hidden(0, length).collect();
    }
    let last = length - SHOWN.1;
    let (first, last_shown) = (&characters[..SHOWN.0], &characters[last..]);
    first.iter().copied().chain(hidden(SHOWN.0, last)).chain(last_shown.iter().copied()).collect()
}

/// A text in which every long number is masked: a row that slipped by a column shows its number elsewhere.
fn hide_numbers(text: &str) -> String {
    let mut shown = String::new();
    let mut number = String::new();
    for character in text.chars().chain(['\0']) {
        if character.is_numeric() || matches!(character, 'x' | 'X' | 'Ｘ' | 'ｘ') {
            number.push(character);
            continue;
        }
        if number.chars().count() < NUMBER_DIGITS_MIN {
            shown.push_str(&number);
        } else {
            shown.push_str(&masked(&number));
        }
        number.clear();
        shown.push(character);
    }
    shown.pop();
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_masked_wherever_they_stand() {
        assert_eq!(masked("11010519491231002X"), "110105**********2X");
        assert_eq!(masked("4.31022E+17"), "4.3102***17");
        assert_eq!(masked("12345678"), "********");
        assert_eq!(hide_numbers("陈永昌 11010519491231002X"), "陈永昌 110105**********2X");
        assert_eq!(hide_numbers("陈2"), "陈2");
    }

    #[test]
    fn formulas_are_defused() {
        for cell in ["=1+1", "+86", "-1", "@SUM(A1)", "\t=1", "  =1", "＝1"] {
            assert_eq!(defused(cell), format!("'{cell}"));
        }
        assert_eq!(defused("陈=永"), "陈=永");
    }
}
