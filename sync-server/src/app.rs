//! What all handlers share: accounts, storage, keys, limits, the clock. Opened from a data directory;
//! must not know HTTP.

use std::collections::HashMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ed25519_dalek::SigningKey;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::sync::Semaphore;
use wanhu_core::domain::environment::{Clock, Entropy};
use wanhu_core::domain::person::PersonKey;
use wanhu_core::domain::policy::{EXAMPLES_TOML, PolicyError, Published};
use wanhu_core::domain::region::{RegionError, RegionList};
use wanhu_core::store::StoreError;

use crate::accounts::{AccountError, Accounts};
use crate::keys;
use crate::limits::Limits;
use crate::settings::Settings;
use crate::storage::Storage;

/// Wrong codes from one address before it has to wait.
const TRIES_MAX: u32 = 5;
/// How long it has to wait.
const TRIES_WINDOW_MS: i64 = 10 * 60 * 1_000;
/// Addresses remembered; the oldest are forgotten first.
const TRIES_ADDRESSES_MAX: usize = 10_000;

/// Why the server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A directory or key file.
    #[error("file: {0}")]
    File(#[from] std::io::Error),
    /// The records file.
    #[error("records: {0}")]
    Store(#[from] StoreError),
    /// The accounts file.
    #[error("accounts: {0}")]
    Accounts(#[from] AccountError),
    /// A key file holds something else.
    #[error("not a key: {0}")]
    KeyMalformed(PathBuf),
    /// The region list.
    #[error("regions: {0}")]
    Regions(#[from] RegionError),
    /// The policy file.
    #[error("policy: {0}")]
    Policy(#[from] PolicyError),
}

/// The open server.
pub struct App {
    /// Accounts, devices, codes.
    pub accounts: Accounts,
    /// Records and logs.
    pub storage: Storage,
    /// Signs receipts.
    pub key: SigningKey,
    /// Gives every person one name; made from the signing key, so that a backup keeps it.
    pub person_key: PersonKey,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Requests served at the same time.
    pub requests: Arc<Semaphore>,
    /// How long a phone may be silent in the middle of a request.
    pub silence_max: Duration,
    /// Whether a new phone waits for the office.
    pub enrolment_approval: bool,
    /// Days for which a phone may show its records without another contact.
    pub lease_days: Option<u16>,
    /// Lines, periods and warning rules that hold here.
    pub policy: Arc<Published>,
    /// How often and how much each device may send.
    pub limits: Limits,
    /// Renders /metrics, where the process installed a recorder.
    pub metrics: Option<PrometheusHandle>,
    tries: Mutex<HashMap<IpAddr, (u32, i64)>>,
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("App")
    }
}

impl App {
    /// Opens or creates everything in the data directory.
    ///
    /// # Errors
    /// Names the file that cannot be used.
    pub fn open(
        settings: &Settings,
        clock: Arc<dyn Clock>,
        entropy: &mut dyn Entropy,
    ) -> Result<Self, OpenError> {
        let dir = &settings.data_dir;
        std::fs::create_dir_all(dir)?;
        let storage_key = keys::read_or_make(&settings.storage_key_file(), entropy)?;
        let signing_key = keys::read_or_make(&dir.join("server.key"), entropy)?;
        Ok(Self {
            accounts: Accounts::open(&dir.join("accounts.sqlite"), &storage_key)?,
            storage: Storage::open(&dir.join("records.sqlite"), &storage_key, entropy)?,
            key: SigningKey::from_bytes(&signing_key),
            person_key: PersonKey::derive(&signing_key),
            clock,
            requests: Arc::new(Semaphore::new(usize::try_from(settings.requests_max).unwrap_or(1))),
            silence_max: Duration::from_secs(settings.silence_seconds_max),
            enrolment_approval: settings.enrolment_approval,
            lease_days: u16::try_from(settings.lease_days).ok().filter(|days| *days > 0),
            policy: Arc::new(policy(settings)?),
            limits: Limits::new(settings.syncs_per_minute, settings.changes_per_day),
            metrics: None,
            tries: Mutex::default(),
        })
    }

    /// Milliseconds this address has to wait before it may try another code; 0 for none.
    pub fn tries_wait_ms(&self, address: IpAddr) -> u64 {
        let tries = self.tries.lock().unwrap_or_else(PoisonError::into_inner);
        let (count, since_ms) = tries.get(&address).copied().unwrap_or_default();
        let left_ms = since_ms + TRIES_WINDOW_MS - self.clock.now_ms();
        if count >= TRIES_MAX { u64::try_from(left_ms).unwrap_or_default() } else { 0 }
    }

    /// Counts a wrong code.
    pub fn count_wrong_code(&self, address: IpAddr) {
        let now_ms = self.clock.now_ms();
        let mut tries = self.tries.lock().unwrap_or_else(PoisonError::into_inner);
        tries.retain(|_, (_, since_ms)| now_ms - *since_ms < TRIES_WINDOW_MS);
        if tries.len() < TRIES_ADDRESSES_MAX {
            tries.entry(address).or_insert((0, now_ms)).0 += 1;
        }
    }
}

/// The settings' policy.
///
/// # Errors
/// Where the file cannot be read.
fn policy(settings: &Settings) -> Result<Published, OpenError> {
    Ok(match &settings.policy {
        None => Published::parse(EXAMPLES_TOML)?,
        Some(path) => Published::parse(&std::fs::read_to_string(path)?)?,
    })
}

/// The settings' region list.
///
/// # Errors
/// Where another city's list cannot be read.
pub fn regions(settings: &Settings) -> Result<RegionList, OpenError> {
    match &settings.regions {
        None => Ok(RegionList::chenzhou().clone()),
        Some(path) => Ok(RegionList::parse(&std::fs::read_to_string(path)?)?),
    }
}
