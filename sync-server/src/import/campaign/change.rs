//! What a household's rows of a register make of its record: the facts it does not know yet, and its case carried over.
//! What the record says otherwise stays as it is. Pure: must not read or write anything.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use wanhu_core::document::edit::{RecordEdit, StepForm};
use wanhu_core::domain::authority::Role;
use wanhu_core::domain::day::Day;
use wanhu_core::domain::facts::{Facts, Row};
use wanhu_core::domain::identity::IdentityNumber;
use wanhu_core::domain::person::PersonKey;
use wanhu_core::domain::value::Value;
use wanhu_core::domain::workflow::{Case, Phase, Stage};

use super::register::{Listed, text};
use super::said::{Remark, Said, Tally};
use crate::import::header::{Header, squeezed};
use crate::import::outcome::DepartmentRow;
use crate::import::possible;
use crate::import::profile::{Column, Profile};

/// Risks a record holds, in order.
const RISKS: [&str; 5] = ["risk_1", "risk_2", "risk_3", "risk_4", "risk_5"];
/// What stands between two risks in one cell.
const BETWEEN: [char; 9] = ['、', ',', ';', '/', '|', '+', ' ', '，', '；'];

/// Columns of a register: where their values belong, and what stands above them in the file.
#[derive(Debug)]
pub(super) struct Fields {
    known: HashMap<Arc<str>, (String, Arc<str>)>,
    risks: Option<Column>,
}

impl Fields {
    pub(super) fn of(profile: &Profile, header: &Header) -> Self {
        let placed = profile.columns.iter().zip(&header.places);
        let known = placed.filter_map(|(column, place)| {
            let title = Arc::clone(&place.as_ref()?.title);
            Some((Arc::clone(&column.field), (column.container.clone(), title)))
        });
        let risks = profile.columns.iter().find(|column| &*column.field == "risks").cloned();
        Self { known: known.collect(), risks }
    }

    fn container(&self, field: &str) -> &str {
        self.known.get(field).map_or("", |(container, _)| container)
    }

    /// What is said of a row's cell.
    pub(super) fn remark(&self, row: u32, said: Said, field: &str) -> Remark {
        let title = self.known.get(field).map(|(_, title)| Arc::clone(title));
        Remark { row, said, column: title.unwrap_or_default() }
    }
}

/// What holds for a whole register.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading<'a> {
    pub(super) fields: &'a Fields,
    /// Gives people one name.
    pub(super) key: &'a PersonKey,
    /// Why cases are carried over.
    pub(super) reason: &'a str,
    /// The day of the server's clock.
    pub(super) today: Day,
}

/// What the offices at the desk may write in a household.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rights {
    pub(super) facts: bool,
    pub(super) decision: bool,
}

/// What is to be written, and what is said of the rows.
#[derive(Debug, Default)]
pub(super) struct Change {
    /// For whoever enters facts; nothing in it where there is nothing new.
    pub(super) facts: RecordEdit,
    /// For whoever decides.
    pub(super) case: RecordEdit,
    pub(super) said: Tally,
}

impl Reading<'_> {
    /// What rows, the head's first, make of a record that says this.
    pub(super) fn change(&self, record: &Facts, listed: &Listed, rights: Rights) -> Change {
        let mut draft = Draft {
            reading: self,
            seen: record.clone(),
            rights,
            gave: BTreeSet::new(),
            withheld: BTreeSet::new(),
            change: Change::default(),
        };
        for row in &listed.rows {
            let is_head = listed.head().is_some_and(|head| head.identity == row.identity);
            if draft.take_person(row, is_head) {
                draft.take_household(row);
            }
        }
        draft.carry_over(&listed.rows);
        draft.end(&listed.rows)
    }
}

struct Draft<'a> {
    reading: &'a Reading<'a>,
    /// The record with what was taken so far.
    seen: Facts,
    rights: Rights,
    /// Rows that something was taken of.
    gave: BTreeSet<u32>,
    /// Rows of which something waits for another office.
    withheld: BTreeSet<u32>,
    change: Change,
}

impl Draft<'_> {
    fn say(&mut self, row: &DepartmentRow, said: Said, field: &str) {
        self.change.said.add(self.reading.fields.remark(row.row, said, field));
    }

    /// Takes a fact, where the record knows none. `member` is empty for the household's own.
    fn take(
        &mut self,
        row: &DepartmentRow,
        container: &str,
        member: &str,
        field: &str,
        value: &Value,
    ) {
        let known = match member {
            "" => self.seen.get(container, field),
            member => self.seen.row(container, member).and_then(|known| known.get(field)),
        };
        match known {
            Some(known) if alike(known, value) => {}
            Some(_) => self.say(row, Said::Differs, field),
            None if !self.rights.facts => {
                self.withheld.insert(row.row);
            }
            None => {
                let key =
                    if member.is_empty() { field.to_owned() } else { format!("{member}.{field}") };
                let facts = std::mem::take(&mut self.change.facts);
                self.change.facts = facts.set(container, &key, value.clone());
                self.seen.set(container, member, field, value.clone());
                self.gave.insert(row.row);
            }
        }
    }

    fn take_household(&mut self, row: &DepartmentRow) {
        let reading = self.reading;
        for (field, value) in &row.values {
            let container = reading.fields.container(field);
            let is_decision = &**field == "monitored_kind";
            if matches!(container, "basic" | "class") && !is_decision {
                self.take(row, container, "", field, value);
            }
        }
        self.take_risks(row);
    }

    fn take_risks(&mut self, row: &DepartmentRow) {
        let reading = self.reading;
        let Some(column) = &reading.fields.risks else { return };
        let (mut risks, mut unknown) = (Vec::new(), false);
        for word in apart(text(row, "risks")) {
            unknown |= column.says_more(&word);
            match column.code(&word) {
                Some(risk) if risks.contains(&risk) => {}
                Some(risk) => risks.push(risk),
                None => unknown = true,
            }
        }
        let known: Vec<&str> = RISKS.iter().map(|field| self.seen.text("class", field)).collect();
        let is_known = known.iter().any(|risk| !risk.is_empty());
        let differs = is_known && risks.iter().any(|risk| !known.contains(risk));
        let new: Vec<_> =
            risks.iter().filter(|_| !is_known).map(|risk| Value::from(*risk)).collect();
        for (field, risk) in RISKS.iter().zip(&new) {
            self.take(row, "class", "", field, risk);
        }
        if unknown {
            self.say(row, Said::RiskUnknown, "risks");
        }
        if differs {
            self.say(row, Said::Differs, "risks");
        }
        if new.len() > RISKS.len() {
            self.say(row, Said::RisksLeft, "risks");
        }
    }

    /// Takes what a row says of a person. Whether it is known who that is.
    fn take_person(&mut self, row: &DepartmentRow, is_head: bool) -> bool {
        let Some(number) = &row.identity else {
            self.say(row, Said::Proposal, "identity_number");
            return false;
        };
        let known = self.member(number).map(|member| member.id.clone());
        let id = known.clone().unwrap_or_else(|| self.reading.key.member_row(number));
        let namesake = |member: &Row| squeezed(member.text("name")) == squeezed(&row.name);
        let is_taken = self.seen.row("members", &id).is_some() || self.seen.people().any(namesake);
        if known.is_none() && is_taken {
            self.say(row, Said::SameName, "name");
            return false;
        }
        self.take(row, "members", &id, "name", &row.name.as_str().into());
        self.take(row, "members", &id, "identity_number", &number.as_str().into());
        if is_head && text(row, "head_name").is_empty() {
            self.take(row, "basic", "", "head_name", &row.name.as_str().into());
        }
        if is_head && text(row, "relation").is_empty() {
            self.take_relation(row, &id, &"head".into());
        }
        let reading = self.reading;
        for (field, value) in &row.values {
            match (reading.fields.container(field), &**field) {
                ("members", "relation") => self.take_relation(row, &id, value),
                ("members", field) => self.take(row, "members", &id, field, value),
                _ => {}
            }
        }
        true
    }

    /// A household has one head: whoever it is on record stays it.
    fn take_relation(&mut self, row: &DepartmentRow, id: &str, value: &Value) {
        let heads = |member: &Row| member.text("relation") == "head" && member.id != id;
        if value.as_text() == Some("head") && self.seen.people().any(heads) {
            self.say(row, Said::Differs, "relation");
        } else {
            self.take(row, "members", id, "relation", value);
        }
    }

    fn member(&self, number: &IdentityNumber) -> Option<&Row> {
        let is_theirs = |member: &&Row| member.identity_number().as_ref() == Some(number);
        self.seen.rows("members").iter().find(is_theirs)
    }

    /// What the rows say of the case in this field; contradicting rows say nothing.
    fn agreed(
        &mut self,
        rows: &[DepartmentRow],
        field: &str,
        read: fn(&DepartmentRow) -> String,
    ) -> String {
        let mut said = String::new();
        for row in rows {
            let here = read(row);
            if said.is_empty() {
                said = here;
            } else if !here.is_empty() && here != said {
                self.say(row, Said::RowsContradict, field);
                return String::new();
            }
        }
        said
    }

    fn carry_over(&mut self, rows: &[DepartmentRow]) {
        let Some(first) = rows.first() else { return };
        let kind =
            self.agreed(rows, "monitored_kind", |row| text(row, "monitored_kind").to_owned());
        let on = self.agreed(rows, "identified_on", |row| text(row, "identified_on").to_owned());
        let gone = self.agreed(rows, "risk_gone", |row| is_gone(row).to_owned());
        if kind.is_empty() && on.is_empty() {
            return;
        }
        let case = Case::of(&self.seen);
        for (container, field, said) in
            [("class", "monitored_kind", &kind), ("case", "identified_on", &on)]
        {
            let known = self.seen.text(container, field);
            if !known.is_empty() && !said.is_empty() && known != said {
                self.say(first, Said::Differs, field);
            }
        }
        let is_open = match case.stage() {
            None => self.begin(rows, &kind, &on),
            Some(_) if case.is_open() => true,
            Some(Stage::Closed) if gone == "no" => {
                self.say(first, Said::Differs, "risk_gone");
                false
            }
            Some(Stage::Closed) => false,
            Some(_) => {
                self.say(first, Said::CaseUnderWay, "monitored_kind");
                false
            }
        };
        if is_open && gone == "yes" && case.place().0 == Phase::Entry {
            self.say(first, Said::ToClose, "risk_gone");
        }
    }

    /// Begins the case where the campaign left it. Whether it did.
    fn begin(&mut self, rows: &[DepartmentRow], kind: &str, on: &str) -> bool {
        let Some(first) = rows.first() else { return false };
        let known_on = self.seen.day("case", "identified_on");
        let today = self.reading.today;
        let stated = on.parse().ok().filter(|day| !possible::is_long_past(*day, today));
        let day = known_on.or(stated).filter(|day| *day <= today);
        if kind.is_empty() && !self.seen.is_monitored() {
            self.say(first, Said::KindMissing, "monitored_kind");
            return false;
        }
        let Some(day) = day else {
            self.say(first, Said::DateMissing, "identified_on");
            return false;
        };
        if !self.rights.decision {
            self.say(first, Said::CaseForCounty, "monitored_kind");
            return false;
        }
        let mut edit = RecordEdit::default();
        for (container, field, value) in [
            ("class", "monitored_kind", kind.to_owned()),
            ("case", "identified_on", day.to_string()),
            ("case", "channel", "inspection".to_owned()),
        ] {
            if self.seen.get(container, field).is_none() {
                edit = edit.set(container, field, value);
            }
        }
        let step = StepForm::to(Stage::Monitored).because(self.reading.reason);
        let level = Role::CountyOffice.level_code();
        self.change.case = edit.step(&Case::default(), &step, level, today);
        let speaks = |row: &&DepartmentRow| {
            !text(row, "monitored_kind").is_empty() || !text(row, "identified_on").is_empty()
        };
        self.gave.extend(rows.iter().filter(speaks).map(|row| row.row));
        true
    }

    /// Ends every row that has not ended yet.
    fn end(mut self, rows: &[DepartmentRow]) -> Change {
        for row in rows.iter().map(|row| row.row) {
            let said = match (self.gave.contains(&row), self.withheld.contains(&row)) {
                (true, _) => Said::Taken,
                (false, true) => Said::FactsForTownship,
                (false, false) => Said::Known,
            };
            self.change.said.add(Remark::on(row, said));
        }
        self.change
    }
}

/// The risks of a cell, squeezed: `因病、缺劳力`, `因病因残`.
fn apart(cell: &str) -> Vec<String> {
    let cell = squeezed(&cell.replace(BETWEEN, ","));
    // 原因 and 因素 are of one risk, and what denies one goes with it.
    let begins = |at: usize| !cell[..at].ends_with('原') && !cell[at..].starts_with("因素");
    let ends = cell.match_indices('因').map(|(at, _)| at).filter(|at| begins(*at));
    let ends = ends.map(|at| cell[..at].trim_end_matches(['不', '是', '非']).len());
    let ends = ends.chain([cell.len()]);
    let mut from = 0;
    let pieces = ends.map(|end| &cell[std::mem::replace(&mut from, end)..end]);
    let words = pieces.flat_map(|piece| piece.split(','));
    words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// Whether the campaign found the risk gone, as far as a row says.
fn is_gone(row: &DepartmentRow) -> &'static str {
    let said = row.values.iter().find(|(field, _)| &**field == "risk_gone");
    match said.and_then(|(_, value)| value.as_bool()) {
        Some(true) => "yes",
        Some(false) => "no",
        None if text(row, "closed_on").is_empty() => "",
        None => "yes",
    }
}

/// The same value; spaces do not count.
fn alike(one: &Value, other: &Value) -> bool {
    match (one.as_text(), other.as_text()) {
        (Some(one), Some(other)) => squeezed(one) == squeezed(other),
        _ => one == other,
    }
}
