//! The story of an outsider who got hold of an enrolled phone's key, or of nothing at all, and speaks to
//! the server without our client: every attempt is refused with a clear code, costs the others nothing,
//! and leaves the records as they were.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use wanhu_core::client::{Cancel, Enrolment, Ledger, RecordEdit};
use wanhu_core::document::compress::{self, Effort};
use wanhu_core::document::draft::{FieldEdit, Origin, draft};
use wanhu_core::document::fold::Fold;
use wanhu_core::document::genesis::ContainerIndex;
use wanhu_core::document::raw::RawChange;
use wanhu_core::domain::ids::ActorId;
use wanhu_core::domain::value::Value;
use wanhu_core::sync::seal;
use wanhu_core::sync::wire::{
    self, ErrorBody, PushFrame, PushedChange, PushedHousehold, RefusalCode, ResponseHead,
    SyncRequest,
};
use wanhu_tests::population::{FULING, JINPEN};
use wanhu_tests::server::TestServer;

struct Outsider {
    server: TestServer,
    stolen: Enrolment,
    actor: ActorId,
    counter: u64,
}

/// What the server said: HTTP status and error code, or the refusals of the changes.
#[derive(Debug, PartialEq, Eq)]
enum Said {
    Error(u16, String),
    Refusals(Vec<RefusalCode>),
}

fn error(status: u16, code: &str) -> Said {
    Said::Error(status, code.to_owned())
}

impl Outsider {
    fn header(&mut self, frames: &[Vec<u8>]) -> SyncRequest {
        self.counter += 1;
        SyncRequest {
            protocol: 1,
            schema: 1,
            device: self.stolen.device,
            counter: self.counter,
            epoch: Vec::new().into(),
            cursors: Vec::new(),
            frames: frames.iter().map(|frame| seal::frame_digest(frame).into()).collect(),
            echo: None,
            repair: None,
            actor: None,
            full_ids: None,
            policy: None,
        }
    }

    fn sealed(&mut self, frames: &[Vec<u8>]) -> Vec<u8> {
        let header = wire::encode(&self.header(frames));
        let key = self.stolen.identity().key;
        let mut body = seal::seal_request(&key, wire::SYNC_PATH, &header);
        for frame in frames {
            seal::put_length(&mut body, frame.len());
            body.extend_from_slice(frame);
        }
        body
    }

    async fn push(&mut self, scope: u64, raw: &RawChange) -> Said {
        let (deps, tail) = raw.split().unwrap();
        let frame = PushFrame {
            outbox: vec![(self.counter + 1_000, 1)],
            households: vec![PushedHousehold { id: vec![6; 16].into(), scope }],
            changes: vec![PushedChange {
                household: 0,
                deps: deps.iter().map(|dep| dep.0[..4].to_vec().into()).collect(),
                tail: tail.to_vec().into(),
            }],
        };
        let frame = compress::compress(&wire::encode(&frame), Effort::Live).unwrap();
        let body = self.sealed(&[frame]);
        self.post(&body).await
    }

    async fn post(&self, body: &[u8]) -> Said {
        let mut socket = TcpStream::connect(self.server.address).await.unwrap();
        let head = format!(
            "POST {} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
            wire::SYNC_PATH,
            body.len()
        );
        socket.write_all(head.as_bytes()).await.unwrap();
        let _ = socket.write_all(body).await;
        let mut answer = Vec::new();
        let _ = socket.read_to_end(&mut answer).await;
        let at = answer.windows(4).position(|w| w == b"\r\n\r\n").unwrap() + 4;
        let text = String::from_utf8_lossy(&answer[..at]);
        let status: u16 = text.split(' ').nth(1).unwrap().parse().unwrap();
        if status != 200 {
            let ErrorBody { code, .. } = wire::decode(&answer[at..]).unwrap();
            return Said::Error(status, code);
        }
        // The first part of an answer is its head: kind, length, content.
        let (length, taken) = seal::take_length(&answer[at + 1..]).unwrap().unwrap();
        let from = at + 1 + taken;
        let head: ResponseHead = wire::decode(&answer[from..from + length]).unwrap();
        Said::Refusals(head.refusals.iter().map(|refusal| refusal.code).collect())
    }
}

fn name(actor: ActorId, container: &str, key: &str, value: Value) -> RawChange {
    let container = ContainerIndex::of(container).unwrap();
    let edit = FieldEdit { container, key: key.into(), value: Some(value) };
    draft(&Fold::default(), &[edit], &Origin { actor, time_ms: 0, message: String::new() }).unwrap()
}

async fn synced(ledger: &Ledger) {
    ledger.sync(&(), &Cancel::default()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outsider_gets_nowhere() {
    let server = TestServer::start().await;
    let dir = tempfile::tempdir().unwrap();
    let url = server.url();
    let (victim, stolen) =
        server.phone(&dir.path().join("a"), "li", &[FULING], &url).await.unwrap();
    let (other, _) = server.phone(&dir.path().join("b"), "wang", &[FULING], &url).await.unwrap();
    let edit = RecordEdit::default().set("basic", "head_name", "陈永昌");
    let id = other.create_household(FULING, edit).unwrap();
    synced(&other).await;
    let before = other.show(id).unwrap();

    let (actor, counter) = (victim.actor(), 1_000);
    let mut outsider = Outsider { server, stolen, actor, counter };
    let mine = name(outsider.actor, "basic", "head_name", "外人".into());

    // Another village's household.
    let said = outsider.push(JINPEN, &mine).await;
    assert_eq!(said, Said::Refusals(vec![RefusalCode::OutsideArea]));
    // A forged author.
    let forged = name(other.actor(), "basic", "head_name", "外人".into());
    let said = outsider.push(FULING, &forged).await;
    assert_eq!(said, Said::Refusals(vec![RefusalCode::WrongActor]));
    // A decision that is the county's.
    let decision = name(outsider.actor, "case", "rule_version", "1".into());
    let said = outsider.push(FULING, &decision).await;
    assert_eq!(said, Said::Refusals(vec![RefusalCode::NotPermitted]));

    // The same request again; a body edited on the way; a signature of another device.
    let body = outsider.sealed(&[]);
    assert_eq!(outsider.post(&body).await, Said::Refusals(vec![]));
    assert_eq!(outsider.post(&body).await, error(401, "replayed"));
    let frame = compress::compress(&[7; 100], Effort::Live).unwrap();
    let mut edited = outsider.sealed(&[frame]);
    *edited.last_mut().unwrap() ^= 1;
    assert_eq!(outsider.post(&edited).await, error(400, "bad_request"));
    let mut resigned = outsider.sealed(&[]);
    let at = resigned.len() - 1;
    resigned[at] ^= 1;
    assert_eq!(outsider.post(&resigned).await, error(401, "bad_signature"));

    // A frame that would swell to 200 MB, and one that states less than it holds.
    let bomb = zstd::bulk::compress(&vec![0; 200_000_000], 19).unwrap();
    let body = outsider.sealed(&[bomb]);
    assert_eq!(outsider.post(&body).await, error(400, "bad_request"));
    let mut lying = compress::compress(&[0; 5_000], Effort::Live).unwrap();
    let place = lying.iter().position(|byte| *byte == 0x88).unwrap_or(5);
    lying[place] ^= 0x40;
    let body = outsider.sealed(&[lying]);
    assert!(matches!(outsider.post(&body).await, Said::Error(400 | 413, _)));
    // A frame larger than any phone sends.
    let huge = vec![0; wire::FRAME_BYTES_MAX + 1];
    let body = outsider.sealed(&[huge]);
    assert_eq!(outsider.post(&body).await, error(413, "too_large"));

    // The phone is reported stolen.
    let device = outsider.stolen.device;
    outsider.server.app.accounts.revoke(device, "", 1).unwrap();
    let late = name(outsider.actor, "basic", "grid", "一".into());
    let said = outsider.push(FULING, &late).await;
    assert_eq!(said, Said::Refusals(vec![RefusalCode::DeviceRevoked]));

    // Nobody else noticed any of it.
    synced(&other).await;
    assert_eq!(other.show(id).unwrap(), before);
    assert_eq!(other.status().unwrap().households, 1);
}
