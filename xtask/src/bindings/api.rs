//! The surface of the library and of the facades over it as a listing, and Python's as what its type checkers read, so that a
//! reviewer sees every change of it. Must not build anything.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

const LISTING: &str = "bindings/api.txt";
/// Python's surface, and what writes it from the generated half.
const STUB: &str = "bindings/python/src/wanhu/__init__.pyi";
const STUB_WRITER: &str = "bindings/python/stub.py";
/// What is written by hand over the generated halves: heading, folder, ending of its files, how a public declaration begins.
const FACADES: [(&str, &str, &str, &[&str]); 2] = [
    ("cn/wanhu", "bindings/kotlin/src/main/kotlin/cn/wanhu", "kt", &["public "]),
    ("Wanhu (Swift)", "bindings/swift/Sources/Wanhu", "swift", &["public ", "@_exported import "]),
];

/// Compares the surface with the listing in the repository; with `bless` the listing is written anew.
pub(super) fn compare(generated: &Path, bless: bool) -> Result<(), String> {
    let mut listed = String::from(
        "# What apps see of the library, by package. Written by `cargo xtask bindings --bless`; a difference is a change for\n\
         # every app.\n",
    );
    for file in ["cn/wanhu/core/wanhu_core.kt", "cn/wanhu/ffi/wanhu.kt"] {
        let path = generated.join(file);
        let text = fs::read_to_string(&path).map_err(|error| format!("{file}: {error}"))?;
        listed.push_str(&format!(
            "\n{}\n",
            file.rsplit_once('/').map_or(file, |(package, _)| package)
        ));
        listed.extend(surface(&text).into_iter().map(|line| format!("  {line}\n")));
    }
    for (heading, folder, ending, begins) in FACADES {
        listed.push_str(&format!("\n{heading}\n"));
        for text in by_hand(folder, ending)? {
            listed.extend(declared(&text, begins).into_iter().map(|line| format!("  {line}\n")));
        }
    }
    same(LISTING, &listed, bless)
}

/// Compares what type checkers read of the Python package with the file in the repository, as [`compare`] does.
pub(super) fn compare_stub(generated: &Path, bless: bool) -> Result<(), String> {
    let mut writer = Command::new("python3");
    let written = writer.arg(STUB_WRITER).arg(generated).output();
    let written = written.map_err(|error| format!("{STUB_WRITER}: {error}"))?;
    if !written.status.success() {
        return Err(format!("{STUB_WRITER}: {}", String::from_utf8_lossy(&written.stderr)));
    }
    let stub = String::from_utf8(written.stdout).map_err(|error| format!("{STUB}: {error}"))?;
    same(STUB, &stub, bless)
}

/// What is in the repository against what was just written; with `bless` it is written there.
fn same(path: &str, listed: &str, bless: bool) -> Result<(), String> {
    if bless {
        return fs::write(path, listed).map_err(|error| format!("{path}: {error}"));
    }
    let known = fs::read_to_string(path).unwrap_or_default();
    if known == listed {
        return Ok(());
    }
    let (known, listed): (BTreeSet<_>, BTreeSet<_>) =
        (known.lines().collect(), listed.lines().collect());
    let gone = known.difference(&listed).map(|line| format!("-{line}"));
    let come = listed.difference(&known).map(|line| format!("+{line}"));
    let difference: Vec<String> = gone.chain(come).collect();
    Err(format!("{path}: cargo xtask bindings --bless\n{}", difference.join("\n")))
}

/// The files of a facade, by name.
fn by_hand(folder: &str, ending: &str) -> Result<Vec<String>, String> {
    let found = fs::read_dir(folder).map_err(|error| format!("{folder}: {error}"))?;
    let mut paths: Vec<_> = found.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.retain(|path| path.extension().is_some_and(|own| own == ending));
    paths.sort();
    let read = |path| fs::read_to_string(path).map_err(|error| format!("{folder}: {error}"));
    paths.into_iter().map(read).collect()
}

/// What a hand-written file declares for everybody, each on one line.
fn declared(text: &str, begins: &[&str]) -> Vec<String> {
    let mut declared: Vec<String> = Vec::new();
    let mut is_open = false;
    for line in text.lines().map(str::trim) {
        let begins = begins.iter().any(|word| line.starts_with(word));
        if !begins && !is_open {
            continue;
        }
        match declared.last_mut().filter(|_| is_open) {
            Some(last) => last.push_str(&format!("{line} ")),
            None => declared.push(format!("{line} ")),
        }
        let so_far = declared.last().map_or("", String::as_str);
        is_open = so_far.matches('(').count() > so_far.matches(')').count();
    }
    // Behind the parameters, whose defaults have signs of their own.
    let head = |line: String| {
        let mut depth = 0;
        let behind = line.find(|sign| {
            depth += i32::from(sign == '(') - i32::from(sign == ')');
            sign == ')' && depth == 0
        });
        let from = behind.unwrap_or_default();
        let ends = [" = ", " {", ": ...", "  #"]
            .iter()
            .filter_map(|sign| Some(from + line[from..].find(sign)?));
        line[..ends.min().unwrap_or(line.len())].trim_end_matches([' ', ':']).to_owned()
    };
    declared.into_iter().map(head).collect()
}

/// Types with their fields and variants, and calls, of a generated file; nothing of how they cross.
fn surface(text: &str) -> Vec<String> {
    let heads = ["public interface ", "data class ", "enum class ", "sealed class "];
    let parts = ["fun ", "suspend fun ", "var ", "val ", "data class ", "object "];
    let begins = |line: &str, words: &[&str]| words.iter().any(|word| line.starts_with(word));
    let crosses = |line: &str| {
        ["niffi", "Ffi", "RustBuffer", "Disposable", "override "]
            .iter()
            .any(|word| line.contains(word))
    };
    let is_variant = |line: &str| {
        line.starts_with(|first: char| first.is_ascii_uppercase())
            && line.trim_end_matches(',').chars().all(|c| c.is_ascii_uppercase() || c == '_')
    };
    let (mut lines, mut inside) = (Vec::new(), false);
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        // A call outside of all types stands behind its comment.
        let is_call = line.trim_start().starts_with("*/ fun ");
        if let Some((_, made)) =
            line.split_once("class) fun `").filter(|_| line.starts_with("    @Throws"))
        {
            lines.push(format!(
                "constructor {}",
                made.trim_end_matches(['{', ' ']).replace('`', "")
            ));
            continue;
        }
        let is_outermost = is_call || !line.starts_with([' ', ')', '{', '}']);
        let line = line
            .trim()
            .trim_start_matches("*/ ")
            .trim_end_matches(['{', ' ', '(', ';'])
            .replace('`', "");
        if is_outermost {
            inside = begins(&line, &heads) && !crosses(&line);
            if inside || (is_call && !crosses(&line)) {
                lines.push(line.trim_end_matches(" =").to_owned());
            }
        } else if inside && !crosses(&line) {
            let is_part =
                begins(&line, &parts) || (line.starts_with("class ") && !line.contains('='));
            if is_part && !line.contains(" = {") || is_variant(&line) {
                lines.push(format!("  {}", line.trim_end_matches(',')));
            }
        }
    }
    lines
}
