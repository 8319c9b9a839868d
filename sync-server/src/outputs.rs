//! Sheets as files that offices use: CSV, XLSX, PDF. A sheet comes from `wanhu_core::document::form`; here it only
//! gets a shape. Must not know a record, and must not add or leave out a value.

use std::collections::BTreeMap;

use wanhu_core::document::form::{Cell, Heading, Sheet, SheetPart, SheetRow, Shown};
use wanhu_core::domain::ids::HouseholdId;
use wanhu_core::domain::schema::words;

pub mod csv;
#[cfg(feature = "pdf")]
pub mod pdf;
pub mod xlsx;

/// Why a sheet did not become a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OutputError {
    /// More lines, columns or characters than the format holds.
    #[error("sheet too large")]
    TooLarge,
    /// The library refused; its own words would quote what the sheet holds.
    #[error("format refused the sheet")]
    Refused,
}

/// One table as spreadsheets want it: every line says whose it is and carries the household's check code.
struct Table<'a> {
    title: &'a str,
    header: Vec<Heading>,
    lines: Vec<Vec<Cell>>,
}

fn word(code: &str) -> &'static str {
    words("sheet", code).map_or("", |word| word.zh.as_str())
}

fn tables(sheet: &Sheet) -> Vec<Table<'_>> {
    let codes = sheet.codes();
    // The first column of the first part is what a household goes by.
    let first = sheet.parts.first();
    let named = first.into_iter().flat_map(|part| &part.rows);
    let names: BTreeMap<HouseholdId, &Cell> =
        named.filter_map(|row| Some((row.household, row.cells.first()?))).collect();
    let table = |(at, part)| table(part, first.filter(|_| at > 0), &names, &codes);
    sheet.parts.iter().enumerate().map(table).collect()
}

fn table<'a>(
    part: &'a SheetPart,
    first: Option<&SheetPart>,
    names: &BTreeMap<HouseholdId, &Cell>,
    codes: &BTreeMap<HouseholdId, String>,
) -> Table<'a> {
    let lead = first.and_then(|first| first.header.first());
    let code = Heading { label: word("digest").into(), is_amount: false, is_sequence: false };
    let line = |row: &SheetRow| {
        let name = names.get(&row.household).copied().filter(|_| lead.is_some());
        let code = codes.get(&row.household).cloned().unwrap_or_default();
        let code = Cell { shown: Shown::Text(code), disputed: false };
        name.into_iter().chain(&row.cells).cloned().chain([code]).collect()
    };
    Table {
        title: &part.title,
        header: lead.into_iter().chain(&part.header).cloned().chain([code]).collect(),
        lines: part.rows.iter().map(line).collect(),
    }
}

/// How wide text is, in half-width characters.
fn width(text: &str) -> usize {
    let of_line = |line: &str| line.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum();
    text.lines().map(of_line).max().unwrap_or(0)
}

/// Widths of columns in half-width characters. A long heading may stand in two lines.
fn widths<'a>(header: &[Heading], lines: impl IntoIterator<Item = &'a Vec<Cell>>) -> Vec<usize> {
    const RANGE: (usize, usize) = (5, 40);
    const LONG: usize = 8;
    let of_heading = |heading: &Heading| match width(&heading.label) {
        long if long > LONG => long.div_ceil(2) + 1,
        short => short,
    };
    let mut widths: Vec<usize> = header.iter().map(of_heading).collect();
    for line in lines {
        for (own, cell) in widths.iter_mut().zip(line) {
            *own = width(&cell.text()).max(*own);
        }
    }
    widths.into_iter().map(|width| width.clamp(RANGE.0, RANGE.1)).collect()
}

#[cfg(test)]
mod tests;
