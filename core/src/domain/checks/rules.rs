//! The rules behind the checks, each beside those that look at the same part of the record. Must not know the
//! words for a finding.

use std::collections::BTreeMap;

use super::{Check, CheckInput, Finding};
use crate::domain::day::Day;
use crate::domain::facts::{Facts, IncomePart, Row, is_in_use};
use crate::domain::help::{is_developmental, is_in_effect};
use crate::domain::identity::IdentityNumber;
use crate::domain::policy::{Bound, Clock, Policy, Quantity};
use crate::domain::value::hundredths;
use crate::domain::warning::{age, belongs_at_school, is_at_school, is_truant, self_pay};
use crate::domain::workflow::{Case, Stage, clues};

/// Fields of `class` that name a risk.
const RISKS: [&str; 5] = ["risk_1", "risk_2", "risk_3", "risk_4", "risk_5"];

/// Fields of `living` that hold an area, and what bounds them.
const LAND: [(&str, Quantity); 5] = [
    ("arable_centimu", Quantity::Land),
    ("orchard_centimu", Quantity::Land),
    ("water_centimu", Quantity::Land),
    ("forest_centimu", Quantity::ForestLand),
    ("returned_forest_centimu", Quantity::ForestLand),
];

/// Spending is recorded for 12 months.
const SPENDING_MONTHS: i32 = 12;

/// What contradicts on the record, part by part.
pub(super) fn findings(facts: &Facts, policy: &Policy, today: Day) -> Vec<Finding> {
    let case = Case::of(facts);
    let is_closed = case.stage() == Some(Stage::Closed);
    let mut asked = Asked { facts, policy, today, case: &case, findings: Vec::new() };
    if is_closed {
        asked.closing();
    } else {
        asked.risks();
    }
    if facts.is_monitored() && !is_closed {
        asked.kinds_of_help();
    }
    asked.income_of_help();
    asked.amounts();
    asked.members();
    asked.school_aid();
    asked.identities();
    asked.clues();
    asked.state();
    asked.unsaid();
    asked.findings
}

struct Asked<'a> {
    facts: &'a Facts,
    policy: &'a Policy,
    today: Day,
    case: &'a Case,
    findings: Vec<Finding>,
}

impl<'a> Asked<'a> {
    fn find(&mut self, check: Check, subject: &str, inputs: &[(&'static str, String)]) {
        let input = |(name, value): &(&str, String)| CheckInput {
            name: (*name).to_owned(),
            value: value.clone(),
        };
        let inputs = inputs.iter().map(input).collect();
        self.findings.push(Finding { check, subject: subject.to_owned(), inputs });
    }

    fn bound(&self, name: Quantity) -> Option<&'a Bound> {
        self.policy.bound(name, self.facts.village, self.today)
    }

    fn able(&self) -> usize {
        self.facts.people().filter(|person| is_able(person)).count()
    }

    fn measures_in_effect(&self) -> impl Iterator<Item = &'a Row> + use<'a> {
        self.facts.rows("measures").iter().filter(|measure| is_in_effect(measure))
    }

    /// Bills of a kind, but for those that their source has withdrawn.
    fn bills(&self, kind: &'static str) -> impl Iterator<Item = &'a Row> + use<'a> {
        let bills = self.facts.rows("spending").iter();
        bills.filter(move |bill| bill.text("kind") == kind && !bill.tick("withdrawn"))
    }

    fn identified_on(&self) -> Option<Day> {
        let stated = self.facts.day("case", "identified_on");
        stated.or_else(|| self.case.entered(Stage::Monitored))
    }

    /// Each risk is held against what the record says of it; risks of a closed case are over.
    fn risks(&mut self) {
        if self.facts.people_count() == 0 {
            return;
        }
        for field in RISKS {
            let subject = format!("class.{field}");
            match self.facts.text("class", field) {
                "lack_of_labour" => self.lack_of_labour(&subject),
                "unstable_work" => self.unstable_work(&subject),
                "illness" => self.illness(&subject),
                _ => {}
            }
        }
    }

    fn lack_of_labour(&mut self, subject: &str) {
        let (able, people) = (self.able(), self.facts.people().count());
        let share = i64::try_from((able * 100).checked_div(people).unwrap_or(0)).unwrap_or(0);
        if self.bound(Quantity::AbleShare).is_some_and(|bound| !bound.contains(share)) {
            let inputs = [("able", able.to_string()), ("people", people.to_string())];
            self.find(Check::LackOfLabourThoughAble, subject, &inputs);
        }
    }

    fn unstable_work(&mut self, subject: &str) {
        let inputs = [("people", self.facts.people().count().to_string())];
        if self.able() == 0 {
            self.find(Check::UnstableWorkNobodyAble, subject, &inputs);
        }
        let works = |person: &Row| {
            person.int("work_months").is_some_and(|months| months > 0)
                || person.int("public_post_months").is_some_and(|months| months > 0)
                || ["work_area", "public_post"].iter().any(|field| !person.text(field).is_empty())
        };
        if !self.facts.people().any(works) {
            self.find(Check::UnstableWorkNoWork, subject, &inputs);
        }
    }

    fn illness(&mut self, subject: &str) {
        let is_ill = |person: &Row| matches!(person.text("health"), "chronic" | "serious");
        if !self.facts.people().any(is_ill) {
            let people = self.facts.people().count().to_string();
            self.find(Check::IllnessNobodyIll, subject, &[("people", people)]);
        }
        let bills = self.bills("medical");
        let paid = bills.map(self_pay).fold(0, i64::saturating_add);
        let paid = paid.max(self.facts.int("income", "self_pay_fen").unwrap_or(0));
        if paid <= 0 {
            self.find(Check::IllnessNothingPaid, subject, &[("self_pay_yuan", hundredths(paid))]);
        }
    }

    /// Whoever can work is to be helped to earn, not only to be supported. Half labour is labour here.
    fn kinds_of_help(&mut self) {
        let labour = |person: &&Row| is_able(person) || person.text("labour") == "weak";
        let (able, labour) = (self.able(), self.facts.people().filter(labour).count());
        let kinds: Vec<&str> = self.measures_in_effect().map(|m| m.text("kind")).collect();
        let due = self.identified_on().and_then(|identified| {
            let due = self.policy.due(Clock::Develop, self.facts.village, identified)?;
            (self.today > due).then_some(identified)
        });
        if let Some(identified) = due.filter(|_| labour > 0)
            && !kinds.iter().any(|kind| is_developmental(kind))
        {
            let inputs =
                [("labour", labour.to_string()), ("identified_on", identified.to_string())];
            self.find(Check::NoDevelopment, "measures.kind", &inputs);
        }
        if able > 0 && !kinds.is_empty() && kinds.iter().all(|kind| *kind == "comprehensive") {
            let inputs = [("able", able.to_string()), ("measures", kinds.len().to_string())];
            self.find(Check::OnlyGuarantees, "measures.kind", &inputs);
        }
    }

    /// Help that is to bring income shows in the income.
    fn income_of_help(&mut self) {
        let facts = self.facts;
        let of = |field: &str| facts.int("income", field).unwrap_or(0);
        // Any of them shows that there is business.
        let (whole, lines) = (IncomePart::Business.total(), IncomePart::Business.lines());
        let business = lines.iter().map(|field| of(field)).fold(of(whole), i64::max);
        if business <= 0 {
            for measure in self.measures_in_effect().filter(|m| m.text("kind") == "industry") {
                let inputs = [("business_yuan", hundredths(business))];
                self.find(Check::IndustryNoIncome, &measure.id, &inputs);
            }
        }
        if of("wage_fen") <= 0 {
            let jobs = self.measures_in_effect();
            let jobs = jobs.filter(|m| matches!(m.text("kind"), "jobs" | "public_post"));
            let posts = facts.people().filter(|person| !person.text("public_post").is_empty());
            for row in jobs.chain(posts) {
                self.find(Check::JobNoWage, &row.id, &[("wage_yuan", hundredths(of("wage_fen")))]);
            }
        }
    }

    fn amounts(&mut self) {
        let wage = self.facts.int("income", "wage_fen").unwrap_or(0);
        if wage != 0 && self.bound(Quantity::Wage).is_some_and(|bound| !bound.contains(wage)) {
            let inputs = [("wage_yuan", hundredths(wage))];
            self.find(Check::WageImplausible, "income.wage_fen", &inputs);
        }
        for part in IncomePart::ALL {
            let (field, facts) = (part.total(), self.facts);
            let Some(stated) = facts.int("income", field) else { continue };
            let lines = part.lines().iter().filter_map(|line| facts.int("income", line));
            let lines = lines.fold(0, i64::saturating_add);
            if lines > stated {
                let inputs =
                    [("stated_yuan", hundredths(stated)), ("lines_yuan", hundredths(lines))];
                self.find(Check::IncomeBelowLines, &format!("income.{field}"), &inputs);
            }
        }
        for (field, quantity) in LAND {
            let Some(area) = self.facts.int("living", field) else { continue };
            if self.bound(quantity).is_some_and(|bound| !bound.contains(area)) {
                let inputs = [("area_mu", hundredths(area))];
                self.find(Check::LandImplausible, &format!("living.{field}"), &inputs);
            }
        }
    }

    fn members(&mut self) {
        let working_age = self.bound(Quantity::WorkingAge);
        let school_age = self.bound(Quantity::SchoolAge);
        for person in self.facts.people() {
            let Some(age) = age(person, self.today) else { continue };
            let inputs = [("age", age.to_string())];
            let works = working_age.is_some_and(|bound| bound.contains(i64::from(age)));
            let is_well = person.text("health") == "healthy" && !is_at_school(person);
            if works && is_well && person.tick("extreme_hardship") {
                self.find(Check::HardshipThoughAble, &person.id, &inputs);
            }
            // Where no school is on record somebody has to say why, as for a child that is known to be at none.
            let is_unsaid = person.text("school_stage").is_empty();
            let is_asked = is_truant(person, school_age, self.today)
                || (is_unsaid && belongs_at_school(person, school_age, self.today));
            if is_asked && person.text("not_in_school_reason").is_empty() {
                self.find(Check::NotAtSchoolNoReason, &person.id, &inputs);
            }
        }
    }

    fn school_aid(&mut self) {
        let since = self.today.plus_months(-SPENDING_MONTHS);
        for bill in self.bills("schooling") {
            let aid = bill.int("assistance_fen").unwrap_or(0);
            let ended = bill.day("to").or_else(|| bill.day("from"));
            let is_over = ended.is_some_and(|day| day <= since);
            if aid <= 0 || is_over || !is_vocational(bill) {
                continue;
            }
            let pupil = self.facts.row("members", bill.text("member"));
            if pupil.is_some_and(|pupil| !is_vocational(pupil)) {
                self.find(
                    Check::VocationalAidElsewhere,
                    &bill.id,
                    &[("aid_yuan", hundredths(aid))],
                );
            }
        }
    }

    /// What a closed case must not leave behind.
    fn closing(&mut self) {
        let (facts, today) = (self.facts, self.today);
        let ages = self.bound(Quantity::SchoolAge);
        for person in facts.people().filter(|person| is_truant(person, ages, today)) {
            let age = age(person, today).unwrap_or_default();
            self.find(Check::ClosedWithDropout, &person.id, &[("age", age.to_string())]);
        }
        if matches!(facts.text("living", "house_danger"), "c" | "d") {
            self.find(Check::ClosedWithUnsafeHouse, "living.house_danger", &[]);
        } else if facts.text("guarantees", "housing_state") == "not_met" {
            self.find(Check::ClosedWithUnsafeHouse, "guarantees.housing_state", &[]);
        }
        let keeps_contact = |cadre: &Row| {
            cadre.day("from").is_none_or(|from| from <= today)
                && cadre.day("to").is_none_or(|to| today <= to)
        };
        if !facts.rows("cadres").iter().any(keeps_contact) {
            self.find(Check::ClosedWithoutContact, "cadres.name", &[]);
        }
        let closed = facts.day("case", "closed_on").or_else(|| self.case.entered(Stage::Closed));
        if let (Some(since), Some(closed)) = (self.case.monitored_since(facts), closed)
            && let Some(from) = self.policy.due(Clock::Close, facts.village, since)
            && closed < from
        {
            let inputs = [("identified_on", since.to_string()), ("closed_on", closed.to_string())];
            self.find(Check::ClosedEarly, "case.closed_on", &inputs);
        }
    }

    /// Numbers of resident cards, which is what a number is of whose document nobody named.
    fn identities(&mut self) {
        let mut seen: BTreeMap<String, &Row> = BTreeMap::new();
        for person in self.facts.people() {
            let text = person.text("identity_number").trim();
            if text.is_empty() || !matches!(person.text("document_kind"), "" | "resident_card") {
                continue;
            }
            let number = IdentityNumber::parse(text);
            let same = number.as_ref().map_or(text, IdentityNumber::as_str).to_ascii_uppercase();
            match seen.get(&same) {
                Some(other) => {
                    self.find(Check::IdentityTwice, &person.id, &[("other", other.id.clone())]);
                }
                None => {
                    seen.insert(same, person);
                }
            }
            match number {
                Ok(number) => self.against_number(person, &number),
                Err(_) => self.find(Check::IdentityWrong, &person.id, &[]),
            }
        }
    }

    fn clues(&mut self) {
        for (clue, first) in clues::repeated(self.facts, self.case) {
            let since = first.day("received_on").map(|day| day.to_string()).unwrap_or_default();
            let inputs = [("channel", first.text("channel").to_owned()), ("since", since)];
            self.find(Check::ClueKnown, &clue.id, &inputs);
        }
    }

    /// Of a record in use: that nobody is told it has left before its case is over.
    fn state(&mut self) {
        let state = self.facts.text("basic", "status");
        if let (Some(stage), false) = (self.case.stage(), is_in_use(state, || None)) {
            let inputs =
                [("household_status", state.to_owned()), ("case_state", stage.code().to_owned())];
            self.find(Check::OutOfUseWithCase, "basic.status", &inputs);
        }
    }

    /// What was left out without which something does not count.
    fn unsaid(&mut self) {
        let visits = self.facts.rows("visits").iter();
        let visits = visits.filter_map(|visit| Some((visit.day("date")?, visit)));
        let (to_come, made): (Vec<_>, Vec<_>) = visits.partition(|(on, _)| *on > self.today);
        for (on, visit) in to_come {
            self.find(Check::VisitToCome, &visit.id, &[("date", on.to_string())]);
        }
        let last = made.into_iter().max_by_key(|(on, _)| *on);
        if let Some((on, visit)) = last.filter(|(_, visit)| visit.text("met").is_empty()) {
            self.find(Check::VisitWithoutMet, &visit.id, &[("date", on.to_string())]);
        }
        for bill in self.facts.rows("spending").iter().filter(|bill| !bill.tick("withdrawn")) {
            if bill.day("from").or_else(|| bill.day("to")).is_none() {
                self.find(Check::BillWithoutDay, &bill.id, &[]);
            }
        }
    }

    fn against_number(&mut self, person: &Row, number: &IdentityNumber) {
        let stated = number.birth_on();
        if let Some(born) = person.day("birth_on").filter(|born| *born != stated) {
            let inputs = [("birth_on", born.to_string()), ("by_number", stated.to_string())];
            self.find(Check::IdentityBirthDate, &person.id, &inputs);
        }
        let other_sex = if number.is_male() { "female" } else { "male" };
        if person.text("sex") == other_sex {
            self.find(Check::IdentitySex, &person.id, &[]);
        }
    }
}

/// Able to work: ordinary or skilled labour.
fn is_able(person: &Row) -> bool {
    matches!(person.text("labour"), "ordinary" | "skilled")
}

/// A vocational school, middle or higher (中职、高职高专).
fn is_vocational(of: &Row) -> bool {
    matches!(of.text("school_stage"), "vocational" | "college")
}
