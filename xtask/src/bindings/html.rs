//! The pages about the API, from the comments of the library and the facades. Must not hold a text of its own.

use std::path::Path;
use std::process::Command;

use super::super::run;
use super::{LIBRARY, build, generate_kotlin, installed_wheel};

const PAGES: &str = "target/bindings/pages";

/// Builds what the pages are about, and writes them into `target/bindings/pages`.
pub(crate) fn html() -> Result<(), String> {
    build()?;
    generate_kotlin(Path::new(LIBRARY))?;
    let mut dokka = Command::new("mvn");
    dokka.args(["--batch-mode", "--no-transfer-progress", "--quiet", "dokka:dokka"]);
    run(dokka.current_dir("bindings/kotlin"), "mvn dokka:dokka")?;
    let python = installed_wheel()?;
    let mut install = Command::new(&python);
    run(install.args(["-m", "pip", "install", "--quiet", "pdoc==16.0.0"]), "pip install pdoc")?;
    let mut pdoc = Command::new(&python);
    // What a person imports. The library is no module of Python's, and would be taken for one.
    pdoc.args(["-m", "pdoc", "--docformat", "markdown", "--output-directory"]);
    pdoc.arg(format!("{PAGES}/python")).args(["wanhu", "!wanhu.native.libwanhu"]);
    run(&mut pdoc, "pdoc")?;
    println!("→ {PAGES}/kotlin/index.html, {PAGES}/python/wanhu.html");
    Ok(())
}
