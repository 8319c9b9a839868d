//! The real server on port 0 and the real client: enrolment, sync, every refusal, cuts of a real line.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use wanhu_core::client::{Cancel, Enrolment, Ledger, Progress, RecordEdit, SyncPhase, SyncSession};
use wanhu_core::domain::environment::Clock;
use wanhu_core::error::LedgerError;
use wanhu_core::store::listing::ListFilter;
use wanhu_core::sync::initiator::Outgoing;
use wanhu_core::sync::seal;
use wanhu_core::sync::wire::{self, ErrorBody, SyncRequest};
use wanhu_core::system::{SystemClock, SystemEntropy};
use wanhu_server::settings::Settings;
use wanhu_tests::line::Line;
use wanhu_tests::population::{self, FULING, household};
use wanhu_tests::seeded::Seeded;
use wanhu_tests::server::TestServer;
use wanhu_tests::township::bytes_of;

mod enrolment;

struct Two {
    server: TestServer,
    a: Ledger,
    b: Ledger,
    _dir: tempfile::TempDir,
}

async fn two_phones() -> Two {
    let server = TestServer::start().await;
    let dir = tempfile::tempdir().unwrap();
    let url = server.url();
    let (a, _) = server.phone(&dir.path().join("a"), "li", &[FULING], &url).await.unwrap();
    let (b, _) = server.phone(&dir.path().join("b"), "wang", &[FULING], &url).await.unwrap();
    Two { server, a, b, _dir: dir }
}

fn head(name: &str) -> RecordEdit {
    RecordEdit::default().set("basic", "head_name", name)
}

async fn sync(ledger: &Ledger) -> Result<wanhu_core::sync::receiver::SyncReport, LedgerError> {
    ledger.sync(&(), &Cancel::default()).await
}

/// Posts bytes as they are; status and the error's code, where there is one.
async fn post(server: &TestServer, path: &str, body: &[u8]) -> (u16, String) {
    let mut socket = TcpStream::connect(server.address).await.unwrap();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    // The server may answer and close before it has read everything.
    let _ = socket.write_all(body).await;
    let mut answer = Vec::new();
    let _ = socket.read_to_end(&mut answer).await;
    let text = String::from_utf8_lossy(&answer);
    let status = text.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    let at = answer.windows(4).position(|w| w == b"\r\n\r\n").map_or(answer.len(), |at| at + 4);
    let code = wire::decode::<ErrorBody>(&answer[at..]).map(|error| error.code);
    (status, code.unwrap_or_default())
}

fn request(ledger: &Ledger) -> Outgoing {
    SyncSession::default().request(ledger).unwrap()
}

/// Signs a changed header with the phone's own key.
fn resealed(
    enrolment: &Enrolment,
    outgoing: &Outgoing,
    change: impl Fn(&mut SyncRequest),
) -> Vec<u8> {
    let (length, taken) = seal::take_length(&outgoing.head).unwrap().unwrap();
    let mut header: SyncRequest = wire::decode(&outgoing.head[taken..taken + length]).unwrap();
    change(&mut header);
    seal::seal_request(&enrolment.identity().key, wire::SYNC_PATH, &wire::encode(&header))
}

#[tokio::test(flavor = "multi_thread")]
async fn two_phones_meet_over_http() {
    let Two { server, a, b, _dir } = two_phones().await;
    let id = a.create_household(FULING, head("陈永昌")).unwrap();
    assert_eq!(sync(&a).await.unwrap().receipts, 1);
    assert_eq!(sync(&b).await.unwrap().received, 1);
    a.edit(id, &RecordEdit::default().set("class", "risk_level", "high")).unwrap();
    b.edit(id, &RecordEdit::default().set("class", "risk_level", "low")).unwrap();
    sync(&a).await.unwrap();
    sync(&b).await.unwrap();
    sync(&a).await.unwrap();
    assert_eq!(a.conflicts(id).unwrap(), b.conflicts(id).unwrap());
    assert_eq!(a.conflicts(id).unwrap()[0].values.len(), 2);
    server.stop().await;
    let offline = sync(&a).await.unwrap_err();
    assert_eq!(offline.code(), "offline");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_a_phones_own_fresh_request_is_refused() {
    let Two { server, a, b, _dir } = two_phones().await;
    a.create_household(FULING, head("甲")).unwrap();
    let mine = a.enrolment().unwrap().unwrap();
    let sync_path = wire::SYNC_PATH;

    let outgoing = request(&a);
    let good = bytes_of(&outgoing);
    let mut altered = good.clone();
    altered[12] ^= 1;
    let (status, code) = post(&server, sync_path, &altered).await;
    assert!(matches!(code.as_str(), "bad_signature" | "bad_request" | "unknown_device"), "{code}");
    assert!(matches!(status, 400 | 401));
    let mut other_frame = good.clone();
    *other_frame.last_mut().unwrap() ^= 1;
    assert_eq!(post(&server, sync_path, &other_frame).await, (400, "bad_request".into()));
    // The altered frame used the counter up; a replay of the good request is refused as well.
    assert_eq!(post(&server, sync_path, &good).await, (401, "replayed".into()));

    let other_key = resealed(&b.enrolment().unwrap().unwrap(), &request(&a), |_| {});
    assert_eq!(post(&server, sync_path, &other_key).await, (401, "bad_signature".into()));
    let nobody = resealed(&mine, &request(&a), |header| header.device = 99);
    assert_eq!(post(&server, sync_path, &nobody).await, (401, "unknown_device".into()));
    let old = resealed(&mine, &request(&a), |header| header.protocol = 0);
    assert_eq!(post(&server, sync_path, &old).await, (426, "unsupported_protocol".into()));
    let short = resealed(&mine, &request(&a), |_| {});
    assert_eq!(
        post(&server, sync_path, &short).await,
        (400, "bad_request".into()),
        "frames missing"
    );

    assert_eq!(post(&server, sync_path, b"").await, (400, "bad_request".into()));
    assert_eq!(post(&server, sync_path, &[0xff; 64]).await, (400, "bad_request".into()));
    assert_eq!(
        post(&server, sync_path, &[0xff, 0xff, 0xff, 0x7f]).await,
        (413, "too_large".into())
    );
    assert_eq!(post(&server, wire::ENROL_PATH, &[0; 2_000]).await, (413, "too_large".into()));
    assert_eq!(post(&server, wire::ENROL_PATH, b"\x81\x01").await, (400, "bad_request".into()));
    assert_eq!(post(&server, "/v1/nothing", b"").await, (404, "not_found".into()));
    assert_eq!(post(&server, "/healthz", b"").await, (405, "method_not_allowed".into()));

    // Nothing was lost or changed by all that.
    assert_eq!(sync(&a).await.unwrap().receipts, 1);
    server.app.accounts.revoke(mine.device, "", 1).unwrap();
    let revoked = sync(&a).await.unwrap_err();
    assert_eq!(revoked, LedgerError::SessionExpired { reason: "revoked".into() });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_restored_from_its_backup_goes_on_without_help() {
    let server = TestServer::start().await;
    let dir = tempfile::tempdir().unwrap();
    let (file, backup) = (dir.path().join("a"), dir.path().join("backup"));
    let url = server.url();
    let (a, _) = server.phone(&file, "li", &[FULING], &url).await.unwrap();
    a.create_household(FULING, head("陈永昌")).unwrap();
    sync(&a).await.unwrap();
    drop(a);
    std::fs::copy(&file, &backup).unwrap();
    let open = |path: &std::path::Path| {
        Ledger::open(path, std::sync::Arc::new(SystemClock), Box::new(SystemEntropy)).unwrap()
    };
    let a = open(&file);
    for name in ["甲", "乙", "丙"] {
        a.create_household(FULING, head(name)).unwrap();
        sync(&a).await.unwrap();
    }
    drop(a);
    // The requests of the restored phone count from where the backup stood.
    let restored = open(&backup);
    restored.create_household(FULING, head("丁")).unwrap();
    sync(&restored).await.unwrap();
    let status = restored.status().unwrap();
    assert_eq!((status.households, status.pending, status.refused), (5, 0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_breaks_again_and_again_carries_everything() {
    let server = TestServer::start().await;
    let dir = tempfile::tempdir().unwrap();
    let line = Line { cut_after_bytes: Some(24_000), ..Line::default() };
    let line = line.open(server.address).await.unwrap();
    let url = format!("http://{}", line.address());
    let (a, _) = server.phone(&dir.path().join("a"), "li", &[FULING], &url).await.unwrap();
    for (village, edit) in population::village(3, FULING, 250) {
        a.create_household(village, edit).unwrap();
    }
    let report = sync(&a).await.unwrap();
    assert_eq!(report.receipts, 250);
    assert!(line.connections() > 2, "the line was meant to break");
    server.build_packs();
    let (b, _) = server.phone(&dir.path().join("b"), "wang", &[FULING], &url).await.unwrap();
    assert_eq!(sync(&b).await.unwrap().received, 250);
    let rows = |ledger: &Ledger| ledger.list(&ListFilter::default(), None, 1_000).unwrap();
    assert_eq!(rows(&a), rows(&b));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_can_be_cancelled_and_goes_on_later() {
    let Two { server, a, b, _dir } = two_phones().await;
    for (village, edit) in population::village(3, FULING, 100) {
        a.create_household(village, edit).unwrap();
    }
    sync(&a).await.unwrap();
    let cancel = Cancel::default();
    cancel.cancel();
    let cancelled = b.sync(&(), &cancel).await;
    assert_eq!(cancelled.unwrap_err().code(), "offline");
    assert_eq!(sync(&b).await.unwrap().received, 100);
    drop(server);
}

/// Does something once a part of the answer is taken and another part is still to come.
struct Midway<F>(F);

impl<F: Fn() + Send + Sync> Progress for Midway<F> {
    fn report(&self, phase: SyncPhase, done: u64, total: u64) {
        if phase == SyncPhase::Receiving && 0 < done && done < total {
            (self.0)();
        }
    }
}

/// Stops a phone's sync in the middle of a large answer, opens its file again, and lets it go on.
async fn stopped_midway(expected: LedgerError, stop: impl Fn(&Ledger, &Cancel) + Send + Sync) {
    const HOUSEHOLDS: u64 = 100;
    let server = TestServer::start().await;
    let dir = tempfile::tempdir().unwrap();
    let (a, _) = server.phone(&dir.path().join("a"), "li", &[FULING], &server.url()).await.unwrap();
    for (village, edit) in population::village(3, FULING, 100) {
        a.create_household(village, edit).unwrap();
    }
    sync(&a).await.unwrap();
    // So slow that the answer comes in pieces.
    let line = Line { rate_bytes_per_s: Some(100_000), ..Line::default() };
    let line = line.open(server.address).await.unwrap();
    let (url, file) = (format!("http://{}", line.address()), dir.path().join("b"));
    let (b, _) = server.phone(&file, "wang", &[FULING], &url).await.unwrap();
    let cancel = Cancel::default();
    let stopped = b.sync(&Midway(|| stop(&b, &cancel)), &cancel).await;
    assert_eq!(stopped.unwrap_err(), expected);
    drop(b);

    let b = Ledger::open(&file, std::sync::Arc::new(SystemClock), Box::new(SystemEntropy)).unwrap();
    let kept = b.status().unwrap().households;
    assert!(0 < kept && kept < HOUSEHOLDS, "{kept}");
    let rows = |ledger: &Ledger| ledger.list(&ListFilter::default(), None, 1_000).unwrap();
    let whole = rows(&a);
    for row in rows(&b) {
        assert!(whole.contains(&row), "a household is there whole or not at all");
        assert_eq!(b.show(row.id).unwrap(), a.show(row.id).unwrap());
    }
    assert_eq!(sync(&b).await.unwrap().received, HOUSEHOLDS - kept, "nothing comes twice");
    assert_eq!(rows(&b), whole);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_cancelled_while_receiving_keeps_what_came_and_goes_on_later() {
    stopped_midway(LedgerError::Offline { retry_after_ms: 0 }, |_, cancel| cancel.cancel()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_book_closed_while_receiving_keeps_what_came_and_goes_on_later() {
    let closed = LedgerError::invalid("ledger", "closed");
    stopped_midway(closed, |book, _| book.close().unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopping_server_finishes_the_running_sync() {
    let Two { server, a, _dir, .. } = two_phones().await;
    a.create_household(FULING, head("甲")).unwrap();
    let body = bytes_of(&request(&a));
    let mut socket = TcpStream::connect(server.address).await.unwrap();
    let head =
        format!("POST /v1/sync HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n", body.len());
    socket.write_all(head.as_bytes()).await.unwrap();
    let (first, rest) = body.split_at(40);
    socket.write_all(first).await.unwrap();
    // The head is on its way; only a request that the server has seen begins to count as running.
    tokio::time::timeout(Duration::from_secs(5), async {
        while server.app.requests.available_permits() == 256 {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
    let stopping = tokio::spawn(server.stop());
    socket.write_all(rest).await.unwrap();
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).await.unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200"));
    stopping.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn plain_http_stays_on_the_machine() {
    let dir = tempfile::tempdir().unwrap();
    let settings = Settings { data_dir: dir.path().to_owned(), ..Settings::default() };
    let app =
        wanhu_server::App::open(&settings, std::sync::Arc::new(SystemClock), &mut SystemEntropy);
    let listener = tokio::net::TcpListener::bind(("0.0.0.0", 0)).await.unwrap();
    let app = std::sync::Arc::new(app.unwrap());
    let refused = wanhu_server::serve(app, &settings, listener, std::future::pending()).await;
    assert!(matches!(refused, Err(wanhu_server::ServeError::PlainHttp)));
}

#[tokio::test(flavor = "multi_thread")]
async fn https_with_the_offices_own_authority() {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let (certificate, key) = (dir.path().join("c.pem"), dir.path().join("k.pem"));
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let settings = Settings {
        data_dir: dir.path().join("data"),
        tls_certificate: Some(certificate),
        tls_key: Some(key),
        ..Settings::default()
    };
    let server = TestServer::start_with(settings, None).await;
    let url = format!("https://localhost:{}", server.address.port());
    let clock = std::sync::Arc::new(SystemClock);
    let ledger = Ledger::open(&dir.path().join("a"), clock, Box::new(SystemEntropy)).unwrap();
    let code = server.code_for("li", &[FULING]);
    let stranger = ledger.enrol(&url, None, &code, "a").await.unwrap_err();
    assert_eq!(stranger.code(), "offline", "an unknown authority is not talked to");
    ledger.enrol(&url, Some(made.cert.pem()), &code, "a").await.unwrap();
    ledger.create_household(FULING, head("甲")).unwrap();
    assert_eq!(sync(&ledger).await.unwrap().receipts, 1);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_sees_health_without_names() {
    let Two { server, a, _dir, .. } = two_phones().await;
    a.create_household(FULING, head("甲")).unwrap();
    sync(&a).await.unwrap();
    for path in ["/healthz", "/readyz"] {
        let mut socket = TcpStream::connect(server.address).await.unwrap();
        let head = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        socket.write_all(head.as_bytes()).await.unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{path}: {answer}");
    }
}
