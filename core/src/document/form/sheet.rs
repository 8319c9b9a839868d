//! A form filled in: headings, cells, and for each household a digest of what the form says about it, so that a
//! sheet on paper can be held against the record of today. Must not know where the values came from.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use super::FormKind;
use crate::domain::day::Day;
use crate::domain::ids::HouseholdId;

/// What a form says about a household, in eight bytes.
pub type Digest = [u8; 8];

/// A place in a server's log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogPlace {
    /// The number of its last entry; 0 where there is none.
    pub n: u64,
    /// Which log it is: after a restore the numbers go on in another one.
    pub epoch: [u8; 8],
}

impl std::fmt::Display for LogPlace {
    /// The number, and as much of the epoch as tells two logs of one server apart: `1234/9f3a0c1b`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        const SHOWN: usize = 4;
        write!(f, "{}/", self.n)?;
        self.epoch.iter().take(SHOWN).try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// What a cell shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// Nothing.
    Empty,
    /// Text, the label of a code, or a masked value.
    Text(String),
    /// An amount: `value` in units of 10 to the power of minus `decimals`.
    Number {
        /// The amount.
        value: i64,
        /// Digits behind the point.
        decimals: u32,
    },
    /// A day.
    Day(Day),
}

/// One cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// What it shows.
    pub shown: Shown,
    /// Whether the record holds other values beside those it shows.
    pub disputed: bool,
}

/// Between the values of several rows in one cell.
const JOINED_BY: &str = "、";
/// Behind a disputed value.
const DISPUTED: char = '※';

impl Cell {
    /// The cell as text: whole amounts without decimals, days as ISO, `※` behind what is disputed.
    pub fn text(&self) -> String {
        let mut text = match &self.shown {
            Shown::Empty => String::new(),
            Shown::Text(text) => text.clone(),
            Shown::Number { value, decimals } => number_text(*value, *decimals),
            Shown::Day(day) => day.to_string(),
        };
        if self.disputed {
            text.push(DISPUTED);
        }
        text
    }

    /// What several rows say in one cell, each thing once; with `times`, behind it, how many say so where several do: `…2项`.
    pub(super) fn listed(cells: impl Iterator<Item = Self>, times: &str) -> Self {
        let mut said: Vec<(String, usize)> = Vec::new();
        let mut disputed = false;
        for cell in cells {
            disputed |= cell.disputed;
            let text = Self { disputed: false, ..cell }.text();
            match said.iter_mut().find(|(known, _)| *known == text) {
                _ if text.is_empty() => {}
                Some((_, count)) => *count += 1,
                None => said.push((text, 1)),
            }
        }
        let told = |(text, count): (String, usize)| match count {
            2.. if !times.is_empty() => format!("{text}{count}{times}"),
            _ => text,
        };
        let said: Vec<_> = said.into_iter().map(told).collect();
        let shown = if said.is_empty() { Shown::Empty } else { Shown::Text(said.join(JOINED_BY)) };
        Self { shown, disputed }
    }

    fn feed(&self, hash: &mut Sha256) {
        let tag = match &self.shown {
            Shown::Empty => 0,
            Shown::Text(_) => 1u8,
            Shown::Number { .. } => 2,
            Shown::Day(_) => 3,
        };
        let text = self.text();
        hash.update([tag]);
        hash.update(text.len().to_be_bytes());
        hash.update(text);
    }
}

fn number_text(value: i64, decimals: u32) -> String {
    let whole = 10u64.pow(decimals);
    let (sign, size) = (if value < 0 { "-" } else { "" }, value.unsigned_abs());
    match size % whole {
        0 => format!("{sign}{}", size / whole),
        rest => format!("{sign}{}.{rest:0width$}", size / whole, width = decimals as usize),
    }
}

/// The head of a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heading {
    /// Its label, with the unit of an amount.
    pub label: String,
    /// Whether it holds amounts.
    pub is_amount: bool,
    /// Whether it numbers the lines, which says nothing about a household.
    pub is_sequence: bool,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SheetRow {
    /// Whose it is.
    pub household: HouseholdId,
    /// A cell a heading.
    pub cells: Vec<Cell>,
}

/// One table. Lines of one household stand together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SheetPart {
    /// Its heading; may be empty.
    pub title: String,
    /// Whether its lines are rows of a household rather than households.
    pub over_rows: bool,
    /// The heads of its columns.
    pub header: Vec<Heading>,
    /// Its lines.
    pub rows: Vec<SheetRow>,
}

/// A form filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sheet {
    /// The form and its version, for example `village/1`.
    pub form: String,
    /// Its title.
    pub title: String,
    /// What a line is.
    pub kind: FormKind,
    /// Whether it hangs where everybody reads it.
    pub public: bool,
    /// The day whose record it shows.
    pub as_of: Day,
    /// What it was made from, in words: area, day, households, place in the log, form.
    pub stamp: Vec<String>,
    /// Its tables.
    pub parts: Vec<SheetPart>,
    /// The households on it, in order, with the digest of what it says about each.
    pub households: Vec<(HouseholdId, Digest)>,
    /// Lines to sign and to seal.
    pub sign: Vec<String>,
    /// What stands at its foot.
    pub footer: Vec<String>,
}

impl Sheet {
    /// The digest of each household, as it is printed.
    pub fn codes(&self) -> BTreeMap<HouseholdId, String> {
        let code = |digest: &Digest| digest.iter().map(|byte| format!("{byte:02x}")).collect();
        self.households.iter().map(|(id, digest)| (*id, code(digest))).collect()
    }
}

/// The digest of what a form says about one household: of each part the lines that are its own.
pub(super) fn digest(form: &str, parts: &[(&[Heading], &[Vec<Cell>])]) -> Digest {
    let mut hash = Sha256::new();
    hash.update(form.len().to_be_bytes());
    hash.update(form);
    for (header, rows) in parts {
        hash.update(rows.len().to_be_bytes());
        for row in *rows {
            let told = row.iter().zip(*header).filter(|(_, heading)| !heading.is_sequence);
            told.for_each(|(cell, _)| cell.feed(&mut hash));
        }
    }
    let mut short = Digest::default();
    short.iter_mut().zip(hash.finalize()).for_each(|(own, byte)| *own = byte);
    short
}

/// The households about which a sheet of today says something else than an old one, ascending; those that
/// stand on one of the two only are among them.
pub fn stale(old: &[(HouseholdId, Digest)], new: &[(HouseholdId, Digest)]) -> Vec<HouseholdId> {
    let (old, new): (BTreeMap<_, _>, BTreeMap<_, _>) =
        (old.iter().copied().collect(), new.iter().copied().collect());
    let mut all: Vec<HouseholdId> = old.keys().chain(new.keys()).copied().collect();
    all.sort_unstable();
    all.dedup();
    all.retain(|id| old.get(id) != new.get(id));
    all
}
