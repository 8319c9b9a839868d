//! One household as the rules see it: the values shown, by container and field, and what simply follows from
//! them. Must not know a change, a conflict or where the values are kept.

use std::collections::BTreeMap;

use super::day::Day;
use super::identity::IdentityNumber;
use super::schema::Schema;
use super::value::Value;
use super::workflow::{Case, Stage};

/// The values of a household. Names are those of `core/schema/household.toml`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The village it is in.
    pub village: u64,
    fields: BTreeMap<String, Row>,
    rows: BTreeMap<String, Vec<Row>>,
}

/// One row: a member, a bill, a visit. A container without rows is one row, too.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// Its id within the container; empty where the container has no rows.
    pub id: String,
    container: String,
    fields: BTreeMap<String, Value>,
}

impl Facts {
    /// A household in this village of which nothing is known.
    pub fn of(village: u64) -> Self {
        Self { village, ..Self::default() }
    }

    /// Sets a field of a container without rows.
    #[must_use]
    pub fn with(mut self, container: &str, field: &str, value: impl Into<Value>) -> Self {
        self.set(container, "", field, value.into());
        self
    }

    /// Adds a row.
    #[must_use]
    pub fn with_row(mut self, container: &str, id: &str, fields: &[(&str, Value)]) -> Self {
        for (field, value) in fields {
            self.set(container, id, field, value.clone());
        }
        self
    }

    /// Sets a field; `row` is empty in a container without rows. Rows keep the order in which they came.
    pub fn set(&mut self, container: &str, row: &str, field: &str, value: Value) {
        let new = || Row { id: row.to_owned(), container: container.to_owned(), ..Row::default() };
        let place = if row.is_empty() {
            self.fields.entry(container.to_owned()).or_insert_with(new)
        } else {
            let rows = self.rows.entry(container.to_owned()).or_default();
            let at = rows.iter().rposition(|known| known.id == row).unwrap_or_else(|| {
                rows.push(new());
                rows.len() - 1
            });
            &mut rows[at]
        };
        place.fields.insert(field.to_owned(), value);
    }

    /// The same without some rows.
    #[must_use]
    pub fn without_rows(mut self, container: &str, ids: &[&str]) -> Self {
        if let Some(rows) = self.rows.get_mut(container) {
            rows.retain(|row| !ids.contains(&row.id.as_str()));
        }
        self
    }

    /// The rows of a container.
    pub fn rows(&self, container: &str) -> &[Row] {
        self.rows.get(container).map_or(&[], Vec::as_slice)
    }

    /// A row by id.
    pub fn row(&self, container: &str, id: &str) -> Option<&Row> {
        self.rows(container).iter().find(|row| row.id == id)
    }

    fn single(&self, container: &str) -> Option<&Row> {
        self.fields.get(container)
    }

    /// The value of a field.
    pub fn get(&self, container: &str, field: &str) -> Option<&Value> {
        self.single(container)?.get(field)
    }

    /// Text or code of a field; empty where there is none.
    pub fn text(&self, container: &str, field: &str) -> &str {
        self.single(container).map_or("", |row| row.text(field))
    }

    /// Number of a field.
    pub fn int(&self, container: &str, field: &str) -> Option<i64> {
        self.single(container)?.int(field)
    }

    /// Whether a field is ticked.
    pub fn tick(&self, container: &str, field: &str) -> bool {
        self.single(container).is_some_and(|row| row.tick(field))
    }

    /// Day of a field.
    pub fn day(&self, container: &str, field: &str) -> Option<Day> {
        self.single(container)?.day(field)
    }
}

/// Whether a record with this `basic.status` is in use; its case's stage is looked at only where the state does not tell.
pub fn is_in_use(status: &str, stage: impl FnOnce() -> Option<Stage>) -> bool {
    match status {
        "" | "active" => true,
        "merged" => false,
        _ => stage().is_some_and(|stage| !stage.ends()),
    }
}

impl Row {
    /// The value of a field.
    pub fn get(&self, field: &str) -> Option<&Value> {
        debug_assert!(
            Schema::base().field(&self.container, field).is_some(),
            "no field {}.{field}",
            self.container
        );
        self.fields.get(field).filter(|value| **value != Value::Null)
    }

    /// Text or code of a field; empty where there is none.
    pub fn text(&self, field: &str) -> &str {
        self.get(field).and_then(Value::as_text).unwrap_or_default()
    }

    /// Number of a field.
    pub fn int(&self, field: &str) -> Option<i64> {
        self.get(field)?.as_int()
    }

    /// Whether a field is ticked.
    pub fn tick(&self, field: &str) -> bool {
        self.get(field).and_then(Value::as_bool) == Some(true)
    }

    /// Day of a field.
    pub fn day(&self, field: &str) -> Option<Day> {
        self.text(field).parse().ok()
    }

    /// A member's identity number, where it checks.
    pub fn identity_number(&self) -> Option<IdentityNumber> {
        IdentityNumber::parse(self.text("identity_number")).ok()
    }
}

/// Fields of `guarantees` that say whether one is met (两不愁三保障及饮水).
pub const GUARANTEES: [&str; 6] = [
    "food_state",
    "clothing_state",
    "schooling_state",
    "medical_state",
    "housing_state",
    "water_state",
];

/// A part of a household's income, stated as a whole, line by line, or both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IncomePart {
    /// Wages.
    Wage,
    /// Business, before its cost.
    Business,
    /// Property.
    Property,
    /// Transfers.
    Transfer,
}

impl IncomePart {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Wage, Self::Business, Self::Property, Self::Transfer];

    /// The field of `income` that holds it as a whole.
    pub fn total(self) -> &'static str {
        match self {
            Self::Wage => "wage_fen",
            Self::Business => "business_fen",
            Self::Property => "property_fen",
            Self::Transfer => "transfer_fen",
        }
    }

    /// Those that hold its lines.
    pub fn lines(self) -> &'static [&'static str] {
        match self {
            Self::Wage | Self::Property => &[],
            Self::Business => &[
                "business_crops_fen",
                "business_animals_fen",
                "business_forestry_fen",
                "business_other_fen",
            ],
            Self::Transfer => &[
                "transfer_subsistence_fen",
                "transfer_hardship_fen",
                "transfer_pension_fen",
                "transfer_disability_fen",
                "transfer_ecology_fen",
                "transfer_education_fen",
                "transfer_support_fen",
                "transfer_other_fen",
            ],
        }
    }
}

/// What simply follows.
impl Facts {
    /// The members who live in the household.
    pub fn people(&self) -> impl Iterator<Item = &Row> {
        self.rows("members").iter().filter(|person| person.text("presence") != "left")
    }

    /// The member who lives in the household and has this identity number.
    pub fn person(&self, number: &IdentityNumber) -> Option<&Row> {
        self.people().find(|person| person.identity_number().as_ref() == Some(number))
    }

    /// The cadres responsible for the household, whenever their terms end.
    pub fn cadres(&self) -> impl Iterator<Item = &Row> {
        self.rows("cadres").iter().filter(|cadre| matches!(cadre.text("role"), "" | "responsible"))
    }

    /// The cadres responsible for the household on a day.
    pub fn responsible_cadres(&self, today: Day) -> impl Iterator<Item = &Row> {
        self.cadres().filter(move |cadre| cadre.day("to").is_none_or(|last| today <= last))
    }

    /// How many live in the household.
    pub fn people_count(&self) -> i64 {
        i64::try_from(self.people().count()).unwrap_or(i64::MAX)
    }

    /// Whether it was lifted out of poverty.
    pub fn is_lifted(&self) -> bool {
        self.text("class", "household_kind") == "lifted"
    }

    /// Whether it is monitored at all; closed cases count.
    pub fn is_monitored(&self) -> bool {
        !self.text("class", "monitored_kind").is_empty()
    }

    /// Whether it is monitored, or somebody in it lives on an allowance or on extreme-hardship support.
    pub fn is_low_income(&self) -> bool {
        let supported = |row: &Row| row.tick("subsistence") || row.tick("extreme_hardship");
        let tags = ["tag_subsistence", "tag_extreme_hardship"];
        self.is_monitored()
            || tags.iter().any(|tag| self.tick("class", tag))
            || self.people().any(supported)
    }

    /// Whether its record is in use: not merged, and not said to have moved away, died out or been entered by mistake, unless
    /// its case still runs. Whoever says so ends no case.
    pub fn is_active(&self) -> bool {
        is_in_use(self.text("basic", "status"), || Case::of(self).stage())
    }

    /// Whether nobody of it is there any more: it moved away or died out, as the record says with a reason.
    pub fn is_gone(&self) -> bool {
        let is_said = matches!(self.text("basic", "status"), "moved_away" | "died_out");
        is_said && !self.text("basic", "status_reason").trim().is_empty()
    }

    /// Whether nobody who lives in the household can work, as its record says: ticked so, or known of each.
    pub fn is_without_labour(&self) -> bool {
        let cannot = |person: &Row| matches!(person.text("labour"), "lost" | "none");
        let is_known = self.people_count() > 0 && self.people().all(cannot);
        is_known || self.tick("basic", "no_labour_guarantee")
    }

    /// Whether a guarantee, one of [`GUARANTEES`], is met; compulsory education may not apply, the others always do.
    pub fn has_guarantee(&self, field: &str) -> bool {
        match self.text("guarantees", field) {
            "met" => true,
            "not_applicable" => field == "schooling_state",
            _ => false,
        }
    }

    /// A part of the income of 12 months in fen: as stated, else what its lines come to. `None` where neither is on record.
    pub fn income_part_fen(&self, part: IncomePart) -> Option<i64> {
        let of = |field: &&str| self.int("income", field);
        let lines = || part.lines().iter().filter_map(of).reduce(i64::saturating_add);
        of(&part.total()).or_else(lines)
    }

    /// Net income of 12 months in fen: wages, business, property and transfers less business cost. `None`
    /// where nothing of it is on record.
    pub fn net_income_fen(&self) -> Option<i64> {
        let parts = IncomePart::ALL.map(|part| self.income_part_fen(part));
        let sum = parts.into_iter().flatten().reduce(i64::saturating_add)?;
        Some(sum.saturating_sub(self.int("income", "business_cost_fen").unwrap_or(0)))
    }

    /// Net income a person in fen, rounded down.
    pub fn net_income_per_person_fen(&self) -> Option<i64> {
        let people = self.people_count();
        self.net_income_fen().filter(|_| people > 0).map(|net| net.div_euclid(people))
    }

    /// Reference income in fen: net income plus insurance claims less compliant self-pay.
    pub fn reference_income_fen(&self) -> Option<i64> {
        let claims = self.int("income", "claims_fen").unwrap_or(0);
        let self_pay = self.int("income", "self_pay_fen").unwrap_or(0);
        self.net_income_fen().map(|net| net.saturating_add(claims).saturating_sub(self_pay))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn income_follows_from_its_parts() {
        let facts = Facts::of(1)
            .with("income", "wage_fen", 2_400_000)
            .with("income", "transfer_fen", 100_000)
            .with("income", "business_cost_fen", 50_000)
            .with("income", "self_pay_fen", 30_000)
            .with_row("members", "a", &[("name", "甲".into())])
            .with_row("members", "b", &[("name", "乙".into())])
            .with_row("members", "c", &[("presence", "left".into())]);
        let by_lines = Facts::of(1).with("income", "transfer_pension_fen", 100_000).with(
            "income",
            "transfer_other_fen",
            1,
        );
        assert_eq!(by_lines.net_income_fen(), Some(100_001), "nobody has added them up");
        let stated = by_lines.with("income", "transfer_fen", 150_000);
        assert_eq!(stated.net_income_fen(), Some(150_000), "they may not be all");
        assert_eq!(facts.net_income_fen(), Some(2_450_000));
        assert_eq!(facts.net_income_per_person_fen(), Some(1_225_000));
        assert_eq!(facts.reference_income_fen(), Some(2_420_000));
        assert_eq!(Facts::of(1).net_income_fen(), None, "unknown is not nothing");
    }

    #[test]
    fn fields_of_one_row_come_together() {
        let mut facts = Facts::of(1);
        facts.set("visits", "x", "date", "2024-01-02".into());
        facts.set("visits", "y", "date", "2024-01-03".into());
        facts.set("visits", "x", "help_needed", true.into());
        assert_eq!(facts.rows("visits").len(), 2);
        assert!(facts.row("visits", "x").unwrap().tick("help_needed"));
        assert_eq!(facts.rows("visits")[1].day("date"), "2024-01-03".parse().ok());
    }
}
