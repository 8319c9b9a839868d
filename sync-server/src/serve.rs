//! Serving on a listener until told to stop: HTTP/1.1 and HTTP/2, TLS where configured, a graceful end.
//! Must not know any route.

use std::future::Future;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ConnectInfo;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use wanhu_core::store::StoreError;

use crate::app::App;
use crate::router::router;
use crate::settings::Settings;
use crate::storage;
use crate::warnings::alone;

/// Time for running requests to finish after the end was asked for.
const GRACE: Duration = Duration::from_secs(30);
/// Time a client may take for a request's head and for a TLS handshake.
const HEAD_TIMEOUT: Duration = Duration::from_secs(20);
/// Pause between looks for what is due.
const PAUSE: Duration = Duration::from_secs(30);

/// Why the server cannot serve.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The listener failed.
    #[error("listener: {0}")]
    Listener(#[from] std::io::Error),
    /// Plain HTTP where other machines could listen in.
    #[error("plain HTTP beyond loopback")]
    PlainHttp,
    /// Certificate or key cannot be used.
    #[error("certificate or key unusable")]
    Tls,
}

/// Serves until `shutdown` completes, then finishes what runs.
///
/// # Errors
/// Before the first request: `PlainHttp` beyond loopback, `Tls` for unusable files.
pub async fn serve(
    app: Arc<App>,
    settings: &Settings,
    listener: TcpListener,
    shutdown: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    let tls = tls_acceptor(settings)?;
    if tls.is_none() && !settings.allow_plain_http && !listener.local_addr()?.ip().is_loopback() {
        return Err(ServeError::PlainHttp);
    }
    let router = router(app.clone());
    let graceful = GracefulShutdown::new();
    let beside = [
        tokio::spawn(keep(app.clone(), "packs", follow)),
        tokio::spawn(keep(app, "warnings", warn)),
    ];
    tokio::pin!(shutdown);
    loop {
        let (socket, from) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                // Too many open files and the like pass; the server must not end over them.
                Err(_) => {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
            () = &mut shutdown => break,
        };
        // Answers are small and must not wait for more.
        let _ = socket.set_nodelay(true);
        let (router, watcher, tls) = (router.clone(), graceful.watcher(), tls.clone());
        tokio::spawn(async move {
            match tls {
                None => connection(socket, from, router, watcher).await,
                Some(tls) => {
                    let shaken = tokio::time::timeout(HEAD_TIMEOUT, tls.accept(socket)).await;
                    if let Ok(Ok(socket)) = shaken {
                        connection(socket, from, router, watcher).await;
                    }
                }
            }
        });
    }
    drop(listener);
    beside.iter().for_each(tokio::task::JoinHandle::abort);
    let _ = tokio::time::timeout(GRACE, graceful.shutdown()).await;
    Ok(())
}

async fn connection(
    socket: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    from: SocketAddr,
    router: axum::Router,
    watcher: hyper_util::server::graceful::Watcher,
) {
    let service = hyper::service::service_fn(move |mut request: hyper::Request<_>| {
        request.extensions_mut().insert(ConnectInfo(from));
        tower_service::Service::call(&mut router.clone(), request)
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        // 37 bytes a phone pays for and never reads.
        .auto_date_header(false);
    builder.http2().timer(TokioTimer::new()).auto_date_header(false);
    let connection = builder.serve_connection(TokioIo::new(socket), service).into_owned();
    // A broken line is the phone's matter; it asks again.
    let _ = watcher.watch(connection).await;
}

/// Does some work again and again beside what phones ask for.
async fn keep(app: Arc<App>, place: &'static str, work: fn(&App) -> Result<(), StoreError>) {
    loop {
        let worker = app.clone();
        let done = tokio::task::spawn_blocking(move || work(&worker)).await;
        if !matches!(done, Ok(Ok(()))) {
            tracing::error!(place, "internal error");
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Signs the log's head; makes packs, and what follows from the log.
fn follow(app: &App) -> Result<(), StoreError> {
    let now_ms = app.clock.now_ms();
    let (storage, key) = (&app.storage, app.key.clone());
    storage
        .writer()
        .write(move |transaction| storage::audit::sign_head(transaction, &key, now_ms))?;
    storage::persons::catch_up(storage, app.person_key)?;
    storage::responsible::catch_up(storage)?;
    let count = storage::build_packs(storage, now_ms)?;
    if count > 0 {
        tracing::info!(count, "packs made");
    }
    storage::dues::catch_up(storage, &app.policy)
}

/// Warns of what records tell, for the offices that the settings name.
fn warn(app: &App) -> Result<(), StoreError> {
    for id in &app.warn_by {
        // It may be opened later.
        let Some(office) = alone::office(app, id) else {
            tracing::warn!(place = "warn_by", "no such office");
            continue;
        };
        let found = alone::keep_up(app, &office)?;
        if found.warned > 0 || !found.refused.is_empty() {
            tracing::info!(warned = found.warned, refused = found.refused.len(), "records judged");
        }
    }
    Ok(())
}

fn tls_acceptor(settings: &Settings) -> Result<Option<TlsAcceptor>, ServeError> {
    let (Some(certificate), Some(key)) = (&settings.tls_certificate, &settings.tls_key) else {
        return Ok(None);
    };
    let (chain, key) = (certificate_chain(certificate)?, private_key(key)?);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| ServeError::Tls)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|_| ServeError::Tls)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Some(TlsAcceptor::from(Arc::new(config))))
}

fn certificate_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, ServeError> {
    let certificates = CertificateDer::pem_file_iter(path).map_err(|_| ServeError::Tls)?;
    certificates.collect::<Result<_, _>>().map_err(|_| ServeError::Tls)
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, ServeError> {
    PrivateKeyDer::from_pem_file(path).map_err(|_| ServeError::Tls)
}
