//! In what amounts count whose own headings do not say: notes beside, above and below the table, titles, a column of units. Two that
//! contradict each other are none. Must not read a row of anybody.

use std::collections::BTreeSet;

use super::{Header, HeaderError, normal};
use crate::import::profile::{Profile, Reading, Role};
use crate::import::table::{Row, Table};
use crate::import::unit;

/// What a number may begin with that is kept as text.
const QUOTES: [char; 5] = [' ', '\'', '"', '=', '\u{feff}'];

impl Header {
    /// The header with what amounts count whose own headings do not say: what a note says beside the table, a title, or a column.
    pub(super) fn counted(
        mut self,
        table: &Table,
        profile: &Profile,
        first: u32,
    ) -> Result<Self, HeaderError> {
        let mut noted = BTreeSet::new();
        for row in table.rows().take_while(|row| row.number <= self.row) {
            // Beside headings stand other headings, with units of their own.
            let has_headings = row.number >= first || row.cells().any(|cell| self.is_title(cell));
            let notes = row.cells().filter(|cell| !has_headings || unit::is_note(cell));
            noted.extend(notes.flat_map(unit::noted));
            if !has_headings {
                noted.extend(row.cells().flat_map(unit::of_title));
                noted.extend(announced(row));
            }
        }
        self.take_groups(table, profile, first);
        noted.extend(self.noted_below(table, profile)?);
        let amounts = profile.columns.iter().zip(&mut self.places);
        let amounts = amounts.filter(|(column, _)| column.reading == Reading::FenFromYuan);
        for place in amounts.filter_map(|(_, place)| place.as_mut()) {
            if place.unit.is_none() && noted.len() > 1 {
                return Err(HeaderError::UnitTwice);
            }
            place.unit = place.unit.or(noted.first().copied());
        }
        Ok(self)
    }

    /// The units of groups of columns: of the nearest heading above that has one.
    fn take_groups(&mut self, table: &Table, profile: &Profile, first: u32) {
        let Some(heading) = table.row(first) else { return };
        let above: Vec<Row<'_>> = table.rows().take_while(|row| row.number < first).collect();
        let amounts = profile.columns.iter().zip(&mut self.places);
        let amounts = amounts.filter(|(column, _)| column.reading == Reading::FenFromYuan);
        for place in amounts.filter_map(|(_, place)| place.as_mut()) {
            let of_group = |row: &Row<'_>| unit_of_group(heading, *row, place.column);
            place.unit = place.unit.or_else(|| above.iter().rev().find_map(of_group));
        }
    }

    /// Units that notes name below the header and beside the rows, and a column of units.
    fn noted_below(
        &self,
        table: &Table,
        profile: &Profile,
    ) -> Result<BTreeSet<usize>, HeaderError> {
        let Some(heading) = table.row(self.row) else { return Ok(BTreeSet::new()) };
        let of = |role| {
            let mut placed = profile.columns.iter().zip(&self.places);
            placed.find_map(|(c, place)| Some((c, place.as_ref()?)).filter(|_| c.role == role))
        };
        let (number, name) = (of(Role::Identity), of(Role::Name));
        let (who, width) = (number.or(name), heading.len());
        let of_units = (0..width).find(|at| unit::is_announced(heading.cell(*at)));
        let mut noted = BTreeSet::new();
        for row in table.rows().filter(|row| row.number > self.row) {
            let cell = who.map_or("", |(_, place)| row.cell(place.column));
            let is_of_person = match number {
                Some(_) => cell.trim_start_matches(QUOTES).starts_with(|c: char| c.is_numeric()),
                None => !cell.trim().is_empty(),
            };
            if let Some(at) = of_units.filter(|_| is_of_person) {
                noted.extend(unit::alone(row.cell(at)));
            }
            // A row of a person has remarks, and beside it there may be a note.
            let first = if is_of_person { width } else { 0 };
            noted.extend((first..row.len()).flat_map(|at| unit::noted(row.cell(at))));
            if is_of_person {
                continue;
            }
            noted.extend(announced(row));
            if who.is_some_and(|(column, _)| column.headers.contains(&normal(cell))) {
                self.must_count_alike(row, profile)?;
            }
        }
        Ok(noted)
    }

    /// A second table on the sheet, below the first, may not count otherwise.
    fn must_count_alike(&self, row: Row<'_>, profile: &Profile) -> Result<(), HeaderError> {
        let Ok(again) = Self::at(row, None, profile) else { return Ok(()) };
        if !again.missing(profile).is_empty() {
            return Ok(());
        }
        let amounts = profile.columns.iter().zip(self.places.iter().zip(&again.places));
        let mut amounts = amounts.filter(|(column, _)| column.reading == Reading::FenFromYuan);
        let differ = amounts.any(|(_, pair)| match pair {
            (Some(first), Some(second)) => second.unit.is_some() && first.unit != second.unit,
            _ => false,
        });
        if differ { Err(HeaderError::UnitTwice) } else { Ok(()) }
    }
}

/// A unit that stands in the cell behind the one that announces it.
fn announced(row: Row<'_>) -> Option<usize> {
    let mut said = row.cells().filter(|cell| !cell.trim().is_empty());
    said.find(|cell| unit::is_announced(cell))?;
    unit::alone(said.next()?)
}

/// The unit of the group of columns that a column is in: the group's heading stands above the first of them.
/// What stands above all of them is a title.
fn unit_of_group(row: Row<'_>, above: Row<'_>, column: usize) -> Option<usize> {
    let is_said = |at: &usize| !above.cell(*at).trim().is_empty();
    let is_heading = |at: &usize| is_said(at) && !unit::is_note(above.cell(*at));
    let has_others = (0..above.len()).filter(is_heading).nth(1).is_some();
    let first = (0..=column).rev().find(is_said)?;
    let is_group = has_others && !row.cell(first).trim().is_empty();
    unit::of_title(above.cell(first)).first().copied().filter(|_| is_group)
}
