//! What a cadre waits for with 10,000 households on the phone, and what they take on disk.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use wanhu_core::client::{Cancel, KeyVault, Ledger, RecordEdit, VaultError};
use wanhu_core::store::listing::ListFilter;
use wanhu_core::store::open::{Access, Sharing};
use wanhu_core::system::{SystemClock, SystemEntropy};
use wanhu_server::keys;
use wanhu_tests::population::{self, FULING};
use wanhu_tests::server::TestServer;

use super::{Failure, Figure, median};

const HOUSEHOLDS: usize = 10_000;
const RUNS: usize = 11;

/// The platform's key store, with a key that is always there.
struct Unlocked;

impl KeyVault for Unlocked {
    fn load(&self) -> Result<Option<[u8; 32]>, VaultError> {
        Ok(Some([7; 32]))
    }

    fn keep(&self, _: &[u8; 32]) -> Result<(), VaultError> {
        Ok(())
    }

    fn destroy(&self) -> Result<(), VaultError> {
        Ok(())
    }
}

fn open(path: &Path) -> Result<Ledger, Failure> {
    Ok(Ledger::open(path, Arc::new(SystemClock), Box::new(SystemEntropy))?)
}

fn open_sealed(path: &Path) -> Result<Ledger, Failure> {
    let vault = Arc::new(Unlocked);
    Ok(Ledger::open_sealed(path, vault, Arc::new(SystemClock), Box::new(SystemEntropy))?)
}

pub(crate) fn measure() -> Result<Vec<Figure>, Failure> {
    let runtime = tokio::runtime::Runtime::new()?;
    let dir = tempfile::tempdir()?;
    let (file, sealed) = (dir.path().join("phone"), dir.path().join("sealed"));
    let server = runtime.block_on(TestServer::start());
    let (ledger, _) = runtime.block_on(server.phone(&file, "li", &[FULING], &server.url()))?;
    for (village, edit) in population::village(5, FULING, HOUSEHOLDS) {
        ledger.create_household(village, edit)?;
    }
    runtime.block_on(ledger.sync(&(), &Cancel::default()))?;
    drop(ledger);
    server.build_packs();
    let ledger = open_sealed(&sealed)?;
    let code = server.code_for("wang", &[FULING]);
    runtime.block_on(ledger.enrol(&server.url(), None, &code, "sealed"))?;
    let begin = Instant::now();
    runtime.block_on(ledger.sync(&(), &Cancel::default()))?;
    let pull = vec![ms(begin)];
    drop(ledger);

    let mut figures = phone("", || open(&file))?;
    figures.extend(phone(", encrypted", || open_sealed(&sealed))?);
    figures.push(figure("P9", "pull of 10,000, fast line, encrypted phone", pull, None));
    let fsyncs = (0..RUNS).map(|_| fsync(dir.path())).collect::<Result<Vec<_>, _>>()?;
    figures.push(figure("P12", "one fsync of this machine, for comparison", fsyncs, None));
    let records = server.settings.data_dir.join("records.sqlite");
    let key = keys::read(&server.settings.storage_key_file())?;
    for (what, path, key) in [
        ("storage per household, phone", &file, None),
        ("storage per household, encrypted phone", &sealed, Some([7; 32])),
        ("storage per household, server (encrypted)", &records, Some(key)),
    ] {
        let value = size(path, key.as_ref())? / HOUSEHOLDS as f64 / 1e3;
        let aim = Some(3.0);
        figures.push(Figure { goal: "P13", what: what.into(), value, unit: "kB", aim, runs: 1 });
    }
    Ok(figures)
}

fn figure(goal: &'static str, what: &str, values: Vec<f64>, aim: Option<f64>) -> Figure {
    let runs = values.len();
    Figure { goal, what: what.to_owned(), value: median(values), unit: "ms", aim, runs }
}

fn phone(kind: &str, open: impl Fn() -> Result<Ledger, Failure>) -> Result<Vec<Figure>, Failure> {
    let (mut opens, mut words, mut pinyins, mut saves) = (vec![], vec![], vec![], vec![]);
    for run in 0..RUNS {
        let begin = Instant::now();
        let ledger = open()?;
        let rows = ledger.list(&ListFilter::default(), None, 50)?;
        opens.push(ms(begin));
        words.push(search(&ledger, "国强")?);
        pinyins.push(search(&ledger, "zgq")?);
        let grid = format!("第{run}网格{kind}");
        let edit = RecordEdit::default().set("basic", "grid", grid).set(
            "income",
            "wage_fen",
            100 * (run as i64 + 7),
        );
        let begin = Instant::now();
        ledger.edit(rows.first().ok_or("rows")?.id, &edit)?;
        saves.push(ms(begin));
    }
    Ok([
        ("open and first page of 10,000", opens, 50.0),
        ("search by two characters", words, 20.0),
        ("search by initials", pinyins, 20.0),
        ("save a form, fsync included", saves, 10.0),
    ]
    .into_iter()
    .map(|(what, values, aim)| figure("P12", &format!("{what}{kind}"), values, Some(aim)))
    .collect())
}

fn search(ledger: &Ledger, text: &str) -> Result<f64, Failure> {
    let filter = ListFilter { search: Some(text.to_owned()), ..ListFilter::default() };
    let begin = Instant::now();
    ledger.list(&filter, None, 50)?;
    Ok(ms(begin))
}

fn fsync(dir: &Path) -> Result<f64, Failure> {
    let path = dir.join("fsync");
    std::fs::write(&path, [7; 4096])?;
    let file = std::fs::OpenOptions::new().write(true).open(&path)?;
    let begin = Instant::now();
    file.sync_all()?;
    Ok(ms(begin))
}

/// Bytes of the database once its log is folded in.
fn size(path: &Path, key: Option<&[u8; 32]>) -> Result<f64, Failure> {
    let connection = Access { sharing: Sharing::Shared, key }.connect(path)?;
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    Ok(std::fs::metadata(path)?.len() as f64)
}

fn ms(begin: Instant) -> f64 {
    begin.elapsed().as_secs_f64() * 1e3
}
