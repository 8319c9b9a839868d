//! The bytes of every wire message, as files. A difference is a change of the protocol: it needs a new
//! version, not a new file. `WANHU_BLESS=1` writes files that are missing.

use std::fmt::Debug;
use std::path::Path;

use minicbor::{Decode, Encode};
use wanhu_core::sync::wire::*;

fn check<T>(name: &str, message: &T)
where
    T: Encode<()> + for<'b> Decode<'b, ()> + PartialEq + Debug,
{
    let bytes = encode(message);
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("fixtures/wire/{name}.hex"));
    #[allow(clippy::disallowed_methods, reason = "a test's own switch")]
    if !path.exists() && std::env::var("WANHU_BLESS").is_ok() {
        std::fs::write(&path, format!("{hex}\n")).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(golden.trim(), hex, "{name}");
    assert_eq!(&decode::<T>(&bytes).unwrap(), message, "{name}");
    // Whatever is missing or too much is noticed.
    assert!(decode::<T>(&bytes[..bytes.len() - 1]).is_err(), "{name}");
}

const SCOPE: u64 = 431_022_208_217;

#[test]
fn enrolments() {
    let request = EnrolRequest {
        protocol: 1,
        code: "7K3QM-X9D4T".into(),
        public_key: [1; 32].into(),
        actor: [2; 16].into(),
        device_name: "李明的手机".into(),
        before: None,
    };
    check("enrol-request", &request);
    let before = Some(EnrolledBefore { device: 5, proof: [3; 64].into() });
    check("enrol-request-again", &EnrolRequest { before, ..request });
}

#[test]
fn requests() {
    let pack = Some(PackPosition { id: [5; 16].into(), frame: 7 });
    let cursor =
        |pack| Cursor { scope: SCOPE, seq: 33, chain: [3; 8].into(), digest: [4; 16].into(), pack };
    let request = SyncRequest {
        protocol: 1,
        schema: 1,
        device: 2,
        counter: 9,
        epoch: vec![6; 8].into(),
        cursors: vec![cursor(None), cursor(pack)],
        frames: vec![[8; 16].into()],
        echo: None,
        repair: None,
        actor: None,
        full_ids: None,
        policy: None,
    };
    check("sync-request", &request);
    let answer = RepairAnswer {
        scope: SCOPE,
        range_bits: 3,
        ranges: vec![0, 5],
        items: vec![9; 24].into(),
        seq: 33,
    };
    check(
        "sync-request-repair",
        &SyncRequest {
            echo: Some(true),
            repair: Some(vec![answer]),
            actor: Some([1; 16].into()),
            full_ids: Some(true),
            ..request.clone()
        },
    );
    check("sync-request-policy", &SyncRequest { policy: Some([7; 8].into()), ..request });
    check(
        "push-frame",
        &PushFrame {
            outbox: vec![(1, 2)],
            households: vec![
                PushedHousehold { id: vec![1; 16].into(), scope: SCOPE },
                PushedHousehold { id: vec![2; 4].into(), scope: SCOPE },
            ],
            changes: vec![
                PushedChange {
                    household: 0,
                    deps: vec![vec![3; 4].into()],
                    tail: vec![4; 9].into(),
                },
                PushedChange {
                    household: -1,
                    deps: vec![vec![3; 32].into()],
                    tail: vec![5; 9].into(),
                },
            ],
        },
    );
}

#[test]
fn answers_to_enrolments() {
    check(
        "enrol-response",
        &EnrolResponse {
            device: 2,
            server_key: [1; 32].into(),
            account: "li.ming".into(),
            name: "李明".into(),
            areas: vec![SCOPE, 431_022],
            role: "village_cadre".into(),
            person_key: None,
            regions: None,
        },
    );
    check(
        "enrol-response-person-key",
        &EnrolResponse {
            device: 2,
            server_key: [1; 32].into(),
            account: "li.ming".into(),
            name: "李明".into(),
            areas: vec![SCOPE, 431_022],
            role: "village_cadre".into(),
            person_key: Some([2; 32].into()),
            regions: None,
        },
    );
    check(
        "enrol-response-regions",
        &EnrolResponse {
            device: 2,
            server_key: [1; 32].into(),
            account: "li.ming".into(),
            name: "李明".into(),
            areas: vec![SCOPE],
            role: "village_cadre".into(),
            person_key: Some([2; 32].into()),
            regions: Some("43\t湖南省\n431022\t宜章县\n".into()),
        },
    );
}

#[test]
fn parts_of_an_answer() {
    let head = ResponseHead {
        protocol: 1,
        epoch: [1; 8].into(),
        server_time_ms: 1_709_251_200_000,
        refusals: vec![Refusal { outbox: 4, code: RefusalCode::OutsideArea, subject: None }],
        lost_scopes: vec![SCOPE],
        entries: 12,
        revoked: None,
        lease_days: Some(60),
        grids: None,
    };
    check("response-head", &head);
    let grids = Some(vec!["第三网格".to_owned()]);
    check("response-head-grids", &ResponseHead { grids, ..head });
    let (deps, tail) = (vec![vec![3; 4].into()], minicbor::bytes::ByteVec::from(vec![4; 9]));
    check(
        "log-frame",
        &LogFrame {
            scope: SCOPE,
            from_seq: 3,
            households: vec![vec![1; 16].into(), vec![2; 4].into()],
            entries: vec![
                Entry::Receipt { first_outbox: 5, count: 3 },
                Entry::Change { household: 0, deps: deps.clone(), tail: tail.clone() },
                Entry::Leave { household: 0, to: SCOPE + 1 },
                Entry::Enter {
                    household: -1,
                    from: SCOPE - 1,
                    changes: vec![(deps.clone(), tail.clone())],
                },
            ],
            chain: [7; 8].into(),
            signature: Some([8; 64].into()),
        },
    );
    check("error-body", &ErrorBody { code: "busy".into(), details: vec!["5000".into()] });
}

#[test]
fn packs_and_repairs() {
    check(
        "pack-head",
        &PackHead {
            scope: SCOPE,
            id: [1; 16].into(),
            seq: 400,
            chain: [2; 32].into(),
            digest: [3; 16].into(),
            frames: 9,
            first_frame: 2,
        },
    );
    let (deps, tail) = (vec![vec![3; 4].into()], vec![4; 9].into());
    check(
        "pack-frame",
        &PackFrame {
            scope: SCOPE,
            households: vec![[1; 16].into()],
            changes: vec![PushedChange { household: 0, deps, tail }],
        },
    );
    let (seq, chain) = (9, [4; 32].into());
    check(
        "repair-offer",
        &RepairOffer { scope: SCOPE, range_bits: 1, fingerprints: vec![1; 12].into(), seq, chain },
    );
    check(
        "repair-result",
        &RepairResult { scope: SCOPE, wanted: vec![1; 6].into(), gone: vec![].into(), seq, chain },
    );
}
