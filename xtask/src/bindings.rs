//! The boundary to the apps: built, its Kotlin and Python halves generated from the library of the same build, its surface
//! listed, and the scenario told in both languages. Must not know what the ledger does.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{cargo, run};

/// The exported surface, as a reviewer reads it.
const API: &str = "bindings/api.txt";
const GENERATED: &str = "target/bindings/kotlin/generated";
/// Where JNA looks for a library in a jar.
const NATIVE: &str = "target/bindings/kotlin/native";
const LIBRARY: &str = "target/debug/libwanhu.so";
const WHEELS: &str = "target/bindings/python/wheels";

/// Builds and tests everything; with `bless` the listing is written anew.
pub(crate) fn bindings(bless: bool) -> Result<(), String> {
    cargo(&super::BUILD)?;
    cargo(&["build", "-p", "wanhu-bindings", "-p", "wanhu-bindgen"])?;
    generate_kotlin()?;
    api(bless)?;
    let programs = fs::canonicalize("target/debug").map_err(|error| error.to_string())?;
    kotlin(&programs)?;
    python(&programs)
}

fn emptied(folder: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(folder);
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).map_err(|error| format!("{folder}: {error}"))?;
    Ok(path)
}

fn generate_kotlin() -> Result<(), String> {
    emptied(GENERATED)?;
    let mut generate = Command::new("target/debug/uniffi-bindgen");
    generate.args(["generate", LIBRARY, "--language", "kotlin", "--no-format"]);
    run(generate.args(["--out-dir", GENERATED]), "uniffi-bindgen generate")?;
    let platform = emptied(NATIVE)?.join(format!("linux-{}", jna_name(std::env::consts::ARCH)));
    fs::create_dir_all(&platform).map_err(|error| error.to_string())?;
    fs::copy(LIBRARY, platform.join("libwanhu.so"))
        .map_err(|error| format!("{LIBRARY}: {error}"))?;
    Ok(())
}

fn jna_name(architecture: &str) -> &str {
    if architecture == "x86_64" { "x86-64" } else { architecture }
}

fn kotlin(programs: &Path) -> Result<(), String> {
    let mut maven = Command::new("mvn");
    maven.args(["--batch-mode", "--no-transfer-progress", "test"]);
    run(maven.current_dir("bindings/kotlin").env("WANHU_PROGRAMS", programs), "mvn test")
}

/// The wheel as it would be shipped, installed where nothing else is.
fn python(programs: &Path) -> Result<(), String> {
    let tools = emptied("target/bindings/python/tools")?;
    run(Command::new("python3").args(["-m", "venv"]).arg(&tools), "python3 -m venv")?;
    let mut install = Command::new(tools.join("bin/pip"));
    run(install.args(["install", "--quiet", "maturin==1.16.0"]), "pip install maturin")?;
    let wheels = fs::canonicalize(emptied(WHEELS)?).map_err(|error| error.to_string())?;
    let maturin = fs::canonicalize(tools.join("bin/maturin")).map_err(|error| error.to_string())?;
    let mut build = Command::new(maturin);
    build.args(["build", "--profile", "dev", "--out"]).arg(&wheels);
    run(build.current_dir("bindings/python"), "maturin build")?;
    let wheel = fs::read_dir(&wheels).ok().and_then(|mut found| found.next()?.ok());
    let wheel = wheel.ok_or("no wheel")?.path();

    let fresh = emptied("target/bindings/python/fresh")?;
    run(Command::new("python3").args(["-m", "venv"]).arg(&fresh), "python3 -m venv")?;
    let mut install = Command::new(fresh.join("bin/pip"));
    run(install.args(["install", "--quiet"]).arg(&wheel), "pip install the wheel")?;
    let mut test = Command::new(fresh.join("bin/python"));
    test.args(["-m", "unittest", "discover", "-s", "bindings/python/tests"]);
    run(test.env("WANHU_PROGRAMS", programs), "python tests")
}

/// Compares the surface with the listing in the repository.
fn api(bless: bool) -> Result<(), String> {
    let mut listed = String::from(
        "# What apps see of the library, by package. Written by `cargo xtask bindings --bless`; a difference is a change for\n\
         # every app.\n",
    );
    for file in ["cn/wanhu/core/wanhu_core.kt", "cn/wanhu/ffi/wanhu.kt"] {
        let path = Path::new(GENERATED).join(file);
        let text = fs::read_to_string(&path).map_err(|error| format!("{file}: {error}"))?;
        listed.push_str(&format!(
            "\n{}\n",
            file.rsplit_once('/').map_or(file, |(package, _)| package)
        ));
        listed.extend(surface(&text).into_iter().map(|line| format!("  {line}\n")));
    }
    if bless {
        return fs::write(API, listed).map_err(|error| format!("{API}: {error}"));
    }
    let known = fs::read_to_string(API).unwrap_or_default();
    if known == listed {
        return Ok(());
    }
    let (known, listed): (BTreeSet<_>, BTreeSet<_>) =
        (known.lines().collect(), listed.lines().collect());
    let gone = known.difference(&listed).map(|line| format!("-{line}"));
    let come = listed.difference(&known).map(|line| format!("+{line}"));
    let difference: Vec<String> = gone.chain(come).collect();
    Err(format!("{API}: cargo xtask bindings --bless\n{}", difference.join("\n")))
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
