//! Automation in Rust, because cargo is the one tool sure to be there: `demo`, `ci`, `tidy`, `bench`.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod tidy;

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
    },
    /// 全部检查与测试 · every check and test
    Ci,
    /// 结构与文件头 · module edges and file heads
    Tidy,
    /// 性能测试 · benchmarks
    Bench {
        /// sync 或 store
        what: String,
    },
}

fn main() -> ExitCode {
    let done = match Arguments::parse().task {
        Task::Demo { once } => demo(once),
        Task::Ci => ci(),
        Task::Tidy => tidy::tidy(),
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
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(_) | Err(_) => Err(name.to_owned()),
    }
}

fn demo(once: bool) -> Result<(), String> {
    // All of them in one build, so that features are resolved once and nothing is built twice.
    cargo(&["build", "--workspace", "--bins", "--examples"])?;
    let mut demo = Command::new("target/debug/demo");
    if once {
        demo.arg("--once");
    }
    run(&mut demo, "demo")
}

fn ci() -> Result<(), String> {
    cargo(&["fmt", "--all", "--check"])?;
    tidy::tidy()?;
    cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])?;
    run(
        Command::new(env!("CARGO"))
            .args(["doc", "--workspace", "--no-deps", "--document-private-items"])
            .env("RUSTDOCFLAGS", "-D warnings -A rustdoc::private_intra_doc_links"),
        "cargo doc",
    )?;
    // The tests of the command lines run the programs themselves.
    cargo(&["build", "--workspace", "--bins", "--examples"])?;
    run(
        Command::new(env!("CARGO"))
            .args(["test", "--workspace", "--all-targets"])
            .env("WANHU_SEEDS", "0..20000"),
        "cargo test --workspace --all-targets, 20,000 simulated worlds",
    )?;
    // Each crate alone, so that one crate's features cannot hide another's mistakes.
    cargo(&["check", "-p", "wanhu-core", "--no-default-features"])?;
    cargo(&["check", "-p", "wanhu-server"])?;
    demo(true)
}
