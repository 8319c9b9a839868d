//! What an office is told at its desk because no phone tells it: cadres who cannot come, roles that nobody fills, changes that
//! were refused, and two who differ.

use wanhu_core::system::SystemEntropy;
use wanhu_server::admin::Office;

use super::*;

/// The village beside 福岭村.
const NEXT_VILLAGE: u64 = FULING / 1_000 * 1_000 + 202;

#[tokio::test(flavor = "multi_thread")]
async fn a_family_is_left_to_no_cadre_who_cannot_come() {
    let county = people("2024-03-04", FULING, None).await;
    county.account("邻村干部", Role::VillageCadre, NEXT_VILLAGE);
    county.account("市局", Role::City, FULING / 100_000_000);
    let (li, next) = (county.phone("李明").await, county.phone("邻村干部").await);
    sync(&li).await;
    let id = li.create_household(FULING, family()).unwrap();
    take(&li, id, Stage::Clue, RecordEdit::default());
    sync(&li).await;
    let name = |account: &str| {
        let fields = vec!["cadres.name=某干部".to_owned(), format!("cadres.account={account}")];
        let on_behalf_of = String::new();
        let edit = AdminCommand::Edit { household: id, fields, on_behalf_of };
        let told = county.office("乡政府", edit).unwrap();
        let findings = told["findings"].as_array().unwrap().clone();
        findings.into_iter().filter(|told| told["check"] == "cadre_out_of_reach").count()
    };
    assert_eq!(name("李明"), 0);
    for (n, nobodys) in (1..).zip(["村委会", "乡政府", "县局", "医保局"]) {
        assert_eq!(name(nobodys), n, "has no cadre's tasks: {nobodys}");
    }
    let to =
        |by, village| county.office(by, AdminCommand::Move { household: id, village }).unwrap();
    assert_eq!(to("乡政府", NEXT_VILLAGE)["terms_ended"], 5);
    sync(&next).await;
    assert_eq!(kinds(&next.tasks().unwrap()), [TaskKind::Verify], "at once the new village's");
    let ended = next.show(id).unwrap().fields;
    let ended = ended.iter().find(|f| f.container == "cadres" && f.key.ends_with(".to"));
    assert_eq!(ended.map(|f| &f.value), Some(&"2024-03-03".into()), "and who it was is on record");

    // Whoever is misspelt, or not here, has the tasks on nobody's list: whoever saves is told, and what is late is everybody's.
    assert_eq!((name("李 名"), name("李明")), (1, 2));
    sync(&next).await;
    assert_eq!(kinds(&next.tasks().unwrap()), []);
    county.day("2024-03-12");
    sync(&next).await;
    assert_eq!(kinds(&next.tasks().unwrap()), [TaskKind::Verify]);
    // The city names no cadres: it is told whose terms go on.
    let office =
        Office { settings: &county.server.settings, app: &county.server.app, by: "市局" };
    let back = AdminCommand::Move { household: id, village: FULING };
    let told = office.run(back, &mut SystemEntropy).unwrap().text;
    assert_eq!(told.matches("帮扶责任人的账户不存在").count(), 1, "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_office_sees_in_what_two_cadres_differ_and_when_it_settles_it() {
    let (county, li, id) = on_record(family()).await;
    let wang = county.phone("王芳").await;
    sync(&wang).await;
    for (phone, kind) in [(&li, "未脱贫户"), (&wang, "一般农户")] {
        phone.edit(id, &typed(&[&format!("class.household_kind={kind}")])).unwrap();
    }
    for phone in [&li, &wang] {
        assert_eq!(sync(phone).await.refused, 0);
    }
    let others = || {
        let shown = county.office("乡政府", AdminCommand::Show { household: id }).unwrap();
        let mut shown = shown.as_array().unwrap().iter();
        let field = shown.find(|row| row["field"] == "class.household_kind").unwrap();
        field["others"].as_array().unwrap().len()
    };
    assert_eq!(others(), 1);
    let office = |fields: &[&str]| {
        let office =
            Office { settings: &county.server.settings, app: &county.server.app, by: "乡政府" };
        let fields = fields.iter().map(|field| (*field).to_owned()).collect();
        let edit = AdminCommand::Edit { household: id, fields, on_behalf_of: String::new() };
        office.run(edit, &mut SystemEntropy).unwrap()
    };
    let other = office(&["basic.address=村口"]);
    let told: Json = serde_json::from_str(&other.json).unwrap();
    assert_eq!(told["conflicts"][0]["field"], "class.household_kind", "as long as it is one");
    assert!(other.text.contains("冲突,另有 also:"), "{}", other.text);
    let settled = office(&["class.household_kind=脱贫户"]).text;
    assert!(settled.contains("原有冲突已由此次填写确定"), "{settled}");
    assert!(settled.contains("未脱贫户") && settled.contains("一般农户"), "{settled}");
    assert_eq!(others(), 0);
    assert!(!office(&["basic.address=村尾"]).text.contains("冲突"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_township_is_told_of_what_no_phone_tells() {
    let (county, li, id) = on_record(family()).await;
    let first = || {
        let tasks = county.office("乡政府", AdminCommand::Tasks(TaskArguments::default())).unwrap();
        let rows = tasks["rows"].as_array().unwrap().clone().into_iter();
        rows.map(|row| row["task"]["kind"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(first(), [""; 0]);
    county.account("邻村委会", Role::VillageCommittee, NEXT_VILLAGE);
    county.office("乡政府", AdminCommand::Move { household: id, village: NEXT_VILLAGE }).unwrap();
    assert_eq!(first(), ["open_account"], "nobody's phone has that village");
    li.record_visit(id, vec![("note".to_owned(), "灶台漏雨".into())]).unwrap();
    assert_eq!(sync(&li).await.refused, 1);
    assert_eq!(first(), ["look_at_quarantine", "open_account"]);
    let waiting =
        county.listed("乡政府", AdminCommand::Quarantine(PageArguments::default())).unwrap();
    assert_eq!(
        (&waiting[0]["name"], &waiting[0]["household"]),
        (&"李明".into(), &id.to_string().into())
    );
    county.account("邻村干部", Role::VillageCadre, NEXT_VILLAGE);
    county.phone("邻村干部").await;
    let number = waiting[0]["number"].as_i64().unwrap();
    county.office("乡政府", AdminCommand::QuarantineRelease { number }).unwrap();
    assert_eq!(first(), [""; 0]);
}

/// The lines before an office's tasks about roles and cadres: what is to be done, for which role, where.
fn vacancies(county: &County, by: &str) -> Vec<(String, String, Json)> {
    let tasks = county.listed(by, AdminCommand::Tasks(TaskArguments::default())).unwrap();
    let lines = tasks.into_iter().filter(|row| row["areas"].is_array());
    let text = |value: &Json| value.as_str().unwrap().to_owned();
    lines
        .map(|row| (text(&row["task"]["kind"]), text(&row["role"]), row["areas"].clone()))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_office_hears_of_roles_that_nobody_fills() {
    let county = County::on("2024-03-04", None).await;
    county.account("市局", Role::City, FULING / 100_000_000);
    county.account("县局", Role::CountyOffice, FULING / 1_000_000);
    county.account("李明", Role::VillageCadre, FULING);
    let li = county.phone("李明").await;
    sync(&li).await;
    li.create_household(FULING, family()).unwrap();
    let township = FULING / 1_000;
    let vacant = |kind: &str, role: Role, area: u64| {
        vec![(kind.to_owned(), role.code().to_owned(), Json::from(vec![area]))]
    };
    assert_eq!(vacancies(&county, "县局"), [], "where nothing is on record nobody is missing");
    sync(&li).await;
    let no_township = vacant("open_account", Role::TownshipOffice, township);
    assert_eq!(vacancies(&county, "县局"), no_township);
    county.account("乡政府", Role::TownshipOffice, township);
    assert_eq!(vacancies(&county, "县局"), []);
    let no_committee = vacant("open_account", Role::VillageCommittee, FULING);
    assert_eq!(vacancies(&county, "乡政府"), no_committee);
    county.account("村委会", Role::VillageCommittee, FULING);
    assert_eq!(vacancies(&county, "乡政府"), []);
    county.office("乡政府", AdminCommand::DeviceRevoke { number: 1 }).unwrap();
    let no_phone = vacant("enrol_phone", Role::VillageCadre, FULING);
    assert_eq!(vacancies(&county, "乡政府"), no_phone);
    county.phone("李明").await;
    assert_eq!(vacancies(&county, "乡政府"), []);
    let close = |id: &str| AdminCommand::AccountDisable { id: id.to_owned() };
    county.office("乡政府", close("李明")).unwrap();
    let no_cadre = vacant("open_account", Role::VillageCadre, FULING);
    assert_eq!(vacancies(&county, "乡政府"), no_cadre, "and not of a phone as well");

    assert_eq!(vacancies(&county, "市局"), []);
    county.office("", close("县局")).unwrap();
    let no_county = vacant("open_account", Role::CountyOffice, FULING / 1_000_000);
    assert_eq!(vacancies(&county, "市局"), no_county);
    county.account("新县局", Role::CountyOffice, FULING / 1_000_000);
    assert_eq!(vacancies(&county, "市局"), []);

    // Whoever has been closed is told so, as themselves and by whoever is above.
    county.office("", close("乡政府")).unwrap();
    assert_eq!(vacancies(&county, "新县局"), no_township);
    let tasks = AdminCommand::Tasks(TaskArguments::default());
    let code = |account: &str| AdminCommand::Code { account: account.to_owned(), url: None };
    for refused in [
        county.office("乡政府", tasks),
        county.office("乡政府", code("村委会")),
        county.office("", code("李明")),
    ] {
        assert_eq!(refused, Err("account_closed"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_closes_an_account_hears_of_the_households_that_are_left() {
    let (county, li, id) = on_record(family()).await;
    let wang = county.phone("王芳").await;
    take(&li, id, Stage::Clue, RecordEdit::default());
    sync(&li).await;
    let left = || {
        let tasks = county.listed("乡政府", AdminCommand::Tasks(TaskArguments::default())).unwrap();
        tasks.into_iter().find(|row| row["task"]["kind"] == "name_others")
    };
    let edit = |fields: &[&str]| {
        let fields = fields.iter().map(|field| (*field).to_owned()).collect();
        let edit = AdminCommand::Edit { household: id, fields, on_behalf_of: String::new() };
        county.office("乡政府", edit).unwrap()["findings"].as_array().unwrap().len()
    };
    assert_eq!(edit(&["cadres.name=李明", "cadres.account=李明"]), 0);
    assert_eq!(left(), None);
    let close = |id: &str| county.office("乡政府", AdminCommand::AccountDisable { id: id.into() });
    let nothing = close("村委会").unwrap();
    assert_eq!((&nothing["households"], &nothing["villages"]), (&0.into(), &Json::from([0; 0])));
    let told = close("李明").unwrap();
    assert_eq!((&told["households"], &told["villages"]), (&1.into(), &Json::from([FULING])));

    let line = left().unwrap();
    assert_eq!((&line["count"], &line["villages"]), (&1.into(), &Json::from([FULING])));
    assert_eq!(line["household"], id.to_string());
    sync(&wang).await;
    assert_eq!(kinds(&wang.tasks().unwrap()), [], "as long as nobody is named");
    let row = line["cadre"].as_str().unwrap();
    let ended = format!("cadres.{row}.to=2024-03-04");
    // Somebody who has no cadre's tasks is nobody to leave a household to.
    assert_eq!(edit(&[&ended, "cadres.name=某乡长", "cadres.account=乡政府"]), 2);
    assert_eq!(left().unwrap()["count"], 1);
    assert_eq!(
        edit(&["cadres.name=王芳", "cadres.account=王芳"]),
        1,
        "of the one who stays, alone"
    );
    assert_eq!(left(), None, "one of the two sees to it");
    sync(&wang).await;
    assert_eq!(kinds(&wang.tasks().unwrap()), [TaskKind::Verify]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_office_hears_of_a_responsible_cadre_who_has_lost_the_phone() {
    let (county, _li, id) = on_record(family()).await;
    county.phone("王芳").await;
    fill_in(&county, "乡政府", id, &["cadres.name=李明", "cadres.account=李明"]);
    let told = || {
        let tasks = county.listed("乡政府", AdminCommand::Tasks(TaskArguments::default())).unwrap();
        let line = tasks.into_iter().find(|row| row["task"]["kind"] == "enrol_phone");
        line.map(|line| (line["count"].clone(), line["areas"].clone()))
    };
    assert_eq!(told(), None);
    let phones = county.office("", AdminCommand::DeviceList).unwrap();
    let li = phones.as_array().unwrap().iter().find(|phone| phone["account"] == "李明").unwrap();
    let number = li["number"].as_u64().unwrap().try_into().unwrap();
    county.office("乡政府", AdminCommand::DeviceRevoke { number }).unwrap();
    let one = Some((1.into(), Json::from([FULING])));
    assert_eq!(told(), one, "the other cadre's phone does not show it");
    fill_in(&county, "乡政府", id, &["cadres.name=王芳", "cadres.account=王芳"]);
    assert_eq!(told(), None, "one of the two sees it");
}

#[tokio::test(flavor = "multi_thread")]
async fn households_are_left_to_nobody_until_the_term_ends_or_the_record_is_out_of_use() {
    let (county, _li, id) = on_record(family()).await;
    let other =
        AdminCommand::New { village: FULING, fields: vec!["basic.head_name=陈永昌".into()] };
    let other = county.office("乡政府", other).unwrap();
    let other: HouseholdId = other["subject"].as_str().unwrap().parse().unwrap();
    let left = || {
        let tasks = county.listed("乡政府", AdminCommand::Tasks(TaskArguments::default())).unwrap();
        let line = tasks.into_iter().find(|row| row["task"]["kind"] == "name_others");
        line.map_or(0, |line| line["count"].as_u64().unwrap())
    };
    // As somebody misspelt it; and as a county official helps on a fixed term.
    fill_in(&county, "乡政府", id, &["cadres.name=李明", "cadres.account=李 明"]);
    let term = ["cadres.name=某局长", "cadres.account=县局", "cadres.to=2024-03-10"];
    fill_in(&county, "乡政府", other, &term);
    assert_eq!(left(), 2);
    county.day("2024-03-10");
    assert_eq!(left(), 2);
    county.day("2024-03-11");
    assert_eq!(left(), 1, "nobody is named any more: it is everybody's");
    fill_in(&county, "乡政府", id, &["basic.status=整户迁出"]);
    assert_eq!(left(), 0);
    fill_in(&county, "乡政府", id, &["basic.status=在册"]);
    assert_eq!(left(), 1);
    // Its new village has a cadre of that account.
    county.account("李 明", Role::VillageCadre, NEXT_VILLAGE);
    assert_eq!(left(), 1);
    county.office("乡政府", AdminCommand::Move { household: id, village: NEXT_VILLAGE }).unwrap();
    assert_eq!(left(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_term_that_began_on_the_day_of_a_move_ends_on_it() {
    let (county, _li, id) = on_record(family()).await;
    let named = ["cadres.name=李明", "cadres.account=李明", "cadres.from=2024-03-04"];
    fill_in(&county, "乡政府", id, &named);
    county.office("乡政府", AdminCommand::Move { household: id, village: NEXT_VILLAGE }).unwrap();
    let shown = county.office("乡政府", AdminCommand::Show { household: id }).unwrap();
    let ends = |row: &&Json| {
        let field = row["field"].as_str().unwrap();
        field.starts_with("cadres.") && field.ends_with(".to")
    };
    let ended = shown.as_array().unwrap().iter().find(ends).unwrap();
    assert_eq!(ended["value"], "2024-03-04");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_office_releases_first_what_another_change_builds_on() {
    let (county, li, id) = on_record(family()).await;
    county.office("乡政府", AdminCommand::Move { household: id, village: NEXT_VILLAGE }).unwrap();
    for note in ["灶台漏雨", "灶台已修"] {
        li.record_visit(id, vec![("note".to_owned(), note.into())]).unwrap();
    }
    assert_eq!(sync(&li).await.refused, 2);
    let waiting = || {
        let all = AdminCommand::Quarantine(PageArguments::default());
        let rows = county.listed("乡政府", all).unwrap();
        rows.iter().map(|row| row["number"].as_i64().unwrap()).collect::<Vec<_>>()
    };
    let (settings, app) = (&county.server.settings, &county.server.app);
    let office = Office { settings, app, by: "乡政府" };
    let [first, second] = waiting()[..] else { panic!("{:?}", waiting()) };
    let release =
        |number| office.run(AdminCommand::QuarantineRelease { number }, &mut SystemEntropy);
    let (code, zh, _) = release(second).unwrap_err().words();
    assert_eq!(code, "not_releasable");
    assert!(zh.ends_with(&format!("请先放行 {first}")), "{zh}");
    release(first).unwrap();
    release(second).unwrap();
    assert!(waiting().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_read_of_illnesses_and_numbers_does_not_read_of_them_in_what_people_wrote() {
    let (county, li, id) = on_record(family()).await;
    county.account("市局", Role::City, FULING / 100_000_000);
    let text = |field: &str, text: &str| (field.to_owned(), text.into());
    let edit = RecordEdit::default()
        .row("measures", vec![text("title", "大病救助,电话13800731234"), text("kind", "health")])
        .row("plan", vec![text("text", "陪周长根去县里透析,三月办好")])
        .row("visits", vec![text("note", "身份证431025196501010019,肝癌晚期")]);
    li.edit(id, &edit).unwrap();
    sync(&li).await;
    let shown =
        |by: &str| county.office(by, AdminCommand::Show { household: id }).unwrap().to_string();
    let secrets = ["大病", "13800731234", "透析", "肝癌"];
    assert!(secrets.iter().all(|secret| shown("乡政府").contains(secret)), "{}", shown("乡政府"));
    for by in ["市局", "医保局"] {
        let told = shown(by);
        assert!(secrets.iter().all(|secret| !told.contains(secret)), "{by}: {told}");
        assert!(told.contains("三月办好"), "what is nobody's secret is told: {told}");
    }
    assert!(shown("市局").contains("周长根") && !shown("医保局").contains("周长根"));
}
