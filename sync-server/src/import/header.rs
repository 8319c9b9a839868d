//! Where a table's header stands and which of its columns a profile means. Must not read what stands below.

use std::sync::Arc;

use super::cell;
use super::profile::Profile;
use super::table::{Row, Table};

/// Rows among which the header is looked for.
const ROWS_MAX: usize = 20;

/// A header that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Its row; in a header of two rows, the second.
    pub row: u32,
    /// For each column of the profile: its place in the table, or `None` where the table has none.
    pub(super) places: Vec<Option<Place>>,
}

/// A column of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) column: usize,
    /// What stands above it in the file.
    pub(super) title: Arc<str>,
    /// Whether its amounts count 万元.
    pub(super) in_myriads: bool,
}

/// Why a table does not fit a profile.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// Columns that are required and not there.
    #[error("columns missing: {columns:?}{}", not_read(sheets_left))]
    ColumnsMissing {
        /// By the header one would expect.
        columns: Vec<String>,
        /// Sheets of the workbook that were not read: the table may be on one of them.
        sheets_left: Vec<String>,
    },
    /// Two columns with the same header, of which either could be meant.
    #[error("column twice: {0}")]
    ColumnTwice(String),
}

fn not_read(sheets: &[String]) -> String {
    if sheets.is_empty() {
        return String::new();
    }
    format!("; only the first sheet is read, not {sheets:?}")
}

/// A text without any space, in ASCII where that has the same characters, in lower case.
pub(super) fn squeezed(text: &str) -> String {
    let plain = cell::plain(text);
    let kept = plain.chars().filter(|character| !character.is_whitespace());
    kept.map(|character| character.to_ascii_lowercase()).collect()
}

/// A header as it is compared: squeezed, without what stands in brackets, stars, colons and numbering.
pub fn normal(text: &str) -> String {
    let mut depth = 0usize;
    let mut kept = String::new();
    for character in squeezed(text).chars() {
        match character {
            '(' | '[' | '【' | '〔' => depth += 1,
            ')' | ']' | '】' | '〕' => depth = depth.saturating_sub(1),
            '*' | ':' | '、' | '.' | '"' | '“' | '”' => {}
            _ if depth == 0 => kept.push(character),
            _ => {}
        }
    }
    kept
}

impl Header {
    /// Finds the row among the first 20 that has most of the profile's columns, those required first. An
    /// empty cell stands for the one above it, so that headers of two rows are found.
    ///
    /// # Errors
    /// `ColumnsMissing` by that row; `ColumnTwice`.
    pub fn find(table: &Table, profile: &Profile) -> Result<Self, HeaderError> {
        let mut best: Option<(usize, usize, Self)> = None;
        let mut above = None;
        let mut twice = None;
        for row in table.rows().take(ROWS_MAX) {
            let header = Self::at(row, above, profile);
            above = Some(row);
            let header = match header {
                Ok(header) => header,
                Err(error) => {
                    twice = Some(error);
                    continue;
                }
            };
            let required = profile.columns.len() - header.missing(profile).len();
            let matched = header.places.iter().flatten().count();
            if best.as_ref().is_none_or(|known| (required, matched) > (known.0, known.1)) {
                best = Some((required, matched, header));
            }
        }
        let missing = best.as_ref().map(|(.., header)| header.missing(profile));
        let error = |columns| HeaderError::ColumnsMissing {
            columns,
            sheets_left: table.sheets_left.clone(),
        };
        match (best, missing, twice) {
            (Some((.., header)), Some(missing), _) if missing.is_empty() => Ok(header),
            (_, _, Some(twice)) => Err(twice),
            (_, Some(missing), None) => Err(error(missing)),
            (_, None, None) => Err(error(required(profile).collect())),
        }
    }

    fn at(row: Row<'_>, above: Option<Row<'_>>, profile: &Profile) -> Result<Self, HeaderError> {
        let width = row.len().max(above.map_or(0, |above| above.len()));
        let titles: Vec<&str> = (0..width)
            .map(|column| match (row.cell(column).trim(), above) {
                ("", Some(above)) => above.cell(column).trim(),
                (title, _) => title,
            })
            .collect();
        let normal: Vec<String> = titles.iter().map(|title| normal(title)).collect();
        let mut places = Vec::with_capacity(profile.columns.len());
        for column in &profile.columns {
            let found = column.headers.iter().find(|header| normal.contains(header));
            let mut at = (0..width).filter(|at| found.is_some_and(|header| normal[*at] == *header));
            let place = at.next().map(|column| Place {
                column,
                title: titles[column].into(),
                in_myriads: titles[column].contains("万元"),
            });
            if at.next().is_some() {
                return Err(HeaderError::ColumnTwice(found.cloned().unwrap_or_default()));
            }
            places.push(place);
        }
        Ok(Self { row: row.number, places })
    }

    fn missing(&self, profile: &Profile) -> Vec<String> {
        let columns = profile.columns.iter().zip(&self.places);
        let missing = columns.filter(|(column, place)| column.required && place.is_none());
        missing.filter_map(|(column, _)| column.headers.first().cloned()).collect()
    }
}

fn required(profile: &Profile) -> impl Iterator<Item = String> {
    let required = profile.columns.iter().filter(|column| column.required);
    required.filter_map(|column| column.headers.first().cloned())
}
