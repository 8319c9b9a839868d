//! What all handlers share: accounts, storage, keys, limits, the clock. Opened from a data directory;
//! must not know HTTP.

use std::path::PathBuf;
use std::sync::Arc;
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
use crate::household::Visitors;
use crate::household::outbox::{CodeSender, FileOutbox};
use crate::keys;
use crate::limits::{Limits, Tries};
use crate::settings::Settings;
use crate::storage::Storage;

/// Wrong enrolment codes from one address before it has to wait.
const WRONG_CODES_MAX: u32 = 5;
/// Codes by telephone that one address may ask for, and wrong ones it may try. More than one household may stand behind
/// it: mobile networks give many telephones one address.
const VISITS_MAX: u32 = 60;
/// How long it has to wait.
const TRIES_WINDOW_MS: i64 = 10 * 60 * 1_000;

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
    /// Accounts of offices for which records are judged by themselves.
    pub warn_by: Vec<String>,
    /// How often and how much each device may send.
    pub limits: Limits,
    /// Renders /metrics, where the process installed a recorder.
    pub metrics: Option<PrometheusHandle>,
    /// Wrong enrolment codes by address.
    pub wrong_codes: Tries,
    /// Region codes and names.
    pub regions: RegionList,
    /// Whether they are another list than the release's, which phones have themselves.
    pub has_own_regions: bool,
    /// Households at their own records; none where the service is switched off.
    pub visitors: Option<Visitors>,
    /// Codes by telephone, asked for or tried in vain, by address.
    pub visits: Tries,
    /// Carries codes to telephones.
    pub code_sender: Arc<dyn CodeSender>,
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
            warn_by: settings.warn_by.clone(),
            limits: Limits::new(settings.syncs_per_minute, settings.changes_per_day),
            metrics: None,
            wrong_codes: Tries::new(WRONG_CODES_MAX, TRIES_WINDOW_MS),
            regions: regions(settings)?,
            has_own_regions: settings.regions.is_some(),
            visitors: settings.household_service.then(Visitors::default),
            visits: Tries::new(VISITS_MAX, TRIES_WINDOW_MS),
            code_sender: Arc::new(FileOutbox::new(dir.join("outbox"))),
        })
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
fn regions(settings: &Settings) -> Result<RegionList, OpenError> {
    match &settings.regions {
        None => Ok(RegionList::chenzhou().clone()),
        Some(path) => Ok(RegionList::parse(&std::fs::read_to_string(path)?)?),
    }
}
