//! How a phone comes to its account: a one-time code, read aloud, and the device it makes. Must not know what a device may
//! do.

use rusqlite::{OptionalExtension, Transaction, params};
use sha2::{Digest, Sha256};
use wanhu_core::domain::environment::{Entropy, random};
use wanhu_core::sync::wire::EnrolRequest;

use super::{AccountError, Accounts, Device, account, check_grant, device};

/// No 0 and O, 1 and I and L, 8 and B, 2 and Z, 5 and S: codes are read aloud.
const CODE_ALPHABET: &[u8; 24] = b"34679ACDEFGHJKMNPQRTUVWX";
const CODE_CHARS: usize = 10;

impl Accounts {
    /// Issues a one-time code for a new phone of an account, such as `7K3QM-X9D4T`.
    ///
    /// # Errors
    /// `AccountUnknown`, `NotGranted`.
    pub fn issue_code(
        &self,
        id: &str,
        by: &str,
        now_ms: i64,
        lifetime_ms: i64,
        entropy: &mut dyn Entropy,
    ) -> Result<String, AccountError> {
        let file = self.file();
        let owner = account(&file, id)?.filter(|a| !a.disabled);
        check_grant(&file, by, &owner.ok_or(AccountError::AccountUnknown)?)?;
        let code = new_code(entropy);
        file.execute(
            "INSERT INTO enrolment_code (hash, account, created_ms, expires_ms)
             VALUES (?1, ?2, ?3, ?4)",
            params![code_hash(&code), id, now_ms, now_ms.saturating_add(lifetime_ms)],
        )?;
        Ok(code)
    }

    /// Enrols a phone with a one-time code: binds key and installation to the code's account. Where the
    /// office wants to look first, the device waits for [`Self::approve`].
    ///
    /// # Errors
    /// `CodeUnknown`, `CodeExpired`, `CodeUsed`; `ActorTaken` where another phone at work has the installation. The code
    /// stays as it was.
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
        let owner = account(&transaction, &owner)?.filter(|owner| !owner.disabled);
        let owner = owner.ok_or(AccountError::AccountUnknown)?;
        transaction.execute(
            "UPDATE enrolment_code SET used_ms = ?2 WHERE hash = ?1",
            params![hash, now_ms],
        )?;
        let name: String =
            request.device_name.chars().filter(|c| !c.is_control()).take(40).collect();
        transaction.execute(
            "INSERT INTO device (account, public_key, name, enrolled_ms, approved_ms)
             VALUES (?1, ?2, ?3, ?4, ?5)",
            params![
                owner.id,
                *request.public_key,
                name,
                now_ms,
                (!waits_for_approval).then_some(now_ms)
            ],
        )?;
        let number = u32::try_from(transaction.last_insert_rowid())
            .map_err(|_| AccountError::DeviceUnknown)?;
        let bound = transaction.execute(
            "INSERT OR IGNORE INTO actor (actor, device, bound_ms) VALUES (?1, ?2, ?3)",
            params![*request.actor, number, now_ms],
        )?;
        if bound == 0 && !take_over(&transaction, request, &owner.id, number, now_ms)? {
            return Err(AccountError::ActorTaken);
        }
        let device = device(&transaction, number)?.ok_or(AccountError::DeviceUnknown)?;
        transaction.commit()?;
        Ok(device)
    }
}

/// Gives an installation to a new device of the same account where the one it is bound to was never heard of: the
/// answer to that enrolment was lost, and with it the only copy of the device's key. What waits on the phone can be sent.
fn take_over(
    transaction: &Transaction<'_>,
    request: &EnrolRequest,
    account: &str,
    number: u32,
    now_ms: i64,
) -> Result<bool, AccountError> {
    let given_up = transaction.execute(
        "UPDATE device SET revoked_ms = ?3 WHERE account = ?2 AND last_counter = 0 AND last_seen_ms IS NULL
         AND number = (SELECT device FROM actor WHERE actor = ?1)",
        params![*request.actor, account, now_ms],
    )?;
    if given_up == 0 {
        return Ok(false);
    }
    transaction.execute(
        "UPDATE actor SET device = ?2, bound_ms = ?3 WHERE actor = ?1",
        params![*request.actor, number, now_ms],
    )?;
    Ok(true)
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
