//! What an office is told at its desk because no phone tells it: cadres who cannot come, villages without any, changes that were
//! refused, and two who differ.

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
    let to =
        |by, village| county.office(by, AdminCommand::Move { household: id, village }).unwrap();
    assert_eq!(to("乡政府", NEXT_VILLAGE)["terms_ended"], 1);
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
    let number = waiting[0]["number"].as_i64().unwrap();
    county.office("乡政府", AdminCommand::QuarantineRelease { number }).unwrap();
    assert_eq!(first(), [""; 0]);
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
