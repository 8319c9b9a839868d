//! Benchmarks of workload W and of the store: prints a table, writes `target/bench/*.json`. Figures are
//! medians of the runs stated; bytes are what the line delivered, both ways, without TLS.
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::disallowed_methods)]

mod county;
mod memory;
mod store;
mod sync;

use std::error::Error;

use serde_json::json;

/// What every step can fail with.
type Failure = Box<dyn Error + Send + Sync>;

/// One measured figure.
struct Figure {
    goal: &'static str,
    what: String,
    value: f64,
    unit: &'static str,
    /// The goal; `None` for a figure that is there for comparison.
    aim: Option<f64>,
    runs: usize,
}

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Runtime::new()?;
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["sync"] => write("sync", &runtime.block_on(sync::measure())?),
        ["store"] => write("store", &store::measure()?),
        ["county"] => write("county", &county::measure()?),
        ["memory", url, code, file] => runtime.block_on(memory::phone(url, code, file)),
        _ => Err("usage: bench sync | bench store | bench county".into()),
    }
}

fn write(name: &str, figures: &[Figure]) -> Result<(), Failure> {
    println!("| goal | what | measured | aim | runs |\n|---|---|---|---|---|");
    for figure in figures {
        let Figure { goal, what, value, unit, aim, runs } = figure;
        let aim = match aim {
            None => "–".to_owned(),
            Some(aim) if value <= aim => format!("{aim} {unit}"),
            Some(aim) => format!("{aim} {unit} (missed)"),
        };
        let digits = if *value < 10.0 { 3 } else { 1 };
        println!("| {goal} | {what} | {value:.digits$} {unit} | {aim} | {runs} |");
    }
    let list: Vec<_> = figures
        .iter()
        .map(|f| json!({ "goal": f.goal, "what": f.what, "value": f.value, "unit": f.unit, "runs": f.runs }))
        .collect();
    let dir = std::path::Path::new("target/bench");
    std::fs::create_dir_all(dir)?;
    std::fs::write(dir.join(format!("{name}.json")), serde_json::to_string_pretty(&list)?)?;
    Ok(())
}

/// The middle of the values.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}
