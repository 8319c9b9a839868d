//! Department forms on a phone: the same sheet as the office's, of what the phone holds now, and of no area that it does
//! not hold.

use std::collections::BTreeSet;

use wanhu_core::client::{Ledger, RecordEdit, SheetView};
use wanhu_core::document::edit::FieldChange;
use wanhu_core::domain::authority::Role;
use wanhu_core::domain::ids::HouseholdId;
use wanhu_core::domain::notice::Scrubber;
use wanhu_core::error::LedgerError;
use wanhu_server::admin::{AdminCommand, FormCommand};
use wanhu_tests::county::{County, Step, sync};
use wanhu_tests::population::{self, FULING};

/// A village of three households under monitoring and one that is not, on its cadre's phone.
async fn village() -> (County, Ledger, Vec<HouseholdId>) {
    let county = County::on("2024-03-01", None).await;
    county.account("li", Role::VillageCadre, FULING);
    county.account("township", Role::TownshipOffice, FULING / 1_000);
    county.account("county", Role::CountyOffice, FULING / 1_000_000);
    let li = county.phone("li").await;
    sync(&li).await;
    let ids: Vec<HouseholdId> = population::village(4, FULING, 4)
        .map(|(village, edit)| li.create_household(village, edit).unwrap())
        .collect();
    sync(&li).await;
    carry_over(&county, &ids[..3]);
    sync(&li).await;
    (county, li, ids)
}

fn carry_over(county: &County, ids: &[HouseholdId]) {
    let carried = Step {
        fields: &["class.monitored_kind=突发严重困难户"],
        reason: "以往排查结果转入",
        ..Step::default()
    };
    for id in ids {
        county.step("county", *id, "monitored", carried).unwrap();
    }
}

fn line_of(sheet: &SheetView, id: HouseholdId) -> Vec<String> {
    let lines = sheet.tables.iter().flat_map(|table| &table.lines);
    lines.filter(|line| line.household == id).flat_map(|line| line.cells.clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_fills_in_the_sheet_that_the_office_makes() {
    let (county, li, ids) = village().await;
    let forms = li.forms().unwrap();
    let village = forms.iter().find(|form| form.id == "village").unwrap();
    assert!(!village.zh.is_empty() && !village.en.is_empty() && !village.public);
    let sheet = li.sheet("village", FULING).unwrap();
    assert_eq!(sheet.form, format!("village/{}", village.version));
    assert_eq!((sheet.title.as_str(), sheet.public), (village.zh.as_str(), false));
    assert_eq!(sheet.as_of.to_string(), "2024-03-01");
    assert!(sheet.stamp.iter().any(|line| line.contains("福岭村")), "{:?}", sheet.stamp);
    assert!(sheet.stamp.contains(&"手机最后同步:2024-03-01".to_owned()), "{:?}", sheet.stamp);
    let [table] = sheet.tables.as_slice() else { unreachable!("one table") };
    assert_eq!(table.lines.len(), 3, "who is not under monitoring is not on it");
    let dir = tempfile::tempdir().unwrap();
    let (form, area, file) = ("village".into(), Some(FULING), dir.path().join("village.csv"));
    let make = FormCommand::Make { form, file: file.clone(), area, font: vec![] };
    county.office("township", AdminCommand::Form(make)).unwrap();
    let office = std::fs::read_to_string(&file).unwrap();
    for line in &table.lines {
        assert_eq!(line.cells.len(), table.header.len());
        assert!(office.contains(&line.check_code), "{line:?}\n{office}");
    }
    // What is saved stands on the next sheet, sent or not.
    li.edit(ids[1], &RecordEdit::default().set("basic", "head_name", "改名后")).unwrap();
    let again = li.sheet("village", FULING).unwrap();
    assert!(line_of(&again, ids[1]).contains(&"改名后".to_owned()));
    assert_eq!(line_of(&again, ids[0]), line_of(&sheet, ids[0]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_makes_no_sheet_of_what_it_does_not_hold() {
    let (county, li, _) = village().await;
    let outside = LedgerError::invalid("area", "outside_area");
    for area in [FULING / 1_000, FULING / 1_000_000, FULING + 1] {
        assert_eq!(li.sheet("village", area).unwrap_err(), outside, "{area}");
    }
    let nowhere = LedgerError::invalid("area", "not_an_area");
    for area in [0, 7] {
        assert_eq!(li.sheet("village", area).unwrap_err(), nowhere, "{area}");
    }
    let day = li.today();
    let figures = |area| li.figures(area, None, (day, day), None, &[]);
    assert_eq!(figures(FULING / 1_000).unwrap_err(), outside, "a township's name for a village");
    assert!(!figures(FULING).unwrap().is_empty());
    // A phone that has not heard everything yet would leave families out.
    let new = county.phone("li").await;
    assert_eq!(
        new.sheet("village", FULING).unwrap_err(),
        LedgerError::invalid("area", "not_synced")
    );
    sync(&new).await;
    assert_eq!(new.sheet("village", FULING).unwrap().tables[0].lines.len(), 3);
    let unknown = LedgerError::NotFound { kind: "form".into(), id: "no_such".into() };
    assert_eq!(li.sheet("no_such", FULING).unwrap_err(), unknown);
    li.close().unwrap();
    let closed = LedgerError::invalid("ledger", "closed");
    assert_eq!(li.sheet("village", FULING).unwrap_err(), closed);
    assert_eq!(li.forms().unwrap_err(), closed);
}

/// Linxia, which no release knows.
const ELSEWHERE: &str = "62\t甘肃省\n6229\t临夏回族自治州\n622921\t临夏县\n622921100\t韩集镇\n622921100201\t阳洼山村\n\
                         622921101\t土桥镇\n";
const YANGWASHAN: u64 = 622_921_100_201;

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_knows_the_names_that_its_server_has_of_its_area() {
    let county = County::on("2024-03-01", None).await;
    county.account("ma", Role::VillageCadre, YANGWASHAN);
    county.account("ba", Role::VillageCadre, YANGWASHAN);
    county.account("township", Role::TownshipOffice, YANGWASHAN / 1_000);
    county.account("county", Role::CountyOffice, YANGWASHAN / 1_000_000);
    // As its server tells nothing, so does a server of an older release.
    let nameless = county.phone("ba").await;
    sync(&nameless).await;
    let unknown = LedgerError::invalid("area", "unknown_area");
    assert_eq!(nameless.sheet("village", YANGWASHAN).unwrap_err(), unknown);
    assert_eq!(nameless.region_path(YANGWASHAN).unwrap(), [""; 0]);
    let chenzhou = nameless.region_path(FULING).unwrap();
    assert_eq!(chenzhou, ["湖南省", "郴州市", "宜章县", "关溪乡", "福岭村"], "this release's list");

    let county = county.again_among(ELSEWHERE).await;
    let ma = county.phone("ma").await;
    let ids: Vec<HouseholdId> = population::village(4, YANGWASHAN, 3)
        .map(|(village, edit)| ma.create_household(village, edit).unwrap())
        .collect();
    sync(&ma).await;
    carry_over(&county, &ids);
    sync(&ma).await;
    // What a file says about its area is kept with it.
    let ma = county.opened_again(ma, "ma");
    assert_eq!(ma.region_path(YANGWASHAN).unwrap().last().unwrap(), "阳洼山村");
    assert_eq!(ma.region_path(7).unwrap(), [""; 0]);
    let sheet = ma.sheet("survey", YANGWASHAN).unwrap();
    assert!(sheet.stamp.contains(&"范围:临夏县韩集镇阳洼山村".to_owned()), "{:?}", sheet.stamp);
    let dir = tempfile::tempdir().unwrap();
    let (form, area, file) = ("survey".into(), Some(YANGWASHAN), dir.path().join("survey.csv"));
    let make = FormCommand::Make { form, file: file.clone(), area, font: vec![] };
    county.office("township", AdminCommand::Form(make)).unwrap();
    let office = std::fs::read_to_string(&file).unwrap();
    assert!(!sheet.tables[0].lines.is_empty());
    for line in &sheet.tables[0].lines {
        assert!(office.contains(&line.check_code), "{line:?}\n{office}");
    }
}

#[test]
fn the_hamlets_of_the_sample_stand_on_a_wall_as_they_are() {
    let is_hamlet = |change: &FieldChange| change.key == "natural_village";
    let (mut told, wall) = (BTreeSet::new(), Scrubber::default());
    for (_, edit) in population::village(7, FULING, 600) {
        let change = edit.fields.into_iter().find(is_hamlet).unwrap();
        let hamlet = change.value.unwrap().as_text().unwrap().to_owned();
        assert_eq!(wall.hamlet(&hamlet), hamlet);
        told.insert(hamlet);
    }
    assert_eq!(told.len(), 16, "{told:?}");
}
