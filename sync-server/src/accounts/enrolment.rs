//! How a phone comes to its account: a one-time code, read aloud, and the device it makes. Must not know what a device may
//! do.

use rusqlite::{OptionalExtension, Transaction, params};
use sha2::{Digest, Sha256};
use wanhu_core::domain::environment::{Entropy, random};
use wanhu_core::sync::seal::enrolment_is_signed;
use wanhu_core::sync::wire::EnrolRequest;

use super::{AccountError, Accounts, Device, account, check_grant, device};

/// No 0 and O, 1 and I and L, 8 and B, 2 and Z, 5 and S: codes are read aloud.
const CODE_ALPHABET: &[u8; 24] = b"34679ACDEFGHJKMNPQRTUVWX";
const CODE_CHARS: usize = 10;

impl Accounts {
    /// Issues a one-time code for a new phone of an account, such as `7K3QM-X9D4T`.
    ///
    /// # Errors
    /// `AccountUnknown`, `AccountClosed`, `NotGranted`.
    pub fn issue_code(
        &self,
        id: &str,
        by: &str,
        now_ms: i64,
        lifetime_ms: i64,
        entropy: &mut dyn Entropy,
    ) -> Result<String, AccountError> {
        let file = self.file();
        let owner = account(&file, id)?.ok_or(AccountError::AccountUnknown)?;
        check_grant(&file, by, &owner)?;
        owner.if_open()?;
        let code = new_code(entropy);
        file.execute(
            "INSERT INTO enrolment_code (hash, account, created_ms, expires_ms)
             VALUES (?1, ?2, ?3, ?4)",
            params![code_hash(&code), id, now_ms, now_ms.saturating_add(lifetime_ms)],
        )?;
        Ok(code)
    }

    /// Enrols a phone with a one-time code: binds key and installation to the code's account. Where the
    /// office wants to look first, a new device waits for [`Self::approve`].
    ///
    /// # Errors
    /// `CodeUnknown`, `CodeExpired`, `CodeUsed`; `AccountClosed`; `ActorTaken` where another account has the installation, `ActorAtWork` where
    /// another device of this one has. The code stays as it was.
    pub fn enrol(
        &self,
        request: &EnrolRequest,
        now_ms: i64,
        waits_for_approval: bool,
    ) -> Result<Device, AccountError> {
        let mut file = self.file();
        let transaction = file.transaction()?;
        let hash = code_hash(&request.code);
        let code: Option<(String, i64, Option<i64>)> = transaction
            .query_row(
                "SELECT account, expires_ms, used_ms FROM enrolment_code WHERE hash = ?1",
                [hash],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
            )
            .optional()?;
        let (owner, expires_ms, used_ms) = code.ok_or(AccountError::CodeUnknown)?;
        if used_ms.is_some() {
            return Err(AccountError::CodeUsed);
        }
        if now_ms >= expires_ms {
            return Err(AccountError::CodeExpired);
        }
        let owner =
            account(&transaction, &owner)?.ok_or(AccountError::AccountUnknown)?.if_open()?;
        transaction.execute(
            "UPDATE enrolment_code SET used_ms = ?2 WHERE hash = ?1",
            params![hash, now_ms],
        )?;
        let approved_ms = (!waits_for_approval).then_some(now_ms);
        let bound = bound_to(&transaction, request)?;
        if bound.as_ref().is_some_and(|bound| bound.account.id != owner.id) {
            return Err(AccountError::ActorTaken);
        }
        let number = match same_phone(&transaction, request, &owner.id, bound.as_ref())? {
            Some(number) => {
                renew_key(&transaction, request, number)?;
                number
            }
            None => {
                let number = add_device(&transaction, request, &owner.id, now_ms, approved_ms)?;
                if let Some(bound) = &bound {
                    give_up(&transaction, bound, number, now_ms)?;
                }
                number
            }
        };
        transaction.execute(
            "INSERT OR IGNORE INTO actor (actor, device, bound_ms) VALUES (?1, ?2, ?3)",
            params![*request.actor, number, now_ms],
        )?;
        let device = device(&transaction, number)?.ok_or(AccountError::DeviceUnknown)?;
        transaction.commit()?;
        Ok(device)
    }
}

/// The device that has the installation.
fn bound_to(
    transaction: &Transaction<'_>,
    request: &EnrolRequest,
) -> Result<Option<Device>, AccountError> {
    let number = transaction
        .query_row("SELECT device FROM actor WHERE actor = ?1", [*request.actor], |row| row.get(0))
        .optional()?;
    number.map_or(Ok(None), |number| device(transaction, number))
}

/// The device that asks, where it has been enrolled before and its key of then says so. Its installation may be one that it
/// has taken since, of which nobody has heard.
fn same_phone(
    transaction: &Transaction<'_>,
    request: &EnrolRequest,
    account: &str,
    bound: Option<&Device>,
) -> Result<Option<u32>, AccountError> {
    let EnrolRequest { code, public_key, actor, before: Some(before), .. } = request else {
        return Ok(None);
    };
    let known = device(transaction, before.device)?.filter(|known| {
        known.account.id == account
            && known.revoked_ms.is_none()
            && bound.is_none_or(|bound| bound.number == known.number)
            && enrolment_is_signed(&known.public_key, code, public_key, actor, &before.proof)
    });
    Ok(known.map(|known| known.number))
}

fn add_device(
    transaction: &Transaction<'_>,
    request: &EnrolRequest,
    account: &str,
    now_ms: i64,
    approved_ms: Option<i64>,
) -> Result<u32, AccountError> {
    transaction.execute(
        "INSERT INTO device (account, public_key, name, enrolled_ms, approved_ms)
         VALUES (?1, ?2, ?3, ?4, ?5)",
        params![account, *request.public_key, name(request), now_ms, approved_ms],
    )?;
    u32::try_from(transaction.last_insert_rowid()).map_err(|_| AccountError::DeviceUnknown)
}

fn name(request: &EnrolRequest) -> String {
    request.device_name.chars().filter(|c| !c.is_control()).take(40).collect()
}

/// The phone goes on under its number with another key.
fn renew_key(
    transaction: &Transaction<'_>,
    request: &EnrolRequest,
    number: u32,
) -> Result<(), AccountError> {
    transaction.execute(
        "UPDATE device SET public_key = ?2, name = ?3, last_counter = 0 WHERE number = ?1",
        params![number, *request.public_key, name(request)],
    )?;
    Ok(())
}

/// Hands a device's installations to a new device of its account, so that what waits on the phone can be sent: where its office
/// has revoked it, or where it has never spoken under its key, because the answer to that enrolment was lost and the key with it.
fn give_up(
    transaction: &Transaction<'_>,
    old: &Device,
    number: u32,
    now_ms: i64,
) -> Result<(), AccountError> {
    let given_up = transaction.execute(
        "UPDATE device SET revoked_ms = coalesce(revoked_ms, ?2)
         WHERE number = ?1 AND (last_counter = 0 OR revoked_ms IS NOT NULL)",
        params![old.number, now_ms],
    )?;
    if given_up == 0 {
        return Err(AccountError::ActorAtWork);
    }
    transaction.execute(
        "UPDATE actor SET device = ?2, bound_ms = ?3 WHERE device = ?1",
        params![old.number, number, now_ms],
    )?;
    Ok(())
}

fn new_code(entropy: &mut dyn Entropy) -> String {
    let mut code = String::with_capacity(CODE_CHARS + 1);
    while code.len() < CODE_CHARS + 1 {
        let [byte] = random::<1>(entropy);
        // 240 is the largest multiple of 24 in a byte: beyond it characters would not be equally likely.
        if byte < 240 {
            code.push(char::from(CODE_ALPHABET[usize::from(byte) % CODE_ALPHABET.len()]));
            if code.len() == CODE_CHARS / 2 {
                code.push('-');
            }
        }
    }
    code
}

/// Spaces, dashes and case do not count.
fn code_hash(code: &str) -> [u8; 32] {
    let normal: String =
        code.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect();
    Sha256::new().chain_update(b"wanhu-enrolment-1").chain_update(normal).finalize().into()
}
