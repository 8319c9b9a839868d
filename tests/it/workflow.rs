//! The monitoring case between phones and offices: steps taken without signal, clocks that nobody can set, steps
//! that contradict each other, steps that somebody made up.

use wanhu_core::client::{Ledger, RecordEdit, StepForm};
use wanhu_core::domain::authority::Role;
use wanhu_core::domain::ids::HouseholdId;
use wanhu_core::domain::schema::Schema;
use wanhu_core::domain::workflow::{Stage, TaskKind};
use wanhu_core::error::LedgerError;
use wanhu_core::store::replica::{self, Setting};
use wanhu_core::system::SystemEntropy;
use wanhu_server::accounts::Account;
use wanhu_server::admin::{AdminCommand, HouseholdFilter, Office, PageArguments, TaskArguments};
use wanhu_server::storage::dues;
use wanhu_tests::county::{County, Step, sync};
use wanhu_tests::population::FULING;

const TOWNSHIP: u64 = FULING / 1_000;
const COUNTY: u64 = FULING / 1_000_000;

async fn county() -> County {
    let county = County::on("2024-03-01", None).await;
    county.account("li", Role::VillageCadre, FULING);
    county.account("wang", Role::VillageCadre, FULING);
    county.account("committee", Role::VillageCommittee, FULING);
    county.account("township", Role::TownshipOffice, TOWNSHIP);
    county.account("county", Role::CountyOffice, COUNTY);
    county
}

fn household(phone: &Ledger) -> HouseholdId {
    let edit = RecordEdit::default().set("basic", "head_name", "陈永昌");
    phone.create_household(FULING, edit).unwrap()
}

fn visit(date: &str) -> RecordEdit {
    let field = |name: &str, value: &str| (name.to_owned(), value.into());
    RecordEdit::default()
        .set("case", "consent", true)
        .row("visits", vec![field("date", date), field("met", "head")])
}

fn take(
    phone: &Ledger,
    id: HouseholdId,
    stage: Stage,
    with: RecordEdit,
) -> Result<(), LedgerError> {
    phone.take_step(id, &StepForm::to(stage), with)
}

fn stage(phone: &Ledger, id: HouseholdId) -> Option<Stage> {
    phone.case(id).unwrap().path.last().map(|passed| passed.stage)
}

/// A case that the village has on notice since 2024-03-05, known to all.
async fn on_notice(county: &County) -> (Ledger, HouseholdId) {
    let li = county.phone("li").await;
    sync(&li).await;
    let id = household(&li);
    take(&li, id, Stage::Clue, RecordEdit::default()).unwrap();
    take(&li, id, Stage::Verified, visit("2024-03-01")).unwrap();
    sync(&li).await;
    county.day("2024-03-05");
    let votes = Step { votes: Some((9, 1)), ..Step::default() };
    county.step("committee", id, "appraised", votes).unwrap();
    county.step("committee", id, "on_notice", Step::default()).unwrap();
    (li, id)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_without_signal_is_a_proposal_until_the_server_takes_it() {
    let county = county().await;
    let li = county.phone("li").await;
    sync(&li).await;
    let id = household(&li);
    take(&li, id, Stage::Clue, RecordEdit::default()).unwrap();
    let missing = |reason: &str| LedgerError::IllegalStep {
        state: "clue".into(),
        step: "verified".into(),
        reason: reason.into(),
        until: String::new(),
    };
    let bare = take(&li, id, Stage::Verified, RecordEdit::default());
    assert_eq!(bare.unwrap_err(), missing("visit_missing"));
    take(&li, id, Stage::Verified, visit("2024-03-01")).unwrap();
    let case = li.case(id).unwrap();
    assert!(case.path.iter().all(|passed| passed.steps.iter().all(|step| !step.accepted)));
    assert_eq!(case.tasks[0].kind, TaskKind::Appraise);
    assert_eq!(case.may_enter, [], "the committee goes on");
    assert_eq!(sync(&li).await.refused, 0);
    let case = li.case(id).unwrap();
    assert!(case.path.iter().all(|passed| passed.steps.iter().all(|step| step.accepted)));
    assert_eq!(case.path[1].steps[0].stamp.account, "li");
    // Nobody skips a level, on a phone or at a desk.
    let decided = county.step("county", id, "county_decision", Step::default());
    assert_eq!(decided, Err("illegal_step"));
    let appraised = Step { votes: Some((5, 0)), ..Step::default() };
    assert_eq!(county.step("township", id, "appraised", appraised), Err("not_permitted"));
    assert_eq!(county.step("", id, "appraised", appraised), Err("account_needed"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visit_that_is_saved_with_a_step_is_of_that_day() {
    let county = county().await;
    let li = county.phone("li").await;
    sync(&li).await;
    let (offline, at_desk) = (household(&li), household(&li));
    for id in [offline, at_desk] {
        take(&li, id, Stage::Clue, RecordEdit::default()).unwrap();
    }
    let met = RecordEdit::default().row("visits", vec![("met".to_owned(), "head".into())]);
    take(&li, offline, Stage::Verified, met.set("case", "consent", true)).unwrap();
    assert_eq!(sync(&li).await.refused, 0);
    let fields = &["visits.met=户主", "case.consent=是"];
    county.step("li", at_desk, "verified", Step { fields, ..Step::default() }).unwrap();
    sync(&li).await;
    assert_eq!([offline, at_desk].map(|id| stage(&li, id)), [Some(Stage::Verified); 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notice_hangs_by_the_servers_clock_whatever_a_phone_says() {
    let county = county().await;
    let (_, id) = on_notice(&county).await;
    // A township's phone that is three years ahead knows better once it has heard the server.
    let ahead = county.phone_astray("township", 3 * 365).await;
    sync(&ahead).await;
    let early = take(&ahead, id, Stage::TownshipCheck, RecordEdit::default()).unwrap_err();
    let LedgerError::IllegalStep { reason, until, .. } = early else { panic!("{early:?}") };
    assert_eq!((reason.as_str(), until.as_str()), ("notice_running", "2024-03-10"));
    county.day("2024-03-10");
    let early = county.step("township", id, "township_check", Step::default());
    assert_eq!(early, Err("illegal_step"), "the last full day is not over");
    county.day("2024-03-11");
    county.step("township", id, "township_check", Step::default()).unwrap();
    let tasks = county.listed("county", AdminCommand::Tasks(TaskArguments::default())).unwrap();
    assert_eq!(tasks[0]["task"]["kind"], "county_decide");
    assert_eq!(tasks[0]["task"]["due_on"], "2024-03-16", "fifteen days from the clue");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_that_does_not_ask_is_refused_by_the_server_and_told_why() {
    let county = county().await;
    let (_, id) = on_notice(&county).await;
    let phone = county.phone("township").await;
    sync(&phone).await;
    // Whoever builds a client of their own can write the rows of a step by hand.
    let field = |name: &str, value: &str| (name.to_owned(), value.into());
    let last = phone.case(id).unwrap().path.last().unwrap().steps[0].row.clone();
    let forged = |state: &str| {
        let step = vec![
            field("state", state),
            field("on", "2024-03-05"),
            field("after", &last),
            field("level", "township"),
        ];
        RecordEdit::default().row("steps", step)
    };
    phone.with_store(|connection| replica::unset(connection, Setting::Policy)).unwrap();
    let phone = county.opened_again(phone, "township");
    phone.edit(id, &forged("township_check")).unwrap();
    assert_eq!(sync(&phone).await.refused, 1);
    let refused = &phone.refused().unwrap()[0];
    let (code, lacking) = (refused.code.as_str(), refused.subject.as_str());
    assert_eq!((code, lacking), ("illegal_step", "notice_running"));
    assert_eq!(stage(&phone, id), Some(Stage::OnNotice), "what was refused does not count");
    let waiting =
        county.listed("township", AdminCommand::Quarantine(PageArguments::default())).unwrap();
    assert_eq!(waiting[0]["code"], "illegal_step");
    county.day("2024-03-11");
    sync(&phone).await;
    phone.reauthor(refused.n).unwrap();
    assert_eq!(sync(&phone).await.refused, 0, "in time it is taken");
    assert_eq!(stage(&phone, id), Some(Stage::TownshipCheck));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_steps_that_contradict_each_other_are_both_seen_and_the_rule_decides() {
    let county = county().await;
    let (li, wang) = (county.phone("li").await, county.phone("wang").await);
    sync(&li).await;
    let id = household(&li);
    take(&li, id, Stage::Clue, RecordEdit::default()).unwrap();
    sync(&li).await;
    let office = county.phone("township").await;
    for phone in [&wang, &office] {
        sync(phone).await;
    }
    // Without signal: two cadres verify, the township turns the case down.
    take(&li, id, Stage::Verified, visit("2024-03-01")).unwrap();
    take(&wang, id, Stage::Verified, visit("2024-03-01")).unwrap();
    let turned_down = StepForm::to(Stage::NotIncluded).because("收入高于监测范围");
    office.take_step(id, &turned_down, RecordEdit::default()).unwrap();
    // The result does not depend on who comes first.
    for phone in [&wang, &office, &li, &wang, &office] {
        assert_eq!(sync(phone).await.refused, 0);
    }
    let cases: Vec<_> = [&li, &wang, &office]
        .map(|phone| {
            let case = phone.case(id).unwrap();
            let aside = case.set_aside.iter().map(|step| step.stamp.account.clone());
            (case.path.last().unwrap().stage, aside.collect::<std::collections::BTreeSet<_>>())
        })
        .into();
    let expected = (Stage::NotIncluded, ["li", "wang"].map(str::to_owned).into());
    assert!(cases.iter().all(|case| *case == expected), "{cases:?}");
    // The household appeals through the cadre, and the case begins again with its history.
    let appeal = StepForm::to(Stage::Clue).because("住院费用未计入");
    li.take_step(id, &appeal, RecordEdit::default()).unwrap();
    take(&li, id, Stage::Verified, visit("2024-03-01")).unwrap();
    sync(&li).await;
    let votes = Step { votes: Some((8, 2)), ..Step::default() };
    county.step("committee", id, "appraised", votes).unwrap();
    sync(&li).await;
    let stages: Vec<Stage> = li.case(id).unwrap().path.iter().map(|passed| passed.stage).collect();
    let whole = [Stage::Clue, Stage::NotIncluded, Stage::Clue, Stage::Verified, Stage::Appraised];
    assert_eq!(stages, whole);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visit_that_a_refusal_overtook_is_looked_at_by_the_township() {
    let county = county().await;
    let (li, wang) = (county.phone("li").await, county.phone("wang").await);
    sync(&li).await;
    let ids = [household(&li), household(&li)];
    for id in ids {
        take(&li, id, Stage::Clue, RecordEdit::default()).unwrap();
    }
    sync(&li).await;
    sync(&wang).await;
    let to_look_at = || {
        let rows =
            county.listed("township", AdminCommand::Tasks(TaskArguments::default())).unwrap();
        let told = |row: &serde_json::Value| {
            let of = |key: &str| row["task"][key].as_str().unwrap_or_default().to_owned();
            (row["household"].as_str().unwrap().to_owned(), of("kind"), of("due_on"))
        };
        rows.iter().map(told).collect::<Vec<_>>()
    };
    // Without signal Wang is with both families while the township turns them down for the cars before their doors.
    for id in ids {
        take(&wang, id, Stage::Verified, visit("2024-03-01")).unwrap();
        let car = Step { reason: "家有小汽车", ..Step::default() };
        county.step("township", id, "not_included", car).unwrap();
    }
    assert_eq!(to_look_at(), []);
    assert_eq!(sync(&wang).await.refused, 0);
    let asked =
        |id: HouseholdId| (id.to_string(), "look_again".to_owned(), "2024-03-08".to_owned());
    let mut both = ids.map(asked).to_vec();
    both.sort();
    let mut told = to_look_at();
    told.sort();
    assert_eq!(told, both, "five working days from the visit");
    let office = county.phone("township").await;
    sync(&office).await;
    let kinds: Vec<_> = office.tasks().unwrap().iter().map(|view| view.task.kind).collect();
    assert_eq!(kinds, [TaskKind::LookAgain; 2], "on the township's phone as at its desk");

    // Of one the visit tells enough, of the other it tells nothing new.
    let row_of = |id: HouseholdId| {
        let case = county.office("township", AdminCommand::Case { household: id }).unwrap();
        case["set_aside"][0].as_str().unwrap().to_owned()
    };
    let [lent, owned] = ids.map(row_of);
    let again =
        Step { reason: "车辆系借用,请重新核实", about: Some(&lent), ..Step::default() };
    county.step("township", ids[0], "returned", again).unwrap();
    let confirmed =
        Step { reason: "走访属实,车辆为自有", about: Some(&owned), ..Step::default() };
    county.step("township", ids[1], "not_included", confirmed).unwrap();
    assert_eq!(to_look_at(), []);
    for phone in [&wang, &office] {
        assert_eq!(sync(phone).await.refused, 0);
        assert_eq!(stage(phone, ids[0]), Some(Stage::Returned));
        assert_eq!(stage(phone, ids[1]), Some(Stage::NotIncluded));
    }
    let due: Vec<_> = wang.tasks().unwrap().iter().map(|v| (v.household, v.task.kind)).collect();
    assert_eq!(due, [(ids[0], TaskKind::Verify)]);
    assert_eq!(office.tasks().unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_two_people_answer_differently_stays_a_task_until_one_of_them_settles_it() {
    let county = county().await;
    let (li, wang) = (county.phone("li").await, county.phone("wang").await);
    sync(&li).await;
    let id = household(&li);
    // A clue and nothing else, typed without a day: no case was begun with it.
    let typed = |said: &[&str]| {
        let said: Vec<String> = said.iter().map(|said| (*said).to_owned()).collect();
        RecordEdit::typed(Schema::base(), &said).unwrap()
    };
    li.edit(id, &typed(&["clues.c.channel=自主申报", "clues.c.risk=因学"])).unwrap();
    let due = li.tasks().unwrap()[0].task.due_on.map(|day| day.to_string());
    assert_eq!(due.as_deref(), Some("2024-03-08"), "it came on the day of the save");
    // What somebody takes down and answers at once is a clue like any other.
    li.edit(id, &typed(&["clues.d.channel=干部排查", "clues.d.outcome=不纳入"])).unwrap();
    let nobody = li.edit(id, &typed(&["clues.e.outcome=不纳入"])).unwrap_err();
    assert_eq!(nobody, LedgerError::invalid("clues.outcome", "row_unknown"));
    sync(&li).await;
    sync(&wang).await;
    let asked = |phone: &Ledger| {
        let tasks = phone.tasks().unwrap().into_iter();
        tasks.map(|view| (view.task.kind, view.task.subject)).collect::<Vec<_>>()
    };
    let to_answer = [(TaskKind::AnswerClue, "c".to_owned())];
    assert_eq!((asked(&li), asked(&wang)), (to_answer.to_vec(), to_answer.to_vec()));
    // Without signal the one finds it true and the other does not, with more saved before.
    let answer = |code: &str| RecordEdit::default().set("clues", "c.outcome", code);
    li.edit(id, &answer("included")).unwrap();
    wang.edit(id, &RecordEdit::default().set("basic", "address", "村东")).unwrap();
    wang.edit(id, &answer("not_included")).unwrap();
    assert_eq!(asked(&li), [(TaskKind::BeginCase, String::new())]);
    assert_eq!(asked(&wang), []);
    for phone in [&li, &wang, &li] {
        sync(phone).await;
    }
    assert_eq!((asked(&li), asked(&wang)), (to_answer.to_vec(), to_answer.to_vec()));
    // Whoever answers again, having seen both, settles it.
    wang.edit(id, &answer("included")).unwrap();
    sync(&wang).await;
    sync(&li).await;
    for phone in [&li, &wang] {
        assert_eq!(asked(phone), [(TaskKind::BeginCase, String::new())]);
    }
    take(&li, id, Stage::Clue, RecordEdit::default()).unwrap();
    assert_eq!(asked(&li), [(TaskKind::Verify, String::new())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_objection_on_the_last_day_of_a_notice_keeps_the_case_where_it_is() {
    let county = county().await;
    let (li, id) = on_notice(&county).await;
    county.day("2024-03-10");
    sync(&li).await;
    let objection = StepForm::to(Stage::Objection).because("邻居反映其家有小汽车");
    li.take_step(id, &objection, RecordEdit::default()).unwrap();
    sync(&li).await;
    county.day("2024-03-12");
    assert_eq!(county.step("township", id, "township_check", Step::default()), Err("illegal_step"));
    let case = county.office("committee", AdminCommand::Case { household: id }).unwrap();
    let row = case["objections"][0].as_str().unwrap().to_owned();
    assert_eq!(case["tasks"][0]["kind"], "settle_objection");
    let (settings, app) = (&county.server.settings, &county.server.app);
    let office = Office { settings, app, by: "committee" };
    let tasks = AdminCommand::Tasks(PageArguments::default());
    let list = office.run(tasks, &mut SystemEntropy).unwrap().text;
    assert!(list.contains(&format!("[{row}]")), "what `--about` is typed with: {list}");
    let settled =
        Step { reason: "车辆系借用,已核实", about: Some(&row), ..Step::default() };
    county.step("committee", id, "objection_settled", settled).unwrap();
    county.step("township", id, "township_check", Step::default()).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_server_takes_the_steps_back_that_it_lost() {
    let county = county().await;
    let (li, id) = on_notice(&county).await;
    let township = county.phone("township").await;
    sync(&township).await;
    let dir = tempfile::tempdir().unwrap();
    let settings = &county.server.settings;
    let key = wanhu_server::keys::read(&settings.storage_key_file()).unwrap();
    wanhu_server::backup::backup(&settings.data_dir, &key, &dir.path().join("b")).unwrap();
    county.day("2024-03-11");
    take(&township, id, Stage::TownshipCheck, RecordEdit::default()).unwrap();
    sync(&township).await;
    sync(&li).await;
    // The disk is lost on the day after; the backup knows nothing of the check.
    let restored = dir.path().join("restored");
    county.day("2024-03-12");
    let until_ms = i64::MAX;
    let mut entropy = wanhu_core::system::SystemEntropy;
    wanhu_server::backup::restore(&dir.path().join("b"), &restored, &key, &mut entropy, until_ms)
        .unwrap();
    let county = county.again_in(&restored, &key).await;
    for phone in [&li, &township, &li] {
        assert_eq!(sync(phone).await.refused, 0);
    }
    let case = county.office("county", AdminCommand::Case { household: id }).unwrap();
    let path: Vec<_> = case["path"].as_array().unwrap().iter().filter_map(|s| s.as_str()).collect();
    assert_eq!(path.last(), Some(&"township_check"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_office_of_two_townships_turns_the_pages_of_one_list() {
    let county = county().await;
    let (north, south) = (FULING, 431_022_100_001);
    county.account("chen", Role::VillageCadre, south);
    let office = Account {
        id: "both".into(),
        name: "both".into(),
        role: Role::TownshipOffice,
        areas: vec![north / 1_000, south / 1_000],
        grids: Vec::new(),
        granted_by: String::new(),
        disabled: false,
    };
    county.server.app.accounts.create(&office, 0).unwrap();
    for (account, village) in [("li", north), ("chen", south)] {
        let phone = county.phone(account).await;
        sync(&phone).await;
        for name in ["甲", "乙"] {
            let edit = RecordEdit::default().set("basic", "head_name", name);
            let id = phone.create_household(village, edit).unwrap();
            take(&phone, id, Stage::Clue, RecordEdit::default()).unwrap();
        }
        sync(&phone).await;
    }
    let page = |rows: u32, after: Option<HouseholdId>, overdue: bool| -> Vec<(u64, String)> {
        let filter = HouseholdFilter { rows, after, overdue, ..HouseholdFilter::default() };
        let rows = county.listed("both", AdminCommand::List(filter)).unwrap();
        let row = |row: &serde_json::Value| {
            (row["village"].as_u64().unwrap(), row["household"].as_str().unwrap().to_owned())
        };
        rows.iter().map(row).collect()
    };
    let whole = page(50, None, false);
    assert_eq!(whole.iter().map(|row| row.0).collect::<Vec<_>>(), [south, south, north, north]);
    assert_eq!(page(50, None, true), [], "of what is overdue");
    county.day("2024-06-03");
    for (overdue, has_days) in [(false, false), (true, false), (true, true)] {
        if has_days {
            dues::catch_up(&county.server.app.storage, &county.server.app.policy).unwrap();
        }
        let (mut turned, mut after) = (Vec::new(), None);
        while let Some(row) = page(1, after, overdue).pop() {
            after = Some(row.1.parse().unwrap());
            turned.push(row);
        }
        assert_eq!(turned, whole);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_office_finds_the_households_it_asks_for() {
    let county = county().await;
    let li = county.phone("li").await;
    sync(&li).await;
    let with_clue = household(&li);
    take(&li, with_clue, Stage::Clue, RecordEdit::default()).unwrap();
    let other = RecordEdit::default()
        .set("basic", "head_name", "李梅")
        .set("class", "household_kind", "lifted")
        .set("class", "risk_level", "high")
        .set("class", "tag_marginal", true);
    let other = li.create_household(FULING, other).unwrap();
    sync(&li).await;
    let fields = ["class.monitored_kind=突发严重困难户"];
    let typed = fields.map(str::to_owned).to_vec();
    let typed = AdminCommand::Edit { household: other, fields: typed, on_behalf_of: String::new() };
    assert_eq!(
        county.office("county", typed),
        Err("illegal_step"),
        "nobody is monitored by a field"
    );
    let carried_over = Step { fields: &fields, reason: "结果转入", ..Step::default() };
    county.step("county", other, "监测", carried_over).unwrap();
    let found = |asked: HouseholdFilter| -> Vec<String> {
        let asked = HouseholdFilter { rows: 50, ..asked };
        let rows = county.listed("county", AdminCommand::List(asked)).unwrap();
        let id = |row: &serde_json::Value| row["household"].as_str().unwrap().to_owned();
        rows.iter().map(id).collect()
    };
    let code = |code: &str| Some(code.to_owned());
    let none = HouseholdFilter::default;
    for asked in [
        HouseholdFilter { kind: code("lifted"), ..none() },
        HouseholdFilter { monitored: code("sudden"), ..none() },
        HouseholdFilter { risk: code("high"), ..none() },
        HouseholdFilter { tag: code("tag_marginal"), ..none() },
        HouseholdFilter { search: code("limei"), ..none() },
    ] {
        assert_eq!(found(asked.clone()), [other.to_string()], "{asked:?}");
    }
    let overdue = || found(HouseholdFilter { overdue: true, ..none() });
    let due_on = li.tasks().unwrap()[0].task.due_on.unwrap();
    county.day(&due_on.to_string());
    assert_eq!(overdue(), [""; 0], "its last day");
    county.day(&due_on.plus_days(1).to_string());
    assert_eq!(overdue(), [with_clue.to_string()]);
    let turned_down = Step { reason: "收入高于监测范围", ..Step::default() };
    county.step("township", with_clue, "not_included", turned_down).unwrap();
    assert_eq!(overdue(), [""; 0], "nothing is left to be done");
}
