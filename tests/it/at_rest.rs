//! What a thief finds: files of a phone and of a server, searched byte for byte for what was typed into
//! them. The same search in an unencrypted file finds it, so the search is worth something.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use wanhu_core::client::{Cancel, KeyVault, Ledger, RecordEdit, RecordView};
use wanhu_core::domain::value::Value;
use wanhu_core::error::LedgerError;
use wanhu_core::store::listing::ListFilter;
use wanhu_core::system::{SystemClock, SystemEntropy};
use wanhu_tests::population::{FULING, household};
use wanhu_tests::seeded::Seeded;
use wanhu_tests::server::TestServer;
use wanhu_tests::tally::{Tally, times};
use wanhu_tests::vault::MemoryVault;

const NAME: &str = "欧阳某某某";
const IDENTITY: &str = "11010519491231002X";
const PHONE: &str = "13987654321";

fn open_sealed(path: &Path, vault: &Arc<MemoryVault>) -> Result<Ledger, LedgerError> {
    Ledger::open_sealed(path, vault.clone(), Arc::new(SystemClock), Box::new(SystemEntropy))
}

fn secrets() -> RecordEdit {
    let member =
        [("name", NAME.into()), ("identity_number", IDENTITY.into()), ("health", "serious".into())];
    RecordEdit::default()
        .set("basic", "head_name", NAME)
        .set("basic", "phone", PHONE)
        .row("members", member.map(|(field, value)| (field.to_owned(), value)).to_vec())
}

/// Files under a directory that hold any of the words.
fn found_in(dir: &Path, words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(found_in(&path, words));
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        let holds = |word: &&str| bytes.windows(word.len()).any(|at| at == word.as_bytes());
        if words.iter().any(holds) {
            found.push(path.file_name().unwrap().to_string_lossy().into_owned());
        }
    }
    found
}

const WORDS: [&str; 6] = [NAME, IDENTITY, PHONE, "ouyang", "serious", "SQLite format 3"];

#[test]
fn a_lost_phone_opens_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (plain, sealed) = (dir.path().join("plain"), dir.path().join("sealed"));
    std::fs::create_dir_all(&plain).unwrap();
    std::fs::create_dir_all(&sealed).unwrap();
    let file = plain.join("a.sqlite");
    let ledger = Ledger::open(&file, Arc::new(SystemClock), Box::new(SystemEntropy)).unwrap();
    ledger.create_household(FULING, secrets()).unwrap();
    assert!(!found_in(&plain, &WORDS).is_empty(), "the search must be able to find something");

    let (file, vault) = (sealed.join("a.sqlite"), Arc::new(MemoryVault::default()));
    let ledger = open_sealed(&file, &vault).unwrap();
    let id = ledger.create_household(FULING, secrets()).unwrap();
    assert_eq!(found_in(&sealed, &WORDS), Vec::<String>::new(), "with its log, while open");
    drop(ledger);
    assert_eq!(found_in(&sealed, &WORDS), Vec::<String>::new(), "after closing");
    assert_eq!(open_sealed(&file, &vault).unwrap().show(id).unwrap().row.head_name, NAME);
}

/// A closed book with one family, and the vault that has its key.
fn sealed_book(file: &Path) -> Arc<MemoryVault> {
    let vault = Arc::new(MemoryVault::default());
    let ledger = open_sealed(file, &vault).unwrap();
    ledger.create_household(FULING, secrets()).unwrap();
    ledger.close().unwrap();
    vault
}

fn files_in(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> =
        entries.map(|path| (path.clone(), std::fs::read(path).unwrap())).collect();
    files.sort();
    files
}

#[test]
fn a_book_opened_with_the_wrong_key_or_none_stays_where_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("a.sqlite");
    let vault = sealed_book(&file);
    let before = files_in(dir.path());
    let refused = |reason: &str| LedgerError::invalid("vault", reason);

    let plainly = Ledger::open(&file, Arc::new(SystemClock), Box::new(SystemEntropy)).unwrap_err();
    assert_eq!(plainly, refused("file_sealed"));
    let other = Arc::new(MemoryVault(Mutex::new(Some([1; 32]))));
    assert_eq!(open_sealed(&file, &other).unwrap_err(), refused("key_wrong"));
    let forgetful = Arc::new(MemoryVault::default());
    assert_eq!(open_sealed(&file, &forgetful).unwrap_err(), refused("key_missing"));
    assert_eq!(
        forgetful.load(),
        Ok(None),
        "no other key takes the place of the one that opens the book"
    );

    assert!(files_in(dir.path()) == before, "a file was moved or written");
    assert_eq!(open_sealed(&file, &vault).unwrap().status().unwrap().households, 1);
}

#[test]
fn a_book_whose_log_was_not_folded_in_survives_the_wrong_key() {
    let dir = tempfile::tempdir().unwrap();
    let (file, copy) = (dir.path().join("a.sqlite"), dir.path().join("b.sqlite"));
    let vault = Arc::new(MemoryVault::default());
    let ledger = open_sealed(&file, &vault).unwrap();
    ledger.create_household(FULING, secrets()).unwrap();
    for suffix in ["", "-wal"] {
        let side = |path: &Path| format!("{}{suffix}", path.display());
        std::fs::copy(side(&file), side(&copy)).unwrap();
    }
    let other = Arc::new(MemoryVault(Mutex::new(Some([1; 32]))));
    for refused in [
        open_sealed(&copy, &other),
        open_sealed(&copy, &Arc::default()),
        Ledger::open(&copy, Arc::new(SystemClock), Box::new(SystemEntropy)),
    ] {
        let LedgerError::InvalidInput { field, .. } = refused.unwrap_err() else {
            panic!("opened")
        };
        assert_eq!(field, "vault");
    }
    assert_eq!(open_sealed(&copy, &vault).unwrap().status().unwrap().households, 1);
}

#[test]
fn damage_is_told_from_a_wrong_key() {
    const SALT_BYTES: usize = 16;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("a.sqlite");
    let vault = sealed_book(&file);
    let whole = std::fs::read(&file).unwrap();
    let with_first_page_gone = |from: usize| {
        let mut bytes = whole.clone();
        bytes[from..4096].fill(0);
        bytes
    };
    let damaged = with_first_page_gone(SALT_BYTES);
    std::fs::write(&file, &damaged).unwrap();
    let other = Arc::new(MemoryVault(Mutex::new(Some([1; 32]))));
    assert_eq!(open_sealed(&file, &other).unwrap_err(), LedgerError::invalid("vault", "key_wrong"));
    let LedgerError::StorageDamaged { kept_as } = open_sealed(&file, &vault).unwrap_err() else {
        panic!("a damaged file was opened");
    };
    assert!(std::fs::read(kept_as).unwrap() == damaged);
    assert_eq!(open_sealed(&file, &vault).unwrap().status().unwrap().households, 0);

    // Without its salt no key can be shown to be the right one: the file stays.
    let salted_away = with_first_page_gone(0);
    let file = dir.path().join("b.sqlite");
    std::fs::write(&file, &salted_away).unwrap();
    assert_eq!(open_sealed(&file, &vault).unwrap_err(), LedgerError::invalid("vault", "key_wrong"));
    assert!(std::fs::read(&file).unwrap() == salted_away);
}

#[test]
fn a_new_book_that_a_power_cut_left_unreadable_is_begun_again() {
    let dir = tempfile::tempdir().unwrap();
    for (name, torn) in [("nothing", &[][..]), ("sector", &[7; 512]), ("page", &[7; 4096])] {
        for key in [None, Some([1; 32])] {
            let file = dir.path().join(format!("{name}-{}", key.is_some()));
            let vault = Arc::new(MemoryVault(Mutex::new(key)));
            std::fs::write(&file, torn).unwrap();
            match open_sealed(&file, &vault) {
                Ok(ledger) => drop(ledger),
                Err(LedgerError::StorageDamaged { kept_as }) => {
                    assert!(std::fs::read(kept_as).unwrap() == torn);
                }
                Err(error) => panic!("{name}: {error}"),
            }
            let ledger = open_sealed(&file, &vault).unwrap();
            ledger.create_household(FULING, secrets()).unwrap();
            drop(ledger);
            assert_eq!(open_sealed(&file, &vault).unwrap().status().unwrap().households, 1);
        }
    }
}

#[test]
fn a_file_made_without_a_key_is_not_taken_for_a_damaged_one() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("a.sqlite");
    drop(Ledger::open(&file, Arc::new(SystemClock), Box::new(SystemEntropy)).unwrap());
    for key in [None, Some([1; 32])] {
        let vault = Arc::new(MemoryVault(Mutex::new(key)));
        let refused = open_sealed(&file, &vault).unwrap_err();
        assert_eq!(refused, LedgerError::invalid("vault", "file_not_sealed"));
        assert_eq!(vault.load(), Ok(key));
    }
    assert!(file.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stolen_server_disk_opens_nothing_and_a_revoked_phone_loses_its_key() {
    let server = TestServer::start().await;
    let dir = tempfile::tempdir().unwrap();
    let vault = Arc::new(MemoryVault::default());
    let ledger = open_sealed(&dir.path().join("a.sqlite"), &vault).unwrap();
    let code = server.code_for("li", &[FULING]);
    let enrolment = ledger.enrol(&server.url(), None, &code, "手机").await.unwrap();
    ledger.create_household(FULING, secrets()).unwrap();
    ledger.sync(&(), &Cancel::default()).await.unwrap();
    server.build_packs();
    let data_dir = server.settings.data_dir.clone();
    assert_eq!(found_in(&data_dir, &WORDS), Vec::<String>::new());

    server.app.accounts.revoke(enrolment.device, "", 1).unwrap();
    let revoked = ledger.sync(&(), &Cancel::default()).await.unwrap_err();
    assert_eq!(revoked, LedgerError::SessionExpired { reason: "revoked".into() });
    assert_eq!(vault.load(), Ok(None), "the key is gone");
    let over = LedgerError::invalid("ledger", "closed");
    assert_eq!(ledger.status().unwrap_err(), over, "nobody writes on in what nobody could read");
    assert_eq!(ledger.create_household(FULING, secrets()).unwrap_err(), over);
    assert_eq!(ledger.changed(ledger.version()).await.unwrap_err(), over, "and no screen waits on");
    drop(ledger);
    // Enrolled again it is a new book, which is there tomorrow.
    let again = || open_sealed(&dir.path().join("a.sqlite"), &vault).unwrap();
    let ledger = again();
    assert_eq!(ledger.status().unwrap().households, 0);
    let code = server.code_for("wang", &[FULING]);
    ledger.enrol(&server.url(), None, &code, "手机").await.unwrap();
    ledger.sync(&(), &Cancel::default()).await.unwrap();
    ledger
        .record_visit(ledger.list(&ListFilter::default(), None, 5).unwrap()[0].id, met())
        .unwrap();
    drop(ledger);
    assert_eq!(again().status().unwrap().pending, 1);
}

fn met() -> Vec<(String, Value)> {
    vec![("met".to_owned(), "head".into())]
}

/// Everything the ledger shows, or why it cannot.
fn shown(ledger: &Ledger) -> Result<Vec<RecordView>, LedgerError> {
    let rows = ledger.list(&ListFilter::default(), None, 1_000)?;
    rows.iter().map(|row| ledger.show(row.id)).collect()
}

#[test]
fn one_flipped_bit_is_noticed_or_does_not_matter() {
    let tally = Tally::begin("R8", "one bit flipped in an encrypted phone's file");
    let flips = times("WANHU_FLIPS", 500);
    let dir = tempfile::tempdir().unwrap();
    let (file, copy) = (dir.path().join("a.sqlite"), dir.path().join("copy.sqlite"));
    let vault = Arc::new(MemoryVault::default());
    let ledger = open_sealed(&file, &vault).unwrap();
    let mut rng = Seeded(4);
    for _ in 0..60 {
        ledger.create_household(FULING, household(&mut rng, FULING)).unwrap();
    }
    let whole = shown(&ledger).unwrap();
    drop(ledger);
    let bytes = std::fs::read(&file).unwrap();
    let (mut noticed, mut harmless) = (0, 0);
    for _ in 0..flips {
        let mut flipped = bytes.clone();
        let place = rng.below(flipped.len());
        flipped[place] ^= 1 << rng.below(8);
        std::fs::write(&copy, &flipped).unwrap();
        match open_sealed(&copy, &vault).and_then(|ledger| shown(&ledger)) {
            Ok(records) => {
                assert!(records == whole, "a flipped bit changed what is shown");
                harmless += 1;
            }
            Err(LedgerError::StorageDamaged { .. }) => noticed += 1,
            // With another salt no key fits.
            Err(error) if place < 16 => {
                assert_eq!(error, LedgerError::invalid("vault", "key_wrong"));
                noticed += 1;
            }
            Err(error) => panic!("a flipped bit became {error:?}"),
        }
        for entry in std::fs::read_dir(dir.path()).unwrap() {
            let path = entry.unwrap().path();
            if path != file {
                std::fs::remove_file(path).unwrap();
            }
        }
    }
    assert_eq!(noticed + harmless, flips);
    assert!(noticed * 5 > flips, "most pages hold records: {noticed} noticed, {harmless} harmless");
    tally.passed(&format!("{flips} bits, {noticed} noticed"));
}
