//! What stands below a header and is no row yet: units, numbers of columns, notes, headings of the parts of a column. Must not know what
//! an amount counts where none of these says so.

use super::{Header, HeaderError, Place, normal};
use crate::import::profile::{Profile, Reading, Role};
use crate::import::table::{Row, RowState, Table};
use crate::import::unit;

/// Rows below a header that may be none of anybody yet.
const ROWS_BELOW_MAX: usize = 4;
/// Characters of the longest number of a column, with brackets.
const COLUMN_NUMBER_MAX: usize = 4;
/// What stands above the sum of the parts of a column, at the end.
const SUMS: [&str; 3] = ["计", "金额", "总额"];
/// What is counted in parts of a column that are no money.
const COUNTS: [&str; 8] = ["面积", "亩", "人", "间", "次", "天", "数", "头"];

impl Header {
    /// The header with what stands below it and is no row yet: units, numbers of columns, notes, and headings of the parts of a
    /// column. Of these the one that is their sum is meant.
    pub(super) fn extended(
        mut self,
        table: &Table,
        profile: &Profile,
    ) -> Result<Self, HeaderError> {
        let (first, heading) = (self.row, table.row(self.row));
        for row in table.rows().filter(|row| row.number > first).take(ROWS_BELOW_MAX) {
            let cells = || row.cells().filter(|cell| !cell.trim().is_empty());
            if row.state != RowState::Whole || cells().next().is_none() {
                break;
            }
            let is_head = |cell: &str| self.is_title(cell) || unit::is_note(cell);
            let says_units = cells().all(|cell| is_head(cell) || unit::is_unit(cell));
            let is_number = |cell: &str| normal(cell).chars().all(|c| c.is_ascii_digit());
            let counts_columns =
                || cells().count() > 1 && cells().all(is_number) && names_nobody(row);
            if says_units {
                for place in self.places.iter_mut().flatten() {
                    place.unit = unit::alone(row.cell(place.column)).or(place.unit);
                }
            } else if let Some(heading) =
                heading.filter(|own| self.parts_columns(*own, row, profile))
            {
                self.take_sums(heading, row, profile)?;
            } else if !counts_columns() {
                break;
            }
            self.row = row.number;
        }
        Ok(self)
    }

    /// Whether a row names parts of columns: where a person and a number would be it has nothing or a heading, and below a heading of
    /// an amount it has words.
    fn parts_columns(&self, heading: Row<'_>, row: Row<'_>, profile: &Profile) -> bool {
        let placed = || profile.columns.iter().zip(&self.places);
        let says_nobody = placed().all(|(column, place)| {
            let is_of_person = matches!(column.role, Role::Name | Role::Identity);
            let cell = place.as_ref().map_or("", |place| row.cell(place.column).trim());
            !is_of_person || cell.is_empty() || self.is_title(cell)
        });
        let says = |at: usize| {
            let cell = row.cell(at).trim();
            !cell.is_empty() && !cell.chars().any(|c| c.is_ascii_digit())
        };
        let names_part = |place: &Place| {
            let goes_on =
                heading.cell(place.column + 1).trim().is_empty() && says(place.column + 1);
            says(place.column) && (*place.title != *row.cell(place.column).trim() || goes_on)
        };
        let mut amounts = placed().filter(|(column, _)| column.reading == Reading::FenFromYuan);
        says_nobody && amounts.any(|(_, place)| place.as_ref().is_some_and(names_part))
    }

    /// Takes of each amount that is told in parts the part that has its name, or is their sum.
    fn take_sums(
        &mut self,
        heading: Row<'_>,
        parts: Row<'_>,
        profile: &Profile,
    ) -> Result<(), HeaderError> {
        let width = heading.len().max(parts.len());
        for (column, place) in profile.columns.iter().zip(&mut self.places) {
            let Some(place) = place.as_mut() else { continue };
            let own = parts.cell(place.column).trim();
            if column.reading != Reading::FenFromYuan || own.is_empty() {
                continue;
            }
            let is_of_it = |at: &usize| {
                heading.cell(*at).trim().is_empty() && !parts.cell(*at).trim().is_empty()
            };
            let rest = (place.column + 1..width).take_while(is_of_it);
            let group: Vec<usize> = std::iter::once(place.column).chain(rest).collect();
            let title = |at: &usize| normal(parts.cell(*at));
            if group.len() == 1 && *own == *place.title {
                continue;
            }
            let whole = whole_of(&group, title, &column.headers);
            let whole = whole.ok_or_else(|| HeaderError::ColumnInParts(place.title.to_string()))?;
            place.unit = unit::of_heading(parts.cell(whole)).or(place.unit);
            place.column = whole;
        }
        Ok(())
    }
}

/// The column of a group that is the whole of an amount: the sum of its parts, or the part of its name where nothing else of it is money.
fn whole_of(group: &[usize], title: impl Fn(&usize) -> String, names: &[String]) -> Option<usize> {
    let sum = group.iter().find(|at| SUMS.iter().any(|sum| title(at).ends_with(sum)));
    let is_money = |at: &usize| !COUNTS.iter().any(|of| title(at).contains(of));
    let has_others = |named: &usize| group.iter().any(|at| at != named && is_money(at));
    let named = group.iter().find(|at| names.contains(&title(at)));
    let named = named.filter(|named| !has_others(named));
    sum.or(named).or(group.first().filter(|_| group.len() == 1)).copied()
}

/// Whether a row of numbers has none where a person would be: they count columns.
fn names_nobody(row: Row<'_>) -> bool {
    row.cells().all(|cell| cell.trim().chars().count() <= COLUMN_NUMBER_MAX)
}
