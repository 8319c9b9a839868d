//! Where a table's header stands, which of its columns a profile means and what their amounts count. Must not read what
//! stands below.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::profile::{Kind, Profile, Role};
use super::table::{Row, Table};
use super::{cell, unit};

mod below;
mod counted;

/// Rows among which the header is looked for.
const ROWS_MAX: usize = 20;
/// So many columns more are clearly more.
const MANY_MORE: usize = 2;
/// Headings of columns that say nothing of anybody.
const SAY_NOTHING: [&str; 3] = ["", "序号", "编号"];

/// A header that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Its last row: in a header of two rows the second, or that of a note of the unit right below.
    pub row: u32,
    /// What stands above columns of the table that the profile does not mean, from left to right.
    pub unused: Vec<Arc<str>>,
    /// The row above, where the header has two.
    upper: Option<u32>,
    /// For each column of the profile: its place in the table, or `None` where the table has none.
    pub(super) places: Vec<Option<Place>>,
}

/// A column of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) column: usize,
    /// What stands above it in the file.
    pub(super) title: Arc<str>,
    /// What its amounts count, as a power of ten of yuan, where that is written somewhere.
    pub(super) unit: Option<usize>,
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
    /// Two notes beside the table, each with another unit for the same amounts; or two tables that count otherwise.
    #[error("two units of amounts; name one in the headings")]
    UnitTwice,
    /// An amount that is told in parts, and no sum of them.
    #[error("column in parts without their sum: {0}")]
    ColumnInParts(String),
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
    /// `ColumnsMissing` by that row, also where it has no column that says anything of anybody; `ColumnTwice`, `UnitTwice`.
    pub fn find(table: &Table, profile: &Profile) -> Result<Self, HeaderError> {
        let header = Self::headings(table, profile)?;
        let first = header.row;
        header.extended(table, profile)?.counted(table, profile, first)
    }

    /// The row of headings, whatever stands below it.
    fn headings(table: &Table, profile: &Profile) -> Result<Self, HeaderError> {
        let mut best: Option<(usize, usize, Self)> = None;
        let mut above = None;
        let mut twice = None;
        for row in table.rows().take(ROWS_MAX) {
            let header = Self::at(row, above, profile);
            if !is_note_beside(row, profile) {
                above = Some(row);
            }
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
        let mut places: Vec<Option<Place>> = Vec::with_capacity(profile.columns.len());
        for column in &profile.columns {
            let found = column.headers.iter().find(|header| normal.contains(header));
            let mut at = (0..width).filter(|at| found.is_some_and(|header| normal[*at] == *header));
            let place = at.next().map(|column| Place {
                column,
                title: titles[column].into(),
                unit: unit::of_heading(titles[column]),
            });
            if at.next().is_some() {
                return Err(HeaderError::ColumnTwice(found.cloned().unwrap_or_default()));
            }
            places.push(place);
        }
        let used: BTreeSet<usize> = places.iter().flatten().map(|place| place.column).collect();
        let is_above = |column: &usize| row.cell(*column).trim().is_empty();
        let upper = above.filter(|_| used.iter().any(is_above)).map(|above| above.number);
        let is_unused = |column: &usize| {
            let says_nothing = SAY_NOTHING.contains(&normal[*column].as_str());
            !used.contains(column) && !says_nothing && !unit::is_note(titles[*column])
        };
        let unused = (0..width).filter(is_unused).map(|column| titles[column].into()).collect();
        Ok(Self { row: row.number, unused, upper, places })
    }

    /// Whether a cell repeats what stands above a column, as one that is merged downwards does.
    fn is_title(&self, cell: &str) -> bool {
        self.places.iter().flatten().any(|place| *place.title == *cell.trim())
    }

    /// Whether the table says in which unit a field counts.
    pub(super) fn says_unit(&self, profile: &Profile, field: &str) -> bool {
        let mut placed = profile.columns.iter().zip(&self.places);
        placed.any(|(column, place)| {
            *column.field == *field && place.as_ref().is_some_and(|place| place.unit.is_some())
        })
    }

    /// The columns of the table that say something of somebody.
    pub(super) fn told(&self, profile: &Profile) -> BTreeSet<usize> {
        let columns = profile.columns.iter().zip(&self.places);
        let values = columns.filter(|(column, _)| column.role == Role::Value);
        values.filter_map(|(_, place)| Some(place.as_ref()?.column)).collect()
    }

    /// The kind of table that its headings fit clearly better than this one: they are all that this one finds and more, or
    /// many more.
    pub(super) fn better_kind(&self, table: &Table, profile: &Profile) -> Option<Kind> {
        let own = self.told(profile);
        let others = Kind::ALL.into_iter().filter(|kind| *kind != profile.kind);
        let fits = others.filter_map(|kind| {
            let other = Profile::of(kind)?;
            let told = Self::headings(table, other).ok()?.told(other);
            let is_more = told.len() > own.len() && own.is_subset(&told);
            (is_more || told.len() >= own.len() + MANY_MORE).then_some((told.len(), kind))
        });
        fits.max_by_key(|(told, _)| *told).map(|(_, kind)| kind)
    }

    fn missing(&self, profile: &Profile) -> Vec<String> {
        let columns = profile.columns.iter().zip(&self.places);
        let missing = columns.filter(|(column, place)| column.required && place.is_none());
        let missing: Vec<_> =
            missing.filter_map(|(column, _)| column.headers.first().cloned()).collect();
        // A past campaign may have listed its people and nothing else.
        let must_tell = profile.kind != Kind::Campaign;
        if missing.is_empty() && must_tell && self.told(profile).is_empty() {
            let values = profile.columns.iter().filter(|column| column.role == Role::Value);
            return values.filter_map(|column| column.headers.first().cloned()).collect();
        }
        missing
    }
}

/// Whether a row is a note of the unit rather than a line of headings.
fn is_note_beside(row: Row<'_>, profile: &Profile) -> bool {
    let is_heading =
        |cell: &str| profile.columns.iter().any(|column| column.headers.contains(&normal(cell)));
    row.cells().any(unit::is_note) && !row.cells().any(is_heading)
}

fn required(profile: &Profile) -> impl Iterator<Item = String> {
    let required = profile.columns.iter().filter(|column| column.required);
    required.filter_map(|column| column.headers.first().cloned())
}
