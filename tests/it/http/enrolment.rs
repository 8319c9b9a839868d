//! How a phone comes to its account: codes, a second code where an answer was lost, a phone at work that is enrolled again.

use wanhu_core::sync::wire::{EnrolRequest, EnrolledBefore};
use wanhu_server::accounts::AccountError;

use super::*;

/// Another code for a known account, as its office issues it.
fn next_code(server: &TestServer, account: &str) -> String {
    let now_ms = SystemClock.now_ms();
    server.app.accounts.issue_code(account, "", now_ms, 600_000, &mut SystemEntropy).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_are_good_once_and_for_a_while() {
    let server = TestServer::start().await;
    let dir = tempfile::tempdir().unwrap();
    let open = |name: &str| {
        let clock = std::sync::Arc::new(SystemClock);
        Ledger::open(&dir.path().join(name), clock, Box::new(SystemEntropy)).unwrap()
    };
    let code = server.code_for("li", &[FULING]);
    let url = server.url();
    let reason = |result: Result<Enrolment, LedgerError>| match result {
        Err(LedgerError::InvalidInput { reason, .. }) => reason,
        other => panic!("{other:?}"),
    };
    assert_eq!(reason(open("x").enrol(&url, None, "AAAAA-AAAAA", "x").await), "code_unknown");
    let spoken = code.to_lowercase().replace('-', " ");
    open("a").enrol(&url, None, &spoken, "a").await.unwrap();
    assert_eq!(reason(open("b").enrol(&url, None, &code, "b").await), "code_used");
    let past = SystemClock.now_ms() - 700_000;
    let late = server.app.accounts.issue_code("li", "", past, 600_000, &mut SystemEntropy).unwrap();
    assert_eq!(reason(open("b").enrol(&url, None, &late, "b").await), "code_expired");
    for _ in 0..2 {
        assert_eq!(reason(open("c").enrol(&url, None, "AAAAA-AAAAA", "x").await), "code_unknown");
    }
    let good =
        server.app.accounts.issue_code("li", "", past, 9_000_000, &mut SystemEntropy).unwrap();
    assert_eq!(reason(open("d").enrol(&url, None, &good, "d").await), "too_many_tries");
    let plain = open("e").enrol("http://192.0.2.1:8787", None, &good, "e").await;
    assert_eq!(reason(plain), "not_encrypted");
    let no_authority = open("f").enrol(&url, Some("no certificate".into()), &good, "f").await;
    assert_eq!(reason(no_authority), "not_a_certificate");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_whose_enrolment_got_no_answer_enrols_with_the_next_code() {
    let server = TestServer::start().await;
    let dir = tempfile::tempdir().unwrap();
    let clock = std::sync::Arc::new(SystemClock);
    let ledger = Ledger::open(&dir.path().join("a"), clock, Box::new(SystemEntropy)).unwrap();
    ledger.create_household(FULING, household(&mut Seeded(4), FULING)).unwrap();
    let enrol = |code: String| {
        let request = EnrolRequest {
            protocol: 1,
            code,
            public_key: [7; 32].into(),
            actor: ledger.actor().0.into(),
            device_name: "a".into(),
            before: None,
        };
        server.app.accounts.enrol(&request, SystemClock.now_ms(), false)
    };
    enrol(server.code_for("li", &[FULING])).unwrap();
    // Somebody else's code does not take the phone over, the same person's next one does.
    assert!(matches!(enrol(server.code_for("wang", &[FULING])), Err(AccountError::ActorTaken)));
    let next = || next_code(&server, "li");
    ledger.enrol(&server.url(), None, &next(), "a").await.unwrap();
    assert_eq!(ledger.sync(&(), &Cancel::default()).await.unwrap().receipts, 1);
    // A phone at work is nobody's to take.
    assert!(matches!(enrol(next()), Err(AccountError::ActorAtWork)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_at_work_is_enrolled_again_by_its_own_person_alone() {
    let Two { server, a, b, _dir } = two_phones().await;
    let url = server.url();
    let next = |account: &str| next_code(&server, account);
    a.create_household(FULING, head("甲")).unwrap();
    assert_eq!(sync(&a).await.unwrap().receipts, 1);
    let before = a.enrolment().unwrap().unwrap();
    // Whoever holds another person's code gets neither the phone nor its work.
    let stranger = a.enrol(&url, None, &next("wang"), "a").await.unwrap_err();
    assert!(
        matches!(&stranger, LedgerError::InvalidInput { reason, .. } if reason == "installation_taken"),
        "{stranger:?}"
    );
    a.create_household(FULING, head("乙")).unwrap();
    assert_eq!(sync(&a).await.unwrap().receipts, 1, "all is as it was");
    // Its own person's code: the same device under another key, and what waits is sent.
    a.create_household(FULING, head("丙")).unwrap();
    let again = a.enrol(&url, None, &next("li"), "换了地址").await.unwrap();
    assert_eq!(again.device, before.device);
    assert_ne!(again.identity().key, before.identity().key);
    let report = sync(&a).await.unwrap();
    assert_eq!((report.receipts, report.refused), (1, 0));
    // A copy of the phone from before has the old key, which opens nothing and vouches for nothing.
    let (now_ms, key) = (SystemClock.now_ms(), before.identity().key);
    let vouched = |code: &str| {
        let (public_key, actor) = ([7; 32], a.actor().0);
        let proof = seal::sign_enrolment(&key, code, &public_key, &actor).into();
        let (code, device_name) = (code.to_owned(), "a".to_owned());
        let (public_key, actor) = (public_key.into(), actor.into());
        let before = Some(EnrolledBefore { device: before.device, proof });
        EnrolRequest { protocol: 1, code, public_key, actor, device_name, before }
    };
    let copy = server.app.accounts.enrol(&vouched(&next("li")), now_ms, false);
    assert!(matches!(copy, Err(AccountError::ActorAtWork)));
    assert_eq!(sync(&b).await.unwrap().received, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_at_work_whose_second_enrolment_got_no_answer_enrols_with_the_next_code() {
    let Two { server, a, b, _dir } = two_phones().await;
    let next = || next_code(&server, "li");
    a.create_household(FULING, head("甲")).unwrap();
    sync(&a).await.unwrap();
    a.create_household(FULING, head("乙")).unwrap();
    let (code, public_key, actor) = (next(), [7; 32], a.actor().0);
    let old = a.enrolment().unwrap().unwrap().identity();
    let proof = seal::sign_enrolment(&old.key, &code, &public_key, &actor).into();
    let before = Some(EnrolledBefore { device: old.device, proof });
    let (public_key, actor, device_name) = (public_key.into(), actor.into(), "a".to_owned());
    let request = EnrolRequest { protocol: 1, code, public_key, actor, device_name, before };
    server.app.accounts.enrol(&request, SystemClock.now_ms(), false).unwrap();
    // The answer is lost, and the new key with it.
    let asked = sync(&a).await.unwrap_err();
    assert!(
        matches!(&asked, LedgerError::SessionExpired { reason } if reason == "bad_signature"),
        "{asked:?}"
    );
    a.enrol(&server.url(), None, &next(), "a").await.unwrap();
    let report = sync(&a).await.unwrap();
    assert_eq!((report.receipts, report.refused), (1, 0));
    assert_eq!(sync(&b).await.unwrap().received, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_whose_key_the_server_has_lost_comes_back_when_its_office_revokes_the_old_device() {
    let Two { server, a, b, _dir } = two_phones().await;
    let url = server.url();
    let next = || next_code(&server, "li");
    a.create_household(FULING, head("甲")).unwrap();
    sync(&a).await.unwrap();
    // A copy of the phone from before it was enrolled again: as after a restore of the phone, or the other way round of the
    // server.
    let copy = _dir.path().join("copy");
    std::fs::copy(_dir.path().join("a"), &copy).unwrap();
    let wal = _dir.path().join("a-wal");
    if wal.exists() {
        std::fs::copy(wal, _dir.path().join("copy-wal")).unwrap();
    }
    a.enrol(&url, None, &next(), "a").await.unwrap();
    sync(&a).await.unwrap();
    drop(a);
    let clock = std::sync::Arc::new(SystemClock);
    let copy = Ledger::open(&copy, clock, Box::new(SystemEntropy)).unwrap();
    copy.create_household(FULING, head("乙")).unwrap();
    assert_eq!(sync(&copy).await.unwrap_err().code(), "session_expired");
    let refused = copy.enrol(&url, None, &next(), "a").await.unwrap_err();
    assert!(
        matches!(&refused, LedgerError::InvalidInput { reason, .. } if reason == "installation_at_work"),
        "{refused:?}"
    );
    let old = copy.enrolment().unwrap().unwrap().device;
    server.app.accounts.revoke(old, "", SystemClock.now_ms()).unwrap();
    let again = copy.enrol(&url, None, &next(), "a").await.unwrap();
    assert_ne!(again.device, old);
    let report = sync(&copy).await.unwrap();
    assert_eq!((report.receipts, report.refused), (1, 0));
    assert_eq!(sync(&b).await.unwrap().received, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_phone_waits_for_the_office_where_the_office_wants_that() {
    let dir = tempfile::tempdir().unwrap();
    let settings = Settings {
        data_dir: dir.path().join("data"),
        enrolment_approval: true,
        syncs_per_minute: 3,
        ..Settings::default()
    };
    let server = TestServer::start_with(settings, None).await;
    let url = server.url();
    let (a, enrolment) = server.phone(&dir.path().join("a"), "li", &[FULING], &url).await.unwrap();
    a.create_household(FULING, head("陈永昌")).unwrap();
    let waits = sync(&a).await.unwrap_err();
    assert_eq!(waits, LedgerError::SessionExpired { reason: "awaiting_approval".into() });
    server.app.accounts.approve(enrolment.device, "", 1).unwrap();
    assert_eq!(sync(&a).await.unwrap().receipts, 1);
    // A phone that asks without end is told to wait.
    let (status, code) = loop {
        let (status, code) = post(&server, wire::SYNC_PATH, &bytes_of(&request(&a))).await;
        if status != 200 {
            break (status, code);
        }
    };
    assert_eq!((status, code.as_str()), (429, "too_many_requests"));
}
