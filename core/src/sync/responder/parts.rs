//! The answer for one scope, part by part: the tail of its log, a pack and the tail, or a repair. Must not
//! decide which; the responder did.

use std::collections::{BTreeMap, VecDeque};

use ed25519_dalek::SigningKey;
use minicbor::bytes::ByteVec;

use super::{LogPoint, LogReader, LogRow, Pack, part};
use crate::document::compress::{self, Effort};
use crate::document::genesis::genesis;
use crate::document::raw::RawChange;
use crate::domain::ids::{ChangeHash, HouseholdId};
use crate::sync::chain::{Chain, EntryKind};
use crate::sync::wire::{
    Entry, LogFrame, PackFrame, PackPosition, PartKind, Places, PushedChange, RepairAnswer,
    RepairOffer, RepairResult, Scope, SyncRequest, encode, wire_id,
};
use crate::sync::{deps, repair, seal};

/// Raw bytes after which a frame is closed.
const FRAME_RAW_BYTES: usize = 64 * 1024;
/// The same for a pack: it compresses better, and a cut costs half a frame.
const PACK_FRAME_RAW_BYTES: usize = 40 * 1024;
/// Log entries read at a time.
const ROWS_MAX: u32 = 256;

/// What is left to send for one scope.
#[derive(Debug)]
pub(super) struct ScopePlan {
    scope: Scope,
    /// Where the log stood when the answer began; what came later waits for the next sync.
    end: LogPoint,
    step: Step,
}

#[derive(Debug)]
enum Step {
    Tail {
        seq: u64,
    },
    PackHead {
        pack: Pack,
        next: u32,
    },
    PackFrames {
        pack: Pack,
        next: u32,
    },
    Offer,
    Repair {
        answer: RepairAnswer,
        send: Option<VecDeque<HouseholdId>>,
        result: Option<RepairResult>,
    },
    Done,
}

impl ScopePlan {
    /// Everything after `seq`.
    pub(super) fn tail(scope: Scope, seq: u64, end: LogPoint) -> Self {
        Self { scope, end, step: Step::Tail { seq } }
    }

    /// A pack, where there is one, and everything after it.
    pub(super) fn from_start<R: LogReader>(
        reader: &R,
        scope: Scope,
        end: LogPoint,
        begun: Option<&PackPosition>,
    ) -> Result<Self, R::Error> {
        if let Some(position) = begun
            && let Some(pack) = reader.pack_by_id(scope, *position.id)?
            && position.frame <= pack.frames
        {
            return Ok(Self { scope, end, step: Step::PackHead { pack, next: position.frame } });
        }
        let step = match reader.pack(scope)? {
            Some(pack) => Step::PackHead { pack, next: 0 },
            None => Step::Tail { seq: 0 },
        };
        Ok(Self { scope, end, step })
    }

    /// First round of a repair.
    pub(super) fn offer(scope: Scope, end: LogPoint) -> Self {
        Self { scope, end, step: Step::Offer }
    }

    /// Second round of a repair.
    pub(super) fn repair(scope: Scope, end: LogPoint, answer: RepairAnswer) -> Self {
        Self { scope, end, step: Step::Repair { answer, send: None, result: None } }
    }

    /// Log entries this answer will carry, for progress.
    pub(super) fn entries(&self) -> u64 {
        match &self.step {
            Step::Tail { seq } => self.end.seq.saturating_sub(*seq),
            Step::PackHead { .. } | Step::PackFrames { .. } | Step::Repair { .. } => self.end.seq,
            Step::Offer | Step::Done => 0,
        }
    }

    /// The next part, or `None` once the scope is done.
    pub(super) fn next_part<R: LogReader>(
        &mut self,
        reader: &R,
        request: &SyncRequest,
        key: &SigningKey,
        epoch: &[u8; 8],
    ) -> Result<Option<Vec<u8>>, R::Error> {
        match &mut self.step {
            Step::Tail { seq } => {
                if *seq >= self.end.seq {
                    self.step = Step::Done;
                    return Ok(None);
                }
                let mut builder = FrameBuilder::new(self.scope, *seq, request);
                builder.fill(reader, self.end.seq)?;
                *seq = builder.seq;
                Ok(Some(builder.finish(key, epoch)))
            }
            Step::PackHead { pack, next } => {
                let head = pack.head(self.scope, *next);
                self.step = Step::PackFrames { pack: *pack, next: *next };
                Ok(Some(part(PartKind::PackHead, &encode(&head))))
            }
            Step::PackFrames { pack, next } if *next < pack.frames => {
                let frame = reader.pack_frame(pack.id, *next)?;
                *next += 1;
                Ok(Some(part(PartKind::PackFrame, &frame)))
            }
            Step::PackFrames { pack, .. } => {
                self.step = Step::Tail { seq: pack.point.seq };
                self.next_part(reader, request, key, epoch)
            }
            Step::Offer => {
                let items = reader.items(self.scope)?;
                let range_bits = repair::range_bits(items.len());
                let offer = RepairOffer {
                    scope: self.scope,
                    range_bits,
                    fingerprints: repair::fingerprints(items, range_bits).into(),
                    seq: self.end.seq,
                    chain: self.end.chain.0.into(),
                };
                self.step = Step::Done;
                Ok(Some(part(PartKind::RepairOffer, &encode(&offer))))
            }
            Step::Repair { .. } => self.repair_part(reader),
            Step::Done => Ok(None),
        }
    }

    fn repair_part<R: LogReader>(&mut self, reader: &R) -> Result<Option<Vec<u8>>, R::Error> {
        let Step::Repair { answer, send, result } = &mut self.step else { return Ok(None) };
        if send.is_none() {
            let bits = answer.range_bits.min(repair::RANGE_BITS_MAX);
            let ranges: Vec<usize> =
                answer.ranges.iter().filter_map(|range| usize::try_from(*range).ok()).collect();
            let ours = reader.items(self.scope)?.into_iter();
            let ours = ours.filter(|item| ranges.contains(&repair::range_of(&item.id, bits)));
            let difference = repair::compare(ours, &answer.items);
            let (mut wanted, mut gone) = (Vec::new(), Vec::new());
            for prefix in &difference.unknown {
                let elsewhere = reader.is_elsewhere(self.scope, prefix)?;
                (if elsewhere { &mut gone } else { &mut wanted }).extend_from_slice(prefix);
            }
            *send = Some(difference.send.into());
            *result = Some(RepairResult {
                scope: self.scope,
                wanted: wanted.into(),
                gone: gone.into(),
                seq: self.end.seq,
                chain: self.end.chain.0.into(),
            });
        }
        let mut frame =
            PackFrame { scope: self.scope, households: Vec::new(), changes: Vec::new() };
        let mut bytes = 0;
        while let Some(id) = send.as_mut().and_then(VecDeque::pop_front) {
            bytes += add_household(&mut frame, id, &reader.changes(id, None)?);
            if bytes >= FRAME_RAW_BYTES {
                break;
            }
        }
        if !frame.households.is_empty() {
            return Ok(Some(part(PartKind::PackFrame, &squeeze_live(&encode(&frame)))));
        }
        let result = result.take().map(|result| part(PartKind::RepairResult, &encode(&result)));
        self.step = Step::Done;
        Ok(result)
    }
}

/// Adds a household whole to a frame; returns the raw bytes it takes.
fn add_household(
    frame: &mut PackFrame,
    id: HouseholdId,
    changes: &[(ChangeHash, RawChange)],
) -> usize {
    frame.households.push(id.0.into());
    // A household's first change goes to the next place, the others stay there.
    let steps = std::iter::once(0).chain(std::iter::repeat(-1));
    let changes = in_a_row(changes);
    let bytes = changes.iter().map(|(_, tail)| tail.len()).sum::<usize>();
    frame.changes.extend(
        changes.into_iter().zip(steps).map(|((deps, tail), household)| PushedChange {
            household,
            deps,
            tail,
        }),
    );
    16 + bytes
}

/// One household's changes, each building on the one before where nothing else is said.
fn in_a_row(changes: &[(ChangeHash, RawChange)]) -> Vec<(Vec<ByteVec>, ByteVec)> {
    let before = std::iter::once(None).chain(changes.iter().map(|(hash, _)| Some(hash)));
    // A change the store holds was split when it was taken.
    changes.iter().zip(before).filter_map(|((_, raw), b)| deps::shorten_after(raw, b)).collect()
}

pub(super) fn squeeze_live(raw: &[u8]) -> Vec<u8> {
    squeeze(raw, Effort::Live)
}

fn squeeze(raw: &[u8], effort: Effort) -> Vec<u8> {
    // Compression of a bounded buffer fails only without memory, where an empty frame is refused by
    // the phone as cut.
    compress::compress(raw, effort).unwrap_or_default()
}

/// The frames of a pack over whole households, compressed for keeps. `households` gives each household
/// with its changes; returns the frames.
pub fn pack_frames(
    scope: Scope,
    households: impl IntoIterator<Item = (HouseholdId, Vec<(ChangeHash, RawChange)>)>,
) -> Vec<Vec<u8>> {
    let empty = || PackFrame { scope, households: Vec::new(), changes: Vec::new() };
    let mut frames = Vec::new();
    let mut frame = empty();
    let mut bytes = 0;
    for (id, changes) in households {
        bytes += add_household(&mut frame, id, &changes);
        if bytes >= PACK_FRAME_RAW_BYTES {
            frames.push(squeeze(&encode(&frame), Effort::Pack));
            frame = empty();
            bytes = 0;
        }
    }
    if !frame.households.is_empty() {
        frames.push(squeeze(&encode(&frame), Effort::Pack));
    }
    frames
}

/// Gathers log rows into one frame.
struct FrameBuilder {
    frame: LogFrame,
    listed: BTreeMap<HouseholdId, usize>,
    places: Places,
    full_ids: bool,
    device: u32,
    echo: bool,
    seq: u64,
    chain: Option<Chain>,
    bytes: usize,
    has_receipt: bool,
}

impl FrameBuilder {
    fn new(scope: Scope, seq: u64, request: &SyncRequest) -> Self {
        let frame = LogFrame {
            scope,
            from_seq: seq,
            households: Vec::new(),
            entries: Vec::new(),
            chain: [0; 8].into(),
            signature: None,
        };
        Self {
            frame,
            listed: BTreeMap::new(),
            places: Places::default(),
            full_ids: request.full_ids == Some(true),
            device: request.device,
            echo: request.echo == Some(true),
            seq,
            chain: None,
            bytes: 0,
            has_receipt: false,
        }
    }

    fn fill<R: LogReader>(&mut self, reader: &R, end_seq: u64) -> Result<(), R::Error> {
        while self.bytes < FRAME_RAW_BYTES && self.seq < end_seq {
            let rows = reader.rows(self.frame.scope, self.seq, ROWS_MAX)?;
            if rows.is_empty() {
                break;
            }
            for row in rows {
                if self.bytes >= FRAME_RAW_BYTES || row.seq > end_seq {
                    break;
                }
                self.add(reader, row)?;
            }
        }
        Ok(())
    }

    fn add<R: LogReader>(&mut self, reader: &R, row: LogRow) -> Result<(), R::Error> {
        self.seq = row.seq;
        self.chain = Some(row.chain);
        self.bytes += 8;
        match row.kind {
            EntryKind::Change if row.device == self.device && !self.echo => {
                self.add_receipt(row.outbox)
            }
            EntryKind::Change => {
                if let Some((deps, tail)) = row.change.as_ref().and_then(deps::shorten) {
                    self.bytes += tail.len();
                    // Whoever is to hold a later change holds the household.
                    let opens = deps.iter().all(|dep| genesis().1.0.starts_with(dep));
                    let household = self.step_to(row.household, !opens);
                    self.frame.entries.push(Entry::Change { household, deps, tail });
                }
            }
            EntryKind::Leave => {
                let household = self.step_to(row.household, false);
                self.frame.entries.push(Entry::Leave { household, to: row.other_scope });
            }
            EntryKind::Enter => {
                let changes = reader.changes(row.household, Some(row.change_bound))?;
                let changes = in_a_row(&changes);
                self.bytes += changes.iter().map(|(_, tail)| tail.len()).sum::<usize>();
                let household = self.step_to(row.household, false);
                self.frame.entries.push(Entry::Enter { household, from: row.other_scope, changes });
            }
        }
        Ok(())
    }

    fn add_receipt(&mut self, outbox: u64) {
        self.has_receipt = true;
        if let Some(Entry::Receipt { first_outbox, count }) = self.frame.entries.last_mut()
            && *first_outbox + *count == outbox
        {
            *count += 1;
            return;
        }
        self.frame.entries.push(Entry::Receipt { first_outbox: outbox, count: 1 });
    }

    fn step_to(&mut self, household: HouseholdId, may_shorten: bool) -> i32 {
        let (households, short) = (&mut self.frame.households, may_shorten && !self.full_ids);
        let place = *self.listed.entry(household).or_insert_with(|| {
            households.push(wire_id(&household, short));
            households.len() - 1
        });
        self.places.step_to(place)
    }

    fn finish(mut self, key: &SigningKey, epoch: &[u8; 8]) -> Vec<u8> {
        if let Some(chain) = self.chain {
            self.frame.chain = chain.short().into();
            if self.has_receipt {
                let signed = seal::sign_receipt(key, epoch, self.frame.scope, self.seq, chain);
                self.frame.signature = Some(signed.into());
            }
        }
        part(PartKind::Log, &squeeze_live(&encode(&self.frame)))
    }
}
