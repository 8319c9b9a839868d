//! The pages about the API, from the comments of the library and the facades. Must not hold a text of its own.

use std::path::Path;
use std::process::Command;

use super::super::run;
use super::{LIBRARY, build, generate_kotlin, installed_wheel};

const PAGES: &str = "target/bindings/pages";
/// pdoc without what is written for type checkers: it would never come back from the kinds of a `Value`, each of which has all others.
const PDOC: &str = "import pdoc.doc_pyi as written; from pdoc.__main__ import cli
written.find_stub_file = lambda module: None
cli()";

/// Builds what the pages are about, and writes them into `target/bindings/pages`.
pub(crate) fn html() -> Result<(), String> {
    build(false)?;
    generate_kotlin(Path::new(LIBRARY))?;
    kotlin()?;
    python(&installed_wheel("dev")?)
}

/// Writes the pages of what is built, Kotlin's beside work that keeps one processor only. The wheel is installed for `interpreter`.
pub(super) fn beside(
    interpreter: &Path,
    work: impl FnOnce() -> Result<(), String>,
) -> Result<(), String> {
    std::thread::scope(|scope| {
        let pages = scope.spawn(kotlin);
        let worked = work();
        let written = pages.join().map_err(|_| "mvn dokka:dokka".to_owned())?;
        worked.and(written)
    })?;
    python(interpreter)
}

fn kotlin() -> Result<(), String> {
    let mut dokka = Command::new("mvn");
    dokka.args(["--batch-mode", "--no-transfer-progress", "--quiet", "dokka:dokka"]);
    run(dokka.current_dir("bindings/kotlin"), "mvn dokka:dokka")
}

fn python(interpreter: &Path) -> Result<(), String> {
    let mut install = Command::new(interpreter);
    run(install.args(["-m", "pip", "install", "--quiet", "pdoc==16.0.0"]), "pip install pdoc")?;
    let mut pdoc = Command::new(interpreter);
    // What a person imports. The library is no module of Python's, and would be taken for one.
    pdoc.args(["-c", PDOC, "--docformat", "markdown", "--output-directory"]);
    pdoc.arg(format!("{PAGES}/python")).args(["wanhu", "!wanhu.native.libwanhu"]);
    run(&mut pdoc, "pdoc")?;
    println!("→ {PAGES}/kotlin/index.html, {PAGES}/python/wanhu.html");
    Ok(())
}
