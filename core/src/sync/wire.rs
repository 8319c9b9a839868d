//! The protocol's messages: CBOR arrays whose positions never change meaning. docs/protocol.md is their
//! law, golden files under tests/fixtures/wire hold their bytes. Must not decide anything.

use minicbor::bytes::{ByteArray, ByteVec};
use minicbor::{Decode, Encode};

pub use refusal::{MERGED_AWAY, Refusal, RefusalCode};

use crate::domain::ids::HouseholdId;

mod refusal;

/// The protocol this release speaks, and the oldest it still answers.
pub const PROTOCOL_VERSION: u16 = 1;
/// The oldest protocol this release still answers.
pub const PROTOCOL_VERSION_MIN: u16 = 1;

/// Largest request header, in bytes.
pub const HEADER_BYTES_MAX: usize = 256 * 1024;
/// Largest frame on the wire, in bytes.
pub const FRAME_BYTES_MAX: usize = 512 * 1024;
/// Largest frame after decompression, in bytes.
pub const FRAME_RAW_BYTES_MAX: usize = 1024 * 1024;
/// Most frames in one request.
pub const FRAMES_MAX: usize = 512;
/// Most scopes one device may hold.
pub const SCOPES_MAX: usize = 4096;

/// Path of the sync request.
pub const SYNC_PATH: &str = "/v1/sync";
/// Path of the enrolment request.
pub const ENROL_PATH: &str = "/v1/enrol";

/// A village's code: the unit in which the log is kept and handed out.
pub type Scope = u64;

/// What a phone sends once, with the code its office gave it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct EnrolRequest {
    /// Highest protocol the phone speaks.
    #[n(0)]
    pub protocol: u16,
    /// The one-time code as typed or scanned.
    #[n(1)]
    pub code: String,
    /// The device's Ed25519 public key.
    #[n(2)]
    pub public_key: ByteArray<32>,
    /// The installation that will author changes.
    #[n(3)]
    pub actor: ByteArray<16>,
    /// What the office will see in its list of devices.
    #[n(4)]
    pub device_name: String,
    /// From a phone that was enrolled before.
    #[n(5)]
    pub before: Option<EnrolledBefore>,
}

/// A phone's word that it has been enrolled.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct EnrolledBefore {
    /// Its number of then.
    #[n(0)]
    pub device: u32,
    /// Signature of its key of then, see `seal::sign_enrolment`.
    #[n(1)]
    pub proof: ByteArray<64>,
}

/// What the server answers to an enrolment.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct EnrolResponse {
    /// The device's number at this server.
    #[n(0)]
    pub device: u32,
    /// The server's Ed25519 public key, which signs receipts.
    #[n(1)]
    pub server_key: ByteArray<32>,
    /// Account of the person the device belongs to.
    #[n(2)]
    pub account: String,
    /// That person's name.
    #[n(3)]
    pub name: String,
    /// The area the account may see: region codes of any level.
    #[n(4)]
    pub areas: Vec<u64>,
    /// Code of the person's role, see `domain::authority::Role`.
    #[n(5)]
    pub role: String,
    /// What gives one person one name in the whole county, see `domain::person`.
    #[n(6)]
    pub person_key: Option<ByteArray<32>>,
    /// Names of the areas, of what they lie in and of what lies in them, see `domain::region::RegionList::parse`; none of a
    /// server that has no other list than the release's.
    #[n(7)]
    pub regions: Option<String>,
}

/// Where a phone stands in one scope's log.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Cursor {
    /// The scope.
    #[n(0)]
    pub scope: Scope,
    /// Number of log entries of this scope the phone holds.
    #[n(1)]
    pub seq: u64,
    /// First 8 bytes of the chain after them.
    #[n(2)]
    pub chain: ByteArray<8>,
    /// Digest of the acknowledged changes the phone holds in this scope.
    #[n(3)]
    pub digest: ByteArray<16>,
    /// The snapshot pack being read, where `seq` is 0 and a pack was begun.
    #[n(4)]
    pub pack: Option<PackPosition>,
}

/// How far a phone has read a snapshot pack.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct PackPosition {
    /// The pack: first 16 bytes of the SHA-256 of its content.
    #[n(0)]
    pub id: ByteArray<16>,
    /// The next frame wanted, from 0.
    #[n(1)]
    pub frame: u32,
}

/// The header of a sync request. It is signed; the frames behind it are covered by their digests.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct SyncRequest {
    /// Highest protocol the phone speaks.
    #[n(0)]
    pub protocol: u16,
    /// Version of the record schema the phone was built with.
    #[n(1)]
    pub schema: u32,
    /// The device.
    #[n(2)]
    pub device: u32,
    /// Larger than in any earlier request of this device.
    #[n(3)]
    pub counter: u64,
    /// The log epoch the cursors belong to; empty before the first sync.
    #[n(4)]
    pub epoch: ByteVec,
    /// One cursor for each scope held, ascending by scope.
    #[n(5)]
    pub cursors: Vec<Cursor>,
    /// First 16 bytes of the SHA-256 of each frame that follows, in order.
    #[n(6)]
    pub frames: Vec<ByteArray<16>>,
    /// Send this device's own changes too: it has lost some of them.
    #[n(7)]
    pub echo: Option<bool>,
    /// Second round of a repair: what the phone holds in ranges that differed.
    #[n(8)]
    pub repair: Option<Vec<RepairAnswer>>,
    /// A new installation id to bind to this device, after a restore or clone.
    #[n(9)]
    pub actor: Option<ByteArray<16>>,
    /// Send household ids in full: a shortened one was not understood.
    #[n(10)]
    pub full_ids: Option<bool>,
    /// The policy the phone holds: first 8 bytes of the SHA-256 of its text, or of no text. A phone that
    /// names none is sent none.
    #[n(11)]
    pub policy: Option<ByteArray<8>>,
}

/// One pushed change.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct PushedChange {
    /// Its household, as a step in the frame's list; see [`Places`].
    #[n(0)]
    pub household: i32,
    /// Dependencies, 4 or 32 bytes each.
    #[n(1)]
    pub deps: Vec<ByteVec>,
    /// The change's body after its dependencies.
    #[n(2)]
    pub tail: ByteVec,
}

/// A household named in a pushed frame.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct PushedHousehold {
    /// Its id; shortened where the server gave a receipt for one of its changes.
    #[n(0)]
    pub id: ByteVec,
    /// The village the phone has it in: where the server looks for a shortened id, and where it puts a
    /// household it does not know.
    #[n(1)]
    pub scope: Scope,
}

/// The content of one pushed frame.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct PushFrame {
    /// The changes' outbox numbers as runs: (first, count).
    #[n(0)]
    pub outbox: Vec<(u64, u32)>,
    /// The households the changes belong to.
    #[n(1)]
    pub households: Vec<PushedHousehold>,
    /// The changes, oldest first.
    #[n(2)]
    pub changes: Vec<PushedChange>,
}

impl PushFrame {
    /// The outbox number of each change, in order. A frame with fewer numbers than changes loses the
    /// changes beyond; a phone of ours never makes one.
    pub fn outbox_numbers(&self) -> impl Iterator<Item = u64> {
        self.outbox.iter().flat_map(|(first, count)| {
            (0..u64::from(*count)).map(move |place| first.saturating_add(place))
        })
    }
}

/// First part of every answer.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct ResponseHead {
    /// Protocol of this answer.
    #[n(0)]
    pub protocol: u16,
    /// The server's log epoch.
    #[n(1)]
    pub epoch: ByteArray<8>,
    /// The server's clock, milliseconds since 1970 UTC; for display and business deadlines.
    #[n(2)]
    pub server_time_ms: i64,
    /// Pushed changes that were not taken.
    #[n(3)]
    pub refusals: Vec<Refusal>,
    /// Scopes in the request that this device may no longer hold.
    #[n(4)]
    pub lost_scopes: Vec<Scope>,
    /// Entries that follow, over all scopes; for progress.
    #[n(5)]
    pub entries: u64,
    /// This device was shut out: once nothing waits on it any more, it forgets everything. True where
    /// the server may lack what the device holds and so wants all of it once more.
    #[n(6)]
    pub revoked: Option<bool>,
    /// Days for which the device may show its records without another contact; none: for ever.
    #[n(7)]
    pub lease_days: Option<u16>,
    /// The grids of its village that the account works in; none: all of it.
    #[n(8)]
    pub grids: Option<Vec<String>>,
}

/// One log entry as a phone receives it. Entries of a scope come in log order without a gap.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Entry {
    /// Changes of this device, in place of their bytes.
    #[n(0)]
    Receipt {
        /// Outbox number of the first.
        #[n(0)]
        first_outbox: u64,
        /// How many follow each other, in outbox and log alike.
        #[n(1)]
        count: u64,
    },
    /// A change of another device.
    #[n(1)]
    Change {
        /// Its household, as a step in the frame's list; see [`Places`].
        #[n(0)]
        household: i32,
        /// Dependencies, 4 or 32 bytes each.
        #[n(1)]
        deps: Vec<ByteVec>,
        /// The body after its dependencies.
        #[n(2)]
        tail: ByteVec,
    },
    /// The household left this scope.
    #[n(2)]
    Leave {
        /// Its household, as a step in the frame's list.
        #[n(0)]
        household: i32,
        /// Where it went.
        #[n(1)]
        to: Scope,
    },
    /// The household entered this scope, with its whole history.
    #[n(3)]
    Enter {
        /// Its household, as a step in the frame's list.
        #[n(0)]
        household: i32,
        /// Where it came from.
        #[n(1)]
        from: Scope,
        /// Its changes, dependencies first: (dependencies, rest of the body). One empty dependency is
        /// the change just before.
        #[n(2)]
        changes: Vec<(Vec<ByteVec>, ByteVec)>,
    },
}

/// A stretch of one scope's log. Applied in one transaction together with its cursor.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct LogFrame {
    /// The scope.
    #[n(0)]
    pub scope: Scope,
    /// The position the entries follow on.
    #[n(1)]
    pub from_seq: u64,
    /// Households named in the entries; ids shortened where the phone must hold the household already.
    #[n(2)]
    pub households: Vec<ByteVec>,
    /// The entries.
    #[n(3)]
    pub entries: Vec<Entry>,
    /// First 8 bytes of the chain after the entries.
    #[n(4)]
    pub chain: ByteArray<8>,
    /// Where the frame holds receipts: the server's signature over the chain.
    #[n(5)]
    pub signature: Option<ByteArray<64>>,
}

/// What a pack is, sent before its frames.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct PackHead {
    /// The scope.
    #[n(0)]
    pub scope: Scope,
    /// First 16 bytes of the SHA-256 over the pack's frames.
    #[n(1)]
    pub id: ByteArray<16>,
    /// Log entries the pack stands for.
    #[n(2)]
    pub seq: u64,
    /// The chain after them.
    #[n(3)]
    pub chain: ByteArray<32>,
    /// Digest of the changes in it.
    #[n(4)]
    pub digest: ByteArray<16>,
    /// Number of frames in the pack.
    #[n(5)]
    pub frames: u32,
    /// The frame that follows first.
    #[n(6)]
    pub first_frame: u32,
}

/// Whole households of one scope: one frame of a pack, or of a repair.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct PackFrame {
    /// The scope.
    #[n(0)]
    pub scope: Scope,
    /// Households in it.
    #[n(1)]
    pub households: Vec<ByteArray<16>>,
    /// Their changes, dependencies first. One empty dependency is the change just before.
    #[n(2)]
    pub changes: Vec<PushedChange>,
}

/// First round of a repair, from the server: fingerprints of equal ranges of the id space.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct RepairOffer {
    /// The scope.
    #[n(0)]
    pub scope: Scope,
    /// Number of leading bits of a household id that name its range.
    #[n(1)]
    pub range_bits: u8,
    /// One 6-byte fingerprint a range, in order of the ranges, joined.
    #[n(2)]
    pub fingerprints: ByteVec,
    /// Where the log stands; the cursor once the repair is done.
    #[n(3)]
    pub seq: u64,
    /// The chain there.
    #[n(4)]
    pub chain: ByteArray<32>,
}

/// Second round of a repair, from the phone: what it holds in the ranges that differ.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct RepairAnswer {
    /// The scope.
    #[n(0)]
    pub scope: Scope,
    /// As in the offer.
    #[n(1)]
    pub range_bits: u8,
    /// The ranges that differ.
    #[n(2)]
    pub ranges: Vec<u32>,
    /// For every household held in them: first 6 bytes of its id and 6 of its digest, joined.
    #[n(3)]
    pub items: ByteVec,
    /// The position the offer was made at.
    #[n(4)]
    pub seq: u64,
}

/// Third part of a repair, from the server: households whole, and what it asks the phone for.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct RepairResult {
    /// The scope.
    #[n(0)]
    pub scope: Scope,
    /// First 6 bytes of the ids of households whose changes the server lacks, joined.
    #[n(1)]
    pub wanted: ByteVec,
    /// First 6 bytes of the ids of households that are not in this scope any more, joined.
    #[n(2)]
    pub gone: ByteVec,
    /// The position the phone stands at after applying the pack frames that came before this part.
    #[n(3)]
    pub seq: u64,
    /// The chain there.
    #[n(4)]
    pub chain: ByteArray<32>,
}

/// Kinds of parts in an answer. Each part is a kind, a length and that many bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum PartKind {
    /// The answer is complete; an answer without it was cut.
    End = 0,
    /// [`ResponseHead`], plain CBOR.
    Head = 1,
    /// [`LogFrame`], compressed.
    Log = 2,
    /// [`PackHead`], plain CBOR.
    PackHead = 3,
    /// [`PackFrame`], compressed.
    PackFrame = 4,
    /// [`RepairOffer`], plain CBOR.
    RepairOffer = 5,
    /// [`RepairResult`], plain CBOR.
    RepairResult = 6,
    /// [`ErrorBody`], plain CBOR: the answer ends here with an error.
    Error = 7,
    /// The policy of the county as TOML text, compressed; behind the head, where the phone holds another.
    Policy = 8,
}

impl PartKind {
    /// The kind of this number.
    pub fn from_number(number: u8) -> Option<Self> {
        [
            Self::End,
            Self::Head,
            Self::Log,
            Self::PackHead,
            Self::PackFrame,
            Self::RepairOffer,
            Self::RepairResult,
            Self::Error,
            Self::Policy,
        ]
        .into_iter()
        .find(|kind| *kind as u8 == number)
    }
}

/// Body of every answer that is not a success. Codes are part of the protocol; see docs/protocol.md.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct ErrorBody {
    /// Stable code, for example `session_expired`.
    #[n(0)]
    pub code: String,
    /// Numbers and names that belong to the code, for example the minimum version; no personal data.
    #[n(1)]
    pub details: Vec<String>,
}

/// Bytes that are not the message they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("bytes are not the message expected")]
pub struct WireError;

/// The message as bytes.
pub fn encode<T: Encode<()>>(message: &T) -> Vec<u8> {
    let mut bytes = Vec::new();
    // Writing into a Vec cannot fail and no message has a failing encoder.
    let Ok(()) = minicbor::encode(message, &mut bytes) else { unreachable!() };
    bytes
}

/// Reads a message; every byte must belong to it.
pub fn decode<'b, T: Decode<'b, ()>>(bytes: &'b [u8]) -> Result<T, WireError> {
    let mut decoder = minicbor::Decoder::new(bytes);
    let message = decoder.decode().map_err(|_| WireError)?;
    if decoder.position() == bytes.len() { Ok(message) } else { Err(WireError) }
}

/// Bytes of a shortened household id. Within one village's households a false match is as good as
/// impossible, and the dependencies of the change would not fit it.
pub const SHORT_ID_BYTES: usize = 4;

/// A household id for the wire.
pub fn wire_id(id: &HouseholdId, short: bool) -> ByteVec {
    id.0[..if short { SHORT_ID_BYTES } else { 16 }].to_vec().into()
}

/// Households in a frame as steps: 0 is the one after the last named, -1 the last again. In the usual
/// frame all steps are equal and cost next to nothing.
#[derive(Clone, Copy, Debug)]
pub struct Places {
    last: i32,
}

impl Default for Places {
    fn default() -> Self {
        Self { last: -1 }
    }
}

impl Places {
    /// The step to this place.
    pub fn step_to(&mut self, place: usize) -> i32 {
        let place = i32::try_from(place).unwrap_or(i32::MAX);
        let step = place.wrapping_sub(self.last).wrapping_sub(1);
        self.last = place;
        step
    }

    /// The place a step leads to, where the list is so long.
    pub fn place(&mut self, step: i32, length: usize) -> Option<usize> {
        self.last = self.last.checked_add(step)?.checked_add(1)?;
        usize::try_from(self.last).ok().filter(|place| *place < length)
    }
}
