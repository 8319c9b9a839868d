//! One family, two cadres, no signal: how many records there are afterwards, and what becomes of a second
//! one that nobody could prevent.

use std::sync::Arc;

use wanhu_core::client::{FieldView, Ledger, RecordEdit};
use wanhu_core::document::duplicate::Likeness;
use wanhu_core::domain::authority::Role;
use wanhu_core::domain::checks::{Check, Finding};
use wanhu_core::domain::identity::check_character;
use wanhu_core::domain::ids::HouseholdId;
use wanhu_core::domain::schema::Schema;
use wanhu_core::domain::value::Value;
use wanhu_core::error::LedgerError;
use wanhu_core::store::listing::ListFilter;
use wanhu_tests::seeded::{Seeded, TestClock};
use wanhu_tests::township::{Phone, START_MS, Township};

const VILLAGE: u64 = 431_025_102_201;
const OTHER_VILLAGE: u64 = 431_025_102_202;
/// The standard's own example, a woman, and a man of the same day.
const WIFE: &str = "11010519491231002X";
const HEAD: &str = "110105194912310038";

fn world() -> (Township, Phone, Phone) {
    let mut rng = Seeded(1);
    let mut township = Township::new(&mut rng);
    let a = township.enrol(&mut rng, "li", &[VILLAGE], 0);
    let b = township.enrol(&mut rng, "wang", &[VILLAGE], 0);
    (township, a, b)
}

fn member(name: &str, relation: &str, number: &str) -> Vec<(String, Value)> {
    let mut fields = vec![("name", name), ("relation", relation)];
    if !number.is_empty() {
        fields.push(("identity_number", number));
    }
    fields.into_iter().map(|(field, text)| (field.to_owned(), text.into())).collect()
}

/// A record of 陈永昌, with his number where it was asked for.
fn record(head_number: &str) -> RecordEdit {
    RecordEdit { form: "household/1".into(), ..RecordEdit::default() }
        .set("basic", "head_name", "陈永昌")
        .row("members", member("陈永昌", "head", head_number))
}

fn listed(phone: &Phone) -> Vec<HouseholdId> {
    let rows = phone.ledger.list(&ListFilter::default(), None, 100).unwrap();
    rows.into_iter().map(|row| row.id).collect()
}

fn value(phone: &Phone, id: HouseholdId, field: &str) -> Option<Value> {
    let record = phone.ledger.show(id).unwrap();
    record.fields.into_iter().find(|shown| shown.key == field).map(|shown| shown.value)
}

#[test]
fn two_cadres_who_open_the_same_record_offline_open_one() {
    let (mut township, a, b) = world();
    let here = a.ledger.create_household(VILLAGE, record(HEAD)).unwrap();
    let with_wife = record(HEAD).row("members", member("文秀芬", "spouse", WIFE)).set(
        "class",
        "risk_level",
        "high",
    );
    let there = b.ledger.create_household(VILLAGE, with_wife).unwrap();
    assert_eq!(here, there);
    for phone in [&a, &b, &a] {
        assert_eq!(phone.sync(&mut township).unwrap().0.refused, 0);
    }
    for phone in [&a, &b] {
        assert_eq!(listed(phone), [here]);
        let shown = phone.ledger.show(here).unwrap();
        assert_eq!(shown.row.members, 2, "the head is one person, not two rows");
        assert_eq!(phone.ledger.conflicts(here).unwrap(), [], "who writes the same agrees");
        assert_eq!(shown.row.risk_level, "high");
    }
    assert_eq!(a.ledger.show(here).unwrap(), b.ledger.show(here).unwrap());
}

#[test]
fn a_record_that_is_on_the_phone_is_not_opened_twice() {
    let (mut township, a, b) = world();
    let id = a.ledger.create_household(VILLAGE, record(HEAD)).unwrap();
    a.sync(&mut township).unwrap();
    b.sync(&mut township).unwrap();
    let refused = b.ledger.create_household(VILLAGE, record(HEAD)).unwrap_err();
    assert_eq!(refused, LedgerError::AlreadyOnRecord { household: id.to_string() });
    assert_eq!(b.ledger.status().unwrap().pending, 0);
}

#[test]
fn a_member_entered_twice_is_one_row() {
    let (_, a, _) = world();
    let id = a.ledger.create_household(VILLAGE, record(HEAD)).unwrap();
    let wife = || RecordEdit::default().row("members", member("文秀芬", "spouse", WIFE));
    a.ledger.edit(id, &wife()).unwrap();
    assert_eq!(
        a.ledger.edit(id, &wife()).unwrap_err().code(),
        "invalid_input",
        "nothing to change"
    );
    assert_eq!(a.ledger.show(id).unwrap().row.members, 2);
}

#[test]
fn the_head_of_another_villages_household_goes_to_review_there() {
    let (mut township, a, _) = world();
    let mut rng = Seeded(9);
    let c = township.enrol(&mut rng, "zhou", &[OTHER_VILLAGE], 0);
    let id = a.ledger.create_household(VILLAGE, record(HEAD)).unwrap();
    a.sync(&mut township).unwrap();
    assert_eq!(c.ledger.create_household(OTHER_VILLAGE, record(HEAD)).unwrap(), id);
    assert_eq!(c.sync(&mut township).unwrap().0.refused, 1);
    assert_eq!(c.ledger.refused().unwrap().len(), 1, "what the cadre entered can be read");
    assert_eq!(listed(&c), [], "and another village's record is not on the phone");
    assert!(township.release_one(&mut rng).unwrap(), "its office can take it in");
}

#[test]
fn two_records_of_one_family_are_proposed_and_made_one_by_a_person() {
    let (mut township, a, b) = world();
    let first = a.ledger.create_household(VILLAGE, record("")).unwrap();
    let fuller = record("")
        .set("basic", "address", "上洞 3 组")
        .row("members", member("文秀芬", "spouse", WIFE));
    let second = b.ledger.create_household(VILLAGE, fuller).unwrap();
    assert_ne!(first, second, "nobody knew his number");
    b.ledger.record_visit(second, vec![("note".into(), "养牛六头".into())]).unwrap();
    for phone in [&a, &b, &a] {
        phone.sync(&mut township).unwrap();
    }
    let found = a.ledger.duplicates().unwrap();
    let [pair] = found[..] else { panic!("{found:?}") };
    assert_eq!(pair.likeness, Likeness::SameFamily);
    assert_eq!([pair.first, pair.second], [first.min(second), first.max(second)]);

    a.ledger.merge(first, second).unwrap();
    for phone in [&a, &b] {
        assert_eq!(phone.sync(&mut township).unwrap().0.refused, 0);
    }
    for phone in [&a, &b] {
        assert_eq!(listed(phone), [first]);
        let shown = phone.ledger.show(first).unwrap();
        assert_eq!(shown.row.members, 2);
        assert_eq!(value(phone, first, "address"), Some("上洞 3 组".into()));
        assert!(shown.fields.iter().any(|field| field.value == "养牛六头".into()));
        assert_eq!(value(phone, second, "merged_into"), Some(first.to_string().into()));
        assert_eq!(phone.ledger.show(second).unwrap().row.members, 2, "and nothing was deleted");
        assert_eq!(phone.ledger.duplicates().unwrap(), []);
        assert_eq!(phone.ledger.status().unwrap().households, 1);
    }
    let again = a.ledger.merge(first, second).unwrap_err();
    assert_eq!(again, LedgerError::invalid("duplicate", "merged_before"));
}

#[test]
fn what_is_written_in_a_record_while_it_is_merged_elsewhere_comes_over() {
    let (mut township, a, b) = world();
    let kept = a.ledger.create_household(VILLAGE, record("")).unwrap();
    let merged = a.ledger.create_household(VILLAGE, record(HEAD)).unwrap();
    a.sync(&mut township).unwrap();
    b.sync(&mut township).unwrap();
    b.ledger.record_visit(merged, vec![("note".into(), "走访时无信号".into())]).unwrap();
    a.ledger.merge(kept, merged).unwrap();
    for phone in [&a, &b, &a] {
        assert_eq!(phone.sync(&mut township).unwrap().0.refused, 0);
    }
    for phone in [&a, &b] {
        assert_eq!(phone.ledger.status().unwrap().pending, 0);
        assert_eq!(listed(phone), [kept]);
        let shown = phone.ledger.show(kept).unwrap();
        let visits = shown.fields.iter().filter(|field| field.value == "走访时无信号".into());
        assert_eq!(visits.count(), 1, "a visit nobody would find is a lost visit");
        assert_eq!(phone.ledger.duplicates().unwrap(), []);
    }
    // Who opens the head's record is led to the one that was kept.
    let again = b.ledger.create_household(VILLAGE, record(HEAD)).unwrap_err();
    assert_eq!(again, LedgerError::AlreadyOnRecord { household: kept.to_string() });
    // A third phone that knew nothing writes by the head's number, and its work comes over too.
    let c = township.enrol(&mut Seeded(8), "zhou", &[VILLAGE], 0);
    let address = record(HEAD).set("basic", "address", "上洞 3 组");
    assert_eq!(c.ledger.create_household(VILLAGE, address).unwrap(), merged);
    c.sync(&mut township).unwrap();
    a.sync(&mut township).unwrap();
    for phone in [&a, &c] {
        assert_eq!(listed(phone), [kept]);
        assert_eq!(value(phone, kept, "address"), Some("上洞 3 组".into()));
    }
}

#[test]
fn what_was_emptied_after_a_merge_stays_empty() {
    let (mut township, a, b) = world();
    let kept = a.ledger.create_household(VILLAGE, record("")).unwrap();
    let address = record("").set("basic", "address", "上洞 3 组");
    let merged = b.ledger.create_household(VILLAGE, address).unwrap();
    for phone in [&a, &b, &a] {
        phone.sync(&mut township).unwrap();
    }
    a.ledger.merge(kept, merged).unwrap();
    let mut emptied = RecordEdit::default().set("basic", "address", "");
    emptied.fields[0].value = None;
    a.ledger.edit(kept, &emptied).unwrap();
    for phone in [&a, &b, &a, &b] {
        phone.sync(&mut township).unwrap();
    }
    for phone in [&a, &b] {
        assert_eq!(value(phone, kept, "address"), None, "nobody fills it in again");
        assert_eq!(phone.ledger.duplicates().unwrap(), []);
    }
}

#[test]
fn one_person_in_two_records_is_found_and_namesakes_are_left_alone() {
    let (_, a, _) = world();
    let create = |edit| a.ledger.create_household(VILLAGE, edit).unwrap();
    let parents = create(record(HEAD).row("members", member("文秀芬", "spouse", WIFE)));
    let daughter = RecordEdit::default()
        .set("basic", "head_name", "陈小红")
        .row("members", member("陈小红", "head", ""))
        .row("members", member("文秀芬", "mother", WIFE));
    let daughter = create(daughter);
    // Another man of the same name, with wife and number of his own.
    let namesake = RecordEdit::default()
        .set("basic", "head_name", "陈永昌")
        .row("members", member("陈永昌", "head", "110105194912310054"))
        .row("members", member("李桂英", "spouse", ""));
    create(namesake);
    let found = a.ledger.duplicates().unwrap();
    let [pair] = found[..] else { panic!("{found:?}") };
    assert_eq!(pair.likeness, Likeness::SamePerson);
    assert_eq!([pair.first, pair.second], [parents.min(daughter), parents.max(daughter)]);
    // Once she has left one of the two, there is nothing to propose.
    let record = a.ledger.show(daughter).unwrap();
    let row = record.fields.iter().find(|field| field.value == WIFE.into()).unwrap();
    let key = row.key.replace("identity_number", "presence");
    a.ledger.edit(daughter, &RecordEdit::default().set("members", &key, "left")).unwrap();
    assert_eq!(a.ledger.duplicates().unwrap(), []);
}

#[test]
fn what_a_person_may_not_write_is_not_merged_away() {
    let mut rng = Seeded(3);
    let mut township = Township::new(&mut rng);
    let cadre = township.enrol(&mut rng, "li", &[VILLAGE], 0);
    let county = township.enrol_as(&mut rng, "zhao", Role::CountyOffice, &[431_025], 0);
    let first = cadre.ledger.create_household(VILLAGE, record("")).unwrap();
    let second = cadre.ledger.create_household(VILLAGE, record("")).unwrap();
    cadre.sync(&mut township).unwrap();
    county.sync(&mut township).unwrap();
    let decision = RecordEdit::default().set("case", "rule_version", "1");
    county.ledger.edit(second, &decision).unwrap();
    county.sync(&mut township).unwrap();
    cadre.sync(&mut township).unwrap();
    let refused = cadre.ledger.merge(first, second).unwrap_err();
    assert_eq!(refused.code(), "not_permitted");
    assert_eq!(cadre.ledger.status().unwrap().pending, 0, "nothing was saved by halves");
    cadre.ledger.merge(second, first).unwrap();
    assert_eq!(cadre.sync(&mut township).unwrap().0.refused, 0);
    assert_eq!(listed(&cadre), [second]);
}

/// Where else its people live, as the phone says when a household is saved: member's row and the other household.
fn elsewhere(ledger: &Ledger, id: HouseholdId) -> Vec<(String, String)> {
    let findings = ledger.checks(id).unwrap().into_iter();
    let findings = findings.filter(|finding| finding.check == Check::PersonElsewhere);
    findings.map(|Finding { subject, inputs, .. }| (subject, inputs[0].value.clone())).collect()
}

/// The wife's row in a record.
fn row_of_wife(ledger: &Ledger, id: HouseholdId) -> String {
    let fields = ledger.show(id).unwrap().fields;
    let number = |shown: &&FieldView| shown.key.ends_with(".identity_number");
    let hers = fields.iter().filter(number).find(|shown| shown.value == WIFE.into()).unwrap();
    hers.key.split_once('.').unwrap().0.to_owned()
}

/// Two households without a number of the head, both with the wife.
fn wife_in_two(ledger: &Ledger) -> [HouseholdId; 2] {
    let with_wife = |number: &str| record(number).row("members", member("文秀芬", "spouse", WIFE));
    let first = ledger.create_household(VILLAGE, with_wife(HEAD)).unwrap();
    [first, ledger.create_household(VILLAGE, with_wife("")).unwrap()]
}

#[test]
fn a_person_in_two_households_is_told_at_save_as_long_as_it_is_so() {
    let (mut township, a, b) = world();
    let [first, second] = wife_in_two(&a.ledger);
    let row = row_of_wife(&a.ledger, second);
    assert_eq!(elsewhere(&a.ledger, second), [(row.clone(), first.to_string())]);
    assert_eq!(elsewhere(&a.ledger, first), [(row.clone(), second.to_string())], "in both");
    a.sync(&mut township).unwrap();
    b.sync(&mut township).unwrap();
    assert_eq!(elsewhere(&b.ledger, first), elsewhere(&a.ledger, first), "also by a sync");

    let edit = |id, container: &str, key: &str, value: &str| {
        a.ledger.edit(id, &RecordEdit::default().set(container, key, value)).unwrap();
        [elsewhere(&a.ledger, first).len(), elsewhere(&a.ledger, second).len()]
    };
    let presence = format!("{row}.presence");
    assert_eq!(edit(first, "members", &presence, "left"), [0, 0], "she has moved out");
    assert_eq!(edit(first, "members", &presence, "present"), [1, 1]);
    for status in ["moved_away", "died_out", "erroneous"] {
        let known = Schema::base().code("household_status", status).is_some();
        assert!(known, "{status}");
        assert_eq!(edit(second, "basic", "status", status), [0, 0], "{status}");
        assert_eq!(edit(second, "basic", "status", "active"), [1, 1]);
    }
    a.ledger.merge(first, second).unwrap();
    assert_eq!(elsewhere(&a.ledger, first), []);
}

#[test]
fn who_lives_where_is_looked_up_among_thousands_and_never_read_again() {
    let (mut township, a, b) = world();
    for number in 0..2_000 {
        let number = format!("110105{}1231{:03}", 1950 + number / 1_000, number % 1_000);
        let number = format!("{number}{}", check_character(&number).unwrap());
        let edit = RecordEdit::default().row("members", member("甲", "head", &number));
        a.ledger.create_household(VILLAGE, edit).unwrap();
    }
    let [first, second] = wife_in_two(&a.ledger);
    while a.ledger.status().unwrap().pending > 0 {
        a.sync(&mut township).unwrap();
    }
    b.sync(&mut township).unwrap();
    for phone in [&a, &b] {
        assert_eq!(phone.ledger.status().unwrap().households, 2_002);
        let version = phone.ledger.version();
        assert_eq!(elsewhere(&phone.ledger, first)[0].1, second.to_string());
        assert_eq!(phone.ledger.version(), version, "the sync has looked at what it brought");
    }
    let unseen = a.ledger.with_store(|connection| {
        Ok(connection.query_row("SELECT count(*) FROM resident_due", [], |row| row.get(0))?)
    });
    assert_eq!(unseen, Ok(0), "a save looks at what it saves");
}

#[test]
fn a_file_of_before_is_read_once_to_know_who_lives_where() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("phone.sqlite");
    let open = || Ledger::open(&path, Arc::new(TestClock::at(START_MS)), Box::new(Seeded(3)));
    let ledger = open().unwrap();
    let [first, second] = wife_in_two(&ledger);
    ledger.close().unwrap();
    let before = "DROP INDEX listing_by_grid; ALTER TABLE listing DROP COLUMN grid;
                  DROP TRIGGER resident_is_due; DROP TABLE resident; DROP TABLE resident_due;
                  PRAGMA user_version = 3;";
    rusqlite::Connection::open(&path).unwrap().execute_batch(before).unwrap();
    let ledger = open().unwrap();
    assert_eq!(elsewhere(&ledger, first)[0].1, second.to_string());
    let version = ledger.version();
    assert_eq!(elsewhere(&ledger, second)[0].1, first.to_string());
    assert_eq!(ledger.version(), version, "read once");
}
