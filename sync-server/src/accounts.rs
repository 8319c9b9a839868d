//! Who may sync: accounts with their areas, devices with their keys, one-time enrolment codes. A SQLite
//! file of its own, so that household data and access never mix. Must not know HTTP or any record.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OptionalExtension, Transaction, params};
use wanhu_core::domain::authority::{self, Role};
use wanhu_core::domain::grid;
use wanhu_core::domain::ids::ActorId;
use wanhu_core::store::StoreError;
use wanhu_core::store::open::{self, Access, Migrations, Sharing};

mod enrolment;
mod seats;

pub use seats::Seat;

const MIGRATIONS: Migrations = Migrations(&[
    include_str!("../migrations/0001_accounts.sql"),
    include_str!("../migrations/0013_account_grid.sql"),
]);

/// Most installations of one device: each restore or copy takes one.
const ACTORS_MAX: i64 = 64;

/// Why an account, code or device was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// The file failed.
    #[error("store: {0}")]
    Store(#[from] StoreError),
    /// No such account.
    #[error("no such account")]
    AccountUnknown,
    /// The account is closed.
    #[error("account closed")]
    AccountClosed,
    /// The account exists already.
    #[error("account exists")]
    AccountExists,
    /// An empty or overlong id or name.
    #[error("id or name malformed")]
    Malformed,
    /// Not an area of the level that fits the role, or no area at all.
    #[error("area does not fit the role")]
    AreaUnfit,
    /// Grids for somebody else than a grid worker of one village, or a name that no grid can have.
    #[error("grid does not fit the account")]
    GridUnfit,
    /// Whoever asks may not grant this: only the level below, inside the own area.
    #[error("not granted by this account")]
    NotGranted,
    /// No such code was issued.
    #[error("no such code")]
    CodeUnknown,
    /// The code's time is over.
    #[error("code expired")]
    CodeExpired,
    /// The code was used.
    #[error("code used")]
    CodeUsed,
    /// No such device.
    #[error("no such device")]
    DeviceUnknown,
    /// The installation is another account's.
    #[error("installation of another account")]
    ActorTaken,
    /// The installation is at work on another device of the account, which its office has not revoked.
    #[error("installation at work")]
    ActorAtWork,
}

impl From<rusqlite::Error> for AccountError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}

/// A person's account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its id.
    pub id: String,
    /// The person's name.
    pub name: String,
    /// What the person is.
    pub role: Role,
    /// Its areas: region codes of a level that fits the role.
    pub areas: Vec<u64>,
    /// The grids of its village that it works in: whose tasks it has, not what it may see. None: the whole village.
    pub grids: Vec<String>,
    /// The account that opened it; empty for this machine's operator.
    pub granted_by: String,
    /// Whether it is closed.
    pub disabled: bool,
}

impl Account {
    /// The account, where it is open.
    ///
    /// # Errors
    /// `AccountClosed`.
    pub fn if_open(self) -> Result<Self, AccountError> {
        if self.disabled { Err(AccountError::AccountClosed) } else { Ok(self) }
    }
}

/// A phone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Its number.
    pub number: u32,
    /// Its account.
    pub account: Account,
    /// Its Ed25519 key.
    pub public_key: [u8; 32],
    /// Its name as the phone gave it.
    pub name: String,
    /// The installations bound to it.
    pub actors: Vec<ActorId>,
    /// When the office approved it, milliseconds since 1970 UTC.
    pub approved_ms: Option<i64>,
    /// When it was revoked, milliseconds since 1970 UTC.
    pub revoked_ms: Option<i64>,
    /// When it was last heard of.
    pub last_seen_ms: Option<i64>,
}

/// The file of accounts.
#[derive(Debug)]
pub struct Accounts {
    file: Mutex<Connection>,
    /// Counters are written at every request; a power cut may cost the last of them, which lets a
    /// request of those moments be repeated, and repeating changes nothing.
    counters: Mutex<Connection>,
}

impl Accounts {
    /// Opens or creates the file.
    ///
    /// # Errors
    /// As the store reports.
    pub fn open(path: &Path, key: &[u8; 32]) -> Result<Self, AccountError> {
        let access = Access { sharing: Sharing::Shared, key: Some(key) };
        let file = open::open(path, access, MIGRATIONS)?;
        let counters = open::open(path, access, MIGRATIONS)?;
        counters.pragma_update(None, "synchronous", "NORMAL")?;
        Ok(Self { file: Mutex::new(file), counters: Mutex::new(counters) })
    }

    fn file(&self) -> MutexGuard<'_, Connection> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens an account. Where `account.granted_by` names an account, that account must be allowed to.
    ///
    /// # Errors
    /// `AccountExists`, `AreaUnfit`, `GridUnfit`, `NotGranted`, `AccountUnknown` or `AccountClosed` for the granter, `Malformed`.
    pub fn create(&self, account: &Account, now_ms: i64) -> Result<(), AccountError> {
        let fits = |text: &str| !text.trim().is_empty() && text.chars().count() <= 40;
        if !fits(&account.id) || !fits(&account.name) {
            return Err(AccountError::Malformed);
        }
        if !authority::fits(account.role, &account.areas) {
            return Err(AccountError::AreaUnfit);
        }
        let mut file = self.file();
        let transaction = file.transaction()?;
        check_grant(&transaction, &account.granted_by, account)?;
        let new = transaction.execute(
            "INSERT OR IGNORE INTO account (id, name, role, granted_by, created_ms)
             VALUES (?1, ?2, ?3, ?4, ?5)",
            params![account.id, account.name, account.role.code(), account.granted_by, now_ms],
        )?;
        if new == 0 {
            return Err(AccountError::AccountExists);
        }
        for area in &account.areas {
            transaction.execute(
                "INSERT OR IGNORE INTO account_area (account, area) VALUES (?1, ?2)",
                params![account.id, area.cast_signed()],
            )?;
        }
        keep_grids(&transaction, account, &account.grids)?;
        Ok(transaction.commit()?)
    }

    /// Says anew in which grids of its village an account works; its phones hear of it at their next sync.
    ///
    /// # Errors
    /// `AccountUnknown`, `GridUnfit`, `NotGranted`.
    pub fn set_grids(&self, id: &str, grids: &[String], by: &str) -> Result<(), AccountError> {
        let mut file = self.file();
        let transaction = file.transaction()?;
        let owner = account(&transaction, id)?.ok_or(AccountError::AccountUnknown)?;
        check_grant(&transaction, by, &owner)?;
        keep_grids(&transaction, &owner, grids)?;
        Ok(transaction.commit()?)
    }

    /// Closes an account: none of its devices is served any more, but what waits on them is rescued.
    ///
    /// # Errors
    /// `AccountUnknown`, `NotGranted`.
    pub fn disable(&self, id: &str, by: &str) -> Result<(), AccountError> {
        let file = self.file();
        check_grant(&file, by, &account(&file, id)?.ok_or(AccountError::AccountUnknown)?)?;
        file.execute("UPDATE account SET disabled = 1 WHERE id = ?1", [id])?;
        Ok(())
    }

    /// An account by id, open or closed.
    ///
    /// # Errors
    /// As the store reports.
    pub fn account(&self, id: &str) -> Result<Option<Account>, AccountError> {
        account(&self.file(), id)
    }

    /// All accounts, by id.
    ///
    /// # Errors
    /// As the store reports.
    pub fn all(&self) -> Result<Vec<Account>, AccountError> {
        let file = self.file();
        let mut statement = file.prepare("SELECT id FROM account ORDER BY id")?;
        let ids: Vec<String> =
            statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        ids.iter().map(|id| account(&file, id)?.ok_or(AccountError::AccountUnknown)).collect()
    }

    /// A device by number.
    ///
    /// # Errors
    /// As the store reports.
    pub fn device(&self, number: u32) -> Result<Option<Device>, AccountError> {
        device(&self.file(), number)
    }

    /// All devices, by number.
    ///
    /// # Errors
    /// As the store reports.
    pub fn devices(&self) -> Result<Vec<Device>, AccountError> {
        let file = self.file();
        let mut statement = file.prepare("SELECT number FROM device ORDER BY number")?;
        let numbers: Vec<u32> =
            statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        let devices = numbers.into_iter().map(|number| device(&file, number));
        Ok(devices.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
    }

    /// Revokes a device: at its next contact it hands in what waits and forgets everything.
    ///
    /// # Errors
    /// `DeviceUnknown`, `NotGranted`.
    pub fn revoke(&self, number: u32, by: &str, now_ms: i64) -> Result<(), AccountError> {
        self.mark(
            number,
            by,
            "UPDATE device SET revoked_ms = coalesce(revoked_ms, ?2) WHERE number = ?1",
            now_ms,
        )
    }

    /// Approves a device that waits for it.
    ///
    /// # Errors
    /// `DeviceUnknown`, `NotGranted`.
    pub fn approve(&self, number: u32, by: &str, now_ms: i64) -> Result<(), AccountError> {
        self.mark(
            number,
            by,
            "UPDATE device SET approved_ms = coalesce(approved_ms, ?2) WHERE number = ?1",
            now_ms,
        )
    }

    fn mark(&self, number: u32, by: &str, sql: &str, now_ms: i64) -> Result<(), AccountError> {
        let file = self.file();
        let found = device(&file, number)?.ok_or(AccountError::DeviceUnknown)?;
        check_grant(&file, by, &found.account)?;
        file.execute(sql, params![number, now_ms])?;
        Ok(())
    }

    /// The largest request counter a device has used.
    ///
    /// # Errors
    /// As the store reports.
    pub fn last_counter(&self, number: u32) -> Result<u64, AccountError> {
        let counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        let mut statement =
            counters.prepare_cached("SELECT last_counter FROM device WHERE number = ?1")?;
        Ok(statement.query_row([number], |row| row.get::<_, i64>(0))?.cast_unsigned())
    }

    /// Binds a new installation to a device, as a phone restored from a backup asks. False where the
    /// installation belongs to another device, or this device has used up what it may have.
    ///
    /// # Errors
    /// As the store reports.
    pub fn bind_actor(
        &self,
        number: u32,
        actor: ActorId,
        now_ms: i64,
    ) -> Result<bool, AccountError> {
        let bound = self.file().execute(
            "INSERT OR IGNORE INTO actor (actor, device, bound_ms)
             SELECT ?1, ?2, ?3 WHERE (SELECT count(*) FROM actor WHERE device = ?2) < ?4",
            params![actor.0, number, now_ms, ACTORS_MAX],
        )?;
        Ok(bound == 1)
    }

    /// Uses a request counter up. False where it is not larger than every one before: a repetition. A device that has
    /// another key since the request was looked at has not spoken.
    ///
    /// # Errors
    /// As the store reports.
    pub fn advance_counter(
        &self,
        number: u32,
        public_key: &[u8; 32],
        counter: u64,
        now_ms: i64,
    ) -> Result<bool, AccountError> {
        let counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        let mut statement = counters.prepare_cached(
            "UPDATE device SET last_counter = ?2, last_seen_ms = ?3
             WHERE number = ?1 AND last_counter < ?2 AND public_key = ?4",
        )?;
        let used = params![number, counter.cast_signed(), now_ms, public_key];
        Ok(statement.execute(used)? == 1)
    }
}

fn keep_grids(
    transaction: &Transaction<'_>,
    owner: &Account,
    grids: &[String],
) -> Result<(), AccountError> {
    if !grid::fit(grids, owner.role, &owner.areas) {
        return Err(AccountError::GridUnfit);
    }
    transaction.execute("DELETE FROM account_grid WHERE account = ?1", [&owner.id])?;
    for name in grids {
        transaction.execute(
            "INSERT OR IGNORE INTO account_grid (account, grid) VALUES (?1, ?2)",
            params![owner.id, grid::spelt(name)],
        )?;
    }
    Ok(())
}

/// Whether `by` may grant what `account` holds; an empty `by` is the operator of this machine.
fn check_grant(connection: &Connection, by: &str, granted: &Account) -> Result<(), AccountError> {
    if by.is_empty() {
        return Ok(());
    }
    let granter = account(connection, by)?.ok_or(AccountError::AccountUnknown)?.if_open()?;
    if authority::may_grant(granter.role, &granter.areas, granted.role, &granted.areas) {
        Ok(())
    } else {
        Err(AccountError::NotGranted)
    }
}

fn account(connection: &Connection, id: &str) -> Result<Option<Account>, AccountError> {
    let mut statement = connection
        .prepare_cached("SELECT id, name, role, granted_by, disabled FROM account WHERE id = ?1")?;
    let found = statement
        .query_row([id], |row| {
            let role: String = row.get(2)?;
            Ok(Account {
                id: row.get(0)?,
                name: row.get(1)?,
                // A role this release does not know has no rights here.
                role: Role::from_code(&role).unwrap_or(Role::Operator),
                granted_by: row.get(3)?,
                disabled: row.get(4)?,
                areas: Vec::new(),
                grids: Vec::new(),
            })
        })
        .optional()?;
    let Some(mut account) = found else { return Ok(None) };
    let mut statement = connection
        .prepare_cached("SELECT area FROM account_area WHERE account = ?1 ORDER BY area")?;
    let areas = statement.query_map([id], |row| Ok(row.get::<_, i64>(0)?.cast_unsigned()))?;
    account.areas = areas.collect::<Result<_, _>>()?;
    let mut statement = connection
        .prepare_cached("SELECT grid FROM account_grid WHERE account = ?1 ORDER BY grid")?;
    account.grids = statement.query_map([id], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(Some(account))
}

fn device(connection: &Connection, number: u32) -> Result<Option<Device>, AccountError> {
    let mut statement = connection.prepare_cached(
        "SELECT account, public_key, name, approved_ms, revoked_ms, last_seen_ms
         FROM device WHERE number = ?1",
    )?;
    let found = statement
        .query_row([number], |row| {
            let device = Device {
                number,
                account: Account {
                    id: row.get(0)?,
                    name: String::new(),
                    role: Role::Operator,
                    areas: Vec::new(),
                    grids: Vec::new(),
                    granted_by: String::new(),
                    disabled: true,
                },
                public_key: row.get(1)?,
                name: row.get(2)?,
                actors: Vec::new(),
                approved_ms: row.get(3)?,
                revoked_ms: row.get(4)?,
                last_seen_ms: row.get(5)?,
            };
            Ok(device)
        })
        .optional()?;
    let Some(mut device) = found else { return Ok(None) };
    device.account =
        account(connection, &device.account.id)?.ok_or(AccountError::AccountUnknown)?;
    let mut statement =
        connection.prepare_cached("SELECT actor FROM actor WHERE device = ?1 ORDER BY bound_ms")?;
    let actors = statement.query_map([number], |row| Ok(ActorId(row.get(0)?)))?;
    device.actors = actors.collect::<Result<_, _>>()?;
    Ok(Some(device))
}
