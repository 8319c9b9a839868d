//! Forms as an office makes them: from the record alone, stale exactly where a value they show has changed, and a notice
//! on which nothing stands that must not.

use std::path::Path;

use serde_json::Value as Json;
use wanhu_core::client::{Ledger, RecordEdit, StepForm};
use wanhu_core::domain::authority::Role;
use wanhu_core::domain::ids::HouseholdId;
use wanhu_core::domain::workflow::Stage;
use wanhu_core::system::SystemEntropy;
use wanhu_server::admin::{AdminCommand, FormCommand, Office};
use wanhu_server::storage::sheets::{MadeSheet, made};
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
    let command = FormCommand::Stale { form: Some(form.into()), area: Some(FULING) };
    let listed = county.office("township", AdminCommand::Form(command)).unwrap();
    listed.as_array().unwrap().iter().filter_map(Json::as_str).map(str::to_owned).collect()
}

fn make(county: &County, by: &str, form: &str, file: &Path) -> Result<Json, &'static str> {
    let (form, file, area) = (form.to_owned(), file.to_owned(), Some(FULING));
    county.office(by, AdminCommand::Form(FormCommand::Make { form, file, area, font: vec![] }))
}

/// All sheets on record as an account sees them, stale ones first: form, households, households that changed.
fn sheets(county: &County, by: &str, area: Option<u64>) -> Vec<(String, u64, u64)> {
    let command = FormCommand::Stale { form: None, area };
    let listed = county.office(by, AdminCommand::Form(command)).unwrap();
    let listed = listed.as_array().unwrap().iter().map(|sheet| {
        let count = |key: &str| sheet[key].as_u64().unwrap();
        assert_eq!(sheet["stale"], count("changed") > 0, "{sheet}");
        (sheet["form"].as_str().unwrap().to_owned(), count("households"), count("changed"))
    });
    listed.collect()
}

/// What an office reads where a command about forms fails, in both languages; empty where it does not.
fn refused(county: &County, by: &str, command: FormCommand) -> (&'static str, String) {
    let office = Office { settings: &county.server.settings, app: &county.server.app, by };
    match office.run(AdminCommand::Form(command), &mut SystemEntropy) {
        Ok(_) => ("", String::new()),
        Err(error) => {
            let (code, zh, en) = error.words();
            (code, format!("{zh} · {en}"))
        }
    }
}

/// The county takes households over from a past campaign.
fn carry_over(county: &County, households: &[HouseholdId]) {
    let carried = Step {
        fields: &["class.monitored_kind=突发严重困难户"],
        reason: "以往排查结果转入",
        ..Step::default()
    };
    for id in households {
        county.step("county", *id, "monitored", carried).unwrap();
    }
}

/// The place in the log that a sheet says it was made from.
fn log_place(csv: &Path) -> String {
    let text = std::fs::read_to_string(csv).unwrap();
    let place = text.split("日志序号:").nth(1).unwrap();
    place.split([',', '\r']).next().unwrap().to_owned()
}

const OWN: &str = r#"
id = "phones"
version = 1
zh = "监测户联系电话"
en = "Telephones"
kind = "village_list"
filter = "monitored"
sign = ["填表人"]

[[part]]
columns = [{ from = "basic.head_name" }, { from = "basic.phone", masked = true }]
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_value_makes_exactly_the_sheets_that_show_it_stale() {
    let (county, li) = county().await;
    let ids: Vec<HouseholdId> = population::village(4, FULING, 12)
        .map(|(village, edit)| li.create_household(village, edit).unwrap())
        .collect();
    sync(&li).await;
    // The forms are about households under monitoring.
    carry_over(&county, &ids[..8]);
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
    let again = dir.path().join("again");
    let renew = FormCommand::Renew {
        directory: again.clone(),
        ending: "csv".into(),
        area: None,
        font: Vec::new(),
    };
    // One that cannot be made keeps no other back, and stays out of date.
    let unmade = FormCommand::Renew {
        directory: again.clone(),
        ending: "doc".into(),
        area: None,
        font: Vec::new(),
    };
    let unmade = county.office("township", AdminCommand::Form(unmade)).unwrap();
    let errors: Vec<_> = unmade.as_array().unwrap().iter().map(|row| &row["error"]).collect();
    assert_eq!(errors, ["format_unknown"; 3]);
    let renewed = county.office("township", AdminCommand::Form(renew.clone())).unwrap();
    let forms = renewed.as_array().unwrap().iter();
    let forms: Vec<_> = forms.map(|row| (row["form"].as_str().unwrap(), &row["changed"])).collect();
    let (one, two) = (Json::from(1), Json::from(2));
    assert_eq!(forms, [("department", &one), ("survey", &two), ("village", &one)]);
    let file = renewed.as_array().unwrap()[2]["file"].as_str().unwrap().to_owned();
    assert!(std::fs::read_to_string(file).unwrap().contains("改名后"));
    for form in ["village", "department", "survey", "measures"] {
        assert_eq!(stale(&county, form), [""; 0], "{form}");
    }
    let renewed = county.office("township", AdminCommand::Form(renew)).unwrap();
    assert_eq!(renewed, serde_json::json!([]), "nothing is out of date");
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

#[tokio::test(flavor = "multi_thread")]
async fn what_was_decided_and_what_is_done_hangs_in_the_village_and_names_nobody() {
    let (county, li) = county().await;
    let text = |field: &str, value: &str| (field.to_owned(), value.into());
    let family = |name: &str| {
        RecordEdit::default()
            .set("basic", "head_name", name)
            .set("basic", "phone", "13800731234")
            .set("basic", "natural_village", "三组,卡号6222021901001234567")
            .set("class", "risk_1", "illness")
            .row("members", vec![text("name", name), text("identity_number", NUMBER)])
            .row("measures", vec![text("kind", "public_post"), text("status", "under_way")])
            .row("measures", vec![text("title", "给文秀芬的血友病救助"), text("kind", "health")])
    };
    let decided = li.create_household(FULING, family("陈永昌")).unwrap();
    let proposed = family("胡甫武").row("clues", vec![text("risk", "illness")]);
    let proposed = li.create_household(FULING, proposed).unwrap();
    li.take_step(proposed, &StepForm::to(Stage::Clue), RecordEdit::default()).unwrap();
    sync(&li).await;
    carry_over(&county, &[decided]);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("decisions.csv");
    make(&county, "committee", "decisions", &file).unwrap();
    let hung = std::fs::read_to_string(&file).unwrap();
    let line = hung.lines().nth(1).unwrap();
    for said in [
        "陈*昌",
        "福岭村",
        ",＊＊＊,",
        "突发严重困难户",
        "由以往排查转入监测",
        "2024-03-01",
        "公益性岗位(正在落实)",
    ] {
        assert!(line.contains(said), "{said} is missing\n{hung}");
    }
    for secret in ["陈永昌", NUMBER, "13800731234", "6222021901001234567", "血友病", "因病", "胡"]
    {
        assert!(!hung.contains(secret), "{secret} hangs in the village\n{hung}");
    }
    assert!(hung.contains("村民委员会(盖章):,公开日期:,监督电话:"), "{hung}");

    assert_eq!(stale(&county, "decisions"), [""; 0]);
    li.edit(decided, &RecordEdit::default().set("basic", "phone", "13900001111")).unwrap();
    sync(&li).await;
    assert_eq!(stale(&county, "decisions"), [""; 0], "a telephone does not stand there");
    county
        .step("county", proposed, "not_included", Step { reason: "情况不实", ..Step::default() })
        .unwrap();
    assert_eq!(stale(&county, "decisions"), [""; 0], "nor does what was turned down");
    li.edit(decided, &RecordEdit::default().row("measures", vec![text("kind", "industry")]))
        .unwrap();
    sync(&li).await;
    assert_eq!(stale(&county, "decisions"), [decided.to_string()]);
}

/// The county with three families of 福岭村, as their cadre entered them, whose cases are carried over.
async fn three_families() -> (County, Ledger, Vec<HouseholdId>) {
    let (county, li) = county().await;
    let ids: Vec<HouseholdId> = population::village(4, FULING, 3)
        .map(|(village, edit)| li.create_household(village, edit).unwrap())
        .collect();
    sync(&li).await;
    carry_over(&county, &ids);
    (county, li, ids)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_office_makes_a_form_of_its_own_without_a_release() {
    let (county, li, ids) = three_families().await;
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let own = write("phones.toml", OWN);
    let own_form = own.to_str().unwrap().to_owned();
    let check = |file: &Path| refused(&county, "", FormCommand::Check { file: file.to_owned() });
    assert_eq!(check(&own).0, "", "nobody's records are needed to check a form");
    for ending in ["csv", "xlsx"] {
        let file = dir.path().join(format!("phones.{ending}"));
        make(&county, "township", &own_form, &file).unwrap();
    }
    let made = std::fs::read_to_string(dir.path().join("phones.csv")).unwrap();
    assert!(made.contains("户主姓名,联系电话") && made.contains("表号:phones/1"), "{made}");
    assert_eq!(stale(&county, &own_form), [""; 0]);
    li.edit(ids[1], &RecordEdit::default().set("basic", "phone", "13900001111")).unwrap();
    li.edit(ids[2], &RecordEdit::default().set("living", "fuel", "gas")).unwrap();
    sync(&li).await;
    assert_eq!(stale(&county, &own_form), [ids[1].to_string()]);
    assert_eq!(sheets(&county, "township", None), [("phones/1".into(), 3, 1)]);
    let listed =
        county.office("city", AdminCommand::Form(FormCommand::Stale { form: None, area: None }));
    assert_eq!(listed.unwrap(), serde_json::json!([]), "the city keeps no records");

    for (name, from, to, said) in [
        ("taken.toml", "phones", "village", ["village", "form of this release"]),
        (
            "wrong.toml",
            "basic.phone\"",
            "basic.fax\"",
            ["档案中没有这一项: basic.fax", "no basic.fax"],
        ),
        ("luck.toml", "basic.head_name", "luck", ["档案中没有这一项: luck", "no luck"]),
        ("broken.toml", "version = 1", "version = 1\ncolour = 2", ["4: ", "colour"]),
        ("number.toml", "basic.phone", "members.identity_number", ["", ""]),
    ] {
        let file = write(name, &OWN.replace(from, to));
        let (code, words) = check(&file);
        if said[0].is_empty() {
            assert_eq!(code, "", "{name}: an office's own eyes may see it");
            continue;
        }
        assert_eq!(code, "form_refused", "{name}");
        assert!(said.iter().all(|said| words.contains(said)), "{name}: {words}");
        let form = file.to_str().unwrap();
        assert_eq!(make(&county, "township", form, &dir.path().join("x.csv")), Err("form_refused"));
    }
    // Who was reported, and turned down, is nobody's business.
    let all = OWN.replace("kind =", "public = true\nkind =");
    assert!(check(&write("all.toml", &all)).1.contains("monitored"));
    let public = all.replace("\"monitored\"", "\"decided\"");
    let number = public.replace("basic.phone", "members.identity_number");
    let (code, words) = check(&write("public.toml", &number));
    assert_eq!(code, "form_refused");
    let field = "members.identity_number (证件号码)";
    assert!(words.contains("公开的表格不得显示") && words.contains(field), "{words}");
    assert!(words.contains("a public form may neither show"), "{words}");
    let ill = public.replace("\"decided\"", "{ tag = \"serious_illness\" }");
    assert!(check(&write("ill.toml", &ill)).1.contains("tag_serious_illness"));
    let nowhere = dir.path().join("nowhere.toml");
    assert_eq!(check(&nowhere).0, "file_unreadable");
    assert!(!dir.path().join("x.csv").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_offices_of_one_area_give_their_forms_one_id_and_each_remembers_its_own() {
    let (county, li, ids) = three_families().await;
    let dir = tempfile::tempdir().unwrap();
    let forms = [("township", "basic.phone"), ("county", "living.fuel")].map(|(by, column)| {
        let path = dir.path().join(format!("{by}.toml"));
        let text = OWN.replace("basic.phone\", masked = true", &format!("{column}\""));
        std::fs::write(&path, text).unwrap();
        let form = path.to_str().unwrap().to_owned();
        make(&county, by, &form, &path.with_extension("csv")).unwrap();
        (by, form)
    });
    let stale_for = |by: &str, form: &str| {
        let command = FormCommand::Stale { form: Some(form.to_owned()), area: Some(FULING) };
        county.office(by, AdminCommand::Form(command)).unwrap()
    };
    for (by, form) in &forms {
        assert_eq!(stale_for(by, form), serde_json::json!([]), "{by}");
    }
    li.edit(ids[1], &RecordEdit::default().set("living", "fuel", "gas")).unwrap();
    sync(&li).await;
    let changed = serde_json::json!([ids[1].to_string()]);
    assert_eq!(
        forms.each_ref().map(|(by, form)| stale_for(by, form)),
        [serde_json::json!([]), changed]
    );
    let command = FormCommand::Stale { form: None, area: None };
    let listed = county.office("county", AdminCommand::Form(command)).unwrap();
    let owners =
        listed.as_array().unwrap().iter().map(|sheet| (&sheet["owner"], &sheet["changed"]));
    let expected = [("county", 1), ("township", 0)].map(|(by, n)| (by.into(), n.into()));
    let expected: [(Json, Json); 2] = expected;
    assert!(owners.eq(expected.iter().map(|(by, changed)| (by, changed))), "{listed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_area_it_is_told_of_what_was_made_in_the_whole_of_the_offices() {
    let (county, li, ids) = three_families().await;
    let dir = tempfile::tempdir().unwrap();
    let asked = |by: &str, area| {
        let command = FormCommand::Stale { form: Some("village".to_owned()), area };
        county.office(by, AdminCommand::Form(command))
    };
    let none = FormCommand::Stale { form: Some("village".to_owned()), area: None };
    let (code, told) = refused(&county, "township", none);
    assert_eq!((code, told.contains("尚未生成过")), ("form_not_made", true), "{told}");
    make(&county, "township", "village", &dir.path().join("village.csv")).unwrap();
    let nothing = || Ok(serde_json::json!([]));
    for by in ["committee", "township", "county"] {
        assert_eq!(asked(by, None), nothing(), "{by}: its own area has no sheet, the village has");
    }
    assert_eq!(asked("township", Some(FULING + 1)), Err("form_not_made"));
    li.edit(ids[1], &RecordEdit::default().set("basic", "phone", "13800000000")).unwrap();
    sync(&li).await;
    assert_eq!(asked("township", None), Ok(serde_json::json!([ids[1].to_string()])));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_sheet_on_record_is_listed_the_stale_ones_first() {
    let (county, li) = county().await;
    let ids: Vec<HouseholdId> = population::village(4, FULING, 6)
        .map(|(village, edit)| li.create_household(village, edit).unwrap())
        .collect();
    sync(&li).await;
    assert_eq!(sheets(&county, "township", None), []);
    carry_over(&county, &ids[..4]);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("x.csv");
    for form in ["village", "survey", "decisions", "notice"] {
        make(&county, "township", form, &file).unwrap();
    }
    let sheet = |form: &str, households, changed| {
        let version = match form {
            "decisions" => 3,
            "notice" => 2,
            _ => 1,
        };
        (format!("{form}/{version}"), households, changed)
    };
    let none = [
        sheet("decisions", 4, 0),
        sheet("notice", 0, 0),
        sheet("survey", 4, 0),
        sheet("village", 4, 0),
    ];
    assert_eq!(sheets(&county, "township", None), none, "also one on which nobody stands");

    // A fuel stands on the survey alone; one household more on everything but the notice.
    li.edit(ids[0], &RecordEdit::default().set("living", "fuel", "biogas")).unwrap();
    sync(&li).await;
    carry_over(&county, &ids[4..5]);
    let changed = [
        sheet("decisions", 4, 1),
        sheet("survey", 4, 2),
        sheet("village", 4, 1),
        sheet("notice", 0, 0),
    ];
    for (by, area) in
        [("township", None), ("county", Some(FULING / 1_000_000)), ("committee", Some(FULING))]
    {
        assert_eq!(sheets(&county, by, area), changed, "{by}");
    }
    let public = [sheet("decisions", 4, 1), sheet("notice", 0, 0)];
    assert_eq!(sheets(&county, "city", None), public, "the city sees what hangs on walls");
    make(&county, "township", "survey", &file).unwrap();
    make(&county, "township", "decisions", &file).unwrap();
    let listed = sheets(&county, "township", None);
    assert_eq!(listed[0], sheet("village", 4, 1));
    assert_eq!(listed[1], sheet("decisions", 5, 0));

    // As a release before this one made it, of another version.
    let old = MadeSheet {
        form: "village/0".into(),
        area: FULING,
        owner: String::new(),
        made_ms: 0,
        log: String::new(),
        template: String::new(),
    };
    let said = vec![(ids[0], [0; 8])];
    let storage = &county.server.app.storage;
    storage.writer().write(move |transaction| made(transaction, &old, &said)).unwrap();
    let old = ("village/0".to_owned(), 1, 1);
    assert_eq!(sheets(&county, "township", None)[0], old, "whatever the records say");
    make(&county, "township", "village", &file).unwrap();
    let listed = sheets(&county, "township", None);
    assert!(listed.contains(&sheet("village", 5, 0)) && !listed.contains(&old), "{listed:?}");

    county.account("elsewhere", Role::TownshipOffice, 431_022_100);
    assert_eq!(sheets(&county, "elsewhere", None), []);
    let command = FormCommand::Stale { form: None, area: Some(FULING) };
    assert_eq!(refused(&county, "elsewhere", command).0, "not_granted");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sheet_says_how_far_the_log_reached_that_it_was_made_from() {
    let (county, li) = county().await;
    let (village, edit) = population::village(4, FULING, 1).next().unwrap();
    let id = li.create_household(village, edit).unwrap();
    sync(&li).await;
    let dir = tempfile::tempdir().unwrap();
    let place_now = |name: &str| {
        let file = dir.path().join(name);
        make(&county, "township", "village", &file).unwrap();
        log_place(&file)
    };
    let first = place_now("first.csv");
    assert_eq!(place_now("again.csv"), first, "nothing came in between");
    // No value that stands on the sheet, and still another state of the record.
    li.edit(id, &RecordEdit::default().set("living", "fuel", "biogas")).unwrap();
    sync(&li).await;
    let second = place_now("second.csv");
    let (old, new) = (first.split_once('/').unwrap(), second.split_once('/').unwrap());
    assert_eq!(old.1, new.1, "the same log");
    assert_eq!(new.0.parse::<u64>().unwrap(), old.0.parse::<u64>().unwrap() + 1);
    let log = county.server.app.storage.read(wanhu_server::storage::log_place).unwrap();
    assert_eq!(second, log.to_string());
    let listed = county
        .office("township", AdminCommand::Form(FormCommand::Stale { form: None, area: None }));
    assert_eq!(listed.unwrap()[0]["log"], second);
}
