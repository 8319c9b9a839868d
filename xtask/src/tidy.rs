//! What no compiler checks: every file begins by saying what it is for, and modules use only what lies to
//! their left.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Modules of the core from left to right; each may use those before it.
const CORE_ORDER: [&str; 5] = ["domain", "document", "store", "sync", "client"];
/// Lines above which a file is asked to say why it is one room.
const LINES_MAX: usize = 700;
/// What is no business of the boundary to apps: rules, tables, the line.
const NOT_IN_BINDINGS: [&str; 4] = ["SELECT ", "INSERT ", "rusqlite", "reqwest"];
/// Crates the server must not link: they belong to phones.
const NOT_IN_SERVER: [&str; 2] = ["reqwest", "uniffi"];

/// Runs all checks.
pub(crate) fn tidy() -> Result<(), String> {
    let mut faults = Vec::new();
    let mut code = Vec::new();
    for folder in ["bindings", "core", "sync-server", "tests", "xtask"] {
        for file in rust_files(Path::new(folder)) {
            let text = fs::read_to_string(&file).map_err(|error| error.to_string())?;
            check_file(&file, &text, &mut faults);
            code.push((file, text));
        }
    }
    for document in ["docs/security.md", "docs/requirements.md"] {
        faults.extend(missing_tests(document, &code)?);
    }
    faults.extend(boundary()?);
    faults.extend(server_links()?);
    if faults.is_empty() {
        println!("→ tidy");
        return Ok(());
    }
    faults.sort();
    Err(format!("tidy\n  {}", faults.join("\n  ")))
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    for path in entries.map(|entry| entry.path()) {
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

fn check_file(file: &Path, text: &str, faults: &mut Vec<String>) {
    let name = file.display();
    if !text.starts_with("//! ") {
        faults.push(format!("{name}: begins without saying what it is for"));
    }
    if text.lines().count() > LINES_MAX {
        faults.push(format!("{name}: over {LINES_MAX} lines"));
    }
    let Ok(inside) = file.strip_prefix("core/src") else { return };
    let module = inside.iter().next().and_then(|part| part.to_str()).unwrap_or_default();
    let module = module.trim_end_matches(".rs");
    let Some(own) = CORE_ORDER.iter().position(|known| *known == module) else { return };
    // Tests may look to the right.
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    if file.ends_with("tests.rs") {
        return;
    }
    for right in &CORE_ORDER[own + 1..] {
        if code.contains(&format!("crate::{right}::")) {
            faults.push(format!("{name}: {module} uses {right}, which lies to its right"));
        }
    }
    let clock = ["SystemTime::now", "Instant::now", "getrandom::"];
    if module != "client" && clock.iter().any(|call| code.contains(call)) {
        faults.push(format!("{name}: reads a clock or a random source"));
    }
}

/// Tests that a document names, as `module::name`, `module::beginning…` or `module::*`, and nobody wrote there.
fn missing_tests(document: &str, code: &[(PathBuf, String)]) -> Result<Vec<String>, String> {
    let text = fs::read_to_string(document).map_err(|error| format!("{document}: {error}"))?;
    let is_test = |name: &&str| name.contains("::") && !name.contains(char::is_uppercase);
    let named = text.split('`').skip(1).step_by(2).filter(is_test);
    let missing = named.filter(|name| !is_written(name, code));
    Ok(missing.map(|name| format!("{document}: no test {name}")).collect())
}

fn is_written(name: &str, code: &[(PathBuf, String)]) -> bool {
    // Small ones stand in the file that they test; a program's are its own folder.
    let module = |name: &str| {
        let path = PathBuf::from(name.replace("::", "/"));
        let inside = path.parent().filter(|_| path.ends_with("tests")).map(Path::to_owned);
        code.iter().filter(move |(file, _)| {
            let file = file.with_extension("");
            let is_inside = inside.as_ref().is_some_and(|file_of| file.ends_with(file_of));
            file.ends_with(&path) || file.ends_with(path.join("main")) || is_inside
        })
    };
    let (within, last) = name.rsplit_once("::").unwrap_or(("", name));
    let is_there = |wanted: &str| module(within).any(|(_, text)| text.contains(wanted));
    match last.strip_suffix('…') {
        Some(beginning) => is_there(&format!("fn {beginning}")),
        None if last == "*" => module(within).next().is_some(),
        None => {
            let is_module = module(name).next().is_some() || is_there(&format!("mod {last} {{"));
            is_module || is_there(&format!("fn {last}("))
        }
    }
}

/// What makes the boundary to apps more than a boundary.
fn boundary() -> Result<Vec<String>, String> {
    let (mut faults, mut lines) = (Vec::new(), 0);
    for file in rust_files(Path::new("bindings/src")) {
        let text = fs::read_to_string(&file).map_err(|error| error.to_string())?;
        lines += text.lines().count();
        let found = NOT_IN_BINDINGS.iter().filter(|word| text.contains(*word));
        faults.extend(found.map(|word| format!("{}: {word}", file.display())));
    }
    if lines > LINES_MAX {
        faults.push(format!("bindings/src: {lines} lines"));
    }
    Ok(faults)
}

fn server_links() -> Result<Vec<String>, String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "-p", "wanhu-server", "-e", "normal", "--prefix", "none"])
        .output()
        .map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err("cargo tree".into());
    }
    let tree = String::from_utf8_lossy(&output.stdout);
    let named = |name: &&str| tree.lines().any(|line| line.starts_with(&format!("{name} ")));
    let linked = NOT_IN_SERVER.iter().filter(|name| named(name));
    Ok(linked.map(|name| format!("wanhu-server links {name}")).collect())
}
