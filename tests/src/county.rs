//! A county at work: one server whose clock a test sets, accounts of every level, phones in the villages, offices at
//! their desks. Stories are told with it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value as Json;
use tempfile::TempDir;
use wanhu_core::client::{Cancel, Ledger};
use wanhu_core::document::edit::Votes;
use wanhu_core::domain::authority::Role;
use wanhu_core::domain::day::Day;
use wanhu_core::domain::ids::HouseholdId;
use wanhu_core::sync::receiver::SyncReport;
use wanhu_core::system::SystemEntropy;
use wanhu_server::accounts::Account;
use wanhu_server::admin::{AdminCommand, ImportCommand, Office, StepArguments};
use wanhu_server::settings::Settings;

use crate::seeded::SetClock;
use crate::server::TestServer;

const DAY_MS: i64 = 86_400_000;
/// Ten in the morning in China.
const MORNING_MS: i64 = 2 * 3_600_000;

/// The county.
#[derive(Debug)]
pub struct County {
    /// Its server.
    pub server: TestServer,
    clock: Arc<SetClock>,
    dir: PathBuf,
    /// Removes the directory with the county.
    _temporary: Option<TempDir>,
}

impl County {
    /// A county on a morning, judged by the published examples or the policy file given.
    ///
    /// # Panics
    /// Where the server cannot start.
    pub async fn on(day: &str, policy: Option<&str>) -> Self {
        let temporary = tempfile::tempdir().expect("makes a directory");
        let county = Self::in_dir(temporary.path(), day, policy).await;
        Self { _temporary: Some(temporary), ..county }
    }

    /// The same in a directory that stays: the server's data in `server`, a file for every phone.
    ///
    /// # Panics
    /// Where the server cannot start.
    pub async fn in_dir(dir: &Path, day: &str, policy: Option<&str>) -> Self {
        let dir = dir.to_owned();
        let policy = policy.map(|text| {
            let path = dir.join("policy.toml");
            std::fs::write(&path, text).expect("writes");
            path
        });
        let settings = Settings {
            data_dir: dir.join("server"),
            policy,
            // The clock of a story stands still through many syncs.
            syncs_per_minute: 100_000,
            lease_days: 0,
            ..Settings::default()
        };
        let clock = Arc::new(SetClock::default());
        clock.set(morning(day));
        let server = TestServer::start_clocked(settings, clock.clone()).await;
        Self { server, clock, dir, _temporary: None }
    }

    /// Ends its server. Returns where it listened and where its data are.
    ///
    /// # Panics
    /// Where it ended by itself before.
    pub async fn end(self) -> (SocketAddr, PathBuf) {
        let (address, data_dir) = (self.server.address, self.server.settings.data_dir.clone());
        self.server.stop().await;
        (address, data_dir)
    }

    /// The same county after its server was restored into another directory.
    ///
    /// # Panics
    /// Where the server cannot start.
    pub async fn again_in(self, data_dir: &Path, storage_key: &[u8; 32]) -> Self {
        let Self { server, clock, dir, _temporary } = self;
        let (address, old) = (server.address, server.settings.clone());
        server.stop().await;
        let key_file = dir.join("restored.key");
        std::fs::write(&key_file, storage_key).expect("writes");
        let settings =
            Settings { data_dir: data_dir.to_owned(), storage_key: Some(key_file), ..old };
        let server = TestServer::start_clocked_at(settings, address, clock.clone()).await;
        Self { server, clock, dir, _temporary }
    }

    /// The same county after its server was started again under another policy.
    ///
    /// # Panics
    /// Where the server cannot start.
    pub async fn again_under(self, policy: &str) -> Self {
        let path = self.dir.join("policy.toml");
        std::fs::write(&path, policy).expect("writes");
        self.again_with(|old| Settings { policy: Some(path), ..old }).await
    }

    /// The same county after its server was started again with another list of divisions.
    ///
    /// # Panics
    /// Where the server cannot start.
    pub async fn again_among(self, regions: &str) -> Self {
        let path = self.dir.join("regions.tsv");
        std::fs::write(&path, regions).expect("writes");
        self.again_with(|old| Settings { regions: Some(path), ..old }).await
    }

    async fn again_with(self, change: impl FnOnce(Settings) -> Settings) -> Self {
        let Self { server, clock, dir, _temporary } = self;
        let (address, old) = (server.address, server.settings.clone());
        server.stop().await;
        let server = TestServer::start_clocked_at(change(old), address, clock.clone()).await;
        Self { server, clock, dir, _temporary }
    }

    /// The morning of another day, for the server and every phone.
    pub fn day(&self, day: &str) {
        self.clock.set(morning(day));
    }

    /// Opens an account whose id is the person's name.
    ///
    /// # Panics
    /// Where the account exists or its area does not fit.
    pub fn account(&self, name: &str, role: Role, area: u64) {
        self.account_of(name, name, role, area);
    }

    /// Opens an account with this machine's own rights.
    ///
    /// # Panics
    /// Where the account exists or its area does not fit.
    pub fn account_of(&self, id: &str, name: &str, role: Role, area: u64) {
        let account = Account {
            id: id.to_owned(),
            name: name.to_owned(),
            role,
            areas: vec![area],
            grids: Vec::new(),
            granted_by: String::new(),
            disabled: false,
        };
        self.server.app.accounts.create(&account, 0).expect("a new account");
    }

    /// A new phone of an account, on the county's clock.
    ///
    /// # Panics
    /// Where it cannot be enrolled.
    pub async fn phone(&self, account: &str) -> Ledger {
        self.phone_with(account, self.clock.clone()).await
    }

    /// A new phone of an account whose clock is off by so many days.
    ///
    /// # Panics
    /// Where it cannot be enrolled.
    pub async fn phone_astray(&self, account: &str, days: i64) -> Ledger {
        let clock = Arc::new(SetClock::default());
        clock.set(wanhu_core::domain::environment::Clock::now_ms(&*self.clock) + days * DAY_MS);
        self.phone_with(account, clock).await
    }

    /// The only phone of an account, closed and opened again.
    ///
    /// # Panics
    /// Where it cannot be opened.
    pub fn opened_again(&self, phone: Ledger, account: &str) -> Ledger {
        drop(phone);
        let file = self.dir.join(format!("{account}-0.sqlite"));
        Ledger::open(&file, self.clock.clone(), Box::new(SystemEntropy)).expect("opens")
    }

    async fn phone_with(&self, account: &str, clock: Arc<SetClock>) -> Ledger {
        let accounts = &self.server.app.accounts;
        let now_ms = wanhu_core::domain::environment::Clock::now_ms(&*self.clock);
        let code = accounts.issue_code(account, "", now_ms, 600_000, &mut SystemEntropy);
        let file = (0..).map(|n| self.dir.join(format!("{account}-{n}.sqlite")));
        let file = file.into_iter().find(|file| !file.exists()).expect("numbers do not end");
        let ledger = Ledger::open(&file, clock, Box::new(SystemEntropy)).expect("opens");
        let code = code.expect("known account");
        ledger.enrol(&self.server.url(), None, &code, account).await.expect("enrols");
        ledger
    }

    /// An office's command: what it prints as JSON, or the code of its failure.
    ///
    /// # Errors
    /// The code.
    ///
    /// # Panics
    /// Where it prints something else than JSON.
    pub fn office(&self, by: &str, command: AdminCommand) -> Result<Json, &'static str> {
        let office = Office { settings: &self.server.settings, app: &self.server.app, by };
        let output = office.run(command, &mut SystemEntropy).map_err(|error| error.words().0)?;
        Ok(serde_json::from_str(&output.json).expect("prints JSON"))
    }

    /// The rows of a list, of its first page where it has several; or the code of its failure.
    ///
    /// # Errors
    /// The code.
    ///
    /// # Panics
    /// Where the command lists nothing in pages.
    pub fn listed(&self, by: &str, command: AdminCommand) -> Result<Vec<Json>, &'static str> {
        let page = self.office(by, command)?;
        Ok(page["rows"].as_array().expect("a page of a list").clone())
    }

    /// A command about a department's files: what it prints as JSON, or the code of its failure.
    ///
    /// # Errors
    /// The code.
    ///
    /// # Panics
    /// Where it prints something else than JSON.
    pub fn import(&self, by: &str, command: ImportCommand) -> Result<Json, &'static str> {
        let office = Office { settings: &self.server.settings, app: &self.server.app, by };
        let output = office.import(command, &|_, _, _| true).map_err(|error| error.words().0)?;
        Ok(serde_json::from_str(&output.json).expect("prints JSON"))
    }

    /// An office's step of a case.
    ///
    /// # Errors
    /// The code of its failure.
    pub fn step(
        &self,
        by: &str,
        household: HouseholdId,
        stage: &str,
        with: Step<'_>,
    ) -> Result<Json, &'static str> {
        let arguments = StepArguments {
            household,
            stage: wanhu_core::domain::workflow::Stage::named(stage).ok_or("no such step")?,
            fields: with.fields.iter().map(|field| (*field).to_owned()).collect(),
            reason: with.reason.to_owned(),
            votes: with.votes.map(|(in_favour, against)| Votes { in_favour, against }),
            about: with.about.map(str::to_owned),
        };
        self.office(by, AdminCommand::Step(arguments))
    }
}

/// What goes with a step.
#[derive(Clone, Copy, Debug, Default)]
pub struct Step<'a> {
    /// Fields saved with it.
    pub fields: &'a [&'a str],
    /// Its reason.
    pub reason: &'a str,
    /// Votes for and against.
    pub votes: Option<(i64, i64)>,
    /// The objection it settles.
    pub about: Option<&'a str>,
}

/// A sync over a clean line.
///
/// # Panics
/// Where it fails.
pub async fn sync(phone: &Ledger) -> SyncReport {
    phone.sync(&(), &Cancel::default()).await.expect("syncs")
}

fn morning(day: &str) -> i64 {
    let Day(days) = day.parse().expect("a day");
    i64::from(days) * DAY_MS + MORNING_MS
}
