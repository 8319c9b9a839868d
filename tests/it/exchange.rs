//! The protocol over byte slices: what one exchange does, what it costs, what a cut at any byte leaves.

use wanhu_core::client::{RecordEdit, SyncSession};
use wanhu_core::domain::ids::HouseholdId;
use wanhu_core::error::LedgerError;
use wanhu_core::store::listing::ListFilter;
use wanhu_tests::seeded::Seeded;
use wanhu_tests::tally::Tally;
use wanhu_tests::township::{Cost, Fault, Phone, Township};

const VILLAGE: u64 = 431_025_102_201;
const OTHER_VILLAGE: u64 = 431_025_102_202;

fn head(name: &str) -> RecordEdit {
    RecordEdit { form: "household/1".into(), ..RecordEdit::default() }.set(
        "basic",
        "head_name",
        name,
    )
}

fn names(phone: &Phone) -> Vec<String> {
    let rows = phone.ledger.list(&ListFilter::default(), None, 100).unwrap();
    rows.into_iter().map(|row| row.head_name).collect()
}

fn world() -> (Seeded, Township, Phone, Phone) {
    let mut rng = Seeded(1);
    let mut township = Township::new(&mut rng);
    let a = township.enrol(&mut rng, "li", &[VILLAGE], 0);
    let b = township.enrol(&mut rng, "wang", &[VILLAGE], 0);
    (rng, township, a, b)
}

#[test]
fn a_record_travels_and_the_receipt_is_signed() {
    let (_, mut township, a, b) = world();
    a.ledger.create_household(VILLAGE, head("陈永昌")).unwrap();
    assert_eq!(a.ledger.status().unwrap().pending, 1);
    let (report, cost) = a.sync(&mut township).unwrap();
    assert_eq!((report.receipts, cost.requests), (1, 1));
    let status = a.ledger.status().unwrap();
    assert_eq!(status.pending, 0);
    assert!(status.last_receipt.is_some());
    let (report, cost) = b.sync(&mut township).unwrap();
    assert_eq!((report.received, cost.requests), (1, 1));
    assert_eq!(names(&b), ["陈永昌"]);
}

#[test]
fn both_values_of_a_field_reach_both_phones_and_are_settled() {
    let (_, mut township, a, b) = world();
    let id = a.ledger.create_household(VILLAGE, head("陈国建")).unwrap();
    a.sync(&mut township).unwrap();
    b.sync(&mut township).unwrap();
    let risk = |level: &str| RecordEdit::default().set("class", "risk_level", level);
    a.ledger.edit(id, &risk("high")).unwrap();
    b.ledger.edit(id, &risk("low")).unwrap();
    a.sync(&mut township).unwrap();
    b.sync(&mut township).unwrap();
    a.sync(&mut township).unwrap();
    assert_eq!(a.ledger.conflicts(id).unwrap(), b.ledger.conflicts(id).unwrap());
    let conflict = &a.ledger.conflicts(id).unwrap()[0];
    assert_eq!(conflict.values.len(), 2);
    assert_eq!(conflict.values.iter().filter(|v| v.stamp.account == "li").count(), 1);
    let seen = b.ledger.conflicts(id).unwrap().remove(0);
    b.ledger.settle(&seen, 0).unwrap();
    assert!(
        matches!(b.ledger.settle(&seen, 1), Err(LedgerError::NotFound { .. })),
        "not seen any more"
    );
    b.sync(&mut township).unwrap();
    a.sync(&mut township).unwrap();
    assert!(a.ledger.conflicts(id).unwrap().is_empty());
    assert_eq!(a.ledger.show(id).unwrap(), b.ledger.show(id).unwrap());
}

#[test]
fn nothing_new_costs_little() {
    let (_, mut township, a, _) = world();
    for number in 0..40 {
        a.ledger.create_household(VILLAGE, head(&format!("户{number}"))).unwrap();
    }
    a.sync(&mut township).unwrap();
    let (_, cost) = a.sync(&mut township).unwrap();
    assert_eq!(cost.requests, 1);
    assert!(cost.up_bytes + cost.down_bytes <= 180, "{cost:?}");
}

#[test]
fn a_new_phone_reads_a_pack_and_resumes_it() {
    let (mut rng, mut township, a, _) = world();
    let filler = "生产生活条件改善".repeat(12);
    for number in 0..300 {
        let edit =
            head(&format!("户{number}")).set("basic", "address", format!("{filler}{number}"));
        a.ledger.create_household(VILLAGE, edit).unwrap();
    }
    a.sync(&mut township).unwrap();
    township.build_packs();
    a.ledger.create_household(VILLAGE, head("后来")).unwrap();
    a.sync(&mut township).unwrap();
    let whole = township.enrol(&mut rng, "zhao", &[VILLAGE], 0);
    let (report, cost) = whole.sync(&mut township).unwrap();
    assert_eq!((report.received, cost.requests), (301, 1));
    let cut = township.enrol(&mut rng, "sun", &[VILLAGE], 0);
    let (mut session, mut total, mut tries) = (SyncSession::default(), Cost::default(), 0);
    loop {
        tries += 1;
        let fault = Fault { answer_bytes: Some(6_000), ..Fault::default() };
        match cut.exchange(&mut township, &mut session, fault, &mut total) {
            Ok(Some(_)) => break,
            Ok(None) => {}
            Err(error) => assert_eq!(error.code(), "offline"),
        }
        assert!(tries < 100, "a cut sync must get on");
    }
    assert!(tries > 2, "the line was meant to cut");
    assert_eq!(cut.ledger.status().unwrap().households, 301);
}

#[test]
fn a_cut_after_every_byte_changes_nothing_about_the_result() {
    let tally =
        Tally::begin("R5", "connection cut after every byte of an exchange, both directions");
    // One exchange with everything in it: a push, receipts, changes of others, a refusal-free end.
    let build = || {
        let (rng, mut township, a, b) = world();
        let shared = a.ledger.create_household(VILLAGE, head("共同")).unwrap();
        a.sync(&mut township).unwrap();
        b.sync(&mut township).unwrap();
        a.ledger.edit(shared, &head("甲改")).unwrap();
        a.ledger.create_household(VILLAGE, head("甲户")).unwrap();
        a.sync(&mut township).unwrap();
        b.ledger.edit(shared, &head("乙改")).unwrap();
        b.ledger.create_household(VILLAGE, head("乙户")).unwrap();
        (rng, township, a, b)
    };
    let (_, mut township, _, b) = build();
    let mut clean = Cost::default();
    b.exchange(&mut township, &mut SyncSession::default(), Fault::default(), &mut clean).unwrap();
    let expected = names(&b);
    let all = clean.up_bytes + clean.down_bytes;
    for cut in 0..all {
        let (_, mut township, a, b) = build();
        let cut = usize::try_from(cut).unwrap();
        let up = usize::try_from(clean.up_bytes).unwrap();
        let fault = if cut < up {
            Fault { request_bytes: Some(cut), answer_bytes: None }
        } else {
            Fault { request_bytes: None, answer_bytes: Some(cut - up) }
        };
        let mut session = SyncSession::default();
        let mut cost = Cost::default();
        let outcome = b.exchange(&mut township, &mut session, fault, &mut cost);
        assert!(outcome.is_err(), "cut after byte {cut} went unnoticed");
        while b
            .exchange(&mut township, &mut session, Fault::default(), &mut cost)
            .unwrap()
            .is_none()
        {}
        assert_eq!(b.ledger.status().unwrap().pending, 0, "cut after byte {cut}");
        assert_eq!(names(&b), expected, "cut after byte {cut}");
        a.sync(&mut township).unwrap();
        assert_eq!(names(&a), expected, "cut after byte {cut}");
    }
    tally.passed(&format!("{all} cuts"));
}

#[test]
fn a_household_that_moves_leaves_one_phone_and_reaches_the_other() {
    let (mut rng, mut township, a, _) = world();
    let there = township.enrol(&mut rng, "zhou", &[OTHER_VILLAGE], 0);
    let id = a.ledger.create_household(VILLAGE, head("胡甫武")).unwrap();
    a.sync(&mut township).unwrap();
    township.move_household(id, OTHER_VILLAGE).unwrap();
    a.ledger.edit(id, &head("迟到的改动")).unwrap();
    let (report, _) = a.sync(&mut township).unwrap();
    assert_eq!((report.refused, report.left), (1, 1));
    assert!(names(&a).is_empty());
    assert_eq!(a.ledger.refused().unwrap()[0].fields[0].value, Some("迟到的改动".into()));
    there.sync(&mut township).unwrap();
    assert_eq!(names(&there), ["胡甫武"]);
    let kept: i64 = township
        .connection
        .query_row("SELECT count(*) FROM quarantine", [], |row| row.get(0))
        .unwrap();
    assert_eq!(kept, 1, "the late edit waits for review");
}

#[test]
fn a_lost_area_is_forgotten_after_its_work_was_handed_in() {
    let (_, mut township, a, _) = world();
    a.ledger.create_household(VILLAGE, head("甲")).unwrap();
    a.sync(&mut township).unwrap();
    township.sender(a.device).areas = vec![OTHER_VILLAGE];
    a.ledger.create_household(VILLAGE, head("未送")).unwrap();
    let (report, _) = a.sync(&mut township).unwrap();
    assert_eq!(report.refused, 1);
    assert!(names(&a).is_empty());
    assert_eq!(a.ledger.refused().unwrap().len(), 1);
}

#[test]
fn a_restored_server_gets_back_what_it_lost() {
    let (mut rng, mut township, a, b) = world();
    let id = a.ledger.create_household(VILLAGE, head("甲")).unwrap();
    a.sync(&mut township).unwrap();
    b.sync(&mut township).unwrap();
    let backup = township.backup();
    a.ledger.edit(id, &head("甲二")).unwrap();
    a.ledger.create_household(VILLAGE, head("乙")).unwrap();
    a.sync(&mut township).unwrap();
    b.sync(&mut township).unwrap();
    township.restore(backup, &mut rng);
    // Phone a is broken; b alone holds what a sent after the backup.
    let (_, cost) = b.sync(&mut township).unwrap();
    assert!(cost.requests <= 4, "{cost:?}");
    let c = township.enrol(&mut rng, "new", &[VILLAGE], 0);
    c.sync(&mut township).unwrap();
    assert_eq!(names(&c), names(&b));
    assert_eq!(names(&c).len(), 2);
    a.sync(&mut township).unwrap();
    assert_eq!(names(&a), names(&b));
}

#[test]
fn a_phone_that_lost_its_own_changes_gets_them_back() {
    let (mut rng, mut township, a, _) = world();
    a.ledger.create_household(VILLAGE, head("甲")).unwrap();
    a.sync(&mut township).unwrap();
    // The same device with an empty ledger, as after a restore of the phone.
    let fresh = township.enrol(&mut rng, "li", &[VILLAGE], 0);
    let enrolment = a.ledger.enrolment().unwrap().unwrap();
    fresh.ledger.set_enrolment(&enrolment).unwrap();
    fresh.sync(&mut township).unwrap();
    assert_eq!(names(&fresh), ["甲"]);
}

#[test]
fn a_replica_that_went_astray_is_repaired_by_itself() {
    let (_, mut township, a, b) = world();
    for number in 0..40 {
        a.ledger.create_household(VILLAGE, head(&format!("户{number}"))).unwrap();
    }
    a.sync(&mut township).unwrap();
    b.sync(&mut township).unwrap();
    // A household vanished from the file, as after a restore of an older copy.
    b.ledger
        .with_store(|c| Ok(c.execute("DELETE FROM household WHERE n IN (3, 17)", [])?))
        .unwrap();
    let (_, cost) = b.sync(&mut township).unwrap();
    assert!(cost.requests <= 4, "{cost:?}");
    assert_eq!(names(&b), names(&a));
    // The position was lost.
    b.ledger.with_store(|c| Ok(c.execute("UPDATE cursor SET chain = zeroblob(32)", [])?)).unwrap();
    let (_, cost) = b.sync(&mut township).unwrap();
    assert!(cost.requests <= 4, "{cost:?}");
    let (_, cost) = b.sync(&mut township).unwrap();
    assert_eq!(cost.requests, 1, "the repair lasts");
}

#[test]
fn a_lost_position_among_many_costs_little() {
    let (_, mut township, a, b) = world();
    for number in 0..2_000 {
        a.ledger.create_household(VILLAGE, head(&format!("户{number}"))).unwrap();
    }
    a.sync(&mut township).unwrap();
    b.sync(&mut township).unwrap();
    b.ledger.with_store(|c| Ok(c.execute("UPDATE cursor SET chain = zeroblob(32)", [])?)).unwrap();
    let (_, cost) = b.sync(&mut township).unwrap();
    assert!(cost.up_bytes + cost.down_bytes < 4_000, "{cost:?}");
}

#[test]
fn fifty_edits_of_three_fields_stay_small() {
    let (_, mut township, a, _) = world();
    let ids: Vec<_> = (0..50)
        .map(|number| a.ledger.create_household(VILLAGE, head(&format!("户{number}"))).unwrap())
        .collect();
    a.sync(&mut township).unwrap();
    for (number, id) in ids.into_iter().enumerate() {
        let edit = RecordEdit { form: "household/1".into(), ..RecordEdit::default() }
            .set("income", "wage_fen", 10_000 * i64::try_from(number).unwrap() + 700)
            .set("class", "risk_level", "high")
            .set("basic", "natural_village", format!("组{number}"));
        a.ledger.edit(id, &edit).unwrap();
    }
    let (_, cost) = a.sync(&mut township).unwrap();
    assert!(cost.up_bytes + cost.down_bytes <= 1_500, "{cost:?}");
}

#[test]
fn unknown_households_are_not_found() {
    let (_, _, a, _) = world();
    let nobody = HouseholdId([9; 16]);
    assert_eq!(a.ledger.show(nobody).unwrap_err().code(), "not_found");
}

#[test]
fn a_copied_phone_becomes_a_phone_of_its_own_and_both_values_stay() {
    let (mut rng, mut township, a, b) = world();
    let id = a.ledger.create_household(VILLAGE, head("陈永昌")).unwrap();
    a.sync(&mut township).unwrap();
    let copy = a.copy(&mut rng);
    let grid = |name: &str| RecordEdit::default().set("basic", "grid", name);
    a.ledger.edit(id, &grid("一网格")).unwrap();
    copy.ledger.edit(id, &grid("二网格")).unwrap();
    copy.ledger.record_visit(id, vec![("note".into(), "化疗结束".into())]).unwrap();
    assert_eq!(a.ledger.actor(), copy.ledger.actor());
    for phone in [&a, &copy, &a, &copy, &b] {
        phone.sync(&mut township).unwrap();
    }
    assert_ne!(a.ledger.actor(), copy.ledger.actor());
    for phone in [&a, &copy, &b] {
        let status = phone.ledger.status().unwrap();
        assert_eq!((status.pending, status.refused), (0, 0));
        assert_eq!(phone.ledger.show(id).unwrap(), b.ledger.show(id).unwrap());
        let conflicts = phone.ledger.conflicts(id).unwrap();
        assert_eq!((conflicts.len(), conflicts[0].values.len()), (1, 2));
    }
    // From now on they do not get into each other's way.
    a.ledger.edit(id, &RecordEdit::default().set("basic", "address", "新屋场")).unwrap();
    copy.ledger.edit(id, &RecordEdit::default().set("basic", "natural_village", "上村")).unwrap();
    for phone in [&a, &copy, &a] {
        phone.sync(&mut township).unwrap();
    }
    assert_eq!(a.ledger.show(id).unwrap(), copy.ledger.show(id).unwrap());
    assert_eq!(a.ledger.status().unwrap().refused + copy.ledger.status().unwrap().refused, 0);
}

#[test]
fn a_phone_put_back_to_an_older_state_gets_everything_again() {
    let (mut rng, mut township, a, _) = world();
    let id = a.ledger.create_household(VILLAGE, head("陈永昌")).unwrap();
    a.sync(&mut township).unwrap();
    let older = a.copy(&mut rng);
    a.ledger.record_visit(id, vec![("note".into(), "入户核实".into())]).unwrap();
    a.ledger.create_household(VILLAGE, head("陈国建")).unwrap();
    a.sync(&mut township).unwrap();
    let lost = a;
    older.ledger.record_visit(id, vec![("note".into(), "再次走访".into())]).unwrap();
    older.sync(&mut township).unwrap();
    older.sync(&mut township).unwrap();
    assert_eq!(names(&older), ["陈国建", "陈永昌"]);
    let notes: Vec<_> = older
        .ledger
        .show(id)
        .unwrap()
        .fields
        .into_iter()
        .filter(|field| field.key.ends_with(".note"))
        .map(|field| field.value)
        .collect();
    assert_eq!(notes.len(), 2);
    assert_eq!(older.ledger.status().unwrap().pending, 0);
    drop(lost);
}
