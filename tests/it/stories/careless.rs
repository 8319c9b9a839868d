//! Lists as they are typed in a hurry: columns left out, units beside the table, half a name, the wrong kind. Whoever is in
//! need is heard of all the same, and whatever was not used is named.

use wanhu_server::admin::Office;

use super::bad_week::bill;
use super::*;

/// Delivers a list of one kind. What the bureau is told, and its report.
fn send(
    county: &County,
    dir: &Path,
    (kind, anyway): (Kind, bool),
    lines: &[Line<'_>],
) -> (Result<Json, &'static str>, String) {
    let file = spreadsheet(&dir.join("list.xlsx"), lines[0][0], &lines[1..]);
    let path = dir.join("report.csv");
    let report = Some(path.clone());
    let told = county
        .import("医保局", ImportCommand::Department { file, kind, profile: None, report, anyway });
    (told, std::fs::read_to_string(path).unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stay_is_a_stay_without_a_column_that_says_so() {
    let (county, _li, _) = on_record(family()).await;
    let dir = tempfile::tempdir().unwrap();
    let header: Line<'_> = &["姓名", "身份证号码", "入院日期", "出院日期", "总费用", "个人自付"];
    let of = |days: [&str; 2]| {
        let row: Line<'_> = &["周长根", NUMBER, days[0], days[1], "50000", "15000"];
        let medical = (Kind::Medical, false);
        let (told, report) = send(&county, dir.path(), medical, &[&["明细"], header, row]);
        let told = told.unwrap();
        (told["warned"].clone(), told["remarks"].clone(), report.lines().count())
    };
    let unclear = serde_json::json!({ "stay_unclear": 1 });
    assert_eq!(of(["2024-02-01", ""]), (0.into(), unclear, 2), "taken, and said");
    let nothing = serde_json::json!({});
    assert_eq!(of(["2024-02-10", "2024-02-18"]), (1.into(), nothing, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_loss_counted_in_myriads_beside_the_table_is_as_large_as_it_is() {
    let (county, _li, _) = on_record(family()).await;
    let dir = tempfile::tempdir().unwrap();
    let header: Line<'_> =
        &["户主姓名", "身份证号", "灾害类型", "受灾日期", "损失金额", "倒塌房屋"];
    let row: Line<'_> = &["周长根", NUMBER, "山洪", "2024-02-10", "0.8", "约两间"];
    let title: Line<'_> = &["受灾损失统计表  单位:万元"];
    let disaster = (Kind::Disaster, false);
    let (told, report) = send(&county, dir.path(), disaster, &[title, header, row]);
    let told = told.unwrap();
    assert_eq!(told["warned"], 1, "8,000 yuan, whatever stands beside them: {told}");
    assert_eq!(told["remarks"], serde_json::json!({ "cell_left_out": 1 }));
    let line = report.lines().nth(1).unwrap();
    assert!(line.starts_with("3,倒塌房屋,"), "{line}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_piece_of_a_name_is_nobodys() {
    let (county, _li, _) = on_record(family()).await;
    let dir = tempfile::tempdir().unwrap();
    for piece in ["周", "周长", "长根", "zhouchanggen", "zcg", "z"] {
        let told = deliver(&county, &bill(dir.path(), piece, NUMBER, "50000"));
        assert_eq!(told["faults"], serde_json::json!({ "name_differs": 1 }), "{piece}");
    }
    // Beside the whole name a piece of it is a slip, and costs its own row.
    let header: Line<'_> = &["姓名", "身份证号码", "医疗类别", "入院日期", "总费用", "自付"];
    let whole: Line<'_> = &["周长根", NUMBER, "住院", "2024-02-01", "50000", "15000"];
    let piece: Line<'_> = &["周长", NUMBER, "住院", "2024-02-03", "40000", "14000"];
    let medical = (Kind::Medical, false);
    let (told, _) = send(&county, dir.path(), medical, &[&["明细"], header, whole, piece]);
    let told = told.unwrap();
    assert_eq!((&told["matched"], &told["warned"]), (&1.into(), &1.into()));
    assert_eq!(told["faults"], serde_json::json!({ "identity_two_names": 1 }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_year_of_the_last_century_is_asked_about() {
    let (county, _li, _) = on_record(family()).await;
    let dir = tempfile::tempdir().unwrap();
    let header: Line<'_> = &["姓名", "身份证号码", "医疗类别", "入院日期", "总费用", "自付"];
    let row: Line<'_> = &["周长根", NUMBER, "住院", "1924-02-01", "50000", "15000"];
    let (told, _) = send(&county, dir.path(), (Kind::Medical, false), &[&["明细"], header, row]);
    assert_eq!(told.unwrap()["faults"], serde_json::json!({ "day_long_past": 1 }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_another_kind_is_not_taken_unless_somebody_insists() {
    let (county, _li, _) = on_record(family()).await;
    let dir = tempfile::tempdir().unwrap();
    let header: Line<'_> =
        &["姓名", "身份证号码", "医疗类别", "入院日期", "总费用", "个人自付", "床号"];
    let row: Line<'_> = &["周长根", NUMBER, "门诊", "2024-02-01", "50000", "15000", "7"];
    let lines: &[Line<'_>] = &[&["明细"], header, row];
    let (told, report) = send(&county, dir.path(), (Kind::School, false), lines);
    assert_eq!((told, report.as_str()), (Err("other_kind"), ""));
    let listed = county.import("医保局", ImportCommand::List).unwrap();
    assert_eq!(listed, serde_json::json!([]), "nothing came of it");
    let (_, zh, en) = refused(&county, dir.path().join("list.xlsx"), Kind::School);
    assert!([zh, en].iter().all(|told| told.contains("--kind medical")));
    let (told, report) = send(&county, dir.path(), (Kind::School, true), lines);
    let told = told.unwrap();
    let unused = ["医疗类别", "入院日期", "床号"];
    assert_eq!((&told["matched"], &told["columns_unused"]), (&1.into(), &unused.to_vec().into()));
    let named = unused.iter().filter(|column| report.contains(&format!("2,{column},")));
    assert_eq!(named.count(), 3, "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn amounts_that_cannot_be_yuan_are_asked_about_before_anything_is_kept() {
    let (county, _li, _) = on_record(family()).await;
    let dir = tempfile::tempdir().unwrap();
    let header: Line<'_> = &["姓名", "身份证号码", "医疗类别", "入院日期", "总费用", "自付"];
    let of = |total: &str, own: &str, anyway| {
        let row: Line<'_> = &["周长根", NUMBER, "住院", "2024-02-01", total, own];
        send(&county, dir.path(), (Kind::Medical, anyway), &[&["明细"], header, row]).0
    };
    for (total, own) in [("5", "3"), ("99.9", "60"), ("500000000", "1")] {
        assert_eq!(of(total, own, false), Err("amounts_unlikely"), "{total}");
    }
    assert_eq!(county.import("医保局", ImportCommand::List).unwrap(), serde_json::json!([]));
    let (_, zh, en) = refused(&county, dir.path().join("list.xlsx"), Kind::Medical);
    assert!(zh.contains("500000000 元") && en.contains("--anyway"), "{zh} {en}");
    assert_eq!(of("5", "3", true).unwrap()["matched"], 1, "whoever insists");
    let header: Line<'_> =
        &["姓名", "身份证号码", "医疗类别", "入院日期", "总费用(元)", "自付(元)"];
    let row: Line<'_> = &["周长根", NUMBER, "门诊", "2024-02-02", "85", "40"];
    let said = send(&county, dir.path(), (Kind::Medical, false), &[&["明细"], header, row]).0;
    assert_eq!(said.unwrap()["matched"], 1, "the list says that these are yuan");
    assert_eq!(of("100", "3", false).unwrap()["matched"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_the_web_is_no_workbook() {
    let (county, _li, _) = on_record(family()).await;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("list.xls");
    std::fs::write(&file, "<html><table><tr><td>姓名</td></tr></table></html>").unwrap();
    let (code, zh, en) = refused(&county, file, Kind::Medical);
    assert_eq!(code, "table_unreadable");
    assert!(zh.contains("另存为 .xlsx") && en.contains("save it as .xlsx"), "{zh} {en}");
}

/// Why the bureau's desk does not take a file: code, Chinese, English.
fn refused(county: &County, file: PathBuf, kind: Kind) -> (&'static str, String, String) {
    let command =
        ImportCommand::Department { file, kind, profile: None, report: None, anyway: false };
    let (settings, app) = (&county.server.settings, &county.server.app);
    let refused = Office { settings, app, by: "医保局" }.import(command, &|_, _, _| true);
    refused.unwrap_err().words()
}
