//! History nobody can alter unseen: every stored row is altered in turn and the check says where; a
//! county that keeps heads notices a rewritten past; proofs are checked by a program in another language.

use std::path::Path;
use std::process::Command;

use rusqlite::Connection;
use serde_json::Value as Json;
use wanhu_core::client::{Cancel, Ledger, RecordEdit};
use wanhu_core::store::open::{Access, Sharing};
use wanhu_server::audit::{AuditCommand, AuditError, run};
use wanhu_server::{keys, storage};
use wanhu_tests::population::{FULING, JINPEN};
use wanhu_tests::server::TestServer;

struct Township {
    server: TestServer,
    ledger: Ledger,
    dir: tempfile::TempDir,
}

impl Township {
    async fn new() -> Self {
        let server = TestServer::start().await;
        let dir = tempfile::tempdir().unwrap();
        let areas = [FULING, JINPEN];
        let file = dir.path().join("a");
        let (ledger, _) = server.phone(&file, "li", &areas, &server.url()).await.unwrap();
        let township = Self { server, ledger, dir };
        township.work(7).await;
        township
    }

    /// Some entries in both villages, a move among them.
    async fn work(&self, count: usize) {
        for number in 0..count {
            let village = if number % 2 == 0 { FULING } else { JINPEN };
            let edit = RecordEdit::default().set("basic", "head_name", format!("户{number}"));
            let id = self.ledger.create_household(village, edit).unwrap();
            self.ledger.record_visit(id, vec![("note".into(), "走访".into())]).unwrap();
            self.ledger.sync(&(), &Cancel::default()).await.unwrap();
            if number == 2 {
                let moved =
                    self.server.app.storage.writer().write(move |transaction| {
                        storage::move_household(transaction, id, JINPEN, 0)
                    });
                moved.unwrap();
            }
        }
    }

    fn ask(&self, command: AuditCommand) -> Result<Json, AuditError> {
        run(command, &self.server.app)
    }

    /// What the check finds: a code, or "whole".
    fn verdict(&self, heads: &[&Path]) -> &'static str {
        let heads = heads.iter().map(|path| path.to_path_buf()).collect();
        match self.ask(AuditCommand::Verify { heads }) {
            Ok(_) => "whole",
            Err(AuditError::Fault(fault)) => fault.what,
            Err(error) => panic!("{error}"),
        }
    }

    /// Somebody with the key and a database tool.
    fn tool(&self) -> Connection {
        let key = keys::read(&self.server.settings.storage_key_file()).unwrap();
        let access = Access { sharing: Sharing::Shared, key: Some(&key) };
        access.connect(&self.server.settings.data_dir.join("records.sqlite")).unwrap()
    }

    fn save(&self, name: &str, answer: &Json) -> std::path::PathBuf {
        let path = self.dir.path().join(name);
        std::fs::write(&path, answer.to_string()).unwrap();
        path
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn any_altered_row_is_found_and_named() {
    let township = Township::new().await;
    township.ask(AuditCommand::Head).unwrap();
    assert_eq!(township.verdict(&[]), "whole");
    let tool = township.tool();
    let alterations = [
        ("log", "device = device + 1", "head_does_not_fit"),
        ("log", "outbox = outbox + 1", "head_does_not_fit"),
        ("log", "received_ms = received_ms - 86400000", "head_does_not_fit"),
        ("log", "rule_set = 0", "head_does_not_fit"),
        ("log", "other_scope = other_scope + 1", "chain_broken"),
        ("log", "kind = 2", "chain_broken"),
        ("log", "chain = zeroblob(32)", "chain_broken"),
        ("log", "digest = zeroblob(16)", "digest_broken"),
        ("log", "household = household + 1", "chain_broken"),
        ("scope", "seq = seq - 1", "village_altered"),
        ("scope", "chain = zeroblob(32)", "village_altered"),
        ("scope", "digest = zeroblob(16)", "village_altered"),
        ("change", "hash = zeroblob(32)", "change_altered"),
        ("change", "body = (SELECT body FROM change ORDER BY n DESC LIMIT 1)", "change_altered"),
        ("household", "digest = zeroblob(16)", "household_digest"),
        ("household", "scope = 431022208218", "household_elsewhere"),
        (
            "household",
            "state = (SELECT state FROM household ORDER BY n DESC LIMIT 1)",
            "household_state",
        ),
        ("tree_head", "root = zeroblob(32)", "head_not_signed"),
        ("tree_head", "made_ms = made_ms + 1", "head_not_signed"),
        ("tree_head", "size = size - 1", "head_not_signed"),
    ];
    for (table, change, found) in alterations {
        // The first row of every table but the log, where it is one with a value to alter.
        let row = match (table, change.starts_with("other_scope")) {
            ("log", true) => "(scope, seq) IN (SELECT scope, seq FROM log WHERE kind = 2 LIMIT 1)",
            ("log", false) => "n = 3",
            _ => "rowid = (SELECT min(rowid) FROM TABLE)",
        };
        let row = row.replace("TABLE", table);
        tool.execute_batch(&format!("CREATE TEMP TABLE kept AS SELECT * FROM {table}")).unwrap();
        tool.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
        let altered =
            tool.execute(&format!("UPDATE {table} SET {change} WHERE {row}"), []).unwrap();
        assert_eq!(altered, 1, "{table}: {change}");
        let verdict = township.verdict(&[]);
        assert_eq!(verdict, found, "{table}: {change}");
        tool.execute_batch(&format!(
            "DELETE FROM {table}; INSERT INTO {table} SELECT * FROM kept; DROP TABLE kept"
        ))
        .unwrap();
        assert_eq!(township.verdict(&[]), "whole", "put back: {table}: {change}");
    }
    // A row taken away, the last ones too.
    tool.execute("DELETE FROM log WHERE n = (SELECT max(n) FROM log)", []).unwrap();
    assert_ne!(township.verdict(&[]), "whole");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_past_rewritten_with_every_key_is_noticed_by_whoever_kept_a_head() {
    let township = Township::new().await;
    let head = township.ask(AuditCommand::Head).unwrap();
    let kept = township.save("head.json", &head);
    township.work(2).await;
    assert_eq!(township.verdict(&[&kept]), "whole");
    // The server's own operator dates an entry back and signs everything anew.
    let tool = township.tool();
    tool.execute("UPDATE log SET received_ms = received_ms - 86400000 WHERE n = 2", []).unwrap();
    tool.execute("DELETE FROM tree_head", []).unwrap();
    township.ask(AuditCommand::Head).unwrap();
    assert_eq!(township.verdict(&[]), "whole", "alone nobody can tell");
    assert_eq!(township.verdict(&[&kept]), "head_does_not_fit");
}

/// The verdict of a program that shares no code with us.
fn python_says(path: &Path) -> bool {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("verify_proof.py");
    let output = Command::new("python3").arg(script).arg(path).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.success(), said.starts_with("holds: "), "{said}");
    output.status.success()
}

#[tokio::test(flavor = "multi_thread")]
async fn proofs_hold_in_another_language_and_false_ones_do_not() {
    let township = Township::new().await;
    let entries = township.ask(AuditCommand::Head).unwrap()["size"].as_u64().unwrap();
    for (village, seqs) in [(FULING, 1..=6), (JINPEN, 1..=6)] {
        for seq in seqs {
            let proof = township.ask(AuditCommand::Prove { village, seq }).unwrap();
            assert!(python_says(&township.save("proof.json", &proof)), "{village}:{seq}");
            let mut forged = proof.clone();
            forged["index"] = ((proof["index"].as_u64().unwrap() + 1) % entries).into();
            assert!(!python_says(&township.save("forged.json", &forged)));
        }
    }
    for size in 1..=entries {
        let proof = township.ask(AuditCommand::Consistency { size }).unwrap();
        assert!(python_says(&township.save("proof.json", &proof)), "{size}");
        let mut forged = proof.clone();
        forged["old_root"] = "00".repeat(32).into();
        assert!(!python_says(&township.save("forged.json", &forged)));
    }
    let unknown = township.ask(AuditCommand::Prove { village: FULING, seq: 999 }).unwrap_err();
    assert!(matches!(unknown, AuditError::Unknown | AuditError::Store(_)));
}
