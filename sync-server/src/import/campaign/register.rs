//! A register's rows as households, whatever their order: by household number, else by the head. Pure; must not know
//! what is on record.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use wanhu_core::domain::identity::IdentityNumber;

use super::said::{Remark, Said};
use super::village::Written;
use crate::import::header::squeezed;
use crate::import::outcome::DepartmentRow;
use crate::import::profile::Profile;

/// The rows of one household.
#[derive(Debug)]
pub(super) struct Listed {
    /// The head first, where there is one, then in the order of the file.
    pub(super) rows: Vec<DepartmentRow>,
    /// Whether the first row is the head's.
    pub(super) has_head: bool,
}

/// What rows of one household have in common.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Mark {
    Number(String),
    Head(String),
    /// Name of the head, and where the household is.
    Name([String; 5]),
    /// A row that stands for itself.
    Alone(u32),
}

/// The text of a field; empty where the row has none.
pub(super) fn text<'r>(row: &'r DepartmentRow, field: &str) -> &'r str {
    let known = row.values.iter().find(|(name, _)| &**name == field);
    known.and_then(|(_, value)| value.as_text()).unwrap_or_default()
}

/// The same columns for a register of households, in which the head is the only person named.
pub(super) fn by_head(profile: &Profile) -> Profile {
    let mut profile = profile.clone();
    for (person, head) in [("name", "head_name"), ("identity_number", "head_identity")] {
        let Some(at) = profile.columns.iter().position(|column| &*column.field == head) else {
            continue;
        };
        let mut headers = profile.columns.remove(at).headers;
        if let Some(column) = profile.columns.iter_mut().find(|column| &*column.field == person) {
            headers.append(&mut column.headers);
            column.headers = headers;
        }
    }
    profile
}

/// Rows as households, and what is said of rows that cannot be put into one.
pub(super) fn households(rows: Vec<DepartmentRow>) -> (Vec<Listed>, Vec<Remark>) {
    let mut remarks = Vec::new();
    let mut groups: BTreeMap<Mark, Vec<DepartmentRow>> = BTreeMap::new();
    for row in rows {
        match mark(&row) {
            Some(mark) => groups.entry(mark).or_default().push(row),
            None => remarks.push(Remark::on(row.row, Said::HouseholdUnclear)),
        }
    }
    let twice = listed_twice(&groups);
    let mut listed = Vec::new();
    for mut rows in groups.into_values() {
        rows.retain(|row| {
            let is_twice = row.identity.as_ref().is_some_and(|n| twice.contains(n.as_str()));
            if is_twice {
                remarks.push(Remark::on(row.row, Said::ListedTwice));
            }
            !is_twice
        });
        match head_first(rows) {
            Ok(household) if household.rows.is_empty() => {}
            Ok(household) => listed.push(household),
            Err(rows) => {
                remarks.extend(rows.iter().map(|row| Remark::on(row.row, Said::TwoHeads)));
            }
        }
    }
    listed.sort_by_key(|household| household.rows.iter().map(|row| row.row).min());
    (listed, remarks)
}

fn mark(row: &DepartmentRow) -> Option<Mark> {
    let number = text(row, "household_number");
    if !number.is_empty() {
        return Some(Mark::Number(squeezed(number)));
    }
    if let Ok(head) = IdentityNumber::parse(text(row, "head_identity")) {
        return Some(Mark::Head(head.as_str().to_owned()));
    }
    let relation = text(row, "relation");
    let head = match (text(row, "head_name"), relation) {
        ("", "head") => row.name.as_str(),
        (head, _) => head,
    };
    if head.is_empty() {
        return relation.is_empty().then_some(Mark::Alone(row.row));
    }
    let Written { code, county, township, village } = written(row);
    Some(Mark::Name([head, &code, &county, &township, &village].map(squeezed)))
}

/// Identity numbers that stand in more than one household.
fn listed_twice(groups: &BTreeMap<Mark, Vec<DepartmentRow>>) -> BTreeSet<String> {
    let mut homes: HashMap<&str, &Mark> = HashMap::new();
    let mut twice = BTreeSet::new();
    for (mark, row) in
        groups.iter().flat_map(|(mark, rows)| rows.iter().map(move |row| (mark, row)))
    {
        let Some(number) = row.identity.as_ref().map(IdentityNumber::as_str) else { continue };
        if *homes.entry(number).or_insert(mark) != mark {
            twice.insert(number.to_owned());
        }
    }
    twice
}

/// The head first. Rows with two heads are given back.
fn head_first(mut rows: Vec<DepartmentRow>) -> Result<Listed, Vec<DepartmentRow>> {
    let alone = rows.len() == 1;
    let is_head = |row: &DepartmentRow| match text(row, "relation") {
        "head" => true,
        "" => {
            let number = row.identity.as_ref().map(IdentityNumber::as_str);
            let named = squeezed(text(row, "head_name")) == squeezed(&row.name);
            let numbered = number.is_some_and(|number| number == text(row, "head_identity"));
            named || numbered || (alone && text(row, "head_name").is_empty())
        }
        _ => false,
    };
    let heads: BTreeSet<_> = rows
        .iter()
        .filter(|row| is_head(row))
        .map(|row| (row.identity.as_ref().map(IdentityNumber::as_str), row.name.as_str()))
        .collect();
    if heads.len() > 1 {
        return Err(rows);
    }
    let has_head = heads.len() == 1;
    rows.sort_by_key(|row| (!is_head(row), row.row));
    Ok(Listed { rows, has_head })
}

fn written(row: &DepartmentRow) -> Written {
    Written {
        code: text(row, "village_code").to_owned(),
        county: text(row, "county").to_owned(),
        township: text(row, "township").to_owned(),
        village: row.village.clone().unwrap_or_default(),
    }
}

impl Listed {
    /// The head's row.
    pub(super) fn head(&self) -> Option<&DepartmentRow> {
        self.rows.first().filter(|_| self.has_head)
    }

    /// Where the household is, as far as its rows agree.
    pub(super) fn written(&self) -> Result<Written, Said> {
        let all: Vec<Written> = self.rows.iter().map(written).collect();
        let agreed = |part: fn(&Written) -> &String| {
            let said: BTreeSet<_> = all.iter().map(part).filter(|part| !part.is_empty()).collect();
            let one = said.first().map(|part| (*part).clone()).unwrap_or_default();
            if said.len() > 1 { Err(Said::RowsContradict) } else { Ok(one) }
        };
        Ok(Written {
            code: agreed(|written| &written.code)?,
            county: agreed(|written| &written.county)?,
            township: agreed(|written| &written.township)?,
            village: agreed(|written| &written.village)?,
        })
    }
}
