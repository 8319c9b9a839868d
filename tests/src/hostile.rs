//! Every decoder that reads bytes from outside, as a target: it takes any bytes and must come back, without a
//! panic and within bounds, and what it accepts must be sound. A fuzzing engine and the corpus in
//! tests/corpus feed the same targets. Must not know the engine.

use std::cell::RefCell;

use ed25519_dalek::SigningKey;
use wanhu_core::client::{Ledger, SyncSession};
use wanhu_core::document::change::Change;
use wanhu_core::document::compress::{Effort, compress};
use wanhu_core::document::fold::Fold;
use wanhu_core::document::raw::{RawChange, TailHead};
use wanhu_core::domain::identity::IdentityNumber;
use wanhu_core::domain::region::RegionList;
use wanhu_core::domain::schema::Schema;
use wanhu_core::store::records;
use wanhu_core::sync::admission::Admission;
use wanhu_core::sync::responder::Responder;
use wanhu_core::sync::wire::{self, EnrolRequest, EnrolResponse, ErrorBody, PartKind, SyncRequest};
use wanhu_core::sync::{repair, seal};
use wanhu_server::storage::{SqliteLog, SqliteReader};

use crate::population::{FULING, household};
use crate::seeded::{Seeded, TestClock};
use crate::township::{Phone, START_MS, Township, bytes_of, copy_of};

mod repack;

pub use repack::{pack_answer, pack_chunk, pack_frame, unpack_answer, unpack_chunk, unpack_frame};

/// Something that reads bytes from outside.
#[derive(Clone, Copy)]
pub struct Target {
    /// Its name, which is also its folder in the corpus.
    pub name: &'static str,
    /// Reads the bytes.
    ///
    /// # Panics
    /// Where a promise is broken.
    pub run: fn(&[u8]),
    /// What lies behind its checksums and compression; a mutation in there gets past them.
    pub unpack: fn(&[u8]) -> Option<Vec<u8>>,
    /// Bytes whose checksums fit this inside.
    pub pack: fn(&[u8]) -> Vec<u8>,
}

impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

const fn plain(name: &'static str, run: fn(&[u8])) -> Target {
    Target { name, run, unpack: |_| None, pack: <[u8]>::to_vec }
}

/// All targets.
pub const TARGETS: [Target; 9] = [
    plain("change", change),
    Target { name: "chunk", run: chunk, unpack: unpack_chunk, pack: pack_chunk },
    plain("state", state),
    Target { name: "frame", run: frame, unpack: unpack_frame, pack: pack_frame },
    plain("request", request),
    Target { name: "answer", run: answer, unpack: unpack_answer, pack: pack_answer },
    plain("enrolment", enrolment),
    plain("token", token),
    plain("import", import),
];

/// The target of this name.
pub fn target(name: &str) -> Option<Target> {
    TARGETS.into_iter().find(|target| target.name == name)
}

/// A change's body, as a phone finds it in a log.
fn change(bytes: &[u8]) {
    let _ = TailHead::parse(bytes);
    let Ok(raw) = RawChange::from_body(bytes.to_vec()) else { return };
    let Ok(change) = Change::decode(&raw) else { return };
    let (deps, tail) = raw.split().expect("what decodes can be taken apart");
    let joined = RawChange::join(&deps, tail).expect("and put together");
    assert_eq!(joined.hash(), change.hash);
    let mut fold = Fold::default();
    fold.apply(&change);
    assert_eq!(Fold::decode(&fold.encode()).expect("a state reads back"), fold);
}

/// A change with its checksum, as automerge writes it.
fn chunk(bytes: &[u8]) {
    if let Ok(raw) = RawChange::from_chunk(bytes) {
        assert_eq!(raw.chunk(), bytes, "a chunk has one form");
        change(raw.body());
    }
}

/// A folded state, as it lies in a file.
fn state(bytes: &[u8]) {
    if let Ok(fold) = Fold::decode(bytes) {
        assert_eq!(Fold::decode(&fold.encode()).expect("a state reads back"), fold);
    }
}

/// A small world that targets look at and leave as it was.
struct World {
    township: Township,
    phone: Phone,
    device: u32,
    key: SigningKey,
}

thread_local! {
    static WORLD: RefCell<World> = RefCell::new(World::new());
}

impl World {
    fn new() -> Self {
        let mut rng = Seeded(71);
        let mut township = Township::new(&mut rng);
        let phone = township.enrol(&mut rng, "li", &[FULING], 0);
        for _ in 0..40 {
            phone.ledger.create_household(FULING, household(&mut rng, FULING)).expect("saves");
        }
        phone.sync(&mut township).expect("syncs");
        township.build_packs();
        let id = phone.ledger.create_household(FULING, household(&mut rng, FULING));
        let note = vec![("note".to_owned(), "稳定".into())];
        phone.ledger.record_visit(id.expect("saves"), note).expect("saves");
        phone.sync(&mut township).expect("syncs");
        let phone = township.enrol(&mut rng, "wang", &[FULING], 0);
        let device = phone.device;
        Self { township, phone, device, key: SigningKey::from_bytes(&[5; 32]) }
    }
}

/// A frame of changes, as a phone pushes it.
fn frame(bytes: &[u8]) {
    let Ok(frame) = Responder::read_frame(bytes) else { return };
    WORLD.with_borrow_mut(|world| {
        let sender = world.township.sender(world.device).clone();
        let transaction = world.township.connection.transaction().expect("begins");
        let mut log = SqliteLog::new(&transaction, START_MS);
        let refusals = Admission::default().admit(&mut log, &sender, &frame, START_MS);
        let refusals = refusals.expect("no bytes make storage fail");
        if refusals.len() < frame.changes.len() {
            for (id, _) in records::digests(&transaction, FULING).expect("reads") {
                let held = records::find(&transaction, id).expect("reads").expect("is there");
                let refolded = records::refold(&transaction, held.n).expect("folds");
                assert_eq!(refolded, held.fold, "a state without its changes");
            }
        }
        // Rolled back: the next bytes meet the same world.
    });
}

/// Most parts of one answer of this small world.
const PARTS_MAX: usize = 10_000;

/// A request's header behind its signature, and everything the server makes of it.
fn request(bytes: &[u8]) {
    let Ok(request) = wire::decode::<SyncRequest>(bytes) else { return };
    WORLD.with_borrow_mut(|world| {
        let sender = world.township.sender(world.device).clone();
        let Ok(mut responder) = Responder::begin(request, sender) else { return };
        let reader = SqliteReader(&world.township.connection);
        let mut parts = 0;
        while responder.next_part(&reader, &world.key, START_MS).expect("reads").is_some() {
            parts += 1;
            assert!(parts < PARTS_MAX, "an answer without end");
        }
    });
}

/// A whole answer, as a new phone reads it.
fn answer(bytes: &[u8]) {
    WORLD.with_borrow(|world| {
        let copied = world.phone.ledger.with_store(|connection| Ok(copy_of(connection)));
        let clock = std::sync::Arc::new(TestClock::at(START_MS));
        let ledger = Ledger::start(copied.expect("copies"), clock, Box::new(Seeded(72)));
        let ledger = ledger.expect("opens");
        let mut session = SyncSession::default();
        session.request(&ledger).expect("composes");
        if session.feed(&ledger, bytes).is_ok() {
            let _ = session.end(&ledger);
        }
        ledger
            .with_store(|connection| {
                for (id, _) in records::digests(connection, FULING)? {
                    let held = records::find(connection, id)?.expect("is there");
                    assert_eq!(records::refold(connection, held.n)?, held.fold);
                }
                Ok(())
            })
            .expect("whatever came, the phone's file is whole");
    });
}

/// Both sides of an enrolment, errors, and what a repair compares.
fn enrolment(bytes: &[u8]) {
    let _ = wire::decode::<EnrolRequest>(bytes);
    let _ = wire::decode::<ErrorBody>(bytes);
    if let Ok(response) = wire::decode::<EnrolResponse>(bytes) {
        let again: EnrolResponse = wire::decode(&wire::encode(&response)).expect("reads back");
        assert_eq!(again, response);
    }
    let _ = repair::compare([], bytes);
    let _ = repair::differing(bytes, &bytes[..bytes.len() / 2]);
}

/// Bytes of a signature and a length.
fn token(bytes: &[u8]) {
    let _ = seal::take_length(bytes);
    let Some((signature, header)) = bytes.split_first_chunk::<64>() else { return };
    let honest = SigningKey::from_bytes(&[6; 32]).verifying_key().to_bytes();
    let is_signed = seal::request_is_signed(&honest, wire::SYNC_PATH, header, signature);
    assert!(!is_signed, "a signature out of nothing");
    if let Some((key, header)) = header.split_first_chunk::<32>() {
        // A key that is no point of the curve, or a weak one.
        let _ = seal::request_is_signed(key, wire::SYNC_PATH, header, signature);
    }
}

/// Files that an office imports: a county's own fields, another city's regions, numbers.
fn import(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (containers, codes) = text.split_once('\0').unwrap_or((text, ""));
    let _ = Schema::base().extended(containers, codes);
    let _ = RegionList::parse(text);
    if let Ok(number) = IdentityNumber::parse(text) {
        assert_eq!(IdentityNumber::parse(number.as_str()), Ok(number));
    }
}

/// Honest bytes for every target, from which a search begins.
pub fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let mut rng = Seeded(73);
    let mut township = Township::new(&mut rng);
    let phone = township.enrol(&mut rng, "li", &[FULING], 0);
    let id = phone.ledger.create_household(FULING, household(&mut rng, FULING)).expect("saves");
    phone.ledger.record_visit(id, vec![("note".to_owned(), "稳定".into())]).expect("saves");
    let mut seeds = Vec::new();
    let stored = phone.ledger.with_store(|connection| {
        let household = records::find(connection, id)?.expect("is there");
        Ok((household.fold.encode(), records::changes(connection, household.n)?))
    });
    let (folded, changes) = stored.expect("reads");
    seeds.push(("state", folded));
    for change in changes {
        seeds.push(("change", change.raw.body().to_vec()));
        seeds.push(("chunk", change.raw.chunk()));
    }
    let outgoing = SyncSession::default().request(&phone.ledger).expect("composes");
    for frame in &outgoing.frames {
        let (_, taken) = seal::take_length(frame).expect("bounded").expect("whole");
        seeds.push(("frame", frame[taken..].to_vec()));
    }
    let (length, taken) = seal::take_length(&outgoing.head).expect("bounded").expect("whole");
    seeds.push(("request", outgoing.head[taken..taken + length].to_vec()));
    seeds.push(("token", outgoing.head[taken + length..].to_vec()));
    WORLD.with_borrow_mut(|world| {
        let request = SyncSession::default().request(&world.phone.ledger).expect("composes");
        let answer = world.township.answer(&bytes_of(&request)).expect("answers");
        seeds.push(("answer", answer));
    });
    // Four hundred bytes that would be 64 MiB.
    let bomb = compress(&vec![0; 64 << 20], Effort::Live).expect("compresses");
    let mut parts = vec![PartKind::Log as u8];
    seal::put_length(&mut parts, bomb.len());
    parts.extend(&bomb);
    seeds.push(("frame", bomb));
    seeds.push(("answer", parts));
    seeds.push(("enrolment", include_bytes!("../fixtures/wire/enrol-response.hex").to_vec()));
    seeds.push(("import", "11010519491231002X".into()));
    seeds.push(("import", "version = 1\n[[container]]\nname = \"local\"\nzh = \"本地\"\nen = \"local\"\nfields = []\n\0".into()));
    seeds.push(("import", "431022208217\t福岭村\n".into()));
    seeds
}
