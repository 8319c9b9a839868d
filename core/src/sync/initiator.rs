//! The phone's side of a sync: what to send. One signed header and the changes that wait, in frames that
//! stand alone. Does no I/O beyond the replica's own tables; bytes go out as slices.

use std::collections::BTreeMap;

use ed25519_dalek::SigningKey;
use minicbor::bytes::ByteArray;
use rusqlite::Connection;

use super::wire::{
    Cursor, FRAMES_MAX, PROTOCOL_VERSION, PackPosition, Places, PushFrame, PushedChange,
    PushedHousehold, RepairAnswer, SYNC_PATH, SyncRequest, encode, wire_id,
};
use super::{SyncError, deps, seal};
use crate::document::compress::{self, Effort};
use crate::domain::ids::HouseholdId;
use crate::store::replica::{self, Pending, ScopeCursor, Setting};
use crate::store::{open, records};

/// Raw bytes after which a pushed frame is closed: small, so that a cut costs little.
const FRAME_RAW_BYTES: usize = 32 * 1024;
/// Compressed bytes after which a request is full; the rest goes with the next.
const REQUEST_BYTES: usize = 4 * 1024 * 1024;
/// Changes read from the outbox at a time.
const BATCH: u32 = 256;

/// Who this phone is towards its server.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Its number at the server.
    pub device: u32,
    /// Its key.
    pub key: SigningKey,
    /// The server's key, which signs receipts.
    pub server_key: [u8; 32],
}

/// What this request is for.
#[derive(Clone, Debug, Default)]
pub struct Purpose {
    /// Send nothing, only ask: after a cut, to learn what arrived.
    pub ask_only: bool,
    /// Second round of a repair.
    pub repair: Vec<RepairAnswer>,
}

/// A request ready to be sent.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// Length, header, signature.
    pub head: Vec<u8>,
    /// Frames with their lengths before them.
    pub frames: Vec<Vec<u8>>,
    /// Changes in the frames.
    pub changes: u64,
    /// Whether changes remain for another request.
    pub more: bool,
}

impl Outgoing {
    /// Size of the request's body.
    pub fn bytes(&self) -> usize {
        self.head.len() + self.frames.iter().map(Vec::len).sum::<usize>()
    }
}

/// Composes the next request. The request counter is saved before it is used.
///
/// # Errors
/// Where the store fails.
pub fn compose(
    connection: &mut Connection,
    identity: &Identity,
    schema: u32,
    purpose: Purpose,
) -> Result<Outgoing, SyncError> {
    let transaction = open::begin(connection)?;
    let counter = replica::next_number(&transaction, Setting::RequestCounter)?;
    let cursors = replica::cursors(&transaction)?;
    let full_ids = replica::setting(&transaction, Setting::FullIds)?.is_some();
    let (frames, changes, more) = if purpose.ask_only {
        (Vec::new(), 0, false)
    } else {
        push_frames(&transaction, full_ids)?
    };
    let request = SyncRequest {
        protocol: PROTOCOL_VERSION,
        schema,
        device: identity.device,
        counter,
        epoch: replica::setting(&transaction, Setting::Epoch)?.unwrap_or_default().into(),
        cursors: cursors
            .iter()
            .map(|cursor| wire_cursor(&transaction, cursor))
            .collect::<Result<_, _>>()?,
        frames: frames.iter().map(|frame| seal::frame_digest(frame).into()).collect(),
        echo: replica::setting(&transaction, Setting::Echo)?.map(|_| true),
        repair: (!purpose.repair.is_empty()).then_some(purpose.repair),
        actor: replica::setting(&transaction, Setting::ActorIsNew)?
            .and(replica::setting(&transaction, Setting::Actor)?)
            .and_then(|actor| <[u8; 16]>::try_from(actor).ok())
            .map(ByteArray::from),
        full_ids: full_ids.then_some(true),
        policy: Some(policy_id(&replica::setting(&transaction, Setting::Policy)?).into()),
    };
    open::commit(transaction)?;
    let head = seal::seal_request(&identity.key, SYNC_PATH, &encode(&request));
    let frames = frames
        .into_iter()
        .map(|frame| {
            let mut out = Vec::with_capacity(frame.len() + 4);
            seal::put_length(&mut out, frame.len());
            out.extend_from_slice(&frame);
            out
        })
        .collect();
    Ok(Outgoing { head, frames, changes, more })
}

fn policy_id(held: &Option<Vec<u8>>) -> [u8; 8] {
    seal::policy_id(held.as_deref().unwrap_or_default())
}

fn wire_cursor(connection: &Connection, cursor: &ScopeCursor) -> Result<Cursor, SyncError> {
    let mut chain = [0; 8];
    chain.copy_from_slice(&cursor.chain[..8]);
    Ok(Cursor {
        scope: cursor.scope,
        seq: cursor.seq,
        chain: chain.into(),
        digest: records::scope_digest(connection, cursor.scope)?.to_be_bytes().into(),
        pack: cursor
            .pack
            .as_ref()
            .map(|pack| PackPosition { id: ByteArray::from(pack.id), frame: pack.frame }),
    })
}

/// The waiting changes as compressed frames, how many they are, and whether more wait.
fn push_frames(
    connection: &Connection,
    full_ids: bool,
) -> Result<(Vec<Vec<u8>>, u64, bool), SyncError> {
    let (mut frames, mut count, mut bytes, mut after) = (Vec::new(), 0, 0, 0);
    let mut builder = PushBuilder::new(full_ids);
    loop {
        let batch = replica::pending(connection, after, BATCH)?;
        let last_batch = batch.is_empty();
        for pending in batch {
            after = pending.change.outbox.unwrap_or(after);
            count += 1;
            builder.add(&pending)?;
            if builder.bytes >= FRAME_RAW_BYTES {
                let full = std::mem::replace(&mut builder, PushBuilder::new(full_ids));
                let frame = full.finish()?;
                bytes += frame.len();
                frames.push(frame);
                if bytes >= REQUEST_BYTES || frames.len() >= FRAMES_MAX {
                    return Ok((frames, count, true));
                }
            }
        }
        if last_batch {
            break;
        }
    }
    if builder.bytes > 0 {
        frames.push(builder.finish()?);
    }
    Ok((frames, count, false))
}

#[derive(Default)]
struct PushBuilder {
    outbox: Vec<(u64, u32)>,
    households: Vec<PushedHousehold>,
    listed: BTreeMap<HouseholdId, usize>,
    places: Places,
    changes: Vec<PushedChange>,
    bytes: usize,
    full_ids: bool,
}

impl PushBuilder {
    fn new(full_ids: bool) -> Self {
        Self { full_ids, ..Self::default() }
    }

    fn add(&mut self, pending: &Pending) -> Result<(), SyncError> {
        let number = pending.change.outbox.unwrap_or_default();
        match self.outbox.last_mut() {
            Some((first, count)) if *first + u64::from(*count) == number => *count += 1,
            _ => self.outbox.push((number, 1)),
        }
        let (id, scope) = (pending.household, pending.scope);
        let (households, short) = (&mut self.households, pending.is_known && !self.full_ids);
        let place = *self.listed.entry(id).or_insert_with(|| {
            households.push(PushedHousehold { id: wire_id(&id, short), scope });
            households.len() - 1
        });
        let household = self.places.step_to(place);
        let (deps, tail) = deps::shorten(&pending.change.raw).ok_or(SyncError::Corrupt)?;
        self.bytes += tail.len() + 16;
        self.changes.push(PushedChange { household, deps, tail });
        Ok(())
    }

    fn finish(self) -> Result<Vec<u8>, SyncError> {
        let Self { outbox, households, changes, .. } = self;
        let raw = encode(&PushFrame { outbox, households, changes });
        compress::compress(&raw, Effort::Live).map_err(|_| SyncError::Corrupt)
    }
}
