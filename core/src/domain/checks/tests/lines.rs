//! A household for each check on which it fires, and the one value that sets it right.

use super::*;

/// One value that makes it right: container, row, field, value.
pub(super) type Change = (&'static str, &'static str, &'static str, Value);

/// A check, a household on which it fires, what it is about, and what sets it right.
pub(super) type Line = (Check, Facts, &'static str, Change);

fn lines_of_risk() -> Vec<Line> {
    let able = ("labour", Value::from("ordinary"));
    let idle = ("labour", Value::from("none"));
    let two = |fields: &[(&str, Value)]| {
        risk("lack_of_labour", fields).with_row("members", "n", &[("labour", "none".into())])
    };
    let bill = [("kind", "medical".into()), ("self_pay_fen", 0.into())];
    let ill = risk("illness", &[("health", "serious".into())]).with_row("spending", "s", &bill);
    vec![
        (
            Check::LackOfLabourThoughAble,
            two(std::slice::from_ref(&able)),
            "class.risk_2",
            ("members", "m", "labour", "weak".into()),
        ),
        (
            Check::UnstableWorkNobodyAble,
            risk("unstable_work", &[idle, ("work_months", 3.into())]),
            "class.risk_2",
            ("members", "m", "labour", "skilled".into()),
        ),
        (
            Check::UnstableWorkNoWork,
            risk("unstable_work", &[able, ("work_months", 0.into())]),
            "class.risk_2",
            ("members", "m", "work_months", 1.into()),
        ),
        (
            Check::IllnessNobodyIll,
            risk("illness", &[("health", "disabled".into())]).with("income", "self_pay_fen", 1),
            "class.risk_2",
            ("members", "m", "health", "chronic".into()),
        ),
        (
            Check::IllnessNothingPaid,
            ill,
            "class.risk_2",
            ("spending", "s", "self_pay_fen", 1.into()),
        ),
    ]
}

fn lines_of_help() -> Vec<Line> {
    let able = ("labour", Value::from("ordinary"));
    let with =
        |facts: Facts, kind: &str| facts.with_row("measures", "x", &measure(kind, "under_way"));
    vec![
        (
            Check::NoDevelopment,
            with(open(&[("labour", "weak".into())]), "health"),
            "measures.kind",
            ("case", "", "identified_on", "2024-04-01".into()),
        ),
        (
            Check::NoDevelopment,
            open(std::slice::from_ref(&able)).with_row(
                "measures",
                "x",
                &measure("finance", "planned"),
            ),
            "measures.kind",
            ("measures", "x", "status", "done".into()),
        ),
        (
            Check::OnlyGuarantees,
            with(open(&[able]), "comprehensive"),
            "measures.kind",
            ("measures", "x", "kind", "health".into()),
        ),
        (
            Check::IndustryNoIncome,
            with(household(), "industry"),
            "x",
            ("income", "", "business_animals_fen", 100.into()),
        ),
        (
            Check::JobNoWage,
            with(household(), "public_post"),
            "x",
            ("income", "", "wage_fen", 50_000.into()),
        ),
        (
            Check::JobNoWage,
            member(&[("public_post", "cleaner".into())]),
            "m",
            ("members", "m", "presence", "left".into()),
        ),
    ]
}

fn lines_of_amounts_and_members() -> Vec<Line> {
    let on_support = [
        ("birth_on", "2005-10-01".into()),
        ("health", "healthy".into()),
        ("extreme_hardship", true.into()),
    ];
    let aid = [
        ("kind", "schooling".into()),
        ("school_stage", "vocational".into()),
        ("assistance_fen", 150_000.into()),
        ("member", "m".into()),
    ];
    let land = |field, area: i64| household().with("living", field, area);
    vec![
        (
            Check::WageImplausible,
            household().with("income", "wage_fen", 9_999),
            "income.wage_fen",
            ("income", "", "wage_fen", 10_000.into()),
        ),
        (
            Check::LandImplausible,
            land("arable_centimu", 10_001),
            "living.arable_centimu",
            ("living", "", "arable_centimu", 10_000.into()),
        ),
        (
            Check::LandImplausible,
            land("returned_forest_centimu", 20_001),
            "living.returned_forest_centimu",
            ("living", "", "returned_forest_centimu", 20_000.into()),
        ),
        (
            Check::HardshipThoughAble,
            member(&on_support),
            "m",
            ("members", "m", "school_stage", "college".into()),
        ),
        (
            Check::VocationalAidElsewhere,
            member(&[("school_stage", "senior".into())]).with_row("spending", "s", &aid),
            "s",
            ("members", "m", "school_stage", "vocational".into()),
        ),
        (
            Check::NotAtSchoolNoReason,
            member(&[("birth_on", "2018-10-01".into()), ("school_stage", "not_student".into())]),
            "m",
            ("members", "m", "not_in_school_reason", "illness".into()),
        ),
        (
            Check::NotAtSchoolNoReason,
            member(&[("birth_on", "2012-05-01".into()), ("school_stage", "junior".into())])
                .with_row("members", "m", &[("dropped_out", true.into())]),
            "m",
            ("members", "m", "dropped_out", false.into()),
        ),
    ]
}

fn lines_of_closing() -> Vec<Line> {
    let child = [
        ("birth_on", "2012-05-01".into()),
        ("school_stage", "not_student".into()),
        ("not_in_school_reason", "unwilling".into()),
    ];
    let late = || closed("2024-09-20");
    vec![
        (
            Check::ClosedWithDropout,
            late().with_row("members", "m", &child),
            "m",
            ("members", "m", "school_stage", "junior".into()),
        ),
        (
            Check::ClosedWithDropout,
            late().with_row("members", "m", &child).with_row(
                "members",
                "m",
                &[("school_stage", "junior".into()), ("dropped_out", true.into())],
            ),
            "m",
            ("members", "m", "dropped_out", false.into()),
        ),
        (
            Check::ClosedWithUnsafeHouse,
            late().with("living", "house_danger", "c"),
            "living.house_danger",
            ("living", "", "house_danger", "b".into()),
        ),
        (
            Check::ClosedWithoutContact,
            late().with_row("cadres", "c", &[("to", "2024-09-30".into())]),
            "cadres.name",
            ("cadres", "c", "to", "2024-10-01".into()),
        ),
        (
            Check::ClosedEarly,
            closed("2024-08-30"),
            "case.closed_on",
            ("case", "", "closed_on", "2024-08-31".into()),
        ),
    ]
}

fn lines_of_identity() -> Vec<Line> {
    let number = |text: &str| ("identity_number", Value::from(text));
    vec![
        (
            Check::IdentityWrong,
            member(&[number("110105194912310021")]),
            "m",
            ("members", "m", "identity_number", NUMBER.into()),
        ),
        (
            Check::IdentityWrong,
            member(&[number("残疾证4311")]),
            "m",
            ("members", "m", "document_kind", "disability_card".into()),
        ),
        (
            Check::IdentityBirthDate,
            member(&[number(NUMBER), ("birth_on", "1949-12-30".into())]),
            "m",
            ("members", "m", "birth_on", "1949-12-31".into()),
        ),
        (
            Check::IdentitySex,
            member(&[number(NUMBER), ("sex", "male".into())]),
            "m",
            ("members", "m", "sex", "female".into()),
        ),
        (
            Check::IdentityTwice,
            member(&[number(NUMBER)]).with_row("members", "n", &[number("110105491231002")]),
            "n",
            ("members", "n", "presence", "left".into()),
        ),
    ]
}

pub(super) fn lines_of_others() -> Vec<Line> {
    let clue = |risk: &str, day: &str| {
        [
            ("channel", Value::from("department")),
            ("risk", risk.into()),
            ("member", "m".into()),
            ("received_on", day.into()),
        ]
    };
    let waiting = household()
        .with_row("steps", "a", &[("state", "clue".into()), ("on", "2024-09-02".into())])
        .with_row("clues", "n", &clue("illness", "2024-09-05"))
        .with_row("clues", "s", &clue("illness", "2024-09-02"));
    let number = [("identity_number", NUMBER_ELSEWHERE.into())];
    vec![
        (Check::ClueKnown, waiting, "n", ("clues", "s", "outcome", "duplicate".into())),
        (
            Check::OutOfUseWithCase,
            step(household(), Stage::Clue, "2024-09-02").with("basic", "status", "erroneous"),
            "basic.status",
            ("steps", "00", "state", "not_included".into()),
        ),
        (Check::PersonElsewhere, member(&number), "m", ("members", "m", "presence", "left".into())),
        (
            Check::CadreOutOfReach,
            household().with_row("cadres", "c", &[("account", "gone".into())]),
            "c",
            ("cadres", "c", "account", "li".into()),
        ),
        (
            Check::VisitWithoutMet,
            household().with_row("visits", "u", &[("date", "2024-09-01".into())]).with_row(
                "visits",
                "v",
                &[("date", "2024-09-02".into())],
            ),
            "v",
            ("visits", "v", "met", "nobody".into()),
        ),
        (
            Check::VisitToCome,
            household().with_row("visits", "v", &[("date", "2024-10-02".into())]),
            "v",
            ("visits", "v", "date", "2024-10-01".into()),
        ),
        (
            Check::BillWithoutDay,
            household().with_row("spending", "s", &[("self_pay_fen", 1.into())]),
            "s",
            ("spending", "s", "from", "2024-09-02".into()),
        ),
        (
            Check::IncomeBelowLines,
            household().with("income", "transfer_fen", 100).with(
                "income",
                "transfer_pension_fen",
                101,
            ),
            "income.transfer_fen",
            ("income", "", "transfer_fen", 101.into()),
        ),
    ]
}

pub(super) fn lines() -> Vec<Line> {
    let mut lines = lines_of_risk();
    lines.extend(lines_of_help());
    lines.extend(lines_of_amounts_and_members());
    lines.extend(lines_of_closing());
    lines.extend(lines_of_identity());
    lines.extend(lines_of_others());
    lines
}
