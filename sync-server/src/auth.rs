//! From a signed header to a sender the server is sure of. Order: parse, device, signature, standing,
//! counter. Must not look at any record.

use wanhu_core::domain::ids::ActorId;
use wanhu_core::sync::admission::{Sender, Standing};
use wanhu_core::sync::seal::request_is_signed;
use wanhu_core::sync::wire::{self, SYNC_PATH, SyncRequest};

use crate::accounts::Accounts;
use crate::error::ServerError;

/// Checks a sync request's header.
///
/// # Errors
/// The first check that fails; only the last one, the counter, leaves a trace.
pub fn authenticate(
    accounts: &Accounts,
    header: &[u8],
    signature: &[u8; 64],
    now_ms: i64,
) -> Result<(SyncRequest, Sender), ServerError> {
    let request: SyncRequest = wire::decode(header).map_err(|_| ServerError::BadRequest)?;
    let device = accounts.device(request.device)?.ok_or(ServerError::UnknownDevice)?;
    if !request_is_signed(&device.public_key, SYNC_PATH, header, signature) {
        return Err(ServerError::BadSignature);
    }
    if device.approved_ms.is_none() {
        return Err(ServerError::AwaitingApproval);
    }
    if !accounts.advance_counter(device.number, &device.public_key, request.counter, now_ms)? {
        let last_counter = accounts.last_counter(device.number)?;
        return Err(ServerError::Replayed { last_counter });
    }
    let mut actors = device.actors;
    if let Some(actor) = &request.actor
        && !actors.contains(&ActorId(**actor))
    {
        // Somebody else's installation stays theirs; this phone's changes are then refused one by one.
        if accounts.bind_actor(device.number, ActorId(**actor), now_ms)? {
            actors.push(ActorId(**actor));
        }
    }
    let standing = match device.revoked_ms.is_some() || device.account.disabled {
        true => Standing::Revoked,
        false => Standing::Active,
    };
    let sender = Sender {
        device: device.number,
        actors,
        account: device.account.id,
        role: device.account.role,
        areas: device.account.areas,
        grids: device.account.grids,
        standing,
        quota: u64::MAX,
        lease_days: None,
    };
    Ok((request, sender))
}
