//! The restore drill: a backup made while phones sync, a server lost, its backup put back, and phones
//! that give back what came after it without anybody doing anything.

use wanhu_core::client::{Cancel, Ledger, RecordEdit};
use wanhu_core::store::listing::ListFilter;
use wanhu_core::system::SystemEntropy;
use wanhu_server::backup::{self, BackupError};
use wanhu_server::keys;
use wanhu_server::settings::Settings;
use wanhu_tests::population::FULING;
use wanhu_tests::server::TestServer;

async fn save(ledger: &Ledger, name: &str) {
    let edit = RecordEdit::default().set("basic", "head_name", name);
    ledger.create_household(FULING, edit).unwrap();
    ledger.sync(&(), &Cancel::default()).await.unwrap();
}

fn names(ledger: &Ledger) -> Vec<String> {
    let rows = ledger.list(&ListFilter::default(), None, 100).unwrap();
    rows.into_iter().map(|row| row.head_name).collect()
}

/// The key of the databases lies elsewhere, as it should.
fn settings(data_dir: std::path::PathBuf) -> Settings {
    let storage_key = data_dir.parent().map(|dir| dir.join("keys/storage.key"));
    Settings { data_dir, storage_key, ..Settings::default() }
}

fn key_in(dir: &std::path::Path) -> [u8; 32] {
    keys::read(&dir.join("keys/storage.key")).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_server_comes_back_and_gets_back_what_the_backup_lacks() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    let server = TestServer::start_with(settings(path("data")), None).await;
    let address = server.address;
    let url = server.url();
    let (a, _) = server.phone(&path("a"), "li", &[FULING], &url).await.unwrap();
    let (b, _) = server.phone(&path("b"), "wang", &[FULING], &url).await.unwrap();
    save(&a, "甲").await;
    // The server goes on serving meanwhile.
    let (from, to, key) = (path("data"), path("backup"), key_in(dir.path()));
    let made = tokio::task::spawn_blocking(move || backup::backup(&from, &key, &to));
    save(&a, "乙").await;
    made.await.unwrap().unwrap();
    save(&b, "丙").await;
    save(&a, "丁").await;
    server.stop().await;
    std::fs::remove_dir_all(path("data")).unwrap();

    backup::check(&path("backup")).unwrap();
    backup::restore(&path("backup"), &path("data"), &key, &mut SystemEntropy, i64::MAX).unwrap();
    let server = TestServer::start_at(settings(path("data")), address).await;
    // Only this phone comes: it holds what the other one made, too.
    a.sync(&(), &Cancel::default()).await.unwrap();
    let (c, _) = server.phone(&path("c"), "zhao", &[FULING], &url).await.unwrap();
    c.sync(&(), &Cancel::default()).await.unwrap();
    assert_eq!(names(&c), ["丁", "丙", "乙", "甲"]);
    b.sync(&(), &Cancel::default()).await.unwrap();
    assert_eq!(names(&b), names(&c));
    for phone in [&a, &b, &c] {
        assert_eq!(phone.status().unwrap().pending, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_is_found_before_anything_is_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    let server = TestServer::start_with(settings(path("data")), None).await;
    let (a, _) = server.phone(&path("a"), "li", &[FULING], &server.url()).await.unwrap();
    save(&a, "甲").await;
    let key = key_in(dir.path());
    backup::backup(&path("data"), &key, &path("backup")).unwrap();
    let again = backup::backup(&path("data"), &key, &path("backup")).unwrap_err();
    assert!(matches!(again, BackupError::NotEmpty(_)));
    let over =
        backup::restore(&path("backup"), &path("data"), &key, &mut SystemEntropy, 0).unwrap_err();
    assert!(matches!(over, BackupError::NotEmpty(_)));
    for name in ["records.sqlite", "accounts.sqlite", "server.key"] {
        let file = path("backup").join(name);
        let whole = std::fs::read(&file).unwrap();
        // One bit, in the first, a middle and the last byte.
        for place in [0, whole.len() / 2, whole.len() - 1] {
            let mut bytes = whole.clone();
            bytes[place] ^= 1;
            std::fs::write(&file, &bytes).unwrap();
            assert!(matches!(backup::check(&path("backup")), Err(BackupError::Damaged(_))));
            let refused =
                backup::restore(&path("backup"), &path("new"), &key, &mut SystemEntropy, 0)
                    .unwrap_err();
            assert!(matches!(refused, BackupError::Damaged(_)));
            assert!(!path("new").exists());
        }
        std::fs::write(&file, &whole).unwrap();
    }
    backup::restore(&path("backup"), &path("new"), &key, &mut SystemEntropy, 0).unwrap();
}
