//! A phone that is meant to be killed: it saves without end, syncs where it is enrolled, and says on
//! standard output what it was promised. The tests of kills run it as a process of its own.
#![allow(clippy::print_stdout)]

use std::error::Error;
use std::io::Write;
use std::sync::Arc;

use wanhu_core::client::{Cancel, Ledger, RecordEdit};
use wanhu_core::domain::ids::HouseholdId;
use wanhu_core::error::LedgerError;
use wanhu_core::system::{SystemClock, SystemEntropy};
use wanhu_tests::population::FULING;
use wanhu_tests::seeded::Seeded;

type Failure = Box<dyn Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, seed] = arguments.as_slice() else {
        return Err("usage: torture FILE SEED".into());
    };
    let ledger = Ledger::open(file.as_ref(), Arc::new(SystemClock), Box::new(SystemEntropy))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut rng = Seeded(seed.parse()?);
    let mut households: Vec<HouseholdId> = Vec::new();
    let is_enrolled = ledger.enrolment()?.is_some();
    loop {
        save(&ledger, &mut rng, &mut households)?;
        if is_enrolled && rng.chance(30) {
            match runtime.block_on(ledger.sync(&(), &Cancel::default())) {
                Ok(report) => say(&format!("synced {}", report.receipts))?,
                Err(LedgerError::Offline { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// Saves once and says which household now holds how many saves of this run.
fn save(
    ledger: &Ledger,
    rng: &mut Seeded,
    households: &mut Vec<HouseholdId>,
) -> Result<(), Failure> {
    let text = format!("{:x}", rng.draw());
    let id = if households.is_empty() || rng.chance(20) {
        let edit = RecordEdit::default().set("basic", "head_name", text.as_str());
        let id = ledger.create_household(FULING, edit)?;
        households.push(id);
        id
    } else {
        let id = *rng.pick(households);
        ledger.record_visit(id, vec![("note".to_owned(), text.as_str().into())])?;
        id
    };
    say(&format!("saved {id} {text}"))
}

fn say(line: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}
