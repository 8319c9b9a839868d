//! Forms as an office makes them: from the record alone, stale exactly where a value they show has changed, and a notice
//! on which nothing stands that must not.

use serde_json::Value as Json;
use wanhu_core::client::{Ledger, RecordEdit, StepForm};
use wanhu_core::domain::authority::Role;
use wanhu_core::domain::ids::HouseholdId;
use wanhu_core::domain::workflow::Stage;
use wanhu_server::admin::{AdminCommand, FormCommand};
use wanhu_tests::county::{County, Step, sync};
use wanhu_tests::population::{self, FULING};

const NUMBER: &str = "431022197003080028";

async fn county() -> (County, Ledger) {
    let county = County::on("2024-03-01", None).await;
    county.account("li", Role::VillageCadre, FULING);
    county.account("committee", Role::VillageCommittee, FULING);
    county.account("township", Role::TownshipOffice, FULING / 1_000);
    county.account("county", Role::CountyOffice, FULING / 1_000_000);
    county.account("city", Role::City, FULING / 100_000_000);
    let li = county.phone("li").await;
    sync(&li).await;
    (county, li)
}

fn stale(county: &County, form: &str) -> Vec<String> {
    let command = FormCommand::Stale { form: form.into(), area: Some(FULING) };
    let listed = county.office("township", AdminCommand::Form(command)).unwrap();
    listed.as_array().unwrap().iter().filter_map(Json::as_str).map(str::to_owned).collect()
}

fn make(
    county: &County,
    by: &str,
    form: &str,
    file: &std::path::Path,
) -> Result<Json, &'static str> {
    let (form, file, area) = (form.to_owned(), file.to_owned(), Some(FULING));
    county.office(by, AdminCommand::Form(FormCommand::Make { form, file, area, font: vec![] }))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_value_makes_exactly_the_sheets_that_show_it_stale() {
    let (county, li) = county().await;
    let ids: Vec<HouseholdId> = population::village(4, FULING, 12)
        .map(|(village, edit)| li.create_household(village, edit).unwrap())
        .collect();
    sync(&li).await;
    // The forms are about households under monitoring.
    let carried = Step {
        fields: &["class.monitored_kind=突发严重困难户"],
        reason: "以往排查结果转入",
        ..Step::default()
    };
    for id in &ids[..8] {
        county.step("county", *id, "monitored", carried).unwrap();
    }
    let dir = tempfile::tempdir().unwrap();
    for form in ["village", "department", "survey", "measures"] {
        for ending in ["csv", "xlsx"] {
            let file = dir.path().join(format!("{form}.{ending}"));
            make(&county, "township", form, &file).unwrap();
            assert!(std::fs::metadata(&file).unwrap().len() > 100, "{form}.{ending}");
        }
        assert_eq!(stale(&county, form), [""; 0], "{form}");
    }
    li.edit(ids[3], &RecordEdit::default().set("basic", "head_name", "改名后")).unwrap();
    sync(&li).await;
    assert_eq!(stale(&county, "village"), [ids[3].to_string()]);
    // No form shows who uses which fuel but the survey; a household that is on no form makes none stale.
    li.edit(ids[5], &RecordEdit::default().set("living", "fuel", "gas")).unwrap();
    li.edit(ids[10], &RecordEdit::default().set("living", "fuel", "gas")).unwrap();
    sync(&li).await;
    assert_eq!(stale(&county, "village"), [ids[3].to_string()]);
    let mut both = [ids[3].to_string(), ids[5].to_string()];
    both.sort();
    assert_eq!(stale(&county, "survey"), both);
    make(&county, "township", "village", &dir.path().join("again.csv")).unwrap();
    assert_eq!(stale(&county, "village"), [""; 0]);
    assert_eq!(make(&county, "city", "survey", &dir.path().join("x.csv")), Err("not_granted"));
    assert_eq!(
        make(&county, "township", "village", &dir.path().join("x.doc")),
        Err("format_unknown")
    );
    assert_eq!(
        make(&county, "township", "no_such", &dir.path().join("x.csv")),
        Err("form_unknown")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_hangs_in_the_village_names_nobodys_number_or_illness() {
    let (county, li) = county().await;
    let text = |field: &str, value: &str| (field.to_owned(), value.into());
    let edit = RecordEdit::default()
        .set("basic", "head_name", "陈永昌")
        .set("basic", "phone", "13800731234")
        .set("case", "consent", true)
        .row(
            "members",
            vec![text("name", "陈永昌"), text("relation", "head"), text("identity_number", NUMBER)],
        )
        .row(
            "measures",
            vec![text("title", "恶性肿瘤救助,电话13800731234"), text("status", "planned")],
        )
        .row("visits", vec![text("date", "2024-03-01"), text("met", "head")]);
    let id = li.create_household(FULING, edit).unwrap();
    li.take_step(id, &StepForm::to(Stage::Clue), RecordEdit::default()).unwrap();
    li.take_step(id, &StepForm::to(Stage::Verified), RecordEdit::default()).unwrap();
    sync(&li).await;
    let votes = Step { votes: Some((9, 0)), ..Step::default() };
    county.step("committee", id, "appraised", votes).unwrap();
    county.step("committee", id, "on_notice", Step::default()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("notice.csv");
    make(&county, "committee", "notice", &file).unwrap();
    let notice = std::fs::read_to_string(&file).unwrap();
    assert!(notice.contains("陈*昌") && notice.contains("福岭村"), "{notice}");
    for secret in ["陈永昌", NUMBER, "13800731234", "肿瘤"] {
        assert!(!notice.contains(secret), "{secret} hangs in the village\n{notice}");
    }
}
