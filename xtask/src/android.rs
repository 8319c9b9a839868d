//! Whether what phones run type-checks for Android, by a Rust that has the standard library's sources and without Android's
//! own tools. Must not claim more than that: nothing is linked, no C is compiled, nothing runs.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::run;

/// The oldest Rust that the workspace is for.
const OLDEST: &str = env!("CARGO_PKG_RUST_VERSION");
/// Stands where the C compiler for Android would.
const COMPILER: &str = "bindings/android/compiler.sh";
/// What a toolchain must have, and which of its parts brings it.
const PARTS: [(&str, &str); 3] = [
    ("bin/cargo", "cargo"),
    ("bin/rustc", "rustc"),
    ("lib/rustlib/src/rust/library/std/Cargo.toml", "标准库源码 · the standard library's sources"),
];
const HOW_TO_GET: &str = "安卓检查未运行 · THE CHECK FOR ANDROID DID NOT RUN\n  \
    一 · either: rustup component add rust-src\n  \
    二 · or (Debian): sh bindings/android/debian-rust.sh FOLDER\n                  \
    WANHU_ANDROID_RUST=FOLDER/usr cargo xtask android";

/// Checks the core, with all that the bindings ask of it, and the bindings.
pub(crate) fn android(rust: Option<PathBuf>, target: &str) -> Result<(), String> {
    let toolchain = Toolchain::find(rust)?;
    let version = toolchain.version()?;
    println!("→ {version} · {}", toolchain.folder.display());
    if is_too_old(&version, OLDEST) {
        return Err(format!("Rust {OLDEST} 起可用 · too old, {OLDEST} is needed\n  {HOW_TO_GET}"));
    }
    let mut check = toolchain.command("cargo");
    check.args(["check", "--locked", "--lib", "-p", "wanhu-core", "-p", "wanhu-bindings"]);
    check.args(["-Zbuild-std=std,panic_unwind", "--target-dir", "target/android"]);
    check.args(["--target", target]).env("RUSTC", toolchain.folder.join("bin/rustc"));
    // Nothing of it runs but macros and build scripts, so nothing is worth optimising.
    check.args(["--config", "profile.dev.package.\"*\".opt-level=0"]);
    check.args(["--config", "profile.dev.debug=false"]);
    // The sources of the standard library are for this compiler alone, which may not be a nightly one.
    check.env("RUSTC_BOOTSTRAP", "1");
    let compiler = fs::canonicalize(COMPILER).map_err(|error| format!("{COMPILER}: {error}"))?;
    let name = target.replace('-', "_");
    check.env(format!("CC_{name}"), &compiler);
    check.env(format!("AR_{name}"), "ar").env(format!("RANLIB_{name}"), "ranlib");
    check.env(format!("CARGO_TARGET_{}_LINKER", name.to_uppercase()), &compiler);
    run(&mut check, &format!("cargo check --target {target}"))?;
    println!(
        "→ {target}: 仅检查类型,未链接,未在设备上运行 · types only; nothing was linked, nothing has run on a device"
    );
    Ok(())
}

struct Toolchain {
    folder: PathBuf,
    /// Folders of the libraries the compiler itself is made of, where it would not find them.
    libraries: Vec<PathBuf>,
}

impl Toolchain {
    /// The one named, else the one on the path.
    fn find(named: Option<PathBuf>) -> Result<Self, String> {
        let folder = match named {
            Some(folder) => folder,
            None => installed().ok_or_else(|| format!("没有 · no rustc\n  {HOW_TO_GET}"))?,
        };
        let missing: Vec<&str> = PARTS
            .iter()
            .filter(|(file, _)| !folder.join(file).is_file())
            .map(|(_, part)| *part)
            .collect();
        if !missing.is_empty() {
            return Err(format!(
                "{} 缺少 · lacks: {}\n  {HOW_TO_GET}",
                folder.display(),
                missing.join(", ")
            ));
        }
        let folder =
            fs::canonicalize(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let libraries = unpacked_libraries(&folder);
        Ok(Self { folder, libraries })
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.folder.join("bin").join(program));
        if !self.libraries.is_empty() {
            let mut path = OsString::new();
            for (number, folder) in self.libraries.iter().enumerate() {
                path.push(if number == 0 { "" } else { ":" });
                path.push(folder);
            }
            command.env("LD_LIBRARY_PATH", path);
        }
        command
    }

    /// The first line that the compiler says of itself.
    fn version(&self) -> Result<String, String> {
        let said = self.command("rustc").arg("--version").output();
        let said = said.map_err(|error| format!("rustc --version: {error}"))?;
        let text = String::from_utf8_lossy(&said.stdout).trim().to_owned();
        if said.status.success() && !text.is_empty() {
            return Ok(text);
        }
        Err(format!("rustc --version: {}", String::from_utf8_lossy(&said.stderr).trim()))
    }
}

fn installed() -> Option<PathBuf> {
    let said = Command::new("rustc").args(["--print", "sysroot"]).output().ok()?;
    let folder = String::from_utf8(said.stdout).ok()?;
    (said.status.success()).then(|| PathBuf::from(folder.trim()))
}

/// Packages of a distribution keep the compiler's libraries in a folder named for the machine, where only installed ones
/// are looked for.
fn unpacked_libraries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder.join("lib")).into_iter().flatten().flatten();
    let holds_compiler = |folder: &PathBuf| {
        fs::read_dir(folder).into_iter().flatten().flatten().any(|file| {
            file.file_name().to_str().is_some_and(|name| name.starts_with("librustc_driver-"))
        })
    };
    entries.map(|entry| entry.path()).filter(holds_compiler).collect()
}

/// Compares the version within what a compiler says of itself with one like `1.95`; unreadable ones are too old.
fn is_too_old(said: &str, oldest: &str) -> bool {
    let numbers = |version: &str| -> Option<(u32, u32)> {
        let mut parts = version.split('.');
        Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
    };
    let release = said.split_whitespace().nth(1).and_then(numbers);
    release.is_none_or(|release| Some(release) < numbers(oldest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_compiler_older_than_the_workspace_is_refused() {
        for said in
            ["rustc 1.85.0 (4d91de4e4 2025-02-17)", "rustc 0.99.0", "rustc", "", "rustc x.y"]
        {
            assert!(is_too_old(said, "1.95"), "{said}");
        }
        let said =
            ["rustc 1.95.0 (59807616e)", "rustc 1.100.0", "rustc 1.97.0-nightly", "rustc 2.0.0"];
        for said in said {
            assert!(!is_too_old(said, "1.95"), "{said}");
        }
    }

    #[test]
    fn what_is_missing_is_said_in_both_languages() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("bin")).unwrap();
        fs::write(folder.path().join("bin/cargo"), "").unwrap();
        let said = Toolchain::find(Some(folder.path().to_owned())).err().unwrap();
        assert!(
            said.contains("lacks: rustc, 标准库源码 · the standard library's sources"),
            "{said}"
        );
        assert!(said.contains("安卓检查未运行") && said.contains("DID NOT RUN"));
    }

    #[test]
    fn an_unpacked_compiler_is_given_its_libraries() {
        let folder = tempfile::tempdir().unwrap();
        for (file, _) in PARTS {
            let file = folder.path().join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, "").unwrap();
        }
        let folder = fs::canonicalize(folder.path()).unwrap();
        let libraries = |found: &Toolchain| found.libraries.clone();
        assert!(libraries(&Toolchain::find(Some(folder.clone())).unwrap()).is_empty());
        for machine in ["some-linux-gnu", "other"] {
            fs::create_dir_all(folder.join("lib").join(machine)).unwrap();
        }
        fs::write(folder.join("lib/some-linux-gnu/librustc_driver-1.so"), "").unwrap();
        let found = Toolchain::find(Some(folder.clone())).unwrap();
        assert_eq!(libraries(&found), [folder.join("lib/some-linux-gnu")]);
    }

    /// The stand-in for a compiler leaves objects with nothing in them, answers what preprocessors answer, and never links.
    #[test]
    fn the_stand_in_compiles_nothing_and_links_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let stand_in = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(COMPILER);
        let stand_in = || {
            let mut command = Command::new(&stand_in);
            command.current_dir(folder.path());
            command
        };
        fs::write(folder.path().join("probe.c"), "#ifdef __GNUC__\nfamily\n#endif\n").unwrap();
        let probed = stand_in().args(["-march=armv7-a", "-E", "probe.c"]).output().unwrap();
        assert!(String::from_utf8_lossy(&probed.stdout).lines().any(|line| line == "family"));
        let compiled = stand_in().args(["-O2", "-c", "-o", "probe.o", "probe.c"]).status().unwrap();
        assert!(compiled.success());
        assert_eq!(fs::read(folder.path().join("probe.o")).unwrap(), b"");
        let linked = stand_in().args(["-shared", "-o", "probe.so", "probe.o"]).output().unwrap();
        assert!(!linked.status.success() && !folder.path().join("probe.so").exists());
    }
}
