//! What a cadre says of a record as a whole (moved away, entered by mistake) ends no case and swallows no department's row.

use super::bureaus::{WIFE, couple_with_child};
use super::*;
use wanhu_core::domain::checks::{Check, Finding, explain};

/// Delivers a bill of the wife's. What the bureau is told, and what its report says.
fn bill(county: &County, dir: &Path, day: &str) -> (Json, String) {
    let row = ["1", "文秀芬", WIFE, "住院", "骨折", day, day, "90000", "0", "0", "0", "30000"];
    let file = spreadsheet(&dir.join(format!("{day}.xlsx")), "住院明细", &[BILLS_HEADER, &row]);
    let told = deliver(county, &file);
    (told, std::fs::read_to_string(file.with_extension("report.csv")).unwrap())
}

fn told(phone: &Ledger, id: HouseholdId) -> Vec<Finding> {
    let findings = phone.checks(id).unwrap().into_iter();
    findings.filter(|finding| finding.check == Check::OutOfUseWithCase).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_family_whose_case_runs_keeps_its_tasks_whatever_its_record_is_said_to_be() {
    let (county, li, id) = on_record(couple_with_child()).await;
    let wang = county.phone("王芳").await;
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(bill(&county, dir.path(), "2024-02-09").0["warned"], 1);
    sync(&li).await;
    let before = kinds(&li.tasks().unwrap());
    assert_eq!(before, [TaskKind::Verify, TaskKind::AnswerWarning]);
    li.edit(id, &typed(&["basic.status=整户迁出"])).unwrap();
    assert_eq!(kinds(&li.tasks().unwrap()), before);
    let finding = &told(&li, id)[0];
    let (zh, _) = explain(finding);
    assert!(zh.contains("整户迁出") && zh.contains("线索"), "{zh}");
    for phone in [&li, &wang] {
        sync(phone).await;
        assert_eq!(kinds(&phone.tasks().unwrap()), before);
        assert_eq!(told(phone, id).len(), 1, "whoever looks at the record is told");
    }
    let (later, report) = bill(&county, dir.path(), "2024-02-20");
    assert_eq!((&later["matched"], &later["not_in_use"]), (&1.into(), &0.into()));
    assert_eq!(report.lines().count(), 1, "nothing to say: {report}");
    county.step("乡政府", id, "不纳入", Step { reason: "全家已迁走", ..Step::default() }).unwrap();
    sync(&li).await;
    assert_eq!(kinds(&li.tasks().unwrap()), [], "by its own way it has come to its end");
    assert_eq!(told(&li, id), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_about_a_record_entered_by_mistake_is_counted_and_named() {
    let (county, li, id) = on_record(couple_with_child()).await;
    li.edit(id, &typed(&["basic.status=误建"])).unwrap();
    sync(&li).await;
    let dir = tempfile::tempdir().unwrap();
    let (delivered, report) = bill(&county, dir.path(), "2024-02-09");
    let counts = ["matched", "not_in_use", "not_taken", "warned"]
        .map(|name| delivered[name].as_u64().unwrap());
    assert_eq!(counts, [1, 1, 0, 0], "{delivered}");
    assert!(report.contains("档案已停用") && report.contains("文秀芬"), "{report}");
    // The row is kept: once the record is in use again, the next word about the family tells of both.
    fill_in(&county, "乡政府", id, &["basic.status=在册"]);
    let (again, report) = bill(&county, dir.path(), "2024-02-20");
    let counts = ["matched", "not_in_use", "warned"].map(|name| again[name].as_u64().unwrap());
    assert_eq!(counts, [1, 0, 1], "{again}");
    assert_eq!(report.lines().count(), 1, "{report}");
    sync(&li).await;
    let fields = li.show(id).unwrap().fields;
    let bills = fields.iter().filter(|field| field.key.ends_with(".self_pay_fen"));
    assert_eq!(bills.filter(|field| field.container == "spending").count(), 2);
}
