//! The document layer against automerge itself as the oracle: whatever the order of delivery, the fold
//! shows what automerge shows, and nothing concurrent is lost.

use std::collections::BTreeMap;

use automerge::{Automerge, ReadDoc};
use proptest::prelude::*;

use super::DocumentError;
use super::change::{Change, FieldOp, KEY_BYTES_MAX, OPS_MAX};
use super::draft::{FieldEdit, Origin, draft};
use super::fold::Fold;
use super::genesis::{ContainerIndex, genesis};
use super::raw::RawChange;
use crate::domain::ids::ActorId;
use crate::domain::value::Value;

mod oracle;

use oracle::value_of;

fn actor(number: u8) -> ActorId {
    ActorId([number; 16])
}

fn origin(number: u8) -> Origin {
    Origin { actor: actor(number), time_ms: 1_700_000_000_000, message: "a\u{1f}李".into() }
}

fn edit(container: &str, key: &str, value: Option<Value>) -> FieldEdit {
    FieldEdit { container: ContainerIndex::of(container).unwrap(), key: key.into(), value }
}

/// A replica that keeps its changes, as a phone does.
#[derive(Clone, Default)]
struct Replica {
    fold: Fold,
    changes: Vec<(RawChange, Change)>,
}

impl Replica {
    fn save(&mut self, number: u8, edits: &[FieldEdit]) {
        match draft(&self.fold, edits, &origin(number)) {
            Ok(raw) => self.take(raw),
            Err(error) => assert_eq!(error, DocumentError::Empty),
        }
    }

    fn take(&mut self, raw: RawChange) {
        let change = Change::decode(&raw).unwrap();
        if self.changes.iter().all(|(_, held)| held.hash != change.hash) {
            self.fold.apply(&change);
            self.changes.push((raw, change));
        }
    }

    /// Takes all changes of `other` that it lacks, in `other`'s order.
    fn pull(&mut self, other: &Self) {
        other.changes.iter().for_each(|(raw, _)| self.take(raw.clone()));
    }
}

fn automerge_of(changes: &[(RawChange, Change)]) -> Automerge {
    let mut document = Automerge::new();
    let all = std::iter::once(&genesis().0).chain(changes.iter().map(|(raw, _)| raw));
    let parsed = all.map(|raw| automerge::Change::try_from(raw.chunk().as_slice()).unwrap());
    document.apply_changes(parsed).unwrap();
    document
}

type Shown = BTreeMap<(u8, String), Vec<Value>>;

fn shown_by_automerge(document: &Automerge) -> Shown {
    let mut shown = Shown::new();
    for container in ContainerIndex::all() {
        let (_, map) = document.get(automerge::ROOT, container.name()).unwrap().unwrap();
        for key in document.keys(&map) {
            let values = document.get_all(&map, key.as_str()).unwrap();
            let values = values.into_iter().map(|(v, _)| value_of(v.into_scalar().unwrap()));
            shown.insert((container.get(), key), values.collect());
        }
    }
    shown
}

fn shown_by_fold(fold: &Fold) -> Shown {
    fold.fields()
        .map(|(container, key, entries)| {
            let values = entries.iter().map(|entry| entry.value.clone()).collect();
            ((container.get(), key.to_owned()), values)
        })
        .collect()
}

fn heads_of(document: &mut Automerge) -> Vec<[u8; 32]> {
    document.get_heads().into_iter().map(|head| head.0).collect()
}

#[test]
fn genesis_is_frozen() {
    assert_eq!(
        genesis().1.to_string(),
        "25fbb187958a0edded0192bd8bd9bd370d46ae4b785c90c0c87360a73ffdefbd",
        "the genesis change may never change in any byte"
    );
}

#[test]
fn chunk_is_what_automerge_writes() {
    let mut replica = Replica::default();
    replica.save(1, &[edit("basic", "head_name", Some("陈永昌".into()))]);
    let (raw, change) = &replica.changes[0];
    let parsed = automerge::Change::try_from(raw.chunk().as_slice()).unwrap();
    assert_eq!(parsed.hash().0, change.hash.0);
    assert_eq!(parsed.raw_bytes(), raw.chunk());
    assert_eq!(RawChange::from_chunk(parsed.raw_bytes()).unwrap(), *raw);
    let (deps, tail) = raw.split().unwrap();
    assert_eq!(RawChange::join(&deps, tail).unwrap(), *raw);
}

#[test]
fn saving_what_is_shown_already_is_no_change() {
    let mut replica = Replica::default();
    replica.save(1, &[edit("class", "risk_level", Some("high".into()))]);
    replica.save(1, &[edit("class", "risk_level", Some("high".into()))]);
    assert_eq!(replica.changes.len(), 1);
}

#[test]
fn concurrent_values_are_kept_and_settled() {
    let (mut a, mut b) = (Replica::default(), Replica::default());
    a.save(1, &[edit("class", "risk_level", Some("high".into()))]);
    b.save(2, &[edit("class", "risk_level", Some("low".into()))]);
    a.pull(&b);
    b.pull(&a);
    assert_eq!(a.fold, b.fold);
    let conflicts: Vec<_> = a.fold.conflicts().collect();
    assert_eq!(conflicts.len(), 1);
    assert_eq!(conflicts[0].2.len(), 2);
    a.save(1, &[edit("class", "risk_level", Some("low".into()))]);
    assert_eq!(a.fold.conflicts().count(), 0, "choosing the shown value settles the conflict too");
}

#[test]
fn operations_outside_the_shape_are_refused() {
    use automerge::transaction::Transactable;
    let mut document = automerge_of(&[]);
    document.set_actor(automerge::ActorId::from(&[7u8; 16][..]));
    let mut transaction = document.transaction();
    transaction.put(automerge::ROOT, "basic", 1).unwrap();
    let (hash, _) = transaction.commit();
    let change = document.get_change_by_hash(&hash.unwrap()).unwrap();
    let raw = RawChange::from_chunk(change.raw_bytes()).unwrap();
    assert_eq!(Change::decode(&raw), Err(DocumentError::ForeignOperation));
}

#[test]
fn garbage_is_refused() {
    for length in 0..300usize {
        let body = (0..length).map(|i| u8::try_from(i * 37 % 256).unwrap()).collect();
        assert!(Change::decode(&RawChange::from_body(body).unwrap()).is_err());
    }
}

/// Predecessors have no order of their own.
fn sorted(mut change: Change) -> Change {
    change.ops.iter_mut().for_each(|op: &mut FieldOp| op.predecessors.sort_unstable());
    change
}

/// Bytes of a change that claims many rows with few bytes.
fn with_runs(rows: i64, key: &str) -> RawChange {
    let number = |out: &mut Vec<u8>, mut value: i64| loop {
        let low = (value & 0x7f).to_le_bytes()[0];
        value >>= 7;
        if (value == 0 && low & 0x40 == 0) || (value == -1 && low & 0x40 != 0) {
            return out.push(low);
        }
        out.push(low | 0x80);
    };
    let run = |value: &[u8]| {
        let mut column = Vec::new();
        number(&mut column, rows);
        column.extend_from_slice(value);
        column
    };
    let counted = || {
        let mut column = Vec::new();
        super::varint::put(&mut column, rows.unsigned_abs());
        column
    };
    let mut text = Vec::new();
    super::varint::put_bytes(&mut text, key.as_bytes());
    let columns = [
        (0x01, run(&[1])),
        (0x02, run(&[1])),
        (0x15, run(&text)),
        (0x34, counted()),
        (0x42, run(&[1])),
        (0x56, run(&[0])),
        (0x70, run(&[0])),
    ];
    let mut tail = vec![16];
    tail.extend([9; 16]);
    tail.extend([1, 19, 0, 0, 1, 16]);
    tail.extend(super::genesis::GENESIS_ACTOR.0);
    tail.push(7);
    for (number, column) in &columns {
        tail.push(*number);
        super::varint::put(&mut tail, column.len() as u64);
    }
    columns.iter().for_each(|(_, column)| tail.extend(column));
    RawChange::join(&[genesis().1], &tail).unwrap()
}

#[test]
fn a_short_change_cannot_claim_endless_operations() {
    let fits = i64::try_from(OPS_MAX).unwrap();
    let full = with_runs(fits, "grid");
    assert_eq!(Change::decode(&full).unwrap().ops.len(), OPS_MAX);
    assert_eq!(Change::decode(&full).ok(), oracle::decode(&full));
    for rows in [fits + 1, 1 << 40, i64::MAX] {
        assert_eq!(Change::decode(&with_runs(rows, "grid")), Err(DocumentError::TooLarge));
    }
    let long = "x".repeat(KEY_BYTES_MAX + 1);
    assert_eq!(Change::decode(&with_runs(fits, &long)), Err(DocumentError::TooLarge));
}

fn value() -> impl Strategy<Value = Option<Value>> {
    prop_oneof![
        1 => Just(None),
        1 => Just(Some(Value::Null)),
        2 => any::<bool>().prop_map(|tick| Some(Value::Bool(tick))),
        3 => any::<i64>().prop_map(|number| Some(Value::Int(number))),
        3 => "[一-龥a-z]{0,6}".prop_map(|text| Some(Value::Text(text))),
        1 => (10u8..15, proptest::collection::vec(any::<u8>(), 0..8))
            .prop_map(|(type_code, bytes)| Some(Value::Opaque { type_code, bytes })),
    ]
}

#[derive(Clone, Debug)]
enum Act {
    Save(usize, Vec<(u8, u8, Option<Value>)>),
    Pull(usize, usize),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        3 => (0..3usize, proptest::collection::vec((0..18u8, 0..3u8, value()), 1..5))
            .prop_map(|(who, edits)| Act::Save(who, edits)),
        2 => (0..3usize, 0..3usize).prop_map(|(to, from)| Act::Pull(to, from)),
    ]
}

fn run(acts: &[Act]) -> Vec<Replica> {
    let mut replicas = vec![Replica::default(); 3];
    for act in acts {
        match act {
            Act::Save(who, edits) => {
                let mut edits: Vec<_> = edits
                    .iter()
                    .map(|(container, key, value)| FieldEdit {
                        container: ContainerIndex::new(*container).unwrap(),
                        key: format!("k{key}.x"),
                        value: value.clone(),
                    })
                    .collect();
                edits.sort_by_key(|edit| (edit.container, edit.key.clone()));
                edits.dedup_by_key(|edit| (edit.container, edit.key.clone()));
                replicas[*who].save(u8::try_from(*who).unwrap() + 1, &edits);
            }
            Act::Pull(to, from) => {
                let other = replicas[*from].clone();
                replicas[*to].pull(&other);
            }
        }
    }
    replicas
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn every_order_gives_what_automerge_shows(acts in proptest::collection::vec(act(), 1..40)) {
        let replicas = run(&acts);
        for replica in &replicas {
            let mut document = automerge_of(&replica.changes);
            prop_assert_eq!(shown_by_fold(&replica.fold), shown_by_automerge(&document));
            let heads: Vec<_> = replica.fold.heads().iter().map(|head| head.0).collect();
            prop_assert_eq!(heads, heads_of(&mut document));
        }
        let mut merged: Vec<Replica> = replicas.clone();
        for to in 0..3 {
            for from in 0..3 {
                merged[to].pull(&replicas[(to + from) % 3]);
            }
        }
        prop_assert_eq!(&merged[0].fold, &merged[1].fold);
        prop_assert_eq!(&merged[1].fold, &merged[2].fold);
    }

    #[test]
    fn a_change_reads_as_automerge_reads_it(acts in proptest::collection::vec(act(), 1..40)) {
        for replica in run(&acts) {
            for (raw, change) in &replica.changes {
                prop_assert_eq!(Some(sorted(change.clone())), oracle::decode(raw).map(sorted));
            }
        }
    }

    /// Bytes we take are bytes automerge takes, with the same meaning: nobody can hide one history
    /// from the phones inside another.
    #[test]
    fn damaged_changes_read_as_automerge_reads_them_or_not_at_all(
        acts in proptest::collection::vec(act(), 1..12),
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..4u8), 1..4),
    ) {
        for (raw, _) in run(&acts).iter().flat_map(|replica| &replica.changes) {
            let mut body = raw.body().to_vec();
            for (at, byte, kind) in &damage {
                let place = at.index(body.len());
                match kind {
                    0 => body[place] ^= 1 << (byte & 7),
                    1 => body[place] = *byte,
                    2 => body.insert(place, *byte),
                    _ if body.len() > 1 => drop(body.remove(place)),
                    _ => {}
                }
            }
            let raw = RawChange::from_body(body).unwrap();
            if let Ok(change) = Change::decode(&raw) {
                prop_assert_eq!(Some(sorted(change)), oracle::decode(&raw).map(sorted));
            }
        }
    }

    #[test]
    fn a_state_reads_back_as_it_was(acts in proptest::collection::vec(act(), 1..40)) {
        for replica in run(&acts) {
            prop_assert_eq!(Fold::decode(&replica.fold.encode()).unwrap(), replica.fold);
        }
    }

    #[test]
    fn damaged_states_and_changes_never_panic(
        acts in proptest::collection::vec(act(), 1..10),
        at in any::<prop::sample::Index>(),
        bit in 0..8u8,
    ) {
        for replica in run(&acts) {
            let mut state = replica.fold.encode();
            let place = at.index(state.len());
            state[place] ^= 1 << bit;
            let _ = Fold::decode(&state);
            for (raw, _) in &replica.changes {
                let mut body = raw.body().to_vec();
                let place = at.index(body.len());
                body[place] ^= 1 << bit;
                let _ = Change::decode(&RawChange::from_body(body).unwrap());
            }
        }
    }
}
