//! One stay in hospital, told of twice: settled again after the insurance for serious illness, or written down by the cadre
//! before the bureau told of it.

use wanhu_server::admin::WarnArguments;

use super::withdrawn::{Scene, number, scene};
use super::*;

/// A stay of the head of the family: what was paid of 80,000 yuan.
fn stay(own: &'static str) -> [&'static str; 6] {
    ["周长根", NUMBER, "2024-02-01", "80000", own, "住院"]
}

impl Scene {
    /// Delivers a file with the stay.
    fn settled(&self, own: &'static str) -> Json {
        self.bills(own, &[&stay(own)])
    }

    /// What each bill on record says was paid, in yuan, and whether it was taken back.
    async fn on_record(&self) -> Vec<(i64, bool)> {
        sync(&self.li).await;
        let fields = self.li.show(self.id).unwrap().fields;
        let value = |row: &str, field: &str| {
            let key = format!("{row}.{field}");
            let known = fields.iter().find(|f| f.container == "spending" && f.key == key);
            known.map(|known| known.value.clone())
        };
        let bills = fields.iter().filter(|f| f.container == "spending");
        let rows = bills.filter_map(|f| f.key.strip_suffix(".self_pay_fen"));
        let told = rows.map(|row| {
            let paid = value(row, "self_pay_fen").unwrap().as_int().unwrap() / 100;
            (paid, value(row, "withdrawn").and_then(|v| v.as_bool()).unwrap_or_default())
        });
        let mut told: Vec<_> = told.collect();
        told.sort_unstable();
        told
    }

    /// Rules and figures in yuan of the warnings that wait for an answer.
    async fn figures(&self) -> Vec<(String, i64)> {
        let asked = self.asked().await.into_iter();
        asked.map(|(rule, fen, _)| (rule, fen / 100)).collect()
    }

    fn replays_alike(&self) -> bool {
        let asked = AdminCommand::Replay { household: self.id, warning: None };
        let told = self.county.office("县局", asked).unwrap();
        told.as_array().unwrap().iter().all(|warning| warning["replay"] == "alike")
    }

    fn member(&self) -> String {
        let fields = self.li.show(self.id).unwrap().fields;
        let name = fields.iter().find(|f| f.container == "members" && f.key.ends_with(".name"));
        name.unwrap().key.trim_end_matches(".name").to_owned()
    }

    /// The cadre writes down the stay.
    async fn write_down(&self, more: &[&str]) {
        let member = format!("spending.member={}", self.member());
        let known = ["spending.kind=医疗", "spending.inpatient=是", "spending.from=2024-02-01"];
        self.li.edit(self.id, &typed(&[&known[..], &[&member], more].concat())).unwrap();
        sync(&self.li).await;
    }
}

const LIFTED: &str = "medical-self-pay-lifted";

fn warned(yuan: i64) -> Vec<(String, i64)> {
    vec![(LIFTED.to_owned(), yuan)]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stay_settled_again_counts_once() {
    let scene = scene().await;
    assert_eq!(scene.settled("3000")["warned"], 0);
    let again = scene.settled("2500");
    assert_eq!(
        (&again["matched"], &again["warned"]),
        (&1.into(), &0.into()),
        "2,500 yuan, not 5,500"
    );
    assert_eq!((scene.figures().await, scene.on_record().await), (vec![], vec![]));
    // Another stay, and the three are two.
    let other: Line<'_> = &["周长根", NUMBER, "2024-02-20", "9000", "2600", "住院"];
    assert_eq!(scene.bills("other", &[other])["warned"], 1);
    assert_eq!(scene.figures().await, warned(5_100));
    assert_eq!(scene.on_record().await, [(2_500, false), (2_600, false)]);
    assert!(scene.replays_alike());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_warned_of_goes_with_the_bill_that_was_settled_again() {
    let scene = scene().await;
    let first = scene.settled("6000");
    assert_eq!(scene.figures().await, warned(6_000));
    let again = scene.settled("2500");
    assert_eq!((&again["warned"], &again["settled_anew"]), (&0.into(), &1.into()));
    assert_eq!(again["filled_in"], 0);
    assert_eq!(scene.figures().await, []);
    assert_eq!(scene.on_record().await, [(2_500, false), (6_000, true)]);
    // The second file was wrong: the first one counts again.
    assert_eq!(scene.withdraw("医保局", &again), [""; 0]);
    assert_eq!(scene.asked().await, [(LIFTED.to_owned(), 600_000, number(&first))]);
    assert_eq!(
        scene.on_record().await,
        [(2_500, true), (6_000, false), (6_000, true)],
        "and nothing is erased"
    );
    // And nobody hears of it who has withdrawn both.
    scene.withdraw("医保局", &first);
    assert_eq!(scene.figures().await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_still_fires_waits_for_one_answer_with_the_later_figure() {
    let scene = scene().await;
    scene.settled("7000");
    let again = scene.settled("6000");
    assert_eq!((&again["warned"], &again["settled_anew"]), (&1.into(), &1.into()));
    assert_eq!(scene.figures().await, warned(6_000));
    assert!(scene.replays_alike());
    // A third settlement takes the place of the second.
    assert_eq!(scene.settled("5500")["settled_anew"], 1);
    assert_eq!(scene.figures().await, warned(5_500));
    let bills = [(5_500, false), (6_000, true), (7_000, true)];
    assert_eq!(scene.on_record().await, bills);
    let same = scene.settled("5500");
    assert_eq!((&same["warned"], &same["settled_anew"]), (&0.into(), &0.into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_is_answered_for_the_later_settlement_too() {
    let scene = scene().await;
    scene.settled("7000");
    sync(&scene.li).await;
    let tasks = scene.li.tasks().unwrap();
    let asked = tasks.iter().find(|task| task.task.kind == TaskKind::AnswerWarning).unwrap();
    let row = asked.task.subject.clone();
    let answer = [("answer", "无风险"), ("answered_on", "2024-03-04")];
    let answer = answer.map(|(field, value)| format!("warnings.{row}.{field}={value}"));
    scene.li.edit(scene.id, &typed(&answer.each_ref().map(String::as_str))).unwrap();
    sync(&scene.li).await;
    let again = scene.settled("6000");
    assert_eq!((&again["warned"], &again["settled_anew"]), (&0.into(), &1.into()));
    let office = WarnArguments { area: None, preview: false, rows: 20 };
    let told = scene.county.office("县局", AdminCommand::Warn(office)).unwrap();
    assert_eq!(told["warned"], 0, "nor does the record tell of it");
    assert_eq!((scene.figures().await, scene.replays_alike()), (vec![], true));
    assert_eq!(scene.li.warnings(scene.id).unwrap(), [], "nor the phone");
    // The second file was wrong: the first bill is on record again, and nobody is asked about it once more.
    scene.withdraw("医保局", &again);
    assert_eq!(scene.figures().await, []);
    assert_eq!(scene.on_record().await, [(6_000, true), (7_000, false), (7_000, true)]);
    // Another stay that is too much by itself is heard of.
    let other: Line<'_> = &["周长根", NUMBER, "2024-02-20", "9000", "5200", "住院"];
    assert_eq!(scene.bills("other", &[other])["warned"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_visits_of_one_day_are_two() {
    let scene = scene().await;
    let visits: [Line<'_>; 2] = [&stay("3000"), &stay("2500")];
    let told = scene.bills("visits", &visits);
    assert_eq!((&told["warned"], &told["settled_anew"]), (&1.into(), &0.into()));
    assert_eq!(scene.figures().await, warned(5_500));
    // Of these one is settled again.
    scene.settled("2400");
    let standing = scene.on_record().await.into_iter().filter(|(_, is_gone)| !is_gone);
    assert_eq!(standing.count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_cadre_wrote_down_is_not_added_up_with_the_bureaus_row_for_it() {
    let same_total = ["spending.total_fen=8000000", "spending.self_pay_fen=310000"];
    for paid in [&same_total[..], &["spending.self_pay_fen=300000"]] {
        let scene = scene().await;
        scene.write_down(paid).await;
        let told = scene.settled("3000");
        assert_eq!((&told["matched"], &told["warned"]), (&1.into(), &0.into()), "{paid:?}");
        assert_eq!(scene.on_record().await.len(), 1);
        // It stands for one bill of that day and for no other.
        let other: Line<'_> = &["周长根", NUMBER, "2024-02-01", "9000", "3000", "住院"];
        assert_eq!(scene.bills("other", &[other])["warned"], 1);
        assert_eq!(scene.on_record().await.len(), 2);
        assert!(scene.replays_alike());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_for_a_bill_by_hand_is_answered_for_the_bureaus_row() {
    let scene = scene().await;
    scene.write_down(&["spending.self_pay_fen=600000"]).await;
    let office = || AdminCommand::Warn(WarnArguments { area: None, preview: false, rows: 20 });
    assert_eq!(scene.county.office("县局", office()).unwrap()["warned"], 1);
    assert_eq!(scene.settled("6000")["warned"], 0);
    assert_eq!(scene.county.office("县局", office()).unwrap()["warned"], 0);
    assert_eq!(scene.on_record().await, [(6_000, false)]);
}
