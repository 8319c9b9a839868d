//! Cadres without signal who merge the same records in different directions: one of the records stands afterwards, on every
//! phone and at the office, with what was written in any of them.

use rusqlite::Transaction;
use wanhu_core::client::RecordEdit;
use wanhu_core::document::change::Change;
use wanhu_core::document::draft::{FieldEdit, Origin, draft};
use wanhu_core::document::genesis::ContainerIndex;
use wanhu_core::domain::ids::{ActorId, HouseholdId};
use wanhu_core::error::LedgerError;
use wanhu_core::store::listing::ListFilter;
use wanhu_core::sync::admission::{Provenance, RecordLog};
use wanhu_server::storage::SqliteLog;
use wanhu_tests::seeded::Seeded;
use wanhu_tests::township::{Phone, START_MS, Township};

const VILLAGE: u64 = 431_025_102_201;
const NOTE: &str = "走访时无信号";

fn family() -> RecordEdit {
    RecordEdit { form: "household/1".into(), ..RecordEdit::default() }
        .set("basic", "head_name", "陈永昌")
        .row("members", vec![("name".to_owned(), "陈永昌".into())])
}

/// So many records of one family, on every phone.
fn world<const RECORDS: usize>(names: &[&str]) -> (Township, Vec<Phone>, [HouseholdId; RECORDS]) {
    let mut rng = Seeded(1);
    let mut township = Township::new(&mut rng);
    let phones: Vec<Phone> =
        names.iter().map(|name| township.enrol(&mut rng, name, &[VILLAGE], 0)).collect();
    let records =
        [(); RECORDS].map(|()| phones[0].ledger.create_household(VILLAGE, family()).unwrap());
    for phone in &phones {
        phone.sync(&mut township).unwrap();
    }
    (township, phones, records)
}

fn listed(phone: &Phone) -> Vec<HouseholdId> {
    let rows = phone.ledger.list(&ListFilter::default(), None, 100).unwrap();
    rows.into_iter().map(|row| row.id).collect()
}

/// The one record that stands on every phone; with the visit in it.
fn standing(township: &mut Township, phones: &[Phone]) -> HouseholdId {
    for phone in phones.iter().chain(phones).chain(phones) {
        phone.sync(township).unwrap();
    }
    let all: Vec<_> = phones.iter().map(listed).collect();
    let [kept] = all[0][..] else { panic!("{all:?}") };
    for phone in phones {
        assert_eq!(listed(phone), [kept]);
        assert_eq!(phone.ledger.status().unwrap().pending, 0);
        assert_eq!(phone.ledger.duplicates().unwrap(), []);
        let fields = phone.ledger.show(kept).unwrap().fields;
        assert_eq!(fields.iter().filter(|field| field.value == NOTE.into()).count(), 1);
    }
    kept
}

fn visit(phone: &Phone, id: HouseholdId) {
    phone.ledger.record_visit(id, vec![("note".into(), NOTE.into())]).unwrap();
}

#[test]
fn of_two_merges_in_opposite_directions_the_first_to_arrive_stands_and_the_other_is_told() {
    for first in [0, 1] {
        let (mut township, phones, [one, other]) = world(&["li", "wang"]);
        visit(&phones[0], one);
        phones[0].ledger.merge(other, one).unwrap();
        phones[1].ledger.merge(one, other).unwrap();
        assert_eq!(phones[first].sync(&mut township).unwrap().0.refused, 0);
        assert_eq!(phones[1 - first].sync(&mut township).unwrap().0.refused, 1);
        let refused = phones[1 - first].ledger.refused().unwrap();
        let [refused] = &refused[..] else { panic!("{refused:?}") };
        assert_eq!((&*refused.code, &*refused.subject), ("merged_away", "basic.merged_into"));
        // Made anew it would be refused anew.
        let again = phones[1 - first].ledger.reauthor(refused.n).unwrap_err();
        assert_eq!(again, LedgerError::invalid("merged_into", "leads_nowhere"));
        assert_eq!(standing(&mut township, &phones), [other, one][first]);
        // An office reads the same reason, and does not let it in by hand either.
        assert_eq!(township.waiting().unwrap()[0].told(), "merged_away");
        assert!(!township.release_one(&mut Seeded(7)).unwrap());
    }
}

#[test]
fn three_merges_that_would_close_a_circle_leave_one_record() {
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
        let (mut township, phones, records) = world::<3>(&["li", "wang", "zhou"]);
        visit(&phones[1], records[1]);
        for (place, phone) in phones.iter().enumerate() {
            phone.ledger.merge(records[(place + 1) % 3], records[place]).unwrap();
        }
        let refused = order.map(|place| phones[place].sync(&mut township).unwrap().0.refused);
        assert_eq!(refused, [0, 0, 1], "a chain is well, a circle is not");
        assert_eq!(standing(&mut township, &phones), records[order[2]]);
    }
}

#[test]
fn nobody_marks_a_record_as_merged_into_none_that_stands() {
    let (mut township, phones, [one, other]) = world(&["li"]);
    let ledger = &phones[0].ledger;
    let nowhere = LedgerError::invalid("merged_into", "leads_nowhere");
    let marked = |into: &str| {
        let edit = RecordEdit::default().set("basic", "status", "merged");
        if into.is_empty() { edit } else { edit.set("basic", "merged_into", into) }
    };
    assert_eq!(ledger.edit(one, &marked("")).unwrap_err(), nowhere);
    assert_eq!(ledger.edit(one, &marked(&one.to_string())).unwrap_err(), nowhere);
    // Of what lies elsewhere the phone knows nothing, but the server does.
    ledger.edit(one, &marked(&HouseholdId([7; 16]).to_string())).unwrap();
    assert_eq!(phones[0].sync(&mut township).unwrap().0.refused, 1);
    assert_eq!(listed(&phones[0]).len(), 2);
    ledger.edit(one, &marked(&other.to_string())).unwrap();
    assert_eq!(ledger.edit(other, &marked(&one.to_string())).unwrap_err(), nowhere);
    assert_eq!(phones[0].sync(&mut township).unwrap().0.refused, 0);
    assert_eq!(listed(&phones[0]), [other]);
}

/// Marks two records as merged into each other, as a server of an earlier release took it.
pub(super) fn close(transaction: &Transaction<'_>, one: HouseholdId, other: HouseholdId) {
    mark(transaction, one, other);
    mark(transaction, other, one);
}

fn mark(transaction: &Transaction<'_>, id: HouseholdId, into: HouseholdId) {
    let into = into.to_string();
    put_unasked(transaction, id, "basic", &[("status", "merged"), ("merged_into", &into)]);
}

/// Puts fields on record that nobody may write any more, as releases of before did.
pub(super) fn put_unasked(
    transaction: &Transaction<'_>,
    id: HouseholdId,
    container: &str,
    fields: &[(&str, &str)],
) {
    let mut log = SqliteLog::new(transaction, START_MS);
    let mut household = log.find(id).unwrap().unwrap();
    let container = ContainerIndex::of(container).unwrap();
    let set = |(key, value): &(&str, &str)| FieldEdit {
        container,
        key: (*key).to_owned(),
        value: Some((*value).into()),
    };
    let edits: Vec<_> = fields.iter().map(set).collect();
    let origin = Origin { actor: ActorId([9; 16]), time_ms: START_MS, message: String::new() };
    let raw = draft(&household.fold, &edits, &origin).unwrap();
    let change = Change::decode(&raw).unwrap();
    let provenance = Provenance { device: 0, outbox: 0, received_ms: START_MS, rule_set: 3 };
    log.append(&mut household, &raw, &change, &provenance).unwrap();
    log.save(&household).unwrap();
}

#[test]
fn records_that_were_merged_into_each_other_before_come_to_sight_again() {
    let (mut township, phones, [one, other]) = world(&["li", "wang"]);
    // Not sent yet, in the one that will not stand.
    visit(&phones[0], one.max(other));
    let transaction = township.connection.transaction().unwrap();
    close(&transaction, one, other);
    transaction.commit().unwrap();
    assert_eq!(standing(&mut township, &phones), one.min(other), "the same one on every phone");
}
