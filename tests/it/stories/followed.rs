//! People move from one household to another, or two records of a family become one, and what departments delivered about
//! them goes along.

use super::bad_week::bill;
use super::*;

/// A bill of 周长根: what he paid himself, in yuan.
fn delivered(county: &County, dir: &Path, yuan: &str) -> Json {
    deliver(county, &bill(dir, "周长根", NUMBER, yuan))
}

/// The son's family: its record, with the father in it where it is told so.
fn sons_family(with_father: bool) -> RecordEdit {
    let mut fields = vec!["basic.head_name=周小军", "class.household_kind=脱贫户"];
    let number = format!("members.identity_number={NUMBER}");
    if with_father {
        fields.extend(["members.name=周长根", "members.relation=父亲", &number]);
    } else {
        fields.extend(["members.name=周小军", "members.relation=户主"]);
    }
    typed(&fields)
}

/// Rules of the warnings of a household that wait for an answer, with their figures.
fn open_warnings(phone: &Ledger, id: HouseholdId) -> Vec<(String, i64)> {
    let fields = phone.show(id).unwrap().fields;
    let value = |row: &str, field: &str| {
        let key = format!("{row}.{field}");
        fields.iter().find(|f| f.container == "warnings" && f.key == key).map(|f| f.value.clone())
    };
    let rows = fields.iter().filter_map(|field| {
        field.key.strip_suffix(".rule").filter(|_| field.container == "warnings")
    });
    let open = rows.filter(|row| value(row, "withdrawn").is_none());
    let told = open.map(|row| {
        let rule = value(row, "rule").unwrap().as_text().unwrap().to_owned();
        (rule, value(row, "input").unwrap().as_int().unwrap())
    });
    told.collect()
}

fn take_back(county: &County, delivered: &Json) -> Json {
    let number = delivered["number"].as_i64().unwrap();
    county.import("医保局", ImportCommand::Withdraw { number, report: None }).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn bills_of_two_records_of_one_family_count_together_once_they_are_one() {
    let (county, li, first) = on_record(family()).await;
    let dir = tempfile::tempdir().unwrap();
    let early = delivered(&county, dir.path(), "3000");
    assert_eq!((&early["matched"], &early["warned"]), (&1.into(), &0.into()));
    let kept = li.create_household(FULING, sons_family(true)).unwrap();
    sync(&li).await;
    let between = delivered(&county, dir.path(), "10");
    assert_eq!(between["faults"]["person_twice"], 1);
    li.merge(kept, first).unwrap();
    sync(&li).await;
    let late = delivered(&county, dir.path(), "2500");
    assert_eq!((&late["matched"], &late["warned"]), (&1.into(), &1.into()));
    sync(&li).await;
    let warned = ("medical-self-pay-lifted".to_owned(), 550_000);
    assert_eq!(open_warnings(&li, kept), [warned], "both bills");
    let told = take_back(&county, &early);
    assert_eq!((&told["ok"], &told["households"]), (&true.into(), &1.into()));
    sync(&li).await;
    assert_eq!(open_warnings(&li, kept), [], "one of them alone is too small");
    assert_eq!(delivered(&county, dir.path(), "2600")["warned"], 1, "the later one still counts");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_delivered_about_somebody_goes_along_to_another_household() {
    let (county, li, first) = on_record(family()).await;
    let dir = tempfile::tempdir().unwrap();
    let written = delivered(&county, dir.path(), "5500");
    assert_eq!((&written["matched"], &written["warned"]), (&1.into(), &1.into()));
    let second = li.create_household(FULING, sons_family(false)).unwrap();
    sync(&li).await;
    // The father moves in with his son: out of the one record, and days later into the other.
    let fields = li.show(first).unwrap().fields;
    let member = fields.iter().find(|f| f.container == "members" && f.value == "周长根".into());
    let (row, _) = member.unwrap().key.rsplit_once('.').unwrap();
    li.edit(first, &typed(&[&format!("members.{row}.presence=left")])).unwrap();
    sync(&li).await;
    let nobody = delivered(&county, dir.path(), "20");
    assert_eq!(nobody["faults"], serde_json::json!({ "person_left": 1 }), "at home nowhere");
    let number = format!("members.identity_number={NUMBER}");
    let father = ["members.name=周长根", "members.relation=父亲", &number];
    li.edit(second, &typed(&father)).unwrap();
    sync(&li).await;
    let late = delivered(&county, dir.path(), "2500");
    assert_eq!((&late["matched"], &late["warned"]), (&1.into(), &1.into()));
    sync(&li).await;
    let figures = |id| open_warnings(&li, id).into_iter().map(|(_, fen)| fen).collect::<Vec<_>>();
    assert_eq!((figures(first), figures(second)), (vec![550_000], vec![800_000]));
    let answers = |delivered: &Json| {
        let number = delivered["number"].as_i64().unwrap();
        county.import("医保局", ImportCommand::Answers { number }).unwrap()
    };
    assert_eq!(answers(&written).as_array().unwrap().len(), 1, "a row is a row");
    let listed = county.import("医保局", ImportCommand::List).unwrap();
    let rows: Vec<_> = listed.as_array().unwrap().iter().map(|row| row["rows"].clone()).collect();
    assert_eq!(rows, [1, 0, 1]);
    // What it brought about is found in both.
    assert_eq!(take_back(&county, &written)["households"], 2);
    sync(&li).await;
    assert_eq!((figures(first), figures(second)), (vec![], vec![]));
}
