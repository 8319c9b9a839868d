//! The real server on port 0 with a data directory of its own, ended when dropped.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use wanhu_core::client::{Enrolment, Ledger};
use wanhu_core::domain::authority::Role;
use wanhu_core::domain::environment::Clock;
use wanhu_core::domain::region;
use wanhu_core::error::LedgerError;
use wanhu_core::system::{SystemClock, SystemEntropy};
use wanhu_server::accounts::Account;
use wanhu_server::settings::Settings;
use wanhu_server::{App, serve, storage};

/// A running server.
#[derive(Debug)]
pub struct TestServer {
    /// Its inner parts, for tests that look underneath.
    pub app: Arc<App>,
    /// Where it listens.
    pub address: SocketAddr,
    /// Its settings.
    pub settings: Settings,
    stop: Option<oneshot::Sender<()>>,
    running: Option<JoinHandle<()>>,
    _dir: Option<TempDir>,
}

impl TestServer {
    /// Starts a fresh server.
    ///
    /// # Panics
    /// Where it cannot start.
    pub async fn start() -> Self {
        let dir = tempfile::tempdir().expect("makes a directory");
        let settings = Settings { data_dir: dir.path().to_owned(), ..Settings::default() };
        Self::start_with(settings, Some(dir)).await
    }

    /// Starts a server with these settings; `dir` is removed with it.
    ///
    /// # Panics
    /// Where it cannot start.
    pub async fn start_with(settings: Settings, dir: Option<TempDir>) -> Self {
        Self::start_on(settings, SocketAddr::from(([127, 0, 0, 1], 0)), dir).await
    }

    /// Starts a fresh server on a clock of the test's own.
    ///
    /// # Panics
    /// Where it cannot start.
    pub async fn start_clocked(settings: Settings, clock: Arc<dyn Clock>) -> Self {
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        Self::start_with_clock(settings, address, None, clock).await
    }

    /// Starts a server where another one listened before, on a clock of the test's own.
    ///
    /// # Panics
    /// Where it cannot start.
    pub async fn start_clocked_at(
        settings: Settings,
        address: SocketAddr,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self::start_with_clock(settings, address, None, clock).await
    }

    /// Starts a server where another one listened before, so that its phones find it.
    ///
    /// # Panics
    /// Where it cannot start.
    pub async fn start_at(settings: Settings, address: SocketAddr) -> Self {
        Self::start_on(settings, address, None).await
    }

    async fn start_on(settings: Settings, address: SocketAddr, dir: Option<TempDir>) -> Self {
        Self::start_with_clock(settings, address, dir, Arc::new(SystemClock)).await
    }

    async fn start_with_clock(
        settings: Settings,
        address: SocketAddr,
        dir: Option<TempDir>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let app = App::open(&settings, clock, &mut SystemEntropy).expect("opens");
        let app = Arc::new(app);
        let listener = tokio::net::TcpListener::bind(address).await.expect("listens");
        let address = listener.local_addr().expect("listens");
        let (stop, stopped) = oneshot::channel::<()>();
        let (served, with) = (app.clone(), settings.clone());
        let running = tokio::spawn(async move {
            let ended = serve(served, &with, listener, async {
                let _ = stopped.await;
            });
            ended.await.expect("serves");
        });
        Self { app, address, settings, stop: Some(stop), running: Some(running), _dir: dir }
    }

    /// Address as phones type it.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Opens an account and issues a code for it.
    ///
    /// # Panics
    /// Where the account exists.
    pub fn code_for(&self, account: &str, areas: &[u64]) -> String {
        let now_ms = SystemClock.now_ms();
        let account = Account {
            id: account.to_owned(),
            name: account.to_owned(),
            role: match areas.iter().all(|area| region::is_village(*area)) {
                true => Role::VillageCadre,
                false => Role::TownshipOffice,
            },
            areas: areas.to_vec(),
            grids: Vec::new(),
            granted_by: String::new(),
            disabled: false,
        };
        self.app.accounts.create(&account, now_ms).expect("new account");
        let issued =
            self.app.accounts.issue_code(&account.id, "", now_ms, 600_000, &mut SystemEntropy);
        issued.expect("known account")
    }

    /// A phone with its ledger in a file, enrolled through `url` (which may be a line's).
    ///
    /// # Errors
    /// As the ledger reports.
    pub async fn phone(
        &self,
        file: &Path,
        account: &str,
        areas: &[u64],
        url: &str,
    ) -> Result<(Ledger, Enrolment), LedgerError> {
        let ledger = Ledger::open(file, Arc::new(SystemClock), Box::new(SystemEntropy))?;
        let code = self.code_for(account, areas);
        let enrolment = ledger.enrol(url, None, &code, account).await?;
        Ok((ledger, enrolment))
    }

    /// Makes the packs that are due, now.
    ///
    /// # Panics
    /// Where the storage fails.
    pub fn build_packs(&self) {
        storage::build_packs(&self.app.storage, SystemClock.now_ms()).expect("builds");
    }

    /// Ends the server gracefully.
    ///
    /// # Panics
    /// Where it ended by itself before.
    pub async fn stop(mut self) {
        drop(self.stop.take());
        self.running.take().expect("runs").await.expect("ends");
    }
}
