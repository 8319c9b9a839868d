//! Automation in Rust, because cargo is the one tool sure to be there: `demo`, `ci`, `tidy`, `bench`, `fuzz`,
//! `torture`, `paper`, `bindings`, `package`, `android`, `pages`, `swift`, `html`.
// A tool for people: it prints, and it says how long something took.
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::disallowed_methods)]

mod android;
mod bindings;
mod fuzz;
mod pages;
mod reliability;
mod swift;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use clap::{Parser, Subcommand};

/// 项目自动化 · the project's automation
#[derive(Debug, Parser)]
#[command(name = "xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// 演示一条记录的旅程 · show a record travel
    Demo {
        /// 讲完即止 · end after the story
        #[arg(long)]
        once: bool,
        /// 另生成 PDF 表格,首次编译须多等几分钟 · write forms as PDF too; the first build takes minutes more
        #[arg(long)]
        paper: bool,
    },
    /// 全部检查与测试 · every check and test
    Ci,
    /// 结构与文件头 · module edges and file heads
    Tidy,
    /// 恶意数据测试 · search for bytes that do harm
    Fuzz {
        /// 目标,默认全部 · targets; all where none is named
        targets: Vec<String>,
        /// 每个目标的秒数 · seconds a target
        #[arg(long, default_value_t = 60)]
        seconds: u64,
    },
    /// PDF 表格的编译与测试 · builds and tests the forms on paper
    Paper,
    /// 长时间故障测试,结果写入 docs/reliability.md · faults for hours; writes docs/reliability.md
    Torture {
        /// 为每次检查的多少倍,0 为只写上次结果 · times what every check does; 0 writes what the last run tried
        #[arg(long, default_value_t = 1)]
        times: u64,
    },
    /// Kotlin 与 Python 绑定的生成与测试 · generates and tests the bindings for Kotlin and Python
    Bindings {
        /// 重写接口清单 · write bindings/api.txt anew
        #[arg(long)]
        bless: bool,
    },
    /// 应用所用的 jar 与 wheel · the jar and the wheel that apps add
    Package,
    /// 安卓的类型检查,不链接 · checks the types for Android; links nothing
    Android {
        /// 目标平台 · which processor
        #[arg(long, default_value = "aarch64-linux-android")]
        target: String,
        /// 含标准库源码的 Rust · a Rust with the sources of its standard library
        #[arg(long, env = "WANHU_ANDROID_RUST")]
        rust: Option<PathBuf>,
    },
    /// 动态库能否用于 16 KB 内存页 · whether libraries load where memory pages are 16 KB
    Pages {
        /// .so 文件 · the libraries
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Swift 绑定的编译与测试 · compiles and tests the bindings for Swift
    Swift {
        /// 含 swiftlang 的 Debian · a Debian with swiftlang, where there is none on the PATH
        #[arg(long, env = "WANHU_SWIFT_ROOT")]
        root: Option<PathBuf>,
    },
    /// Kotlin 与 Python 接口文档 · the pages about the API for Kotlin and Python
    Html,
    /// 性能测试 · benchmarks
    Bench {
        /// sync、store、county 或 ffi
        what: String,
    },
}

fn main() -> ExitCode {
    let done = match Arguments::parse().task {
        Task::Demo { once, paper } => demo(once, paper),
        Task::Ci => ci(),
        Task::Tidy => tidy::tidy(),
        Task::Fuzz { targets, seconds } => {
            fuzz::fuzz(&targets, seconds, Some(Path::new(reliability::TALLY)))
        }
        Task::Paper => paper(),
        Task::Bindings { bless } => bindings::bindings(bless, false),
        Task::Package => bindings::package(),
        Task::Html => bindings::html(),
        Task::Android { target, rust } => android::android(rust, &target),
        Task::Pages { files } => pages::pages(&files),
        Task::Torture { times } => reliability::torture(times),
        Task::Swift { root } => swift::swift(root, false),
        Task::Bench { what } if what == "ffi" => bindings::bench(),
        Task::Bench { what } => {
            cargo(&["run", "--release", "-p", "wanhu-tests", "--bin", "bench", "--", &what])
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(what) => {
            eprintln!("失败 · failed: {what}");
            ExitCode::FAILURE
        }
    }
}

fn cargo(arguments: &[&str]) -> Result<(), String> {
    run(Command::new(env!("CARGO")).args(arguments), &format!("cargo {}", arguments.join(" ")))
}

fn run(command: &mut Command, name: &str) -> Result<(), String> {
    println!("→ {name}");
    without_cargo(command);
    let begin = std::time::Instant::now();
    match command.status() {
        Ok(status) if status.success() => {
            println!("  {name}: {} s", begin.elapsed().as_secs());
            Ok(())
        }
        Ok(_) | Err(_) => Err(name.to_owned()),
    }
}

/// What cargo says of this program is not for the others: build scripts that look at it would run again, and all that rests on
/// them be compiled anew, whenever somebody calls cargo by hand in between; and a JVM would find a library that lies beside this
/// program instead of the one in its jar.
fn without_cargo(command: &mut Command) {
    let of_cargo =
        ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_CRATE_", "CARGO_BIN_", "LD_LIBRARY_PATH"];
    let own: Vec<_> = command.get_envs().map(|(name, _)| name.to_owned()).collect();
    for (variable, _) in std::env::vars_os().filter(|(name, _)| !own.contains(name)) {
        if of_cargo.iter().any(|begin| variable.to_string_lossy().starts_with(begin)) {
            command.env_remove(variable);
        }
    }
}

/// All programs in one build, so that features are resolved once and nothing is built twice; the fuzzing
/// engine apart, which is built with coverage.
const BUILD: [&str; 8] = [
    "build",
    "--workspace",
    "--exclude",
    "wanhu-fuzz",
    "--exclude",
    "wanhu-bindgen",
    "--bins",
    "--examples",
];
/// The forms on paper: most of what there is to compile, so whoever only wants to see the demo goes without. Whatever is part of every
/// check has them, as two sets of features would have half of the crates compiled twice.
const PAPER: [&str; 2] = ["--features", "wanhu-tests/paper"];
/// Seconds a target in every check.
const FUZZ_SECONDS: u64 = 60;

/// All programs, with the forms on paper or without.
fn build(paper: bool) -> Result<(), String> {
    cargo(&[&BUILD[..], if paper { &PAPER } else { &[] }].concat())
}

fn demo(once: bool, paper: bool) -> Result<(), String> {
    build(paper)?;
    let mut demo = Command::new("target/debug/demo");
    demo.args(["--once"].iter().filter(|_| once));
    demo.args(["--paper"].iter().filter(|_| paper));
    run(&mut demo, "demo")
}

/// The tests of the forms on paper alone.
fn paper() -> Result<(), String> {
    let tests = ["test", "-p", "wanhu-server", "--features", "pdf-check", "--lib", "outputs"];
    cargo(&tests)
}

fn ci() -> Result<(), String> {
    cargo(&["fmt", "--all", "--check"])?;
    tidy::tidy()?;
    // The program that writes bindings has three lines, and what it rests on takes the compiler minutes.
    let clippy = ["clippy", "--workspace", "--exclude", "wanhu-bindgen", "--all-targets"];
    cargo(&[&clippy[..], &PAPER, &["--", "-D", "warnings"]].concat())?;
    run(
        Command::new(env!("CARGO"))
            .args(["doc", "--workspace", "--exclude", "wanhu-bindgen"])
            .args(["--no-deps", "--document-private-items"])
            .args(PAPER)
            .env("RUSTDOCFLAGS", "-D warnings -A rustdoc::private_intra_doc_links"),
        "cargo doc",
    )?;
    reliability::every_fault(1, FUZZ_SECONDS, || {
        // Each crate alone, so that one crate's features cannot hide another's mistakes.
        cargo(&["check", "-p", "wanhu-core", "--no-default-features"])?;
        cargo(&["check", "-p", "wanhu-server"])?;
        bindings::build(true)
    })?;
    bindings::bindings(false, true)?;
    demo(true, true)?;
    // Last, so that nobody overlooks what was not tried.
    swift::where_there_is_one()
}
