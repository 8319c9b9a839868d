//! An office at its work: accounts of its own villages, people found by number, changes that wait for it.
//! What lies outside its area is neither shown nor done.

use serde_json::Value as Json;
use wanhu_core::client::RecordEdit;
use wanhu_core::domain::authority::Role;
use wanhu_core::domain::identity::IdentityNumber;
use wanhu_core::domain::ids::HouseholdId;
use wanhu_core::domain::value::Value;
use wanhu_core::system::SystemEntropy;
use wanhu_server::admin::{AdminCommand, HouseholdFilter, Office, PageArguments};
use wanhu_server::storage::quarantine;
use wanhu_tests::population::{FULING, JINPEN};
use wanhu_tests::seeded::Seeded;
use wanhu_tests::server::TestServer;
use wanhu_tests::township::Township;

/// The townships of the two villages.
const TOWNSHIP: u64 = FULING / 1_000;
const OTHER_TOWNSHIP: u64 = JINPEN / 1_000;
const NUMBER: &str = "11010519491231002X";

/// Somebody's command, as JSON or the code of its failure.
fn run(server: &TestServer, by: &str, command: AdminCommand) -> Result<Json, &'static str> {
    let office = Office { settings: &server.settings, app: &server.app, by };
    let output = office.run(command, &mut SystemEntropy).map_err(|error| error.words().0)?;
    Ok(serde_json::from_str(&output.json).unwrap())
}

fn count(listed: Result<Json, &'static str>) -> usize {
    listed.unwrap().as_array().unwrap().len()
}

fn household(name: &str, number: &str) -> RecordEdit {
    let member = [("name", name), ("relation", "head"), ("identity_number", number)];
    let fields: Vec<(String, Value)> =
        member.into_iter().map(|(field, text)| (field.to_owned(), text.into())).collect();
    RecordEdit::default()
        .set("basic", "head_name", name)
        .set("basic", "phone", "138 0735 0001")
        .row("members", fields)
}

/// A server with an office in each township and a cadre of each village who has sent a record.
async fn two_townships(dir: &std::path::Path) -> (TestServer, [HouseholdId; 2]) {
    let server = TestServer::start().await;
    server.code_for("office", &[TOWNSHIP]);
    server.code_for("other_office", &[OTHER_TOWNSHIP]);
    let mut ids = Vec::new();
    for (account, village, number) in
        [("li", FULING, NUMBER), ("wang", JINPEN, "110105194912310038")]
    {
        let file = dir.join(account);
        let phone = server.phone(&file, account, &[village], &server.url()).await.unwrap().0;
        ids.push(phone.create_household(village, household(account, number)).unwrap());
        phone.sync(&(), &wanhu_core::client::Cancel::default()).await.unwrap();
    }
    (server, [ids[0], ids[1]])
}

#[tokio::test(flavor = "multi_thread")]
async fn an_office_sees_its_own_area_and_no_other() {
    let dir = tempfile::tempdir().unwrap();
    let (server, [own, _]) = two_townships(dir.path()).await;
    for (by, accounts, areas) in [("office", 2, 1), ("", 4, 2)] {
        assert_eq!(count(run(&server, by, AdminCommand::AccountList)), accounts, "{by}");
        assert_eq!(count(run(&server, by, AdminCommand::DeviceList)), areas, "{by}");
        assert_eq!(count(run(&server, by, AdminCommand::Stats)), areas, "{by}");
    }
    assert_eq!(count(run(&server, "li", AdminCommand::DeviceList)), 1, "a cadre the own devices");
    let find = |number: &str| AdminCommand::Find { number: number.into() };
    let found = run(&server, "office", find(NUMBER)).unwrap();
    assert_eq!(found[0]["household"], own.to_string());
    assert_eq!(found[0]["village"], FULING);
    assert_eq!(count(run(&server, "office", find("13807350001"))), 1, "the telephone of both");
    assert_eq!(run(&server, "", find("13807350001")), Err("account_needed"), "of no household");
    assert_eq!(count(run(&server, "other_office", find(NUMBER))), 0);
    assert_eq!(run(&server, "li", find(NUMBER)), Err("not_granted"), "who looks on the own phone");
    let list = |text: &str| {
        let search = Some(text.to_owned());
        AdminCommand::List(HouseholdFilter { search, rows: 5, ..HouseholdFilter::default() })
    };
    for number in [NUMBER, "13807350001", "11010519491231002X"] {
        let told = run(&server, "office", list(number));
        assert_eq!(told, Err("search_by_number"), "a list knows names alone");
    }
    assert!(run(&server, "office", list("周长根2")).is_ok(), "a name may have a figure");
    assert_eq!(count(run(&server, "office", find("110105194912310046"))), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_office_grants_inside_its_area_and_no_further() {
    let dir = tempfile::tempdir().unwrap();
    let (server, [own, other]) = two_townships(dir.path()).await;
    let add = |id: &str, area: u64| AdminCommand::AccountAdd {
        id: id.into(),
        name: "新来的".into(),
        role: wanhu_core::domain::authority::Role::VillageCadre,
        area: vec![area],
        grid: Vec::new(),
    };
    assert_eq!(run(&server, "office", add("new", FULING)).unwrap()["ok"], true);
    assert_eq!(run(&server, "office", add("far", JINPEN)), Err("not_granted"));
    let code = |account: &str| AdminCommand::Code { account: account.into(), url: None };
    assert!(run(&server, "office", code("new")).is_ok());
    assert_eq!(run(&server, "office", code("wang")), Err("not_granted"));
    assert_eq!(
        run(&server, "office", AdminCommand::DeviceRevoke { number: 2 }),
        Err("not_granted")
    );
    assert_eq!(
        run(&server, "nobody", AdminCommand::DeviceRevoke { number: 1 }),
        Err("account_unknown")
    );
    let to = |household, village| AdminCommand::Move { household, village };
    assert_eq!(run(&server, "office", to(own, JINPEN)), Err("not_granted"), "both ends are theirs");
    assert_eq!(run(&server, "office", to(other, FULING)), Err("not_granted"));
    // Of a move between counties no county has both ends; the city has them.
    for (name, role, area) in [
        ("county", Role::CountyOffice, FULING / 1_000_000),
        ("bureau", Role::Department, FULING / 100_000_000),
        ("city", Role::City, FULING / 100_000_000),
        ("elsewhere", Role::City, 4301),
    ] {
        let (id, name, grid) = (name.to_owned(), name.to_owned(), Vec::new());
        let add = AdminCommand::AccountAdd { id, name, role, area: vec![area], grid };
        run(&server, "", add).unwrap();
    }
    for by in ["county", "bureau", "elsewhere"] {
        assert_eq!(run(&server, by, to(own, JINPEN)), Err("not_granted"), "{by}");
    }
    assert!(run(&server, "city", to(own, JINPEN)).is_ok());
    assert_eq!(
        run(&server, "city", AdminCommand::Find { number: NUMBER.into() }),
        Err("not_granted"),
        "it moves what a county names, and looks into nothing"
    );
    assert!(run(&server, "city", to(own, FULING)).is_ok());
    assert_eq!(run(&server, "", to(own, JINPEN)), Err("account_needed"));
    assert!(run(&server, "city", to(own, JINPEN)).is_ok());
    assert_eq!(count(run(&server, "office", AdminCommand::Find { number: NUMBER.into() })), 0);

    // Whose head is on record elsewhere is not opened again; which household that is, is told only to who may see it.
    let fields = [
        "members.name=周长根",
        "members.relation=户主",
        &format!("members.identity_number={NUMBER}"),
    ];
    let new = |village| AdminCommand::New { village, fields: fields.map(str::to_owned).to_vec() };
    let told = |by, village| {
        let office = Office { settings: &server.settings, app: &server.app, by };
        let (code, zh, en) = office.run(new(village), &mut SystemEntropy).unwrap_err().words();
        assert_eq!(code, "on_record");
        format!("{zh} {en}")
    };
    assert!(told("other_office", JINPEN).contains(&own.to_string()));
    assert!(!told("office", FULING).contains(&own.to_string()), "{}", told("office", FULING));
}

/// A cadre of the other village enters Li, who is on record already, in a household there.
async fn enters_li_as_well(dir: &std::path::Path, server: &TestServer, household: HouseholdId) {
    let phone = server.phone(&dir.join("zhou"), "zhou", &[JINPEN], &server.url()).await;
    let (phone, cancel) = (phone.unwrap().0, wanhu_core::client::Cancel::default());
    phone.sync(&(), &cancel).await.unwrap();
    let fields = [("name", "li"), ("identity_number", NUMBER)];
    let fields = fields.map(|(field, text)| (field.to_owned(), text.into())).to_vec();
    phone.edit(household, &RecordEdit::default().row("members", fields)).unwrap();
    phone.sync(&(), &cancel).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_in_two_households_is_shown_to_both_offices() {
    let dir = tempfile::tempdir().unwrap();
    let (server, [own, other]) = two_townships(dir.path()).await;
    for by in ["office", "other_office"] {
        assert_eq!(
            count(
                run(&server, by, AdminCommand::Duplicates(PageArguments::default()))
                    .map(|page| page["rows"].clone())
            ),
            0
        );
    }
    enters_li_as_well(dir.path(), &server, other).await;
    // Each office learns of the other's household that there is one.
    for (by, sees) in [("office", own), ("other_office", other)] {
        let office = Office { settings: &server.settings, app: &server.app, by };
        let all = AdminCommand::Duplicates(PageArguments::default());
        let printed = office.run(all, &mut SystemEntropy).unwrap();
        for id in [own, other] {
            let (id, is_seen) = (id.to_string(), id == sees);
            assert_eq!(printed.text.contains(&id), is_seen, "{by}: {}", printed.text);
            assert_eq!(printed.json.contains(&id), is_seen, "{by}: {}", printed.json);
        }
        let village = if sees == own { "福岭村" } else { "金盆村" };
        assert!(printed.text.contains(village), "{by}: {}", printed.text);
        let pairs: Json = serde_json::from_str(&printed.json).unwrap();
        assert_eq!(count(Ok(pairs["rows"].clone())), 1, "{by}");
    }
    let (own, key) = (own.0, server.app.person_key);
    let rows = server.app.storage.read(move |connection| {
        Ok(connection.query_row(
            "SELECT count(*) FROM person WHERE household = (SELECT n FROM household WHERE id = ?1)",
            [own],
            |row| row.get::<_, i64>(0),
        )?)
    });
    assert_eq!(rows.unwrap(), 2, "a number and a telephone");
    assert_eq!(format!("{key:?}"), "PersonKey");
}

#[tokio::test(flavor = "multi_thread")]
async fn records_merged_into_each_other_are_shown_and_set_right_at_a_desk() {
    let dir = tempfile::tempdir().unwrap();
    let (server, [own, other]) = two_townships(dir.path()).await;
    let edit = |household: HouseholdId, fields: &[&str]| {
        let fields = fields.iter().map(|field| (*field).to_owned()).collect();
        run(
            &server,
            "office",
            AdminCommand::Edit { household, fields, on_behalf_of: String::new() },
        )
    };
    let pairs = || {
        let pairs = run(&server, "office", AdminCommand::Duplicates(PageArguments::default()));
        count(pairs.map(|page| page["rows"].clone()))
    };
    enters_li_as_well(dir.path(), &server, other).await;
    assert_eq!(pairs(), 1);
    let into = |id: HouseholdId| format!("basic.merged_into={id}");
    let merged = |id: HouseholdId| edit(own, &["basic.status=并入他户", &into(id)]);
    for nowhere in [own, HouseholdId([7; 16])] {
        assert_eq!(merged(nowhere), Err("merged_away"), "{nowhere}");
    }
    let writer = server.app.storage.writer();
    writer
        .write(move |transaction| {
            super::circles::close(transaction, own, other);
            Ok(())
        })
        .unwrap();
    assert_eq!(pairs(), 1, "neither stands, and both are shown");
    assert_eq!(merged(other), Err("nothing_to_change"));
    edit(own, &["basic.status=在册"]).unwrap();
    assert_eq!(pairs(), 0, "one stands, the other was merged into it");
    assert_eq!(merged(other), Err("merged_away"));
}

/// What an office is told of people who live elsewhere as well, when it has set fields of a household: in Chinese.
fn told_of_elsewhere(server: &TestServer, household: HouseholdId, fields: &[&str]) -> Vec<String> {
    let fields = fields.iter().map(|field| (*field).to_owned()).collect();
    let edit = AdminCommand::Edit { household, fields, on_behalf_of: String::new() };
    let saved = run(server, "office", edit).unwrap();
    let findings = saved["findings"].as_array().unwrap().iter();
    let findings = findings.filter(|finding| finding["check"] == "person_elsewhere");
    findings.map(|finding| finding["zh"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_office_is_told_at_save_of_a_person_elsewhere_and_no_household_out_of_its_sight() {
    let dir = tempfile::tempdir().unwrap();
    let (server, [own, other]) = two_townships(dir.path()).await;
    let fields = vec!["basic.head_name=周小妹".to_owned()];
    let new = run(&server, "office", AdminCommand::New { village: FULING, fields }).unwrap();
    assert_eq!(new["findings"], serde_json::json!([]));
    let new: HouseholdId = new["subject"].as_str().unwrap().parse().unwrap();

    let theirs = ["members.name=wang", "members.identity_number=110105194912310038"];
    let told = told_of_elsewhere(&server, new, &theirs);
    assert_eq!(told, ["该成员同时登记在另一户"], "in another township: that, and not where");
    let told = told_of_elsewhere(&server, own, &theirs);
    assert_eq!(told, [format!("该成员同时登记在另一户:{new}")], "of three the one in sight");

    let ours = ["members.name=li".to_owned(), format!("members.identity_number={NUMBER}")];
    let told = told_of_elsewhere(&server, new, &ours.each_ref().map(String::as_str));
    assert_eq!(told, [own, own].map(|id| format!("该成员同时登记在另一户:{id}")));
    assert!(!told.concat().contains(&other.to_string()));

    let row = |number: &str| {
        let number = IdentityNumber::parse(number).unwrap();
        format!("members.{}.presence=减少", server.app.person_key.member_row(&number))
    };
    let left = [row(NUMBER), row("110105194912310038")];
    let left = left.each_ref().map(String::as_str);
    assert_eq!(told_of_elsewhere(&server, own, &left), [] as [String; 0], "they have left");
    let told = told_of_elsewhere(&server, new, &["basic.address=上洞"]);
    assert_eq!(told, ["该成员同时登记在另一户"], "and one of them is still on record elsewhere");
}

#[test]
fn a_household_moves_while_its_cadre_loses_the_right_and_is_offline() {
    let mut rng = Seeded(5);
    let mut township = Township::new(&mut rng);
    let cadre = township.enrol(&mut rng, "li", &[FULING], 0);
    let there = township.enrol(&mut rng, "wang", &[JINPEN], 0);
    let id = cadre.ledger.create_household(FULING, household("陈永昌", NUMBER)).unwrap();
    cadre.sync(&mut township).unwrap();
    cadre.ledger.record_visit(id, vec![("note".into(), "牛已卖掉五头".into())]).unwrap();
    township.move_household(id, JINPEN).unwrap();
    township.sender(cadre.device).areas.clear();

    cadre.sync(&mut township).unwrap();
    let list = wanhu_core::store::listing::ListFilter::default();
    assert_eq!(cadre.ledger.list(&list, None, 10).unwrap(), [], "the record has left this phone");
    assert_eq!(cadre.ledger.refused().unwrap().len(), 1, "what was written there can be read");
    let waiting = quarantine::waiting(&township.connection, 0, 10, |_| true).unwrap();
    let [row] = &waiting[..] else { panic!("{waiting:?}") };
    assert_eq!(row.scope, JINPEN, "the office of the new village reviews it");
    assert!(township.release_one(&mut rng).unwrap());
    there.sync(&mut township).unwrap();
    let shown = there.ledger.show(id).unwrap();
    assert!(shown.fields.iter().any(|field| field.value == "牛已卖掉五头".into()));
}
