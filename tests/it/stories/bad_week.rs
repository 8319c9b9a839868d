//! A bad week in 福岭村: the same clue twice, the family and the cadre at once, a move in the middle of a review, an
//! appeal, and a file of the bureau that was wrong from the first line to the last.

use std::sync::atomic::{AtomicUsize, Ordering};

use wanhu_core::domain::checks::Check;
use wanhu_server::import::delivery::{self, Asked};
use wanhu_server::import::profile::Profile;
use wanhu_server::watch::Phase;

use super::*;

/// Another village of the same township.
const NEXT_VILLAGE: u64 = FULING / 1_000 * 1_000 + 202;

/// A file with one stay; where another sum was paid it is another stay.
pub(super) fn bill(dir: &Path, name: &str, number: &str, self_pay: &str) -> PathBuf {
    let total = format!("9{self_pay:0>5}");
    let lines: &[Line<'_>] = &[
        BILLS_HEADER,
        &[
            "1",
            name,
            number,
            "住院",
            "骨折",
            "2024-02-01",
            "2024-02-09",
            &total,
            "10000",
            "0",
            "0",
            self_pay,
        ],
    ];
    spreadsheet(&dir.join(format!("{self_pay}.xlsx")), "住院明细", lines)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_clue_twice_is_one_case() {
    let county = people("2024-03-04", FULING, None).await;
    let (li, wang) = (county.phone("李明").await, county.phone("王芳").await);
    sync(&li).await;
    let id = li.create_household(FULING, family()).unwrap();
    sync(&li).await;
    sync(&wang).await;
    // Without signal the family tells one cadre, a neighbour tells the other, and meanwhile the bureau delivers.
    let told = |channel: &str| {
        typed(&[
            &format!("clues.channel={channel}"),
            "clues.risk=因病",
            "clues.received_on=2024-03-04",
        ])
    };
    let mut declared = told("自主申报");
    declared.on_behalf_of = "周长根".into();
    take(&li, id, Stage::Clue, declared);
    take(&wang, id, Stage::Clue, told("干部排查"));
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(deliver(&county, &bill(dir.path(), "周长根", NUMBER, "80000"))["warned"], 1);
    for phone in [&li, &wang, &li] {
        assert_eq!(sync(phone).await.refused, 0);
    }
    for phone in [&li, &wang] {
        let case = phone.case(id).unwrap();
        assert_eq!(case.path.len(), 1);
        assert_eq!(case.path[0].steps.len(), 3, "three people began it, and it is one case");
        assert_eq!(kinds(&phone.tasks().unwrap()), [TaskKind::Verify, TaskKind::AnswerWarning]);
    }
    // Once more from another file of the bureau: known.
    let more = deliver(&county, &bill(dir.path(), "周长根", NUMBER, "80000.00"));
    assert_eq!((&more["new"], &more["warned"]), (&0.into(), &0.into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_family_moves_in_the_middle_of_its_review() {
    let county = people("2024-03-04", FULING, None).await;
    county.account("邻村干部", Role::VillageCadre, NEXT_VILLAGE);
    county.account("邻村委会", Role::VillageCommittee, NEXT_VILLAGE);
    let (li, next) = (county.phone("李明").await, county.phone("邻村干部").await);
    sync(&li).await;
    let id = li.create_household(FULING, family()).unwrap();
    take(&li, id, Stage::Clue, RecordEdit::default());
    sync(&li).await;
    county.office("乡政府", AdminCommand::Move { household: id, village: NEXT_VILLAGE }).unwrap();
    // Li does not know and verifies. What was done is not lost: it waits for the office.
    take(
        &li,
        id,
        Stage::Verified,
        typed(&["visits.date=2024-03-04", "visits.met=户主", "case.consent=是"]),
    );
    assert_eq!(sync(&li).await.refused, 1);
    assert_eq!(li.case(id).unwrap_err().code(), "not_found", "the record has left the old phone");
    let waiting =
        county.listed("乡政府", AdminCommand::Quarantine(PageArguments::default())).unwrap();
    let number = waiting[0]["number"].as_i64().unwrap();
    county.office("乡政府", AdminCommand::QuarantineRelease { number }).unwrap();
    sync(&next).await;
    assert_eq!(stages(&next, id), [Stage::Clue, Stage::Verified]);
    let votes = Step { votes: Some((6, 1)), ..Step::default() };
    assert_eq!(county.step("村委会", id, "民主评议", votes), Err("household_unknown"));
    county.step("邻村委会", id, "民主评议", votes).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_turned_down_may_appeal_and_who_appeals_begins_again() {
    let county = people("2024-03-04", FULING, None).await;
    let li = county.phone("李明").await;
    sync(&li).await;
    let id = li.create_household(FULING, family()).unwrap();
    take(&li, id, Stage::Clue, RecordEdit::default());
    sync(&li).await;
    assert_eq!(
        county.step("乡政府", id, "不纳入", Step::default()),
        Err("illegal_step"),
        "no reason"
    );
    let reason = Step { reason: "收入高于监测范围", ..Step::default() };
    assert_eq!(county.step("村委会", id, "不纳入", reason), Err("not_permitted"));
    county.step("乡政府", id, "不纳入", reason).unwrap();
    sync(&li).await;
    assert!(li.tasks().unwrap().is_empty());
    let appeal = StepForm::to(Stage::Clue).because("新增住院费用");
    li.take_step(id, &appeal, RecordEdit::default()).unwrap();
    assert_eq!(sync(&li).await.refused, 0);
    assert_eq!(kinds(&li.tasks().unwrap()), [TaskKind::Verify]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_file_is_withdrawn_and_leaves_nothing_that_counts() {
    let (county, li, id) = on_record(family()).await;
    let dir = tempfile::tempdir().unwrap();
    let wrong = deliver(&county, &bill(dir.path(), "周长根", NUMBER, "70000"));
    let number = wrong["number"].as_i64().unwrap();
    sync(&li).await;
    assert_eq!(li.tasks().unwrap().len(), 2);
    // Nobody but the bureau takes a warning back, least of all who would have to answer it.
    let warning = li.case(id).unwrap().tasks[1].subject.clone();
    let silenced = RecordEdit::default().set("warnings", &format!("{warning}.withdrawn"), true);
    assert_eq!(li.edit(id, &silenced).unwrap_err().code(), "not_permitted");
    assert_eq!(
        county.import("县局", ImportCommand::Withdraw { number, report: None }),
        Err("not_permitted")
    );
    county.import("医保局", ImportCommand::Withdraw { number, report: None }).unwrap();
    sync(&li).await;
    let tasks = li.tasks().unwrap();
    assert_eq!(kinds(&tasks), [TaskKind::Verify], "nobody has to answer a warning that was none");
    let shown = li.show(id).unwrap();
    let withdrawn = |container: &str| {
        shown.fields.iter().any(|f| f.container == container && f.key.ends_with(".withdrawn"))
    };
    assert!(
        withdrawn("warnings") && withdrawn("clues") && withdrawn("spending"),
        "and it is still seen"
    );
    // The township closes what the file began; the right file warns as if the wrong one had never been.
    let mistake = Step { reason: "部门数据有误,已撤回", ..Step::default() };
    county.step("乡政府", id, "不纳入", mistake).unwrap();
    let right = deliver(&county, &bill(dir.path(), "周长根", NUMBER, "60000"));
    assert_eq!((&right["new"], &right["warned"]), (&1.into(), &1.into()));
    assert_eq!(
        county.import("医保局", ImportCommand::Withdraw { number, report: None }),
        Err("delivery_unknown")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bill_that_stands_in_two_files_outlives_the_wrong_one() {
    let (county, li, id) = on_record(family()).await;
    let dir = tempfile::tempdir().unwrap();
    let wrong = bill(dir.path(), "周长根", NUMBER, "66000");
    let first = deliver(&county, &wrong)["number"].as_i64().unwrap();
    // The same bill in another file: another title, the same meaning.
    let lines: &[Line<'_>] = &[
        BILLS_HEADER,
        &[
            "9",
            "周长根",
            NUMBER,
            "住院",
            "骨折",
            "2024-2-1",
            "2024/2/9",
            "966000.00",
            "10000",
            "0",
            "0",
            "66000",
        ],
    ];
    let right = spreadsheet(&dir.path().join("right.xlsx"), "更正后的住院明细", lines);
    let second = deliver(&county, &right);
    assert_eq!((&second["new"], &second["warned"]), (&0.into(), &0.into()));
    county.import("医保局", ImportCommand::Withdraw { number: first, report: None }).unwrap();
    sync(&li).await;
    assert_eq!(kinds(&li.tasks().unwrap()), [TaskKind::Verify, TaskKind::AnswerWarning]);
    // Withdrawn as well, and delivered once more, it counts anew.
    let number = second["number"].as_i64().unwrap();
    county.import("医保局", ImportCommand::Withdraw { number, report: None }).unwrap();
    let again = deliver(&county, &right);
    assert_eq!((&again["new"], &again["warned"]), (&1.into(), &1.into()));
    sync(&li).await;
    assert_eq!(stages(&li, id), [Stage::Clue]);
    assert_eq!(kinds(&li.tasks().unwrap()), [TaskKind::Verify, TaskKind::AnswerWarning]);
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_elses_number_is_not_taken_for_the_person() {
    let (county, li, id) = on_record(family()).await;
    let dir = tempfile::tempdir().unwrap();
    let typed_wrong = deliver(&county, &bill(dir.path(), "周福贵", NUMBER, "50000"));
    assert_eq!(
        (&typed_wrong["warned"], &typed_wrong["faults"]["name_differs"]),
        (&0.into(), &1.into())
    );
    let spaced = deliver(&county, &bill(dir.path(), "周 长根", NUMBER, "40000"));
    assert_eq!(spaced["warned"], 1, "a name with a space in it is the same name");
    sync(&li).await;
    assert_eq!(stages(&li, id), [Stage::Clue]);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_row_that_finds_nobody_or_too_many_is_named() {
    let county = people("2024-03-04", FULING, None).await;
    county.account("外县医保局", Role::Department, 431_025);
    let li = county.phone("李明").await;
    sync(&li).await;
    li.create_household(FULING, family()).unwrap();
    // The same person in a second household, as the son's family has it.
    let number = format!("members.identity_number={NUMBER}");
    let twice =
        typed(&["basic.head_name=周小军", "members.name=周长根", "members.relation=父亲", &number]);
    let dir = tempfile::tempdir().unwrap();
    sync(&li).await;
    let faults = |delivered: Json| delivered["faults"].clone();
    let unknown = deliver(&county, &bill(dir.path(), "张三", "110105194912310046", "1000"));
    assert_eq!(faults(unknown), serde_json::json!({ "person_unknown": 1 }));
    let command = ImportCommand::Department {
        file: bill(dir.path(), "周长根", NUMBER, "30000"),
        kind: Kind::Medical,
        profile: None,
        report: None,
        anyway: false,
    };
    let elsewhere = county.import("外县医保局", command.clone()).unwrap();
    assert_eq!(faults(elsewhere), serde_json::json!({ "outside_area": 1 }));
    assert_eq!(county.import("李明", command), Err("not_permitted"), "a cadre is no department");
    li.create_household(FULING, twice).unwrap();
    sync(&li).await;
    let double = deliver(&county, &bill(dir.path(), "周长根", NUMBER, "20000"));
    assert_eq!(faults(double), serde_json::json!({ "person_twice": 1 }));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_found_by_number_is_proposed_by_name_and_village() {
    let (county, li, id) = on_record(family()).await;
    let dir = tempfile::tempdir().unwrap();
    let (file, report) = (dir.path().join("bills.xlsx"), dir.path().join("report.csv"));
    let village = wanhu_core::domain::region::RegionList::chenzhou().get(FULING).unwrap();
    let other = "110105194912310046";
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    let header = ["姓名", "身份证号码", "所属村", "医疗类别", "入院日期", "总费用", "个人自付"];
    let rows = [
        header,
        ["周长根", other, &village.name, "住院", "2024-02-01", "90000", "50000"],
        ["周长根", "", &village.name, "住院", "2024-02-01", "90000", "50000"],
        ["周长", "11010519491231002X", &village.name, "住院", "2024-02-01", "90000", "50000"],
    ];
    for (row, line) in (0..).zip(rows) {
        for (column, cell) in (0..).zip(line) {
            sheet.write(row, column, cell).unwrap();
        }
    }
    workbook.add_worksheet().write(0, 0, "附页").unwrap();
    workbook.save(&file).unwrap();
    let (kind, profile, path) = (Kind::Medical, None, Some(report.clone()));
    let command = ImportCommand::Department {
        file: file.clone(),
        kind,
        profile,
        report: path,
        anyway: false,
    };
    let delivered = county.import("医保局", command).unwrap();
    assert_eq!((&delivered["matched"], &delivered["warned"]), (&0.into(), &0.into()));
    assert_eq!(delivered["sheets_left"], serde_json::json!(["Sheet2"]), "said, not passed over");
    let written = std::fs::read_to_string(&report).unwrap();
    let proposed: Vec<_> = written.lines().skip(1).map(|line| line.rsplit(',').next()).collect();
    let id_text = id.to_string();
    assert_eq!(proposed, [Some(&*id_text), Some(&*id_text), Some("")], "of that name only");
    sync(&li).await;
    assert_eq!(stages(&li, id), [], "a proposal writes nothing");
    let profile = dir.path().join("other.toml");
    std::fs::write(&profile, include_str!("../../../sync-server/profiles/housing.toml")).unwrap();
    let (profile, report) = (Some(profile), None);
    let command = ImportCommand::Department { file, kind, profile, report, anyway: false };
    assert_eq!(county.import("医保局", command), Err("profile_unusable"), "of another kind");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_enters_while_a_file_is_judged_stands() {
    let (county, _li, id) = on_record(family()).await;
    let dir = tempfile::tempdir().unwrap();
    let lines: &[Line<'_>] = &[&["户主姓名", "身份证号", "鉴定等级"], &["周长根", NUMBER, "D级"]];
    let file = spreadsheet(&dir.path().join("house.xlsx"), "鉴定", lines);
    let app = &county.server.app;
    let bureau = app.accounts.account("医保局").unwrap().unwrap();
    let turns = AtomicUsize::new(0);
    let watch = |phase, _, _| {
        // Between judging and recording, the township enters what it has seen.
        if phase == Phase::Judging && turns.fetch_add(1, Ordering::Relaxed) == 1 {
            fill_in(&county, "乡政府", id, &["living.house_danger=B级"]);
        }
        true
    };
    let profile = Profile::of(Kind::Housing).unwrap();
    let asked = Asked { profile, file: &file, report_to: None, is_of_kind: false };
    let delivered = delivery::deliver(app, &bureau, asked, &watch).unwrap();
    assert!(turns.into_inner() > 2, "what was found is not written, but looked for anew");
    assert_eq!(delivered.warned, 1, "the bureau's word is still a reason to look");
    let shown = county.office("乡政府", AdminCommand::Show { household: id }).unwrap();
    let grade = shown.as_array().unwrap().iter().find(|row| row["field"] == "living.house_danger");
    assert_eq!(grade.unwrap()["value"], "b", "and does not write over the township's");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_office_saves_is_checked_as_a_phone_checks_it() {
    let (county, li, id) = on_record(family()).await;
    // Somebody took yuan for fen.
    let edit = |by: &str, field: &str| {
        let (fields, on_behalf_of) = (vec![field.to_owned()], String::new());
        county.office(by, AdminCommand::Edit { household: id, fields, on_behalf_of })
    };
    let saved = edit("乡政府", "income.wage_fen=3500").unwrap();
    assert_eq!(saved["findings"][0]["check"], "wage_implausible", "{saved}");
    sync(&li).await;
    let codes: Vec<_> = li.checks(id).unwrap().iter().map(|f| f.check.code()).collect();
    assert!(codes.contains(&"wage_implausible"), "it warns and blocks nothing: {codes:?}");
    let right = edit("乡政府", "income.wage_fen=3500000").unwrap();
    assert!(!right.to_string().contains("wage_implausible"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clue_that_is_known_is_told_at_save_and_is_one_task() {
    let (county, li, id) = on_record(family()).await;
    let clue = |channel: &str, day: &str| {
        let (channel, day) =
            (format!("clues.channel={channel}"), format!("clues.received_on={day}"));
        [channel, "clues.risk=因病".to_owned(), day]
    };
    let by_li =
        |channel: &str, day: &str| typed(&clue(channel, day).each_ref().map(String::as_str));
    let by_office = |day: &str| {
        let fields = clue("信访热线", day).to_vec();
        let edit = AdminCommand::Edit { household: id, fields, on_behalf_of: String::new() };
        county.office("乡政府", edit).unwrap()
    };
    let is_known = |phone: &Ledger| {
        let findings = phone.checks(id).unwrap().into_iter();
        findings.filter(|finding| finding.check == Check::ClueKnown).count()
    };
    take(&li, id, Stage::Clue, by_li("自主申报", "2024-03-04"));
    assert_eq!(is_known(&li), 0);
    sync(&li).await;
    county.day("2024-03-05");
    let saved = by_office("2024-03-05");
    let told = "同一对象、同一风险已有线索正在核查:自主申报 2024-03-04";
    assert_eq!(saved["findings"][0]["zh"], told, "{saved}");
    sync(&li).await;
    assert_eq!((is_known(&li), kinds(&li.tasks().unwrap())), (1, vec![TaskKind::Verify]));

    let visit = typed(&["visits.date=2024-03-05", "visits.met=户主", "case.consent=是"]);
    take(&li, id, Stage::Verified, visit);
    sync(&li).await;
    assert_eq!((is_known(&li), li.tasks().unwrap().len()), (0, 0), "the visit has seen to both");

    // Both take down the same call, out of each other's sight.
    county.day("2024-03-06");
    li.edit(id, &by_li("信访热线", "2024-03-06")).unwrap();
    by_office("2024-03-06");
    sync(&li).await;
    assert_eq!(is_known(&li), 1);
    for outcome in ["不纳入", "重复"] {
        let shown = li.tasks().unwrap();
        assert_eq!(kinds(&shown), [TaskKind::AnswerClue], "{outcome}");
        let answer = format!("clues.{}.outcome={outcome}", shown[0].task.subject);
        li.edit(id, &typed(&[&answer])).unwrap();
        assert_eq!(is_known(&li), 0, "one of them is answered");
    }
    assert!(li.tasks().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_misspelt_name_costs_its_own_row() {
    let (county, li, id) = on_record(family()).await;
    let dir = tempfile::tempdir().unwrap();
    let header: Line<'_> = &["姓名", "身份证号码", "入院日期", "总费用", "个人自付"];
    let sent = |title: &str, names: [&str; 3]| {
        let rows = names.map(|name| [name, NUMBER, "2024-02-01", "900", "9"]);
        let mut rows = rows.to_vec();
        for (row, day) in rows.iter_mut().zip(["2024-02-01", "2024-02-02", "2024-02-03"]) {
            row[2] = day;
        }
        let lines: Vec<Line<'_>> =
            std::iter::once(header).chain(rows.iter().map(|row| &row[..])).collect();
        let told = deliver(
            &county,
            &spreadsheet(&dir.path().join(format!("{title}.xlsx")), title, &lines),
        );
        (told["matched"].clone(), told["faults"]["identity_two_names"].clone())
    };
    assert_eq!(sent("misspelt", ["周长根", "周长恨", "周 长根"]), (2.into(), 1.into()));
    let both = ["周福贵", "周富贵", "周福贵"];
    assert_eq!(sent("unknown", both), (0.into(), 3.into()), "nobody knows which is right");
    // Where people of both names live in the household, nobody knows either.
    li.edit(id, &typed(&["members.name=周长恨", "members.relation=儿子"])).unwrap();
    sync(&li).await;
    assert_eq!(sent("both", ["周长根", "周长恨", "周长根"]), (0.into(), 3.into()));
}
