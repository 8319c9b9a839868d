//! A phone in a process of its own: syncs, lists, searches, edits; prints how many MB its peak lies above
//! what it used before it opened its ledger.

use std::path::Path;
use std::sync::Arc;

use wanhu_core::client::{Cancel, Ledger, RecordEdit};
use wanhu_core::store::listing::ListFilter;
use wanhu_core::system::{SystemClock, SystemEntropy};

use super::Failure;

pub(crate) async fn phone(url: &str, code: &str, file: &str) -> Result<(), Failure> {
    let before = status("VmRSS")?;
    let ledger = Ledger::open(Path::new(file), Arc::new(SystemClock), Box::new(SystemEntropy))?;
    ledger.enrol(url, None, code, "bench").await?;
    ledger.sync(&(), &Cancel::default()).await?;
    let rows = ledger.list(&ListFilter::default(), None, 50)?;
    let search = Some("chen".to_owned());
    ledger.list(&ListFilter { search, ..ListFilter::default() }, None, 50)?;
    let edit = RecordEdit::default().set("class", "risk_level", "high").set("basic", "grid", "九");
    ledger.edit(rows.first().ok_or("rows")?.id, &edit)?;
    ledger.sync(&(), &Cancel::default()).await?;
    println!("{}", (status("VmHWM")? - before) / 1e3);
    Ok(())
}

/// A figure of this process in kB, from Linux.
fn status(name: &str) -> Result<f64, Failure> {
    let text = std::fs::read_to_string("/proc/self/status")?;
    let line = text.lines().find(|line| line.starts_with(name)).ok_or("no such figure")?;
    Ok(line.split_whitespace().nth(1).ok_or("no number")?.parse()?)
}
