//! The phone's way to its server: HTTPS, timeouts, retry with backoff and jitter, progress, cancelling.
//! The only place that knows HTTP on the phone; must not know what the bytes mean.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use ed25519_dalek::SigningKey;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio::sync::watch;

use super::enrolment::Enrolment;
use super::ledger::Ledger;
use super::session::{Step, SyncSession};
use crate::domain::ids::ActorId;
use crate::error::LedgerError;
use crate::sync::initiator::Outgoing;
use crate::sync::receiver::SyncReport;
use crate::sync::wire::{
    self, ENROL_PATH, EnrolRequest, EnrolResponse, EnrolledBefore, ErrorBody, PROTOCOL_VERSION,
    SYNC_PATH,
};
use crate::sync::{SyncError, seal};

/// Longest silence of the server before the line counts as cut.
const READ_TIMEOUT: Duration = Duration::from_secs(60);
/// Longest time to reach the server.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);
/// Failures in a row, without anything getting through, after which a sync gives up.
const FAILURES_MAX: u32 = 5;
/// First pause after a failure; doubles each time.
const BACKOFF_MS: u64 = 500;
/// Bytes handed to the line at a time, so that progress moves on slow lines.
const CHUNK_BYTES: usize = 16 * 1024;

/// What a sync is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
pub enum SyncPhase {
    /// Sending; counts bytes.
    Sending,
    /// Receiving; counts log entries.
    Receiving,
    /// Waiting before another attempt; counts milliseconds.
    Waiting,
}

/// Told how a long operation gets on. Called by the thread that runs it; must return quickly.
pub trait Progress: Send + Sync {
    /// `done` of `total` in the phase's unit.
    fn report(&self, phase: SyncPhase, done: u64, total: u64);
}

impl Progress for () {
    fn report(&self, _: SyncPhase, _: u64, _: u64) {}
}

/// Stops a running sync at once, whatever it waits for. What was applied stays; nothing is lost.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<watch::Sender<bool>>);

impl Cancel {
    /// Asks the sync to stop.
    pub fn cancel(&self) {
        self.0.send_replace(true);
    }

    fn is_cancelled(&self) -> bool {
        *self.0.borrow()
    }

    /// Comes back once it is asked to stop.
    async fn cancelled(&self) {
        // The sender lives as long as `self`.
        let _ = self.0.subscribe().wait_for(|is_cancelled| *is_cancelled).await;
    }
}

impl Ledger {
    /// Enrols this phone at a server with a one-time code. `authority_pem` is the server's own
    /// certificate authority, where it has one. A phone at work may be enrolled again by the same person, as where the
    /// server has another address.
    ///
    /// # Errors
    /// `InvalidInput` for a code that is unknown, expired, used, or another account's (`installation_taken`); with
    /// `installation_at_work` where the server has another key for this phone and its office has not revoked it yet; `Offline`.
    pub async fn enrol(
        &self,
        url: &str,
        authority_pem: Option<String>,
        code: &str,
        device_name: &str,
    ) -> Result<Enrolment, LedgerError> {
        let url = url.trim_end_matches('/');
        let http = client(url, authority_pem.as_deref())?;
        let key = SigningKey::from_bytes(&self.random());
        let (public_key, ActorId(actor)) = (key.verifying_key().to_bytes(), self.actor());
        let before = self.enrolment()?.map(|enrolment| {
            let old = enrolment.identity();
            let proof = seal::sign_enrolment(&old.key, code, &public_key, &actor).into();
            EnrolledBefore { device: old.device, proof }
        });
        let request = EnrolRequest {
            protocol: PROTOCOL_VERSION,
            code: code.to_owned(),
            public_key: public_key.into(),
            actor: actor.into(),
            device_name: device_name.to_owned(),
            before,
        };
        let body = wire::encode(&request);
        let response = http.post(format!("{url}{ENROL_PATH}")).body(body).send().await;
        let response = accepted(response.map_err(offline)?).await?;
        let body = response.bytes().await.map_err(offline)?;
        let answer: EnrolResponse = wire::decode(&body)
            .map_err(|_| LedgerError::Internal { report_id: "enrol.malformed".into() })?;
        let enrolment = Enrolment::new(url, authority_pem, &key, answer);
        self.set_enrolment(&enrolment)?;
        Ok(enrolment)
    }

    /// Exchanges with the server until both hold the same. Survives cuts by going on where it stopped;
    /// gives up after several failures in a row, keeping everything.
    ///
    /// # Errors
    /// `Offline` where the server was not reached or the sync was cancelled; `SessionExpired`,
    /// `UpgradeRequired` as the server says.
    pub async fn sync(
        &self,
        progress: &dyn Progress,
        cancel: &Cancel,
    ) -> Result<SyncReport, LedgerError> {
        let reason = || LedgerError::SessionExpired { reason: "not_enrolled".into() };
        let enrolment = self.enrolment()?.ok_or_else(reason)?;
        let http = client(&enrolment.url, enrolment.authority_pem.as_deref())?;
        let url = format!("{}{SYNC_PATH}", enrolment.url);
        let mut session = SyncSession::default();
        let mut failures = 0;
        loop {
            let before = session.report().got_through();
            let exchanged = tokio::select! {
                biased;
                () = cancel.cancelled() => Err(LedgerError::Offline { retry_after_ms: 0 }),
                exchanged = self.exchange(&http, &url, &mut session, progress) => exchanged,
            };
            match exchanged {
                Ok(Step::Done(report)) if report.wiped => {
                    return Err(LedgerError::SessionExpired { reason: "revoked".into() });
                }
                Ok(Step::Done(report)) => return Ok(report),
                Ok(Step::Again) => failures = 0,
                Err(LedgerError::Offline { retry_after_ms }) if !cancel.is_cancelled() => {
                    session.cut();
                    let after = session.report().got_through();
                    failures = if after == before { failures + 1 } else { 1 };
                    if failures >= FAILURES_MAX {
                        return Err(LedgerError::Offline { retry_after_ms });
                    }
                    tokio::select! {
                        () = cancel.cancelled() => {}
                        () = self.pause(failures, retry_after_ms, progress) => {}
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn exchange(
        &self,
        http: &reqwest::Client,
        url: &str,
        session: &mut SyncSession,
        progress: &dyn Progress,
    ) -> Result<Step, LedgerError> {
        let outgoing = session.request(self)?;
        let total = outgoing.bytes() as u64;
        progress.report(SyncPhase::Sending, 0, total);
        let request = http.post(url).header("content-length", total).body(body(outgoing));
        let accepted = accepted(request.send().await.map_err(offline)?).await;
        if let Err(SyncError::Refused { code, details }) = &accepted
            && code == "replayed"
            && let Some(counter) = details.first().and_then(|text| text.parse().ok())
        {
            self.catch_up(counter)?;
            return Err(LedgerError::Offline { retry_after_ms: 0 });
        }
        let mut response = accepted?;
        progress.report(SyncPhase::Sending, total, total);
        let mut told = None;
        while let Some(bytes) = response.chunk().await.map_err(offline)? {
            session.feed(self, &bytes)?;
            let report = session.report();
            let total = report.entries_announced.max(report.entries);
            // Bytes come in many small pieces: only what is taken is news.
            if told != Some((report.entries, total)) {
                told = Some((report.entries, total));
                progress.report(SyncPhase::Receiving, report.entries, total);
            }
        }
        session.end(self)
    }

    async fn pause(&self, failures: u32, at_least_ms: u64, progress: &dyn Progress) {
        let backoff_ms = BACKOFF_MS << failures.min(6);
        // Phones of one village lose the line together; jitter keeps them from coming back together.
        let jitter_ms = u64::from(u16::from_be_bytes(self.random())) % backoff_ms;
        let pause_ms = at_least_ms.max(backoff_ms / 2 + jitter_ms);
        progress.report(SyncPhase::Waiting, 0, pause_ms);
        tokio::time::sleep(Duration::from_millis(pause_ms)).await;
    }
}

fn body(outgoing: Outgoing) -> reqwest::Body {
    let pieces = std::iter::once(outgoing.head).chain(outgoing.frames).map(Bytes::from);
    let chunks = pieces.flat_map(|piece| {
        let chunks: Vec<_> = (0..piece.len())
            .step_by(CHUNK_BYTES)
            .map(|from| piece.slice(from..piece.len().min(from + CHUNK_BYTES)))
            .collect();
        chunks
    });
    let mut joined = Vec::new();
    let mut small = bytes::BytesMut::new();
    for chunk in chunks {
        small.extend_from_slice(&chunk);
        if small.len() >= CHUNK_BYTES {
            joined.push(Ok::<_, std::convert::Infallible>(small.split().freeze()));
        }
    }
    joined.push(Ok(small.freeze()));
    reqwest::Body::wrap_stream(futures_util::stream::iter(joined))
}

fn offline(_: reqwest::Error) -> LedgerError {
    LedgerError::Offline { retry_after_ms: 0 }
}

/// The response, where the server took the request; else its error.
async fn accepted(response: reqwest::Response) -> Result<reqwest::Response, SyncError> {
    if response.status().is_success() {
        return Ok(response);
    }
    let status = response.status().as_u16();
    let body = response.bytes().await.map_err(|_| SyncError::Cut)?;
    let (code, details) = match wire::decode::<ErrorBody>(&body) {
        Ok(ErrorBody { code, details }) => (code, details),
        // Not our server's words: a gateway on the way, or another service at this address.
        Err(_) => {
            (if status >= 502 { "busy".into() } else { format!("http_{status}") }, Vec::new())
        }
    };
    Err(SyncError::Refused { code, details })
}

/// A client that trusts the server's own authority, where one is given, and the public ones else.
/// Plain HTTP is for loopback only.
fn client(url: &str, authority_pem: Option<&str>) -> Result<reqwest::Client, LedgerError> {
    let parsed =
        reqwest::Url::parse(url).map_err(|_| LedgerError::invalid("url", "not_an_address"))?;
    let host = parsed.host_str().unwrap_or_default();
    let is_loopback = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
    if parsed.scheme() != "https" && !(parsed.scheme() == "http" && is_loopback) {
        return Err(LedgerError::invalid("url", "not_encrypted"));
    }
    let internal = |place: &str| LedgerError::Internal { report_id: format!("tls.{place}") };
    let mut roots = rustls::RootCertStore::empty();
    match authority_pem {
        Some(pem) => {
            let invalid = || LedgerError::invalid("authority", "not_a_certificate");
            for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
                roots.add(certificate.map_err(|_| invalid())?).map_err(|_| invalid())?;
            }
            if roots.is_empty() {
                return Err(invalid());
            }
        }
        None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
    }
    // The provider is named because the library's default one does not exist on Android.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| internal("versions"))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(READ_TIMEOUT)
        .no_proxy()
        .build()
        .map_err(|_| internal("client"))
}
