//! What the server does not take: one test for every reason, told by somebody who makes the bytes by
//! hand. Whatever is refused, everything else of the same frame is taken.

use automerge::transaction::Transactable;
use wanhu_core::client::RecordEdit;
use wanhu_core::document::change::Change;
use wanhu_core::document::draft::{FieldEdit, Origin, draft};
use wanhu_core::document::fold::Fold;
use wanhu_core::document::genesis::{ContainerIndex, genesis};
use wanhu_core::document::raw::{CHANGE_BYTES_MAX, RawChange};
use wanhu_core::document::record::Stamp;
use wanhu_core::domain::authority::Role;
use wanhu_core::domain::ids::{ActorId, HouseholdId};
use wanhu_core::domain::policy::Policy;
use wanhu_core::domain::value::Value;
use wanhu_core::error::LedgerError;
use wanhu_core::sync::admission::Standing;
use wanhu_core::sync::responder::{RequestError, Responder};
use wanhu_core::sync::wire::{PushFrame, PushedChange, PushedHousehold, RefusalCode};
use wanhu_server::storage::{quarantine, statistics};
use wanhu_tests::population::{FULING, JINPEN};
use wanhu_tests::seeded::Seeded;
use wanhu_tests::township::{Phone, Township};

struct World {
    rng: Seeded,
    township: Township,
    phone: Phone,
}

impl World {
    fn new() -> Self {
        let mut rng = Seeded(1);
        let mut township = Township::new(&mut rng);
        let phone = township.enrol(&mut rng, "li", &[FULING], 0);
        Self { rng, township, phone }
    }

    fn actor(&self) -> ActorId {
        self.phone.ledger.actor()
    }

    /// Pushes changes of one household and gives the code of each, `None` for those taken.
    fn push(&mut self, id: u8, scope: u64, changes: &[RawChange]) -> Vec<Option<RefusalCode>> {
        let frame = frame(id, scope, changes);
        let refusals = self.township.push(self.phone.device, &frame);
        let code = |outbox| refusals.iter().find(|r| r.outbox == outbox).map(|r| r.code);
        (1..=changes.len() as u64).map(code).collect()
    }

    fn quarantined(&self) -> Vec<u8> {
        let rows = quarantine::waiting(&self.township.connection, 0, 10, |_| true).unwrap();
        rows.iter().map(|row| row.code).collect()
    }

    fn households(&self) -> u64 {
        statistics(&self.township.connection).unwrap().iter().map(|row| row.households).sum()
    }
}

fn frame(id: u8, scope: u64, changes: &[RawChange]) -> PushFrame {
    let pushed = changes.iter().enumerate().map(|(place, raw)| {
        let (deps, tail) = raw.split().unwrap();
        PushedChange {
            household: if place == 0 { 0 } else { -1 },
            deps: deps.iter().map(|dep| dep.0[..4].to_vec().into()).collect(),
            tail: tail.to_vec().into(),
        }
    });
    PushFrame {
        outbox: vec![(1, u32::try_from(changes.len()).unwrap())],
        households: vec![PushedHousehold { id: vec![id; 16].into(), scope }],
        changes: pushed.collect(),
    }
}

fn set(fold: &Fold, actor: ActorId, container: &str, key: &str, value: Value) -> RawChange {
    let edit = FieldEdit {
        container: ContainerIndex::of(container).unwrap(),
        key: key.to_owned(),
        value: Some(value),
    };
    draft(fold, &[edit], &Origin { actor, time_ms: 0, message: String::new() }).unwrap()
}

fn named(actor: ActorId, name: &str) -> RawChange {
    set(&Fold::default(), actor, "basic", "head_name", name.into())
}

fn after(raw: &RawChange) -> Fold {
    let mut fold = Fold::default();
    fold.apply(&Change::decode(raw).unwrap());
    fold
}

/// A change with one of its numbers overwritten: bytes behind the actor are seq, start_op.
fn with_number(raw: &RawChange, place: usize, number: u8) -> RawChange {
    let (deps, tail) = raw.split().unwrap();
    let mut tail = tail.to_vec();
    tail[17 + place] = number;
    RawChange::join(&deps, &tail).unwrap()
}

#[test]
fn too_many_bytes() {
    let mut world = World::new();
    let mut frame = frame(1, FULING, &[named(world.actor(), "陈永昌")]);
    frame.changes[0].tail = vec![0; CHANGE_BYTES_MAX + 1].into();
    let refusals = world.township.push(world.phone.device, &frame);
    assert_eq!(refusals[0].code, RefusalCode::TooLarge);
    assert!(world.quarantined().is_empty());
}

#[test]
fn garbage_is_malformed_and_the_next_change_is_taken() {
    let mut world = World::new();
    let good = named(world.actor(), "陈永昌");
    let (deps, tail) = good.split().unwrap();
    let cut = RawChange::join(&deps, &tail[..tail.len() - 3]).unwrap();
    let noise = RawChange::join(&deps, &[0xff; 200]).unwrap();
    let outcomes = world.push(1, FULING, &[cut, noise, good]);
    assert_eq!(outcomes, [Some(RefusalCode::Malformed), Some(RefusalCode::Malformed), None]);
    assert_eq!(world.households(), 1);
}

#[test]
fn operations_outside_the_household_shape() {
    let mut world = World::new();
    let mut document = automerge::Automerge::new();
    let parsed = automerge::Change::try_from(genesis().0.chunk().as_slice()).unwrap();
    document.apply_changes([parsed]).unwrap();
    document.set_actor(automerge::ActorId::from(&world.actor().0[..]));
    let before = document.get_heads();
    let mut transaction = document.transaction();
    transaction.put_object(automerge::ROOT, "shadow", automerge::ObjType::Map).unwrap();
    transaction.commit();
    let change = document.get_changes(&before).pop().unwrap();
    let raw = RawChange::from_chunk(change.raw_bytes()).unwrap();
    assert_eq!(world.push(1, FULING, &[raw]), [Some(RefusalCode::ForeignOperation)]);
    assert_eq!(world.households(), 0);
}

#[test]
fn deflated_columns_are_not_even_opened() {
    let mut world = World::new();
    let good = named(world.actor(), "陈永昌");
    let (deps, tail) = good.split().unwrap();
    // The key column's number with automerge's bit for "deflated".
    let mut tail = tail.to_vec();
    let at = tail.windows(2).position(|pair| pair[0] == 0x15 && pair[1] < 0x40).unwrap();
    tail[at] |= 0x08;
    let raw = RawChange::join(&deps, &tail).unwrap();
    assert_eq!(world.push(1, FULING, &[raw]), [Some(RefusalCode::ForeignOperation)]);
}

#[test]
fn a_frame_that_swells_is_refused_by_what_it_states() {
    let bomb = zstd::bulk::compress(&vec![0; 200_000_000], 19).unwrap();
    assert!(bomb.len() < 40_000);
    assert!(matches!(
        Responder::read_frame(&bomb),
        Err(RequestError::TooLarge | RequestError::Malformed)
    ));
    // The same without a stated size, as a stream writes it.
    let mut stream = zstd::stream::Encoder::new(Vec::new(), 3).unwrap();
    std::io::Write::write_all(&mut stream, &vec![0; 2_000_000]).unwrap();
    let unstated = stream.finish().unwrap();
    assert!(Responder::read_frame(&unstated).is_err());
}

#[test]
fn somebody_elses_name_on_a_change() {
    let mut world = World::new();
    let stolen = named(ActorId([9; 16]), "陈永昌");
    assert_eq!(world.push(1, FULING, &[stolen]), [Some(RefusalCode::WrongActor)]);
    assert_eq!(world.quarantined(), [RefusalCode::WrongActor as u8]);
    assert_eq!(world.households(), 0);
}

#[test]
fn somebody_elses_account_in_a_change() {
    let mut world = World::new();
    let grid = FieldEdit {
        container: ContainerIndex::of("basic").unwrap(),
        key: "grid".into(),
        value: Some("一".into()),
    };
    let stamped = |account: &str| {
        let message = Stamp { account: account.into(), ..Stamp::default() }.encode();
        let origin = Origin { actor: world.actor(), time_ms: 0, message };
        draft(&Fold::default(), std::slice::from_ref(&grid), &origin).unwrap()
    };
    let (forged, own) = (stamped("county.head"), stamped("li"));
    assert_eq!(world.push(1, FULING, &[forged]), [Some(RefusalCode::WrongActor)]);
    assert_eq!(world.push(1, FULING, &[own]), [None]);
}

#[test]
fn two_changes_of_one_number() {
    let mut world = World::new();
    let (first, second) = (named(world.actor(), "甲"), named(world.actor(), "乙"));
    assert_eq!(world.push(1, FULING, std::slice::from_ref(&first)), [None]);
    assert_eq!(world.push(1, FULING, &[second]), [Some(RefusalCode::Equivocation)]);
    assert_eq!(world.push(1, FULING, &[first]), [None], "the same again is no second one");
}

#[test]
fn numbers_that_do_not_follow() {
    let mut world = World::new();
    let good = named(world.actor(), "陈永昌");
    assert_eq!(
        world.push(1, FULING, &[with_number(&good, 0, 7)]),
        [Some(RefusalCode::SequenceGap)]
    );
    let forged = with_number(&good, 1, 99);
    assert_eq!(world.push(1, FULING, &[forged]), [Some(RefusalCode::CounterForged)]);
}

#[test]
fn what_builds_on_something_unknown_waits_on_the_phone() {
    let mut world = World::new();
    let first = named(world.actor(), "陈永昌");
    let second = set(&after(&first), world.actor(), "basic", "grid", "一".into());
    let outcome = world.push(1, FULING, std::slice::from_ref(&second));
    assert_eq!(outcome, [Some(RefusalCode::DependencyMissing)]);
    assert!(world.quarantined().is_empty(), "it will come again");
    assert_eq!(world.push(1, FULING, &[first, second]), [None, None]);
}

#[test]
fn a_refusal_stops_its_descendants_and_nothing_else() {
    let mut world = World::new();
    let base = named(world.actor(), "陈永昌");
    let decision = set(&after(&base), world.actor(), "case", "rule_version", "1".into());
    let mut fold = after(&base);
    fold.apply(&Change::decode(&decision).unwrap());
    let child = set(&fold, world.actor(), "basic", "grid", "一".into());
    let outcomes = world.push(1, FULING, &[base, decision, child]);
    let expected = [None, Some(RefusalCode::NotPermitted), Some(RefusalCode::BuildsOnRefused)];
    assert_eq!(outcomes, expected);
    assert_eq!(world.push(2, FULING, &[named(world.actor(), "另一户")]), [None]);
}

#[test]
fn two_changes_with_one_short_name() {
    let mut world = World::new();
    // Looking for two changes whose hashes begin with the same four bytes takes a second.
    let mut seen = std::collections::HashMap::new();
    let base = named(world.actor(), "甲");
    let fold = after(&base);
    let twins = (0..).find_map(|number: u32| {
        // The second writer's change: another author, so that both may be its first.
        let author = ActorId([if number.is_multiple_of(2) { 3 } else { 4 }; 16]);
        let raw = set(&fold, author, "basic", "grid", format!("{number}").into());
        let earlier: Option<(ActorId, RawChange)> =
            seen.insert(raw.hash().0[..4].to_vec(), (author, raw.clone()));
        earlier.filter(|(other, _)| *other != author).map(|(_, other)| (other, raw))
    });
    let (one, other) = twins.unwrap();
    let sender = world.township.sender(world.phone.device);
    sender.actors.extend([ActorId([3; 16]), ActorId([4; 16])]);
    let outcomes = world.push(1, FULING, &[base, one, other]);
    assert_eq!(outcomes, [None, None, Some(RefusalCode::PrefixTaken)]);
}

#[test]
fn other_villages_and_shortened_ids() {
    let mut world = World::new();
    let change = named(world.actor(), "陈国建");
    let outside = world.push(1, JINPEN, std::slice::from_ref(&change));
    assert_eq!(outside, [Some(RefusalCode::OutsideArea)]);
    assert_eq!(world.quarantined(), [RefusalCode::OutsideArea as u8]);
    let mut short = frame(1, FULING, &[change]);
    short.households[0].id = vec![1; 4].into();
    let refusals = world.township.push(world.phone.device, &short);
    assert_eq!(refusals[0].code, RefusalCode::HouseholdUnclear);
    short.households[0].id = vec![1; 7].into();
    let refusals = world.township.push(world.phone.device, &short);
    assert_eq!(refusals[0].code, RefusalCode::Malformed);
}

#[test]
fn what_was_taken_before_the_household_moved_counts_as_held() {
    let mut world = World::new();
    let change = named(world.actor(), "陈永昌");
    assert_eq!(world.push(1, FULING, std::slice::from_ref(&change)), [None]);
    world.township.move_household(HouseholdId([1; 16]), JINPEN).unwrap();
    let again = world.push(1, FULING, std::slice::from_ref(&change));
    assert_eq!(again, [Some(RefusalCode::AlreadyHeld)]);
    let late = set(&after(&change), world.actor(), "basic", "grid", "一".into());
    assert_eq!(world.push(1, FULING, &[late]), [Some(RefusalCode::OutsideArea)]);
    assert_eq!(world.quarantined().len(), 1, "the new village's office will see it");
}

#[test]
fn each_role_its_own_fields_and_the_reason_names_the_field() {
    let mut world = World::new();
    let base = named(world.actor(), "陈永昌");
    assert_eq!(world.push(1, FULING, std::slice::from_ref(&base)), [None]);
    let county = world.township.enrol_as(&mut world.rng, "chu", Role::CountyOffice, &[431_022], 0);
    let cadre = set(&after(&base), world.actor(), "case", "rule_version", "1".into());
    let refusals = world.township.push(world.phone.device, &frame(1, FULING, &[cadre]));
    assert_eq!(refusals[0].code, RefusalCode::NotPermitted);
    assert_eq!(refusals[0].subject.as_deref(), Some("case.rule_version"));
    let actor = county.ledger.actor();
    let decided = set(&after(&base), actor, "case", "rule_version", "1".into());
    assert!(world.township.push(county.device, &frame(1, FULING, &[decided])).is_empty());
}

#[test]
fn an_office_releases_nothing_that_belongs_to_the_level_above() {
    let mut world = World::new();
    let base = named(world.actor(), "陈永昌");
    assert_eq!(world.push(1, FULING, std::slice::from_ref(&base)), [None]);
    let cadre = set(&after(&base), world.actor(), "case", "rule_version", "1".into());
    assert_eq!(world.push(1, FULING, &[cadre]), [Some(RefusalCode::NotPermitted)]);
    let policy = Policy::none();
    let mut release = |office| {
        let transaction = world.township.connection.transaction().unwrap();
        let n = quarantine::waiting(&transaction, 0, 1, |_| true).unwrap()[0].n;
        let released = quarantine::release(&transaction, n, "", office, &policy, 0).unwrap();
        transaction.commit().unwrap();
        released
    };
    assert_eq!(release(Role::TownshipOffice), Err(RefusalCode::NotPermitted));
    assert_eq!(release(Role::CountyOffice), Ok(()));
}

#[test]
fn a_step_that_says_two_things_is_refused() {
    let mut world = World::new();
    let fold = Fold::default();
    let field = |key: &str, value: &str| FieldEdit {
        container: ContainerIndex::of("steps").unwrap(),
        key: format!("s1.{key}"),
        value: Some(value.into()),
    };
    let origin = Origin { actor: world.actor(), time_ms: 0, message: String::new() };
    let clue = [field("state", "clue"), field("on", "2024-03-01"), field("level", "village")];
    let forged = [&clue[..], &[field("state", "monitored")]].concat();
    let raw = draft(&fold, &forged, &origin).unwrap();
    assert_eq!(world.push(1, FULING, &[raw]), [Some(RefusalCode::NotPermitted)]);
    let origin = Origin { actor: world.actor(), time_ms: 0, message: String::new() };
    let honest = draft(&fold, &clue, &origin).unwrap();
    assert_eq!(world.push(1, FULING, &[honest]), [None]);
}

#[test]
fn values_that_every_list_would_stumble_over() {
    let mut world = World::new();
    let wrong = [
        ("basic", "head_name", Value::Int(3)),
        ("income", "wage_fen", Value::Int(-1)),
        ("class", "tag_marginal", "yes".into()),
        ("case", "clue_on", "yesterday".into()),
        ("basic", "grid", "长".repeat(500).into()),
    ];
    for (container, key, value) in wrong {
        let raw = set(&Fold::default(), world.actor(), container, key, value);
        assert_eq!(world.push(1, FULING, &[raw]), [Some(RefusalCode::RuleBroken)], "{key}");
    }
    // A code or a field of a newer release is no mistake.
    let newer = set(&Fold::default(), world.actor(), "class", "risk_1", "drought_2027".into());
    assert_eq!(world.push(2, FULING, &[newer]), [None]);
    let newer = set(&Fold::default(), world.actor(), "basic", "solar_panels", Value::Int(4));
    assert_eq!(world.push(3, FULING, &[newer]), [None]);
}

#[test]
fn a_device_that_has_sent_enough_for_today_keeps_the_rest() {
    let mut world = World::new();
    world.township.sender(world.phone.device).quota = 1;
    let first = named(world.actor(), "陈永昌");
    let second = set(&after(&first), world.actor(), "basic", "grid", "一".into());
    assert_eq!(world.push(1, FULING, &[first, second]), [None, Some(RefusalCode::OverQuota)]);
    assert!(world.quarantined().is_empty());
}

#[test]
fn a_revoked_phone_hands_in_what_waits_and_forgets_the_rest() {
    let mut world = World::new();
    let ledger = &world.phone.ledger;
    let id = ledger.create_household(FULING, edit("陈永昌")).unwrap();
    world.phone.sync(&mut world.township).unwrap();
    world.phone.ledger.edit(id, &RecordEdit::default().set("basic", "grid", "一")).unwrap();
    world.township.sender(world.phone.device).standing = Standing::Revoked;
    let (report, _) = world.phone.sync(&mut world.township).unwrap();
    assert!(report.wiped);
    assert_eq!(world.quarantined(), [RefusalCode::DeviceRevoked as u8]);
    let status = world.phone.ledger.status().unwrap();
    assert_eq!((status.households, status.pending, status.refused), (0, 0, 0));
    assert_eq!((status.enrolment, status.last_receipt), (None, None));

    // The township looks at it and takes it.
    assert!(world.township.release_one(&mut world.rng).unwrap());
    let other = world.township.enrol(&mut world.rng, "wang", &[FULING], 0);
    other.sync(&mut world.township).unwrap();
    let record = other.ledger.show(id).unwrap();
    assert!(record.fields.iter().any(|f| f.key == "grid" && f.value == "一".into()));
}

fn edit(name: &str) -> RecordEdit {
    RecordEdit::default().set("basic", "head_name", name)
}

#[test]
fn an_office_releases_what_was_sent_from_outside_and_its_author_gets_the_receipt() {
    let mut world = World::new();
    let id = world.phone.ledger.create_household(FULING, edit("陈永昌")).unwrap();
    world.phone.sync(&mut world.township).unwrap();
    world.phone.ledger.record_visit(id, vec![("note".into(), "化疗结束".into())]).unwrap();
    // Between the visit and the sync the right to the village was withdrawn by mistake.
    world.township.sender(world.phone.device).areas = vec![JINPEN];
    let (report, _) = world.phone.sync(&mut world.township).unwrap();
    assert_eq!((report.refused, world.phone.ledger.refused().unwrap().len()), (1, 1));
    world.township.sender(world.phone.device).areas = vec![FULING];
    assert!(world.township.release_one(&mut world.rng).unwrap());
    world.phone.sync(&mut world.township).unwrap();
    let status = world.phone.ledger.status().unwrap();
    assert_eq!((status.households, status.pending, status.refused), (1, 0, 0));
    let visits = world.phone.ledger.show(id).unwrap();
    assert!(visits.fields.iter().any(|f| f.value == "化疗结束".into()));
}

#[test]
fn the_phone_does_not_offer_what_the_server_would_refuse() {
    let world = World::new();
    let ledger = &world.phone.ledger;
    let id = ledger.create_household(FULING, edit("陈永昌")).unwrap();
    let decide = RecordEdit::default().set("case", "rule_version", "1");
    let refused = ledger.edit(id, &decide).unwrap_err();
    let expected = LedgerError::NotPermitted {
        action: "add case.rule_version".into(),
        level_needed: "county_office".into(),
    };
    assert_eq!(refused, expected);
    let elsewhere = ledger.create_household(JINPEN, edit("某")).unwrap_err();
    assert_eq!(elsewhere, LedgerError::invalid("village", "outside_area"), "no level above helps");
    assert_eq!(ledger.status().unwrap().pending, 1);
}

#[test]
fn a_refused_change_is_made_anew_on_what_is_there_now() {
    let mut world = World::new();
    let id = world.phone.ledger.create_household(FULING, edit("陈永昌")).unwrap();
    world.phone.sync(&mut world.township).unwrap();
    world.phone.ledger.edit(id, &RecordEdit::default().set("basic", "grid", "一")).unwrap();
    // The server takes the phone for another installation, as after a restore gone wrong.
    let actors = std::mem::take(&mut world.township.sender(world.phone.device).actors);
    world.phone.sync(&mut world.township).unwrap();
    world.township.sender(world.phone.device).actors = actors;
    let refused = world.phone.ledger.refused().unwrap();
    assert_eq!(refused.iter().map(|r| r.code.as_str()).collect::<Vec<_>>(), ["wrong_actor"]);
    world.phone.ledger.reauthor(refused[0].n).unwrap();
    let (report, _) = world.phone.sync(&mut world.township).unwrap();
    assert_eq!((report.receipts, world.phone.ledger.refused().unwrap().len()), (1, 0));
    assert_eq!(world.phone.ledger.reauthor(refused[0].n).unwrap_err().code(), "not_found");
}

#[test]
fn roles_without_the_right_to_read_everything_get_no_replica() {
    let mut world = World::new();
    world.phone.ledger.create_household(FULING, edit("陈永昌")).unwrap();
    world.phone.sync(&mut world.township).unwrap();
    for (role, area) in [
        (Role::Operator, 4310),
        (Role::Department, 431_022),
        (Role::City, 4310),
        (Role::Household, FULING),
        (Role::VillageCadre, 431_022),
        (Role::TownshipOffice, FULING),
    ] {
        let phone = world.township.enrol_as(&mut world.rng, role.code(), role, &[area], 0);
        let (report, _) = phone.sync(&mut world.township).unwrap();
        assert_eq!((report.received, report.entries), (0, 0), "{role:?} of {area}");
    }
    let office =
        world.township.enrol_as(&mut world.rng, "office", Role::TownshipOffice, &[431_022_208], 0);
    assert_eq!(office.sync(&mut world.township).unwrap().0.received, 1);
}
