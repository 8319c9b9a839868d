//! `wanhu-server`: arguments to settings, then serve or one office command. Nothing else.
#![allow(clippy::print_stderr)]

use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::{Parser, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use wanhu_core::domain::environment::Clock;
use wanhu_core::system::{SystemClock, SystemEntropy};
use wanhu_server::admin::{AdminCommand, AdminError, ImportCommand, Office, Output};
use wanhu_server::audit::{self, AuditCommand, AuditError};
use wanhu_server::backup::{self, BackupError};
use wanhu_server::keys;
use wanhu_server::settings::{Settings, SettingsArgs};
use wanhu_server::warnings::alone;
use wanhu_server::watch::Phase;
use wanhu_server::{App, serve};

/// 万户同步服务器 · the township's sync server for household records
#[derive(Debug, Parser)]
#[command(name = "wanhu-server", version)]
struct Arguments {
    /// 输出 JSON · print JSON
    #[arg(long, global = true)]
    json: bool,
    #[command(flatten)]
    settings: SettingsArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// 启动服务 · serve
    Serve,
    /// 检查并显示生效配置 · check and show the effective settings
    CheckConfig,
    /// 备份,服务运行时亦可 · back up, while serving too
    Backup {
        /// 备份目录,须为空 · an empty or new directory
        to: PathBuf,
    },
    /// 检查备份 · check a backup
    CheckBackup {
        /// 备份目录 · the backup
        dir: PathBuf,
    },
    /// 从备份恢复到空的数据目录 · restore into an empty data directory
    Restore {
        /// 备份目录 · the backup
        from: PathBuf,
    },
    /// 审计:树头、核验、证明 · audit: heads, checks, proofs
    #[command(subcommand)]
    Audit(AuditCommand),
    /// 导入部门数据与历次排查 · files that departments deliver, registers of past campaigns
    Import {
        /// 以哪个账户办理 · the account that acts
        #[arg(long, global = true, default_value = "", hide_default_value = true)]
        by: String,
        #[command(subcommand)]
        command: ImportCommand,
    },
    /// 办公室操作 · commands of an office
    Admin {
        /// 以哪个账户办理,省略为本机运维 · the account that acts; without it this machine's operator
        #[arg(long, global = true, default_value = "", hide_default_value = true)]
        by: String,
        #[command(subcommand)]
        command: AdminCommand,
    },
}

/// Stable code, Chinese, English.
type Failure = (String, String, String);

fn failure(code: &str, zh: &str, en: impl std::fmt::Display) -> Failure {
    (code.to_owned(), zh.to_owned(), en.to_string())
}

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return usage(&error),
    };
    let json = arguments.json;
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err((code, zh, en)) => {
            if json {
                eprintln!("{}", serde_json::json!({ "error": code, "zh": zh, "en": en }));
            } else {
                eprintln!("错误: {zh}\nerror: {en} [{code}]");
            }
            ExitCode::FAILURE
        }
    }
}

/// What is wrong with the words typed; help and version are no mistakes.
fn usage(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        return print(&error.to_string()).map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS);
    }
    let (zh, en) = ("命令或参数有误,用 --help 查看用法", error.to_string());
    if std::env::args().any(|word| word == "--json") {
        eprintln!("{}", serde_json::json!({ "error": "usage", "zh": zh, "en": en }));
    } else {
        eprint!("错误: {zh}\n{en}");
    }
    ExitCode::from(2)
}

fn run(arguments: Arguments) -> Result<(), Failure> {
    let settings = Settings::load(arguments.settings)
        .map_err(|error| failure("settings", "配置有误", error))?;
    match arguments.command {
        Command::CheckConfig => {
            let text =
                toml::to_string(&settings).map_err(|e| failure("settings", "配置有误", e))?;
            print(&text)
        }
        Command::Serve => run_server(&settings),
        Command::Backup { to } => {
            let key = storage_key(&settings)?;
            backup::backup(&settings.data_dir, &key, &to).map_err(|e| not_copied(&e))?;
            say(
                arguments.json,
                "已备份,数据库密钥不在其中,请另行保管 · backed up; the key of the databases is not in it, keep it apart",
                &to,
            )
        }
        Command::CheckBackup { dir } => {
            backup::check(&dir).map_err(|e| not_copied(&e))?;
            say(arguments.json, "备份完好 · the backup is whole", &dir)
        }
        Command::Restore { from } => {
            let days = i64::try_from(settings.takes_back_days).unwrap_or(0);
            let until_ms = SystemClock.now_ms() + days * 86_400_000;
            let key = storage_key(&settings)?;
            backup::restore(&from, &settings.data_dir, &key, &mut SystemEntropy, until_ms)
                .map_err(|e| not_copied(&e))?;
            say(
                arguments.json,
                "已恢复,手机将补回备份之后的修改 · restored; phones give back what came later",
                &settings.data_dir,
            )
        }
        Command::Audit(command) => {
            let app = open(&settings)?;
            let answer = audit::run(command, &app).map_err(|error| match error {
                AuditError::Fault(fault) => failure(fault.what, "核验不通过", &fault),
                AuditError::Store(error) => failure("store_failed", "档案库读写失败", error),
                AuditError::NotAHead(_) => failure("not_a_head", "不是树头文件", error),
                AuditError::Unknown => failure("entry_unknown", "没有这条日志", error),
            })?;
            print(&format!("{answer:#}\n"))
        }
        Command::Import { by, command } => {
            let app = open(&settings)?;
            let office = Office { settings: &settings, app: &app, by: &by };
            let bar = long_work(arguments.json);
            let output = office.import(command, &bar.watch()).map_err(|error| {
                let (code, zh, en) = error.words();
                failure(code, &zh, en)
            })?;
            bar.finish();
            print(if arguments.json { &output.json } else { &output.text })
        }
        Command::Admin { by, command } => {
            let app = open(&settings)?;
            let office = Office { settings: &settings, app: &app, by: &by };
            let output = at_desk(&office, command, arguments.json).map_err(|error| {
                let (code, zh, en) = error.words();
                failure(code, &zh, en)
            })?;
            print(if arguments.json { &output.json } else { &output.text })
        }
    }
}

/// Runs an office's command, with a bar where it takes long.
fn at_desk(office: &Office<'_>, command: AdminCommand, json: bool) -> Result<Output, AdminError> {
    if !command.is_watched() {
        // Ctrl-C ends it where it is: what is written at once is whole.
        return office.run(command, &mut SystemEntropy);
    }
    let bar = long_work(json);
    let ran = office.run_watched(command, &mut SystemEntropy, &bar.watch());
    bar.finish();
    ran
}

/// A bar for long work, ended by Ctrl-C between two of its parts.
struct LongWork {
    bar: ProgressBar,
    interrupted: Arc<AtomicBool>,
}

fn long_work(json: bool) -> LongWork {
    let bar = if json { ProgressBar::hidden() } else { ProgressBar::new(0) };
    if let Ok(style) = ProgressStyle::with_template("{msg} [{bar:30}] {pos}/{len}") {
        bar.set_style(style.progress_chars("━━ "));
    }
    let interrupted = Arc::new(AtomicBool::new(false));
    let seen = interrupted.clone();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        if let Ok(runtime) = runtime
            && runtime.block_on(tokio::signal::ctrl_c()).is_ok()
        {
            seen.store(true, Ordering::Relaxed);
        }
    });
    LongWork { bar, interrupted }
}

impl LongWork {
    fn watch(&self) -> impl Fn(Phase, usize, usize) -> bool {
        |phase, done, total| {
            self.bar.set_message(match phase {
                Phase::Reading => "读取 reading ",
                Phase::Keeping => "入库 keeping ",
                Phase::Judging => "预警 judging ",
                Phase::Counting => "统计 counting ",
            });
            self.bar.set_length(total as u64);
            self.bar.set_position(done as u64);
            !self.interrupted.load(Ordering::Relaxed)
        }
    }

    fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

fn say(json: bool, words: &str, path: &Path) -> Result<(), Failure> {
    print(&match json {
        true => format!("{}\n", serde_json::json!({ "ok": true, "path": path })),
        false => format!("{words}: {}\n", path.display()),
    })
}

/// Writes out what was asked for. Whoever stops reading, as `head` does, has seen enough.
fn print(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(failure("output", "结果无法写出", error))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// The key of the databases, which must be there: without it neither copy nor original can be read.
fn storage_key(settings: &Settings) -> Result<[u8; 32], Failure> {
    keys::read(&settings.storage_key_file())
        .map_err(|error| failure("no_storage_key", "找不到数据库密钥文件", error))
}

fn not_copied(error: &BackupError) -> Failure {
    match error {
        BackupError::NotEmpty(_) => failure("not_empty", "目标目录不为空", error),
        BackupError::Damaged(_) => failure("damaged", "备份已损坏", error),
        BackupError::File(_) => failure("file", "文件无法读写", error),
        BackupError::Store(_) => failure("store_failed", "数据库读写失败", error),
    }
}

fn open(settings: &Settings) -> Result<App, Failure> {
    App::open(settings, Arc::new(SystemClock), &mut SystemEntropy)
        .map_err(|error| failure("data_unusable", "数据目录无法使用", error))
}

#[tokio::main]
async fn run_server(settings: &Settings) -> Result<(), Failure> {
    let filter = tracing_subscriber::EnvFilter::new(&settings.log_filter);
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if settings.log_json {
        log.json().init()
    } else {
        log.init()
    }
    let mut app = open(settings)?;
    app.metrics = metrics_exporter_prometheus::PrometheusBuilder::new().install_recorder().ok();
    let listener = tokio::net::TcpListener::bind(settings.listen)
        .await
        .map_err(|error| failure("listen", "监听地址不可用", error))?;
    let scheme = if settings.tls_certificate.is_some() { "https" } else { "http" };
    let address = listener.local_addr().unwrap_or(settings.listen);
    print(&format!("万户同步服务已启动 · serving on {scheme}://{address}\n"))?;
    if app.warn_by.is_empty() {
        print(
            "warn_by 未设置:档案自身的情形(收入、住房、饮水、失学等)不会自动预警 · not set: nobody is warned of what records tell by themselves\n",
        )?;
    }
    for id in app.warn_by.iter().filter(|id| alone::office(&app, id).is_none()) {
        print(&format!(
            "warn_by: {id} 不是可用的乡镇或县级账户,不会预警 · no open account of a township or county, nobody is warned by it\n"
        ))?;
    }
    serve(Arc::new(app), settings, listener, shutdown())
        .await
        .map_err(|error| failure("serve", "服务无法运行", error))
}

/// Ctrl-C, or the service manager's request to end.
async fn shutdown() {
    let terminated = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminated => {}
    }
}
