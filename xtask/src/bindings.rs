//! The boundary to the apps: built, its Kotlin and Python halves generated from the library of the same build, its surface
//! listed, the scenario told in both languages, and their pages written. Must not know what the ledger does.

mod api;
mod bench;
mod html;
mod package;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) use bench::bench;
pub(crate) use html::html;
pub(crate) use package::{LIBRARY as RELEASE_LIBRARY, package};

use super::{cargo, run};

const GENERATED: &str = "target/bindings/kotlin/generated";
const GENERATED_PYTHON: &str = "target/bindings/python/generated";
/// Where JNA looks for a library in a jar.
const NATIVE: &str = "target/bindings/kotlin/native";
pub(crate) const LIBRARY: &str = "target/debug/libwanhu.so";
/// What writes a language's half of a library; chosen as maturin chooses it, or it would be compiled once more for the wheel.
const BINDGEN: [&str; 3] = ["build", "--bin", "uniffi-bindgen"];
const MYPY: &str = "mypy==2.4.1";
const WHEELS: &str = "target/bindings/python/wheels";

/// Builds and tests everything; with `bless` the listing is written anew.
pub(crate) fn bindings(bless: bool, paper: bool) -> Result<(), String> {
    build(paper)?;
    generate_kotlin(Path::new(LIBRARY))?;
    api::compare(Path::new(GENERATED), bless)?;
    // To be read: the wheel brings its own.
    api::compare_stub(&generate(Path::new(LIBRARY), "python", GENERATED_PYTHON)?, bless)?;
    let programs = fs::canonicalize("target/debug").map_err(|error| error.to_string())?;
    let told = Told { programs, other: of_another_build()?, full_disk: full_disk()? };
    kotlin(&told)?;
    let installed = installed_wheel("dev")?;
    typed(&installed)?;
    html::beside(&installed, || python(&installed, &told))
}

/// What tests are told of by their environment.
struct Told {
    programs: PathBuf,
    other: PathBuf,
    full_disk: PathBuf,
}

impl Told {
    fn to<'c>(&self, test: &'c mut Command) -> &'c mut Command {
        test.env("WANHU_PROGRAMS", &self.programs).env("WANHU_OTHER_LIBRARY", &self.other);
        test.env("LD_PRELOAD", &self.full_disk)
    }
}

/// A library in which one call is another one than the generated halves know, and everything else is as it was.
pub(crate) fn of_another_build() -> Result<PathBuf, String> {
    let folder = emptied("target/bindings/other")?;
    let source = folder.join("other.c");
    let text = "unsigned short uniffi_wanhu_checksum_method_ledger_show(void) { return 0; }\n";
    fs::write(&source, text).map_err(|error| format!("{}: {error}", source.display()))?;
    let this = fs::canonicalize(LIBRARY).map_err(|error| format!("{LIBRARY}: {error}"))?;
    compiled(&source, &folder.join("libwanhu.so"), Some(&this))
}

/// A disk that is full whenever a test says so, for a program that loads it before all others.
pub(crate) fn full_disk() -> Result<PathBuf, String> {
    let library = emptied("target/bindings/full")?.join("libfull.so");
    compiled(Path::new("bindings/tests/full_disk.c"), &library, None)
}

/// A library of one file of C, and over another library where it stands for that.
fn compiled(source: &Path, library: &Path, over: Option<&Path>) -> Result<PathBuf, String> {
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-Wl,--no-as-needed", "-o"]).arg(library).arg(source);
    run(compiler.args(over), &format!("cc {}", source.display()))?;
    fs::canonicalize(library).map_err(|error| format!("{}: {error}", library.display()))
}

/// The library, what writes the other languages' halves from it, and the programs that tests talk to.
pub(crate) fn build(paper: bool) -> Result<(), String> {
    super::build(paper)?;
    cargo(&["build", "-p", "wanhu-bindings"])?;
    cargo(&BINDGEN)
}

pub(crate) fn emptied(folder: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(folder);
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).map_err(|error| format!("{folder}: {error}"))?;
    Ok(path)
}

/// Writes the Kotlin half of a library, and puts the library where a jar carries it.
fn generate_kotlin(library: &Path) -> Result<(), String> {
    generate(library, "kotlin", GENERATED)?;
    emptied(NATIVE)?;
    let carried = carried();
    let folder = carried.parent().unwrap_or(Path::new(NATIVE));
    fs::create_dir_all(folder).map_err(|error| error.to_string())?;
    let copied = fs::copy(library, &carried);
    copied.map_err(|error| format!("{}: {error}", library.display()))?;
    Ok(())
}

/// Writes a language's half of a library into a folder of its own.
fn generate(library: &Path, language: &str, folder: &str) -> Result<PathBuf, String> {
    let folder = emptied(folder)?;
    let mut generate = Command::new("target/debug/uniffi-bindgen");
    generate.arg("generate").arg(library).args(["--language", language, "--no-format"]);
    run(generate.arg("--out-dir").arg(&folder), "uniffi-bindgen generate")?;
    Ok(folder)
}

/// Where a jar carries the library of this machine.
fn carried() -> PathBuf {
    Path::new(NATIVE)
        .join(format!("linux-{}", jna_name(std::env::consts::ARCH)))
        .join("libwanhu.so")
}

fn jna_name(architecture: &str) -> &str {
    if architecture == "x86_64" { "x86-64" } else { architecture }
}

/// Maven on the Kotlin half. It begins anew: what an earlier build compiled would be packed as well.
fn maven(arguments: &[&str]) -> Result<Command, String> {
    match std::fs::remove_dir_all(package::BUILT) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(format!("{}: {error}", package::BUILT));
        }
        Ok(()) | Err(_) => {}
    }
    let mut maven = Command::new("mvn");
    maven.args(["--batch-mode", "--no-transfer-progress"]).args(arguments);
    maven.current_dir("bindings/kotlin");
    Ok(maven)
}

fn kotlin(told: &Told) -> Result<(), String> {
    run(told.to(&mut maven(&["verify"])?), "mvn verify")
}

fn python(installed: &Path, told: &Told) -> Result<(), String> {
    let mut test = Command::new(installed);
    test.args(["-m", "unittest", "discover", "-s", "bindings/python/tests"]);
    run(told.to(&mut test), "python tests")
}

/// What a type checker says of a program that uses the wheel.
fn typed(installed: &Path) -> Result<(), String> {
    let tools = Path::new("target/bindings/python/tools/bin");
    let mut install = Command::new(tools.join("pip"));
    run(install.args(["install", "--quiet", MYPY]), "pip install mypy")?;
    let mut check = Command::new(tools.join("mypy"));
    check.args(["--strict", "--cache-dir", "target/bindings/python/mypy", "--python-executable"]);
    run(check.arg(installed).arg("bindings/python/tests/typed.py"), "mypy")?;
    as_it_is(installed)
}

/// Whether what type checkers read is what Python finds when it runs.
fn as_it_is(installed: &Path) -> Result<(), String> {
    let mut place = Command::new(installed);
    place.args(["-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]);
    let place = place.output().map_err(|error| format!("{}: {error}", installed.display()))?;
    let place = String::from_utf8_lossy(&place.stdout).trim().to_owned();
    let mut check = Command::new("target/bindings/python/tools/bin/stubtest");
    check.env("PYTHONPATH", &place).env("MYPYPATH", &place).arg("wanhu");
    check.args(["--concise", "--ignore-missing-stub"]);
    check.args(["--mypy-config-file", "bindings/python/pyproject.toml"]);
    run(check.args(["--allowlist", "bindings/python/tests/stubtest.txt"]), "stubtest")
}

/// The wheel, of a profile of cargo's.
fn wheel(profile: &str) -> Result<PathBuf, String> {
    let tools = emptied("target/bindings/python/tools")?;
    run(Command::new("python3").args(["-m", "venv"]).arg(&tools), "python3 -m venv")?;
    let mut install = Command::new(tools.join("bin/pip"));
    run(install.args(["install", "--quiet", "maturin==1.16.0"]), "pip install maturin")?;
    // What is tested does not take the place of what is shipped.
    let wheels = emptied(&format!("{WHEELS}/{profile}"))?;
    let wheels = fs::canonicalize(wheels).map_err(|error| error.to_string())?;
    let maturin = fs::canonicalize(tools.join("bin/maturin")).map_err(|error| error.to_string())?;
    let mut build = Command::new(maturin);
    build.args(["build", "--profile", profile, "--out"]).arg(&wheels);
    run(build.current_dir("bindings/python"), "maturin build")?;
    let wheel = fs::read_dir(&wheels).ok().and_then(|mut found| found.next()?.ok());
    Ok(wheel.ok_or("no wheel")?.path())
}

/// The wheel of a profile of cargo's as it would be shipped, installed where nothing else is: the Python there.
fn installed_wheel(profile: &str) -> Result<PathBuf, String> {
    let wheel = wheel(profile)?;
    let fresh = emptied("target/bindings/python/fresh")?;
    run(Command::new("python3").args(["-m", "venv"]).arg(&fresh), "python3 -m venv")?;
    let mut install = Command::new(fresh.join("bin/pip"));
    run(install.args(["install", "--quiet"]).arg(&wheel), "pip install the wheel")?;
    Ok(fresh.join("bin/python"))
}
