//! The server's side of a sync: takes frames, then gives the parts of the answer one by one, so that
//! nothing is held in memory but one part. Does no I/O: storage is reached through [`RecordLog`] and
//! [`LogReader`], bytes come and go as slices. Must not know HTTP or any database.

use std::collections::VecDeque;
use std::sync::Arc;

use ed25519_dalek::SigningKey;
use minicbor::bytes::ByteArray;

use super::admission::{Admission, RecordLog, Sender, Standing};
use super::chain::{Chain, Digest, EntryKind};
use super::seal::{self, policy_id};
use super::wire;
use super::wire::{
    Cursor, PROTOCOL_VERSION_MIN, PackHead, PartKind, PushFrame, Refusal, RepairAnswer,
    ResponseHead, Scope, SyncRequest, encode,
};
use crate::document::compress;
use crate::document::raw::RawChange;
use crate::domain::ids::{ChangeHash, HouseholdId};
use crate::domain::policy::Published;
use crate::sync::repair::Item;

mod parts;

pub use parts::pack_frames;

use parts::ScopePlan;

/// How far a scope's log reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogPoint {
    /// Number of entries.
    pub seq: u64,
    /// The chain after them.
    pub chain: Chain,
    /// Sum over the changes of the households in the scope.
    pub digest: Digest,
}

/// One entry of a scope's log as storage holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogRow {
    /// Its number within the scope, from 1.
    pub seq: u64,
    /// What it records.
    pub kind: EntryKind,
    /// Its household.
    pub household: HouseholdId,
    /// The device it came from, and that device's number for it.
    pub device: u32,
    /// See `device`.
    pub outbox: u64,
    /// The change, for `Change`.
    pub change: Option<RawChange>,
    /// The other scope, for a move.
    pub other_scope: Scope,
    /// Newest local change number that belongs to an `Enter`.
    pub change_bound: i64,
    /// The scope's log after this entry.
    pub chain: Chain,
}

/// A snapshot pack on offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pack {
    /// First 16 bytes of the SHA-256 over its frames.
    pub id: [u8; 16],
    /// The log it stands for.
    pub point: LogPoint,
    /// Number of frames.
    pub frames: u32,
}

/// One consistent view of the server's log.
pub trait LogReader {
    /// What storage reports when it fails.
    type Error;

    /// The log's epoch: random, new at every restore.
    fn epoch(&self) -> Result<[u8; 8], Self::Error>;
    /// The scopes inside these areas that have entries, ascending, and how far each reaches.
    fn scopes(&self, areas: &[u64]) -> Result<Vec<(Scope, LogPoint)>, Self::Error>;
    /// The log of a scope after its first `seq` entries, where it has so many.
    fn point(&self, scope: Scope, seq: u64) -> Result<Option<LogPoint>, Self::Error>;
    /// Up to `rows_max` entries after `seq`.
    fn rows(&self, scope: Scope, seq: u64, rows_max: u32) -> Result<Vec<LogRow>, Self::Error>;
    /// A household's changes in order of arrival, none newer than `bound` where one is given.
    fn changes(
        &self,
        household: HouseholdId,
        bound: Option<i64>,
    ) -> Result<Vec<(ChangeHash, RawChange)>, Self::Error>;
    /// The newest pack of a scope.
    fn pack(&self, scope: Scope) -> Result<Option<Pack>, Self::Error>;
    /// A pack of a scope by id, while it is kept.
    fn pack_by_id(&self, scope: Scope, id: [u8; 16]) -> Result<Option<Pack>, Self::Error>;
    /// One frame of a pack as stored, compressed.
    fn pack_frame(&self, id: [u8; 16], frame: u32) -> Result<Vec<u8>, Self::Error>;
    /// The households of a scope, ascending by id.
    fn items(&self, scope: Scope) -> Result<Vec<Item>, Self::Error>;
    /// Whether a household whose id begins so is on record in another scope.
    fn is_elsewhere(&self, scope: Scope, prefix: &[u8]) -> Result<bool, Self::Error>;
}

/// A request that cannot be answered at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// The phone speaks an older protocol than this server still answers.
    #[error("protocol too old")]
    ProtocolTooOld,
    /// A frame or header is not what the protocol says.
    #[error("malformed request")]
    Malformed,
    /// More scopes than a device may hold.
    #[error("request over its bounds")]
    TooLarge,
}

/// A change of one kind or the other went wrong.
#[derive(Debug)]
pub enum PushError<E> {
    /// The frame is not what the protocol says; nothing of it was taken.
    Request(RequestError),
    /// Storage failed; nothing of the frame was taken.
    Storage(E),
}

/// One sync as the server sees it.
#[derive(Debug)]
pub struct Responder {
    request: SyncRequest,
    sender: Sender,
    admission: Admission,
    refusals: Vec<Refusal>,
    plan: Option<VecDeque<ScopePlan>>,
    policy: Option<Arc<Published>>,
    ended: bool,
}

impl Responder {
    /// Begins with a header whose signature was checked.
    ///
    /// # Errors
    /// `ProtocolTooOld` before anything was taken; a newer phone is answered in this server's protocol.
    pub fn begin(request: SyncRequest, sender: Sender) -> Result<Self, RequestError> {
        if request.protocol < PROTOCOL_VERSION_MIN {
            return Err(RequestError::ProtocolTooOld);
        }
        if request.cursors.len() > wire::SCOPES_MAX || request.frames.len() > wire::FRAMES_MAX {
            return Err(RequestError::TooLarge);
        }
        let (admission, refusals) = (Admission::default(), Vec::new());
        Ok(Self { request, sender, admission, refusals, plan: None, policy: None, ended: false })
    }

    /// Gives the phone this policy where it holds another.
    #[must_use]
    pub fn publishing(mut self, policy: Arc<Published>) -> Self {
        self.policy = Some(policy);
        self
    }

    /// Reads a frame; apart from taking it, so that a writer's time is not spent on decompression.
    ///
    /// # Errors
    /// `Malformed` where it is not a compressed list of changes within bounds.
    pub fn read_frame(frame: &[u8]) -> Result<PushFrame, RequestError> {
        let raw = compress::decompress(frame, wire::FRAME_RAW_BYTES_MAX)
            .map_err(|_| RequestError::Malformed)?;
        wire::decode(&raw).map_err(|_| RequestError::Malformed)
    }

    /// Takes a frame's changes inside the caller's transaction.
    ///
    /// # Errors
    /// Where storage fails; the caller rolls back.
    pub fn take<L: RecordLog>(
        &mut self,
        log: &mut L,
        frame: &PushFrame,
        now_ms: i64,
    ) -> Result<(), L::Error> {
        let refusals = self.admission.admit(log, &self.sender, frame, now_ms)?;
        self.refusals.extend(refusals);
        Ok(())
    }

    /// Changes taken so far.
    pub fn taken(&self) -> u64 {
        self.admission.taken()
    }

    /// The next part of the answer, ready to be sent; `None` once it is complete.
    ///
    /// # Errors
    /// Where storage fails; the answer then stays without its end and counts as cut.
    pub fn next_part<R: LogReader>(
        &mut self,
        reader: &R,
        key: &SigningKey,
        now_ms: i64,
    ) -> Result<Option<Vec<u8>>, R::Error> {
        let Some(plan) = &mut self.plan else {
            return self.head(reader, now_ms).map(Some);
        };
        if let Some(policy) = self.policy.take()
            && self.request.policy.is_some_and(|held| *held != policy_id(policy.text.as_bytes()))
        {
            let text = parts::squeeze_live(policy.text.as_bytes());
            return Ok(Some(part(PartKind::Policy, &text)));
        }
        let epoch = reader.epoch()?;
        while let Some(scope) = plan.front_mut() {
            if let Some(part) = scope.next_part(reader, &self.request, key, &epoch)? {
                return Ok(Some(part));
            }
            plan.pop_front();
        }
        if std::mem::replace(&mut self.ended, true) {
            return Ok(None);
        }
        Ok(Some(part(PartKind::End, &[])))
    }

    fn head<R: LogReader>(&mut self, reader: &R, now_ms: i64) -> Result<Vec<u8>, R::Error> {
        let epoch = reader.epoch()?;
        let mut scopes = reader.scopes(&self.sender.areas)?;
        let allowed = |scope: Scope| self.sender.may_hold(scope);
        scopes.retain(|(scope, _)| allowed(*scope));
        let lost_scopes = self.request.cursors.iter().map(|cursor| cursor.scope);
        let lost_scopes: Vec<_> = lost_scopes.filter(|scope| !allowed(*scope)).collect();
        let mut plan = VecDeque::new();
        let mut entries = 0;
        // A scope the phone holds but this log does not know yet: its log was lost with a restore.
        let unknown = self.request.cursors.iter().filter(|cursor| {
            allowed(cursor.scope)
                && scopes.binary_search_by_key(&cursor.scope, |(scope, _)| *scope).is_err()
        });
        let empty =
            |scope| LogPoint { seq: 0, chain: Chain::start(scope), digest: Digest::default() };
        let unknown: Vec<_> = unknown.map(|cursor| (cursor.scope, empty(cursor.scope))).collect();
        for (scope, point) in scopes.into_iter().chain(unknown) {
            let cursor = self.request.cursors.iter().find(|cursor| cursor.scope == scope);
            let answer = self.request.repair.iter().flatten().find(|answer| answer.scope == scope);
            let scope_plan =
                plan_scope(reader, (scope, point), cursor, answer, self.is_epoch(&epoch))?;
            entries += scope_plan.entries();
            plan.push_back(scope_plan);
        }
        self.plan = Some(plan);
        let revoked = match self.sender.standing {
            Standing::Active => None,
            // Told once more what to do if this log may lack what only that phone still holds.
            Standing::Revoked => {
                let mut all_agree = self.is_epoch(&epoch);
                for cursor in &self.request.cursors {
                    all_agree &= agrees(reader, cursor)?;
                }
                Some(!all_agree)
            }
        };
        let head = ResponseHead {
            protocol: self.request.protocol.min(wire::PROTOCOL_VERSION),
            epoch: epoch.into(),
            server_time_ms: now_ms,
            refusals: std::mem::take(&mut self.refusals),
            lost_scopes,
            entries,
            revoked,
            lease_days: self.sender.lease_days,
            grids: Some(self.sender.grids.clone()).filter(|grids| !grids.is_empty()),
        };
        Ok(part(PartKind::Head, &encode(&head)))
    }

    fn is_epoch(&self, epoch: &[u8; 8]) -> bool {
        self.request.epoch.as_slice() == epoch
    }
}

/// Decides how one scope is answered: tail, pack, or repair.
fn plan_scope<R: LogReader>(
    reader: &R,
    (scope, point): (Scope, LogPoint),
    cursor: Option<&Cursor>,
    answer: Option<&RepairAnswer>,
    same_epoch: bool,
) -> Result<ScopePlan, R::Error> {
    let Some(cursor) = cursor else {
        return ScopePlan::from_start(reader, scope, point, None);
    };
    if let Some(answer) = answer {
        return Ok(ScopePlan::repair(scope, point, answer.clone()));
    }
    if cursor.pack.is_some() || (cursor.seq == 0 && cursor.digest.iter().all(|byte| *byte == 0)) {
        return ScopePlan::from_start(reader, scope, point, cursor.pack.as_ref());
    }
    Ok(if same_epoch && agrees(reader, cursor)? {
        ScopePlan::tail(scope, cursor.seq, point)
    } else {
        ScopePlan::offer(scope, point)
    })
}

/// Whether what a phone holds is what this log held at the phone's position.
fn agrees<R: LogReader>(reader: &R, cursor: &Cursor) -> Result<bool, R::Error> {
    let held = reader.point(cursor.scope, cursor.seq)?;
    Ok(held.is_some_and(|held| {
        held.chain.short() == *cursor.chain && held.digest.to_bytes() == *cursor.digest
    }))
}

/// One part of an answer: kind, length, bytes.
pub(crate) fn part(kind: PartKind, bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + 5);
    out.push(kind as u8);
    seal::put_length(&mut out, bytes.len());
    out.extend_from_slice(bytes);
    out
}

impl Pack {
    /// The message that announces it, from the frame wanted.
    fn head(&self, scope: Scope, first_frame: u32) -> PackHead {
        PackHead {
            scope,
            id: ByteArray::from(self.id),
            seq: self.point.seq,
            chain: self.point.chain.0.into(),
            digest: self.point.digest.to_bytes().into(),
            frames: self.frames,
            first_frame,
        }
    }
}
