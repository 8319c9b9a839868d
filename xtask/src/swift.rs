//! The Swift half of the boundary: generated from the library of the same build, and the scenario told in it, where a Swift is
//! found. Every check does so there and elsewhere says that it did not: a Swift weighs three gigabytes. Must not know what the
//! ledger does.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::bindings::{LIBRARY, RELEASE_LIBRARY, build, emptied, full_disk, of_another_build};
use super::run;

const PACKAGE: &str = "bindings/swift";
/// An app that depends on it.
const EXAMPLE: &str = "bindings/swift/Example";
const GENERATED: &str = "bindings/swift/Generated";
/// The modules of C below the generated Swift.
const HEADERS: [&str; 2] = ["WanhuCoreFFI", "WanhuFFIFFI"];
/// Enters the Debian `$1` with the repository `$2`, at the same place there. In namespaces of their own: the mounts and every
/// process go with the command.
const ENTER: &str = r#"
root=$1 && mkdir -p "$root$2" && mount -t proc proc "$root/proc" && mount --rbind "$2" "$root$2" &&
shift 2 && exec chroot "$root" "$@""#;
const SKIPPED: &str = "!! 未编译 SWIFT · SWIFT IS NOT COMPILED OR TESTED HERE, no compiler found: WANHU_SWIFT_ROOT=/opt/trixie cargo xtask swift";
const NOT_FOUND: &str = "
!! 没有找到 Swift:什么也没有编译,一个测试也没有运行。
!! NO SWIFT FOUND: nothing was compiled and NOT ONE TEST HAS RUN.
   安装 · to get one, as root, about 450 MB to fetch:
     debootstrap --variant=minbase --include=swiftlang,libc6-dev,libstdc++-14-dev trixie /opt/trixie \"$YOUR_DEBIAN_MIRROR\"
     WANHU_SWIFT_ROOT=/opt/trixie cargo xtask swift
   或将 swift 放入 PATH · or put swift on the PATH; bindings/swift/README.md";

/// Builds, generates, compiles and tests; with the Swift inside the Debian `root`, or without one with that on the PATH.
pub(crate) fn swift(root: Option<PathBuf>, paper: bool) -> Result<(), String> {
    let repository = fs::canonicalize(".").map_err(|error| error.to_string())?;
    let Some(swift) = Swift::find(repository, root) else {
        eprintln!("{NOT_FOUND}\n");
        return Err("swift".into());
    };
    run(&mut swift.command(&["swift", "--version"].map(str::to_owned)), "swift --version")?;
    build(paper)?;
    generate(LIBRARY)?;
    run(swift.test().env("LD_PRELOAD", full_disk()?), "swift test")?;
    runs_in_an_app(&swift)?;
    refuses_another_build(&swift)
}

/// A part of every check where there is a Swift; elsewhere it is said that there was none.
pub(crate) fn where_there_is_one() -> Result<(), String> {
    let root = std::env::var_os("WANHU_SWIFT_ROOT").map(PathBuf::from);
    let repository = fs::canonicalize(".").map_err(|error| error.to_string())?;
    if Swift::find(repository, root.clone()).is_some() {
        return swift(root, true);
    }
    eprintln!("{SKIPPED}");
    Ok(())
}

/// The program that measures calls on `book`, with the release library; nothing where there is no Swift.
pub(crate) fn bench(book: &Path) -> Result<Option<Command>, String> {
    let root = std::env::var_os("WANHU_SWIFT_ROOT").map(PathBuf::from);
    let repository = fs::canonicalize(".").map_err(|error| error.to_string())?;
    let Some(swift) = Swift::find(repository, root) else { return Ok(None) };
    generate(RELEASE_LIBRARY)?;
    let mut words = swift.with_a_package("run", EXAMPLE, "release");
    words.extend(["Bench".to_owned(), swift.place(&book.display().to_string())]);
    Ok(Some(swift.command(&words)))
}

/// Where commands for Swift run.
#[derive(Debug, PartialEq, Eq)]
struct Swift {
    repository: PathBuf,
    /// The Debian to enter; nothing where Swift is on the PATH.
    root: Option<PathBuf>,
}

impl Swift {
    fn find(repository: PathBuf, root: Option<PathBuf>) -> Option<Self> {
        if let Some(root) = root {
            let root = fs::canonicalize(root).ok()?;
            // A link that leads nowhere outside may lead somewhere inside.
            let is_there = root.join("usr/bin/swift").symlink_metadata().is_ok();
            return is_there.then_some(Self { repository, root: Some(root) });
        }
        let mut version = Command::new("swift");
        version.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
        let is_there = version.status().is_ok_and(|status| status.success());
        is_there.then_some(Self { repository, root: None })
    }

    fn command(&self, words: &[String]) -> Command {
        let Some(root) = &self.root else {
            let mut command = Command::new(&words[0]);
            command.args(&words[1..]);
            return command;
        };
        let mut command = Command::new("unshare");
        command.args(["--mount", "--pid", "--fork", "--kill-child", "sh", "-c", ENTER, "sh"]);
        command.arg(root).arg(&self.repository).args(words);
        command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("HOME", "/tmp");
        command
    }

    fn test(&self) -> Command {
        let mut words = self.with_a_package("test", PACKAGE, "debug");
        words.extend(
            ["--disable-swift-testing", "-Xswiftc", "-warnings-as-errors"].map(str::to_owned),
        );
        let mut command = self.command(&words);
        command.env("WANHU_PROGRAMS", self.place("target/debug"));
        command
    }

    /// A command of Swift's on a package that is linked with the library of a profile.
    fn with_a_package(&self, command: &str, package: &str, profile: &str) -> Vec<String> {
        // What one Swift has compiled another cannot take up.
        let inside = if self.root.is_some() { "-in-root" } else { "" };
        let build = if package == PACKAGE { "build" } else { "app" };
        let build = self.place(&format!("target/bindings/swift/{build}{inside}"));
        let (package, library) = (self.place(package), self.place(&format!("target/{profile}")));
        let folder = format!("-L{library}");
        let places = ["--package-path", &package, "--scratch-path", &build];
        let words = [&["swift", command, "-c", profile], &places[..]].concat();
        let linked = ["-Xlinker", &folder, "-Xlinker", "-rpath", "-Xlinker", &library];
        [&words[..], &linked[..]].concat().into_iter().map(str::to_owned).collect()
    }

    fn place(&self, path: &str) -> String {
        self.repository.join(path).display().to_string()
    }
}

/// An app that depends on the package, as swift/README.md says how.
fn runs_in_an_app(swift: &Swift) -> Result<(), String> {
    let book = emptied("target/bindings/swift/book")?.join("ledger");
    let mut words = swift.with_a_package("run", EXAMPLE, "debug");
    words.extend(["App".to_owned(), swift.place(&book.display().to_string())]);
    run(&mut swift.command(&words), "swift run App")
}

/// Lays the generated half where the package looks for it.
fn generate(library: &str) -> Result<(), String> {
    let sources = emptied(GENERATED)?.join("WanhuFFI");
    let mut generate = Command::new("target/debug/uniffi-bindgen");
    generate.args(["generate", library, "--language", "swift", "--no-format"]);
    generate.args(["--config", "bindings/swift/uniffi.toml", "--out-dir"]).arg(&sources);
    run(&mut generate, "uniffi-bindgen generate")?;
    for module in HEADERS {
        let folder = emptied(&format!("{GENERATED}/{module}"))?;
        for (from, to) in [("h", format!("{module}.h")), ("modulemap", "module.modulemap".into())] {
            let from = sources.join(format!("{module}.{from}"));
            fs::rename(&from, folder.join(to)).map_err(|error| format!("{from:?}: {error}"))?;
        }
    }
    Ok(())
}

/// A library in which one call is another must be refused by the facade before a book is opened.
fn refuses_another_build(swift: &Swift) -> Result<(), String> {
    let other = of_another_build()?;
    let mut test = swift.test();
    test.args(["--skip-build", "--filter", "testTheVaultKeepsTheKeyAndMayBeLocked"]);
    test.env("LD_LIBRARY_PATH", other.parent().unwrap_or(Path::new(".")));
    println!("→ swift test, with a library of another build");
    let output = test.output().map_err(|error| error.to_string())?;
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    if !output.status.success() && said.contains("UniFFI API checksum mismatch") {
        return Ok(());
    }
    Err(format!("a library of another build was believed\n{said}"))
}
