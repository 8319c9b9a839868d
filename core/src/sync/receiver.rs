//! The phone's side of a sync: what comes back. Takes bytes as they arrive, applies each part as soon as
//! it is complete, changes and cursor in one transaction, so that a cut costs at most one part.
//! Must not know where the bytes come from.

use minicbor::bytes::ByteArray;
use minicbor::{Decode, Encode};
use rusqlite::{Connection, Transaction};

use super::batch::Batch;
use super::chain::Chain;
use super::initiator::Identity;
use super::wire::{
    self, ErrorBody, LogFrame, PackFrame, PackHead, PartKind, Places, Refusal, RefusalCode,
    RepairAnswer, RepairOffer, RepairResult, ResponseHead, Scope,
};
use super::{SyncError, deps, repair, seal};
use crate::document::compress;
use crate::domain::ids::HouseholdId;
use crate::store::replica::{self, PackCursor, ScopeCursor, Setting};
use crate::store::{open, records};

mod log;

/// Largest part accepted: a frame, or the fingerprints of a repair.
const PART_BYTES_MAX: usize = 1024 * 1024;

/// What one sync did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct SyncReport {
    /// Own changes for which the server gave a signed receipt.
    pub receipts: u64,
    /// Changes the server did not take; they are listed with their reasons.
    pub refused: u64,
    /// Changes of others that came in.
    pub received: u64,
    /// Log entries the answer announced, for progress.
    pub entries_announced: u64,
    /// Log entries applied so far.
    pub entries: u64,
    /// Households that left this phone.
    pub left: u64,
    /// Requests it took.
    pub requests: u64,
    /// The server's clock, milliseconds since 1970 UTC.
    pub server_time_ms: i64,
    /// This phone was shut out, has handed in what waited and has forgotten everything.
    pub wiped: bool,
}

impl SyncReport {
    /// Grows whenever anything at all came through.
    pub fn got_through(&self) -> u64 {
        self.receipts + self.refused + self.received + self.entries + self.left
    }
}

/// The last signed receipt, as the cadre sees it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Receipt {
    /// The server's clock, milliseconds since 1970 UTC.
    #[n(0)]
    pub server_time_ms: i64,
    /// The scope whose log was signed.
    #[n(1)]
    pub scope: Scope,
    /// Entries it covers.
    #[n(2)]
    pub seq: u64,
    /// The chain after them.
    #[n(3)]
    pub chain: ByteArray<32>,
    /// The log's epoch.
    #[n(4)]
    pub epoch: ByteArray<8>,
    /// The server's signature over the above.
    #[n(5)]
    pub signature: ByteArray<64>,
}

/// What should happen after an answer.
#[derive(Clone, Debug, Default)]
pub struct Next {
    /// Another request is needed: more to send, a repair to go on, own changes to fetch.
    pub again: bool,
    /// Second round of repairs.
    pub repair: Vec<RepairAnswer>,
    /// A copy of this phone has written under the same installation id: take a new one.
    pub renew: bool,
}

const DAY_MS: i64 = 86_400_000;

/// Takes an answer part by part.
#[derive(Debug)]
pub struct Receiver {
    identity: Identity,
    now_ms: i64,
    buffer: Vec<u8>,
    epoch: Option<[u8; 8]>,
    pack: Option<PackHead>,
    next: Next,
    lost_scopes: Vec<Scope>,
    set_aside: Vec<Scope>,
    report: SyncReport,
    is_revoked: bool,
    ended: bool,
}

impl Receiver {
    /// Begins an answer. `now_ms` is the phone's clock, kept beside refusals for display.
    pub fn new(identity: Identity, now_ms: i64) -> Self {
        Self {
            identity,
            now_ms,
            buffer: Vec::new(),
            epoch: None,
            pack: None,
            next: Next::default(),
            lost_scopes: Vec::new(),
            set_aside: Vec::new(),
            report: SyncReport::default(),
            is_revoked: false,
            ended: false,
        }
    }

    /// Whether the answer's head has come, which says what holds from now on.
    pub fn has_head(&self) -> bool {
        self.epoch.is_some()
    }

    /// What happened so far.
    pub fn report(&self) -> &SyncReport {
        &self.report
    }

    /// Takes more bytes of the answer and applies every part they complete.
    ///
    /// # Errors
    /// What was applied before an error stays; the part in error leaves no trace.
    pub fn feed(&mut self, connection: &mut Connection, bytes: &[u8]) -> Result<(), SyncError> {
        self.buffer.extend_from_slice(bytes);
        let mut buffer = std::mem::take(&mut self.buffer);
        let read = open::unhurried(connection, |connection| {
            let mut read = 0;
            while let Some((kind, from, to)) = next_part(&buffer[read..])? {
                if self.ended {
                    return Err(SyncError::Malformed);
                }
                self.apply(connection, kind, &buffer[read + from..read + to])?;
                read += to;
            }
            Ok(read)
        })?;
        buffer.drain(..read);
        self.buffer = buffer;
        Ok(())
    }

    /// Ends the answer.
    ///
    /// # Errors
    /// `Cut` where its end did not arrive.
    pub fn finish(mut self, connection: &mut Connection) -> Result<(SyncReport, Next), SyncError> {
        if !self.ended {
            return Err(SyncError::Cut);
        }
        self.clean_up(connection)?;
        Ok((self.report, self.next))
    }

    fn apply(
        &mut self,
        connection: &mut Connection,
        kind: PartKind,
        bytes: &[u8],
    ) -> Result<(), SyncError> {
        if (self.epoch.is_none()) != matches!(kind, PartKind::Head | PartKind::Error) {
            return Err(SyncError::Malformed);
        }
        match kind {
            PartKind::Head => self.apply_head(connection, &read(bytes)?),
            PartKind::Log => self.apply_log(connection, &read(&inflate(bytes)?)?),
            PartKind::PackHead => self.begin_pack(connection, read(bytes)?),
            PartKind::PackFrame => self.apply_pack_frame(connection, &read(&inflate(bytes)?)?),
            PartKind::RepairOffer => self.apply_offer(connection, &read(bytes)?),
            PartKind::RepairResult => self.apply_repair(connection, &read(bytes)?),
            PartKind::Policy => keep_policy(connection, &inflate(bytes)?),
            PartKind::Error => {
                let ErrorBody { code, details } = read(bytes)?;
                Err(SyncError::Refused { code, details })
            }
            PartKind::End => {
                self.ended = true;
                Ok(())
            }
        }
    }

    fn apply_head(
        &mut self,
        connection: &mut Connection,
        head: &ResponseHead,
    ) -> Result<(), SyncError> {
        let transaction = begin(connection)?;
        self.is_revoked = head.revoked.is_some();
        let gave_back = replica::setting(&transaction, Setting::GaveBack)?;
        if head.revoked == Some(true) && gave_back.is_none_or(|epoch| epoch != *head.epoch) {
            give_everything_back(&transaction)?;
            replica::set(&transaction, Setting::GaveBack, &*head.epoch)?;
        }
        let known_epoch = replica::setting(&transaction, Setting::Epoch)?;
        if known_epoch.is_some_and(|epoch| epoch != *head.epoch) {
            self.next.again |= give_back_what_leaves(&transaction, &head.lost_scopes)?;
        }
        match head.lease_days {
            None => replica::unset(&transaction, Setting::LeaseUntil)?,
            Some(days) => {
                let until_ms = self.now_ms.saturating_add(i64::from(days) * DAY_MS);
                replica::set_time(&transaction, Setting::LeaseUntil, until_ms)?;
                replica::set_time(&transaction, Setting::LatestSeen, self.now_ms)?;
            }
        }
        let grids = head.grids.as_deref().unwrap_or_default();
        replica::set(&transaction, Setting::Grids, &wire::encode(&grids))?;
        let offset_ms = head.server_time_ms.saturating_sub(self.now_ms);
        replica::set_time(&transaction, Setting::ClockOffset, offset_ms)?;
        replica::set_time(&transaction, Setting::ServerTime, head.server_time_ms)?;
        // An answer to the request that named it.
        replica::unset(&transaction, Setting::ActorIsNew)?;
        replica::set(&transaction, Setting::Epoch, &*head.epoch)?;
        for refusal in &head.refusals {
            self.report.refused += refuse(&transaction, refusal, self.now_ms)?;
            self.next.renew |= refusal.code == RefusalCode::Equivocation;
            if refusal.code == RefusalCode::HouseholdUnclear {
                replica::set(&transaction, Setting::FullIds, &[1])?;
                self.next.again = true;
            }
        }
        open::commit(transaction)?;
        self.epoch = Some(*head.epoch);
        self.lost_scopes.clone_from(&head.lost_scopes);
        self.report.server_time_ms = head.server_time_ms;
        self.report.entries_announced = head.entries;
        Ok(())
    }

    fn begin_pack(&mut self, connection: &mut Connection, head: PackHead) -> Result<(), SyncError> {
        let transaction = begin(connection)?;
        let mut cursor = cursor_or_start(&transaction, head.scope)?;
        let position = PackCursor { id: *head.id, frame: head.first_frame };
        if head.first_frame != 0 && cursor.pack.as_ref() != Some(&position) {
            return Err(SyncError::Malformed);
        }
        cursor.pack = Some(position);
        replica::save_cursor(&transaction, &cursor)?;
        open::commit(transaction)?;
        self.pack = Some(head);
        self.end_pack_if_complete(connection)
    }

    fn apply_pack_frame(
        &mut self,
        connection: &mut Connection,
        frame: &PackFrame,
    ) -> Result<(), SyncError> {
        let transaction = begin(connection)?;
        let mut cursor = cursor_or_start(&transaction, frame.scope)?;
        let mut batch = Batch::new(&transaction);
        let households = super::batch::ids(&frame.households);
        let mut places = Places::default();
        let mut held = Vec::with_capacity(frame.changes.len());
        for change in &frame.changes {
            let id = super::batch::at(&households, &mut places, change.household)?;
            let previous = held.last().map(|(_, hash)| *hash);
            let deps = deps::named_after(&change.deps, previous);
            let taken = batch.take(id, frame.scope, &deps, &change.tail)?;
            self.report.received += u64::from(taken.is_new);
            held.push((id, taken.hash));
        }
        let in_pack = self.pack.as_ref().is_some_and(|pack| pack.scope == frame.scope);
        if !in_pack {
            // A repair: the server's version of a household is whole, so anything beyond it goes back.
            for id in &households {
                let theirs = |hash: &_| held.contains(&(*id, *hash));
                self.next.again |= batch.give_back(*id, theirs)?;
            }
        }
        self.next.renew |= batch.has_copy;
        batch.save()?;
        if let (true, Some(pack)) = (in_pack, cursor.pack.as_mut()) {
            pack.frame += 1;
        }
        replica::save_cursor(&transaction, &cursor)?;
        open::commit(transaction)?;
        self.end_pack_if_complete(connection)
    }

    fn end_pack_if_complete(&mut self, connection: &mut Connection) -> Result<(), SyncError> {
        let Some(head) = &self.pack else { return Ok(()) };
        let transaction = begin(connection)?;
        let mut cursor = cursor_or_start(&transaction, head.scope)?;
        if cursor.pack.as_ref().is_none_or(|pack| pack.frame < head.frames) {
            return Ok(());
        }
        if records::scope_digest(&transaction, head.scope)?.to_be_bytes() != *head.digest {
            // The next request carries the digest and so leads to a repair.
            self.next.again = true;
        }
        cursor.pack = None;
        (cursor.seq, cursor.chain) = (head.seq, *head.chain);
        replica::save_cursor(&transaction, &cursor)?;
        open::commit(transaction)?;
        self.report.entries += head.seq;
        self.pack = None;
        Ok(())
    }

    fn apply_offer(
        &mut self,
        connection: &mut Connection,
        offer: &RepairOffer,
    ) -> Result<(), SyncError> {
        if offer.range_bits > repair::RANGE_BITS_MAX {
            return Err(SyncError::Malformed);
        }
        let items = items(connection, offer.scope)?;
        let ours = repair::fingerprints(items.iter().copied(), offer.range_bits);
        let ranges = repair::differing(&ours, &offer.fingerprints);
        let inside = items.into_iter().filter(|item| {
            ranges.binary_search(&repair::range_of(&item.id, offer.range_bits)).is_ok()
        });
        self.next.again = true;
        self.next.repair.push(RepairAnswer {
            scope: offer.scope,
            range_bits: offer.range_bits,
            items: repair::shorten(inside).into(),
            ranges: ranges.iter().filter_map(|range| u32::try_from(*range).ok()).collect(),
            seq: offer.seq,
        });
        Ok(())
    }

    fn apply_repair(
        &mut self,
        connection: &mut Connection,
        result: &RepairResult,
    ) -> Result<(), SyncError> {
        let transaction = begin(connection)?;
        for prefix in result.wanted.chunks_exact(repair::SHORT_BYTES) {
            for id in with_id_prefix(&transaction, result.scope, prefix)? {
                let mut batch = Batch::new(&transaction);
                self.next.again |= batch.give_back(id, |_| false)?;
                batch.save()?;
            }
        }
        for prefix in result.gone.chunks_exact(repair::SHORT_BYTES) {
            for id in with_id_prefix(&transaction, result.scope, prefix)? {
                // The server may have lost changes with the move; what it has on record it will say.
                let mut batch = Batch::new(&transaction);
                self.next.again |= batch.give_back(id, |_| false)?;
                batch.mark_stray(id)?;
                batch.save()?;
            }
        }
        let cursor =
            ScopeCursor { scope: result.scope, seq: result.seq, chain: *result.chain, pack: None };
        replica::save_cursor(&transaction, &cursor)?;
        open::commit(transaction)?;
        self.report.entries += result.seq;
        Ok(())
    }

    fn apply_log(
        &mut self,
        connection: &mut Connection,
        frame: &LogFrame,
    ) -> Result<(), SyncError> {
        if self.set_aside.contains(&frame.scope) {
            return Ok(());
        }
        let epoch = self.epoch.ok_or(SyncError::Malformed)?;
        let transaction = begin(connection)?;
        let outcome = log::apply(&transaction, frame, &self.identity, &epoch, &mut self.report)?;
        match outcome {
            log::Outcome::Applied { receipt, has_copy } => {
                self.next.renew |= has_copy;
                if let Some((seq, chain, signature)) = receipt {
                    let receipt = Receipt {
                        server_time_ms: self.report.server_time_ms,
                        scope: frame.scope,
                        seq,
                        chain: chain.0.into(),
                        epoch: epoch.into(),
                        signature,
                    };
                    replica::set(&transaction, Setting::LastReceipt, &wire::encode(&receipt))?;
                }
                open::commit(transaction)?;
            }
            log::Outcome::OwnChangeMissing => {
                drop(transaction);
                replica::set(connection, Setting::Echo, &[1])?;
                self.ask_again(frame.scope);
            }
            log::Outcome::HouseholdUnclear => {
                drop(transaction);
                replica::set(connection, Setting::FullIds, &[1])?;
                self.ask_again(frame.scope);
            }
            log::Outcome::ChainBroken => {
                drop(transaction);
                let transaction = begin(connection)?;
                let mut cursor = cursor_or_start(&transaction, frame.scope)?;
                // No log has this chain: the server will offer a repair.
                cursor.chain = [0; 32];
                cursor.seq = cursor.seq.max(1);
                replica::save_cursor(&transaction, &cursor)?;
                open::commit(transaction)?;
                self.ask_again(frame.scope);
            }
            log::Outcome::AlreadyHeld => {}
        }
        Ok(())
    }

    /// Leaves the rest of a scope's answer aside: the next request asks for it otherwise.
    fn ask_again(&mut self, scope: Scope) {
        self.set_aside.push(scope);
        self.next.again = true;
    }

    /// What only a complete answer allows: forgetting scopes that were lost, and households that left.
    fn clean_up(&mut self, connection: &mut Connection) -> Result<(), SyncError> {
        let transaction = begin(connection)?;
        if self.is_revoked {
            if replica::pending_count(&transaction)? > 0 {
                self.next.again = true;
            } else {
                replica::wipe(&transaction)?;
                self.report.wiped = true;
            }
            return Ok(open::commit(transaction)?);
        }
        for scope in &self.lost_scopes {
            self.report.left += replica::drop_scope_if_sent(&transaction, *scope)?;
        }
        self.report.left += replica::drop_strays(&transaction)?;
        if !self.next.again {
            replica::unset(&transaction, Setting::Echo)?;
            replica::unset(&transaction, Setting::FullIds)?;
        }
        open::commit(transaction)?;
        Ok(())
    }
}

/// The next whole part at the start of `bytes`: its kind and where its content lies.
fn next_part(bytes: &[u8]) -> Result<Option<(PartKind, usize, usize)>, SyncError> {
    let Some((&kind, rest)) = bytes.split_first() else { return Ok(None) };
    let kind = PartKind::from_number(kind).ok_or(SyncError::Malformed)?;
    let Some((length, taken)) = seal::take_length(rest).map_err(|_| SyncError::Malformed)? else {
        return Ok(None);
    };
    if length > PART_BYTES_MAX {
        return Err(SyncError::Malformed);
    }
    let from = 1 + taken;
    Ok((rest.len() >= taken + length).then_some((kind, from, from + length)))
}

/// Queues every change this phone holds to be sent again, refused ones too.
fn give_everything_back(transaction: &Transaction<'_>) -> Result<(), SyncError> {
    replica::hand_in_refused(transaction)?;
    for scope in replica::scopes(transaction)? {
        give_back_scope(transaction, scope)?;
    }
    Ok(())
}

/// Queues every change of households that this phone is about to forget, since they moved away or their
/// area was withdrawn: the server was restored, and this phone may be the last that has them. Whether
/// there were any.
fn give_back_what_leaves(transaction: &Transaction<'_>, lost: &[Scope]) -> Result<bool, SyncError> {
    let served: Vec<Scope> =
        replica::cursors(transaction)?.into_iter().map(|cursor| cursor.scope).collect();
    let stays = |scope: &Scope| served.contains(scope) && !lost.contains(scope);
    let mut some = false;
    for scope in replica::scopes(transaction)? {
        if !stays(&scope) {
            some |= give_back_scope(transaction, scope)?;
        }
    }
    Ok(some)
}

fn give_back_scope(transaction: &Transaction<'_>, scope: Scope) -> Result<bool, SyncError> {
    let mut some = false;
    for (id, _) in records::digests(transaction, scope)? {
        let mut batch = Batch::new(transaction);
        some |= batch.give_back(id, |_| false)?;
        batch.save()?;
    }
    Ok(some)
}

/// Keeps the lines and rules of the county. One that this release cannot read is kept as well and asked for no
/// more; until a newer release reads it, nothing is warned of and no period is known.
fn keep_policy(connection: &mut Connection, text: &[u8]) -> Result<(), SyncError> {
    let transaction = begin(connection)?;
    replica::set(&transaction, Setting::Policy, text)?;
    Ok(open::commit(transaction)?)
}

fn begin(connection: &mut Connection) -> Result<Transaction<'_>, SyncError> {
    Ok(open::begin(connection)?)
}

fn inflate(bytes: &[u8]) -> Result<Vec<u8>, SyncError> {
    compress::decompress(bytes, wire::FRAME_RAW_BYTES_MAX).map_err(|_| SyncError::Malformed)
}

fn read<'b, T: Decode<'b, ()>>(bytes: &'b [u8]) -> Result<T, SyncError> {
    wire::decode(bytes).map_err(|_| SyncError::Malformed)
}

/// The scope's cursor, or the one before its first entry.
fn cursor_or_start(connection: &Connection, scope: Scope) -> Result<ScopeCursor, SyncError> {
    let start = || ScopeCursor { scope, seq: 0, chain: Chain::start(scope).0, pack: None };
    Ok(replica::cursor(connection, scope)?.unwrap_or_else(start))
}

fn items(connection: &Connection, scope: Scope) -> Result<Vec<repair::Item>, SyncError> {
    let items = records::digests(connection, scope)?;
    Ok(items.into_iter().map(|(id, digest)| repair::Item { id, digest }).collect())
}

fn with_id_prefix(
    connection: &Connection,
    scope: Scope,
    prefix: &[u8],
) -> Result<Vec<HouseholdId>, SyncError> {
    let items = records::digests(connection, scope)?;
    Ok(items.into_iter().map(|(id, _)| id).filter(|id| id.0.starts_with(prefix)).collect())
}

/// Moves a refused change aside; those the server wants to see again stay where they are.
fn refuse(transaction: &Transaction<'_>, refusal: &Refusal, now_ms: i64) -> Result<u64, SyncError> {
    if matches!(
        refusal.code,
        RefusalCode::DependencyMissing
            | RefusalCode::OverQuota
            | RefusalCode::DependencyAmbiguous
            | RefusalCode::HouseholdUnclear
    ) {
        return Ok(0);
    }
    let Some(own) = replica::own_change(transaction, refusal.outbox)? else {
        replica::refused_is_handed_in(transaction, refusal.outbox)?;
        return Ok(0);
    };
    if own.acknowledged {
        return Ok(0);
    }
    if refusal.code == RefusalCode::AlreadyHeld {
        let mut batch = Batch::new(transaction);
        batch.acknowledge(&own)?;
        batch.save()?;
        return Ok(0);
    }
    let mut household = records::get(transaction, own.household_n)?;
    // What gave way to a copy's change is written anew, and so must be what builds on it.
    let code_of_descendants = if refusal.code == RefusalCode::Equivocation {
        RefusalCode::Equivocation
    } else {
        RefusalCode::BuildsOnRefused
    };
    let reason = replica::Reason {
        code: refusal.code as u8,
        code_of_descendants: code_of_descendants as u8,
        subject: refusal.subject.as_deref().unwrap_or_default(),
        now_ms,
    };
    let count = replica::refuse(transaction, &mut household, own.hash, reason)?.len();
    if household.fold == crate::document::fold::Fold::default() {
        records::remove(transaction, household.n)?;
    } else {
        records::save(transaction, &household)?;
    }
    Ok(count as u64)
}
