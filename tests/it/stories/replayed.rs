//! Why was this family warned? Years later somebody asks, when the record, the village and the line are others.

use serde_json::json;

use super::bad_week::bill;
use super::*;

const GRADES: Line<'static> = &["户主姓名", "身份证号", "鉴定等级"];
/// The hospital's line of 5,000 yuan, and the same file with another one.
const LINE: &str = "threshold = 500000";

fn examples(line: &str) -> String {
    wanhu_core::domain::policy::EXAMPLES_TOML.replacen(LINE, line, 1)
}

/// A family warned of a bill of 7,000 yuan under a line of 5,000.
async fn warned() -> (County, Ledger, HouseholdId, tempfile::TempDir) {
    let (county, li, id) = on_record(family()).await;
    county.account("住建局", Role::Department, FULING / 1_000_000);
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(deliver(&county, &bill(dir.path(), "周长根", NUMBER, "7000"))["warned"], 1);
    (county, li, id, dir)
}

fn replay(county: &County, by: &str, household: HouseholdId) -> Result<Json, &'static str> {
    county.office(by, AdminCommand::Replay { household, warning: None })
}

/// What came of a replay: whether it was alike, the value then, the line then, the line today.
fn figures(replay: &Json) -> (Json, Json, Json, Json) {
    let [outcome, input, line] = ["replay", "input", "threshold"].map(|key| replay[key].clone());
    (outcome, input, line, replay["today"]["threshold"].clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_warning_fires_alike_when_all_else_has_changed() {
    let (county, li, id, dir) = warned().await;
    let told = replay(&county, "乡政府", id).unwrap();
    let alike = (json!("alike"), json!(700_000), json!(500_000), json!(500_000));
    assert_eq!(figures(&told[0]), alike);
    assert_eq!((&told[0]["unit"], told.as_array().unwrap().len()), (&json!("fen"), 1));

    // The family is taken off the list of those lifted, has a dearer bill, and moves to another village.
    county.day("2024-05-06");
    fill_in(&county, "乡政府", id, &["class.household_kind=一般农户"]);
    assert_eq!(deliver(&county, &bill(dir.path(), "周长根", NUMBER, "20000"))["warned"], 1);
    let village = 431_022_208_202;
    county.office("县局", AdminCommand::Move { household: id, village }).unwrap();
    sync(&li).await;
    let told = replay(&county, "县局", id).unwrap();
    let by_rule = |rule: &str| {
        let of_rule = |replay: &&Json| replay["rule"] == rule;
        told.as_array().unwrap().iter().find(of_rule).map(figures)
    };
    assert_eq!(by_rule("medical-self-pay-lifted"), Some(alike.clone()));
    let other = (json!("alike"), json!(2_700_000), json!(2_000_000), json!(2_000_000));
    assert_eq!(by_rule("medical-self-pay-other"), Some(other));

    // The county sets its line anew, under the old name: what was warned of before is held against the old line.
    let county = county.again_under(&examples("threshold = 1000000")).await;
    let told = replay(&county, "县局", id).unwrap();
    let old = told.as_array().unwrap().iter().find(|t| t["rule"] == "medical-self-pay-lifted");
    let not_today = (json!("alike"), json!(700_000), json!(500_000), Json::Null);
    assert_eq!(figures(old.unwrap()), not_today);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_the_record_contradicts_is_asked_as_well() {
    let (county, _, id, dir) = warned().await;
    fill_in(&county, "乡政府", id, &["living.house_danger=B级"]);
    let lines: &[Line<'_>] = &[GRADES, &["周长根", NUMBER, "D级"]];
    let file = spreadsheet(&dir.path().join("危房.xlsx"), "危房", lines);
    let (kind, profile, report) = (Kind::Housing, None, None);
    let command = ImportCommand::Department { file, kind, profile, report, anyway: false };
    assert_eq!(county.import("住建局", command).unwrap()["warned"], 1);
    let outcomes = || {
        let told = replay(&county, "乡政府", id).unwrap();
        let outcomes = told.as_array().unwrap().iter().map(|told| told["replay"].clone());
        outcomes.collect::<Vec<_>>()
    };
    assert_eq!(outcomes(), ["alike", "alike"]);
    // The list of the next month says the same; the one that warned is asked, not the last.
    county.day("2024-04-04");
    let file = spreadsheet(&dir.path().join("四月.xlsx"), "四月危房", lines);
    let (kind, profile, report) = (Kind::Housing, None, None);
    let command = ImportCommand::Department { file, kind, profile, report, anyway: false };
    assert_eq!(county.import("住建局", command).unwrap()["warned"], 0);
    assert_eq!(outcomes(), ["alike", "alike"]);
    // Once it is taken back there is nothing left to ask.
    county.import("住建局", ImportCommand::Withdraw { number: 2, report: None }).unwrap();
    assert!(outcomes().contains(&json!("list_withdrawn")), "{:?}", outcomes());
    let told = replay(&county, "乡政府", id).unwrap();
    let withdrawn = told.as_array().unwrap().iter().map(|told| &told["withdrawn"]);
    assert_eq!(withdrawn.filter(|is| **is == true).count(), 1, "and it is said of that one");
    // A row that somebody's slip has made, when one could, is no warning, and stands in no other's way.
    let slip = move |transaction: &rusqlite::Transaction<'_>| {
        crate::circles::put_unasked(transaction, id, "warnings", &[("slip.answer", "confirmed")]);
        Ok(())
    };
    county.server.app.storage.writer().write(slip).unwrap();
    for slip in ["warnings.slop.answer=属实", "warnings.answer=属实"] {
        let (fields, on_behalf_of) = (vec![slip.to_owned()], String::new());
        let edit = AdminCommand::Edit { household: id, fields, on_behalf_of };
        assert_eq!(county.office("乡政府", edit), Err("invalid_input"), "{slip}");
    }
    assert!(outcomes().contains(&json!("no_warning")) && outcomes().contains(&json!("alike")));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_asked_again_says_so_and_who_may_not_ask_is_not_told() {
    let (county, _, id, _dir) = warned().await;
    county.account("市局", Role::City, FULING / 100_000_000);
    county.account("别乡", Role::TownshipOffice, 431_022_100);
    for (by, code) in
        [("医保局", "not_granted"), ("市局", "not_granted"), ("别乡", "household_unknown")]
    {
        assert_eq!(replay(&county, by, id), Err(code), "{by}");
    }
    // As a file of an earlier release has it.
    let forget = |transaction: &rusqlite::Transaction<'_>| {
        transaction.execute("DELETE FROM policy", [])?;
        Ok(())
    };
    county.server.app.storage.writer().write(forget).unwrap();
    let told = replay(&county, "乡政府", id).unwrap();
    assert_eq!(told[0]["replay"], "policy_unknown");
    assert_eq!(told[0]["today"]["input"], 700_000, "today's line is there all the same");
}
