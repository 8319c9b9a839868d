//! Checks when a record is saved (核查): what on the record of one household contradicts something else on it.
//! They warn and block nothing. What is merely not filled in raises nothing; a claim that nothing on the record
//! supports does. Looks at one household; where else its people are on record, whoever asks has to find out.
//!
//! Source: rules by which counties check the national export; their periods and bounds are the policy's.

use super::day::Day;
use super::facts::{Facts, Row};
use super::identity::IdentityNumber;
use super::ids::HouseholdId;
use super::policy::Policy;
use super::schema::{Code, Schema, words};

mod rules;

/// What contradicts. Codes: list `check` of words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
pub enum Check {
    /// Risk: lack of labour; yet half of the people, or more, are able to work.
    LackOfLabourThoughAble,
    /// Risk: unstable work; yet nobody is able to work.
    UnstableWorkNobodyAble,
    /// Risk: unstable work; yet no work is recorded.
    UnstableWorkNoWork,
    /// Risk: illness; yet nobody is ill.
    IllnessNobodyIll,
    /// Risk: illness; yet nothing was paid for it.
    IllnessNothingPaid,
    /// Labour, and long after identification no developmental measure.
    NoDevelopment,
    /// Nothing but comprehensive guarantees, though somebody is able to work.
    OnlyGuarantees,
    /// An industry measure without business income.
    IndustryNoIncome,
    /// A job or public post without wage.
    JobNoWage,
    /// A wage that is too small to be one.
    WageImplausible,
    /// An area of land that is too large.
    LandImplausible,
    /// Extreme-hardship support for somebody of working age who is healthy and no student.
    HardshipThoughAble,
    /// Aid for vocational school for somebody who is at none.
    VocationalAidElsewhere,
    /// A child of compulsory school age not at school, and no reason.
    NotAtSchoolNoReason,
    /// Closed, with a child not at school.
    ClosedWithDropout,
    /// Closed, with an unsafe house.
    ClosedWithUnsafeHouse,
    /// Closed, and nobody keeps contact.
    ClosedWithoutContact,
    /// Closed too early after it was identified or opened again.
    ClosedEarly,
    /// Not an identity number, or its check character is wrong (GB 11643-1999).
    IdentityWrong,
    /// The identity number states another birth date.
    IdentityBirthDate,
    /// The identity number states another sex.
    IdentitySex,
    /// Two people of the household with one identity number.
    IdentityTwice,
    /// A clue about a person and a risk of whom an earlier one is being looked into.
    ClueKnown,
    /// A member is on record in another household as well. See [`elsewhere`].
    PersonElsewhere,
    /// The account of a responsible cadre is no cadre's of the village: nobody would see to the household. See [`out_of_reach`].
    CadreOutOfReach,
    /// The record is said to be out of use, yet its case has not come to an end, so that it stays in use.
    OutOfUseWithCase,
    /// The last visit does not say who was met: it counts as none.
    VisitWithoutMet,
    /// A visit of a day to come.
    VisitToCome,
    /// A bill without a day: no rule looks at it.
    BillWithoutDay,
    /// A part of the income is stated as less than its lines come to.
    IncomeBelowLines,
}

impl Check {
    /// All of them.
    pub const ALL: [Self; 30] = [
        Self::LackOfLabourThoughAble,
        Self::UnstableWorkNobodyAble,
        Self::UnstableWorkNoWork,
        Self::IllnessNobodyIll,
        Self::IllnessNothingPaid,
        Self::NoDevelopment,
        Self::OnlyGuarantees,
        Self::IndustryNoIncome,
        Self::JobNoWage,
        Self::WageImplausible,
        Self::LandImplausible,
        Self::HardshipThoughAble,
        Self::VocationalAidElsewhere,
        Self::NotAtSchoolNoReason,
        Self::ClosedWithDropout,
        Self::ClosedWithUnsafeHouse,
        Self::ClosedWithoutContact,
        Self::ClosedEarly,
        Self::IdentityWrong,
        Self::IdentityBirthDate,
        Self::IdentitySex,
        Self::IdentityTwice,
        Self::ClueKnown,
        Self::PersonElsewhere,
        Self::CadreOutOfReach,
        Self::OutOfUseWithCase,
        Self::VisitWithoutMet,
        Self::VisitToCome,
        Self::BillWithoutDay,
        Self::IncomeBelowLines,
    ];

    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::LackOfLabourThoughAble => "lack_of_labour_though_able",
            Self::UnstableWorkNobodyAble => "unstable_work_nobody_able",
            Self::UnstableWorkNoWork => "unstable_work_no_work",
            Self::IllnessNobodyIll => "illness_nobody_ill",
            Self::IllnessNothingPaid => "illness_nothing_paid",
            Self::NoDevelopment => "no_development",
            Self::OnlyGuarantees => "only_guarantees",
            Self::IndustryNoIncome => "industry_no_income",
            Self::JobNoWage => "job_no_wage",
            Self::WageImplausible => "wage_implausible",
            Self::LandImplausible => "land_implausible",
            Self::HardshipThoughAble => "hardship_though_able",
            Self::VocationalAidElsewhere => "vocational_aid_elsewhere",
            Self::NotAtSchoolNoReason => "not_at_school_no_reason",
            Self::ClosedWithDropout => "closed_with_dropout",
            Self::ClosedWithUnsafeHouse => "closed_with_unsafe_house",
            Self::ClosedWithoutContact => "closed_without_contact",
            Self::ClosedEarly => "closed_early",
            Self::IdentityWrong => "identity_wrong",
            Self::IdentityBirthDate => "identity_birth_date",
            Self::IdentitySex => "identity_sex",
            Self::IdentityTwice => "identity_twice",
            Self::ClueKnown => "clue_known",
            Self::PersonElsewhere => "person_elsewhere",
            Self::CadreOutOfReach => "cadre_out_of_reach",
            Self::OutOfUseWithCase => "out_of_use_with_case",
            Self::VisitWithoutMet => "visit_without_met",
            Self::VisitToCome => "visit_to_come",
            Self::BillWithoutDay => "bill_without_day",
            Self::IncomeBelowLines => "income_below_lines",
        }
    }
}

/// One of the values that made a check fire.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct CheckInput {
    /// Where it stands in the words of the check, in braces.
    pub name: String,
    /// The value.
    pub value: String,
}

/// A contradiction found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct Finding {
    /// What.
    pub check: Check,
    /// The row id, or `container.field`, it is about.
    pub subject: String,
    /// The values that made it fire, as people read them: yuan and mu with two decimals, ISO days, counts, household ids;
    /// or a code of the list that has the input's name. Never an identity number, a phone or free text.
    pub inputs: Vec<CheckInput>,
}

/// What contradicts on a household's record, in the order of [`Check`].
pub fn checks(facts: &Facts, policy: &Policy, today: Day) -> Vec<Finding> {
    if !facts.is_active() {
        return Vec::new();
    }
    let mut findings = rules::findings(facts, policy, today);
    findings.sort_by_key(|finding| finding.check);
    findings
}

/// Where else somebody is on record, as far as whoever asks may know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Elsewhere {
    /// In a household that they may see.
    In(HouseholdId),
    /// In one that they may not see.
    OutOfSight,
}

/// Members who are on record in another household as well. `find` looks for a record in use, other than this one, in which
/// somebody with an identity number lives.
///
/// # Errors
/// As `find` reports.
pub fn elsewhere<E>(
    facts: &Facts,
    mut find: impl FnMut(&IdentityNumber) -> Result<Option<Elsewhere>, E>,
) -> Result<Vec<Finding>, E> {
    let mut findings = Vec::new();
    for person in facts.people().filter(|_| facts.is_active()) {
        let Some(number) = person.identity_number() else { continue };
        let Some(home) = find(&number)? else { continue };
        let other = match home {
            Elsewhere::In(household) => household.to_string(),
            Elsewhere::OutOfSight => String::new(),
        };
        let inputs = vec![CheckInput { name: "other".to_owned(), value: other }];
        let subject = person.id.clone();
        findings.push(Finding { check: Check::PersonElsewhere, subject, inputs });
    }
    Ok(findings)
}

/// Responsible cadres by an account that is no cadre's of the household's village: whose tasks would be on nobody's list. Whose
/// last day it is may be anybody, where another sees to them. `reaches` knows the accounts.
///
/// # Errors
/// As `reaches` reports.
pub fn out_of_reach<E>(
    facts: &Facts,
    today: Day,
    mut reaches: impl FnMut(&str) -> Result<bool, E>,
) -> Result<Vec<Finding>, E> {
    let (mut left, mut has_another) = (Vec::new(), false);
    for cadre in facts.responsible_cadres(today).filter(|_| facts.is_active()) {
        let account = cadre.text("account");
        if account.is_empty() {
            continue;
        }
        match reaches(account)? {
            true => has_another = true,
            false => left.push(cadre),
        }
    }
    left.retain(|cadre| !has_another || cadre.day("to") != Some(today));
    // What somebody typed as an account may be anything.
    let finding = |cadre: &Row| Finding {
        check: Check::CadreOutOfReach,
        subject: cadre.id.clone(),
        inputs: Vec::new(),
    };
    Ok(left.into_iter().map(finding).collect())
}

/// The words for a finding, Chinese and English.
pub fn explain(finding: &Finding) -> (String, String) {
    let field = finding.subject.split_once('.');
    let field = field.and_then(|(container, field)| Schema::base().field(container, field));
    let fill = |template: &str, label: Option<&str>, in_words: fn(&Code) -> &str| {
        let filled =
            finding.inputs.iter().fold(template.to_owned(), |text, CheckInput { name, value }| {
                let known = Schema::base().code(name, value);
                text.replace(&format!("{{{name}}}"), known.map_or(value.as_str(), in_words))
            });
        let filled = filled.replace("{subject}", label.unwrap_or_default());
        // Where what comes last is not told, or not known.
        filled.trim_end_matches([' ', ':']).to_owned()
    };
    let Some(words) = words("check", finding.check.code()) else { return Default::default() };
    let labels = field.map(|field| (field.zh.as_str(), field.en.as_str())).unzip();
    (
        fill(&words.zh, labels.0, |known| known.zh.as_str()),
        fill(&words.en, labels.1, |known| known.en.as_str()),
    )
}

#[cfg(test)]
mod tests;
