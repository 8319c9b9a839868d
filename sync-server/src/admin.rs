//! What an office does on the server's own machine, while the server runs or not: regions, accounts,
//! codes, devices, moves, statistics. Prints Chinese first, English second; `--json` for scripts.

use clap::Subcommand;
use qrcode::QrCode;
use qrcode::render::unicode;
use wanhu_core::domain::environment::Entropy;
use wanhu_core::domain::ids::HouseholdId;
use wanhu_core::domain::region;

use crate::accounts::{Account, AccountError};
use crate::app::{App, OpenError, regions};
use crate::settings::Settings;
use crate::storage;

/// Commands of an office.
#[derive(Clone, Debug, Subcommand)]
pub enum AdminCommand {
    /// 查找区划 · find regions by code, name, pinyin or initials
    Region {
        /// 代码、名称、拼音或首字母 · what to look for
        text: String,
    },
    /// 新建账户 · open an account
    AccountAdd {
        /// 账户 · id of the account
        id: String,
        /// 姓名 · the person's name
        #[arg(long)]
        name: String,
        /// 角色 · role
        #[arg(long, default_value = "village_cadre")]
        role: String,
        /// 区划代码,可多个 · region codes
        #[arg(long, required = true, num_args = 1..)]
        area: Vec<u64>,
    },
    /// 账户列表 · list accounts
    AccountList,
    /// 停用账户 · close an account
    AccountDisable {
        /// 账户 · id of the account
        id: String,
    },
    /// 签发一次性登记码 · issue a one-time enrolment code
    Code {
        /// 账户 · id of the account
        account: String,
        /// 手机可达的服务器地址 · address at which phones reach this server
        #[arg(long)]
        url: Option<String>,
    },
    /// 设备列表 · list devices
    DeviceList,
    /// 注销设备 · revoke a device
    DeviceRevoke {
        /// 设备编号 · number of the device
        number: u32,
    },
    /// 农户迁移 · move a household to another village
    Move {
        /// 农户编号 · id of the household
        household: HouseholdId,
        /// 迁入村代码 · code of the village
        village: u64,
    },
    /// 统计 · statistics
    Stats,
    /// 制作快照包 · make the snapshot packs that are due
    Pack,
}

/// Why a command failed, with the code that scripts read.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// The data directory cannot be used.
    #[error("{0}")]
    Open(#[from] OpenError),
    /// The accounts refuse.
    #[error("{0}")]
    Account(#[from] AccountError),
    /// The records refuse.
    #[error("{0}")]
    Store(#[from] wanhu_core::store::StoreError),
    /// Not a village of the region list.
    #[error("not a village")]
    NotAVillage,
}

impl AdminError {
    /// What to do about it: stable code, Chinese, English.
    pub fn words(&self) -> (&'static str, &'static str, &'static str) {
        use wanhu_core::store::StoreError;
        match self {
            Self::Open(_) => {
                ("data_unusable", "数据目录无法使用", "the data directory cannot be used")
            }
            Self::NotAVillage => {
                ("not_a_village", "区划表中没有这个村", "no such village in the region list")
            }
            Self::Store(StoreError::NotFound) => {
                ("household_unknown", "没有这个农户", "no such household")
            }
            Self::Store(_) => ("store_failed", "档案库读写失败", "the records file failed"),
            Self::Account(error) => match error {
                AccountError::AccountUnknown => {
                    ("account_unknown", "没有这个账户", "no such account")
                }
                AccountError::AccountExists => {
                    ("account_exists", "账户已存在", "the account exists")
                }
                AccountError::Malformed => (
                    "malformed",
                    "账户或姓名为空或超过40字",
                    "id or name is empty or over 40 characters",
                ),
                AccountError::RoleUnknown => (
                    "role_unknown",
                    "没有这个角色: grid_worker village_cadre village_committee township_office \
                     county_office city department operator",
                    "no such role",
                ),
                AccountError::AreaUnknown => (
                    "area_unknown",
                    "区划代码应为2、4、6、9或12位",
                    "a region code has 2, 4, 6, 9 or 12 digits",
                ),
                AccountError::DeviceUnknown => ("device_unknown", "没有这个设备", "no such device"),
                AccountError::CodeUnknown
                | AccountError::CodeExpired
                | AccountError::CodeUsed
                | AccountError::ActorTaken => {
                    ("code_refused", "登记码不可用", "the code cannot be used")
                }
                AccountError::Store(_) => {
                    ("store_failed", "账户库读写失败", "the accounts file failed")
                }
            },
        }
    }
}

/// A command's result: text for people and JSON for scripts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// Lines for people.
    pub text: String,
    /// One JSON value.
    pub json: String,
}

/// Runs a command on the open data directory.
///
/// # Errors
/// See [`AdminError::words`]; nothing is changed then.
pub fn run(
    command: AdminCommand,
    settings: &Settings,
    app: &App,
    entropy: &mut dyn Entropy,
) -> Result<Output, AdminError> {
    let now_ms = app.clock.now_ms();
    match command {
        AdminCommand::Region { text } => find_regions(settings, &text),
        AdminCommand::AccountAdd { id, name, role, area } => {
            let account = Account { id, name, role, areas: area, disabled: false };
            app.accounts.create(&account, now_ms)?;
            Ok(done("账户已建立 · account opened", &account.id))
        }
        AdminCommand::AccountList => list_accounts(app),
        AdminCommand::AccountDisable { id } => {
            app.accounts.disable(&id)?;
            Ok(done("账户已停用 · account closed", &id))
        }
        AdminCommand::Code { account, url } => {
            let minutes = settings.enrolment_code_minutes;
            let lifetime_ms = i64::try_from(minutes * 60_000).unwrap_or(i64::MAX);
            let code = app.accounts.issue_code(&account, now_ms, lifetime_ms, entropy)?;
            let url = url.unwrap_or_else(|| format!("http://{}", settings.listen));
            Ok(code_output(&code, &url, minutes))
        }
        AdminCommand::DeviceList => list_devices(app),
        AdminCommand::DeviceRevoke { number } => {
            app.accounts.revoke(number, now_ms)?;
            Ok(done("设备已注销 · device revoked", &number.to_string()))
        }
        AdminCommand::Move { household, village } => {
            let known = regions(settings)?.get(village).is_some() && region::is_village(village);
            if !known {
                return Err(AdminError::NotAVillage);
            }
            app.storage.writer().write(move |transaction| {
                storage::move_household(transaction, household, village, now_ms)
            })?;
            Ok(done("农户已迁移 · household moved", &household.to_string()))
        }
        AdminCommand::Stats => statistics(settings, app),
        AdminCommand::Pack => {
            let writer = app.storage.writer();
            let made = app.storage.read(|reader| storage::build_packs(reader, writer, now_ms))?;
            Ok(done("快照包已制作 · packs made", &made.to_string()))
        }
    }
}

fn done(words: &str, subject: &str) -> Output {
    Output {
        text: format!("{words}: {subject}\n"),
        json: format!("{{\"ok\":true,\"subject\":{}}}\n", quoted(subject)),
    }
}

/// A JSON string.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn lines(rows: impl Iterator<Item = (String, serde_json::Value)>) -> Output {
    let mut output = Output::default();
    let mut values = Vec::new();
    for (line, value) in rows {
        output.text.push_str(&line);
        output.text.push('\n');
        values.push(value);
    }
    if values.is_empty() {
        output.text.push_str("没有记录 · nothing found\n");
    }
    output.json = format!("{}\n", serde_json::Value::from(values));
    output
}

fn find_regions(settings: &Settings, text: &str) -> Result<Output, AdminError> {
    let list = regions(settings)?;
    Ok(lines(list.search(text, 20).into_iter().map(|found| {
        let path = list.path(found.code).join(" ");
        let value = serde_json::json!({ "code": found.code, "path": path });
        (format!("{:<13}{path}", found.code), value)
    })))
}

fn list_accounts(app: &App) -> Result<Output, AdminError> {
    Ok(lines(app.accounts.all()?.into_iter().map(|account| {
        let Account { id, name, role, areas, disabled } = account;
        let state = if disabled { "停用 closed" } else { "在用 open" };
        let value = serde_json::json!({
            "id": id, "name": name, "role": role, "areas": areas, "disabled": disabled
        });
        (format!("{id}\t{name}\t{role}\t{areas:?}\t{state}"), value)
    })))
}

fn list_devices(app: &App) -> Result<Output, AdminError> {
    Ok(lines(app.accounts.devices()?.into_iter().map(|device| {
        let state = if device.revoked_ms.is_some() { "已注销 revoked" } else { "在用 active" };
        let value = serde_json::json!({
            "number": device.number, "account": device.account.id, "name": device.name,
            "revoked_ms": device.revoked_ms, "last_seen_ms": device.last_seen_ms
        });
        (format!("{}\t{}\t{}\t{state}", device.number, device.account.id, device.name), value)
    })))
}

fn statistics(settings: &Settings, app: &App) -> Result<Output, AdminError> {
    let list = regions(settings)?;
    let rows = app.storage.read(storage::statistics)?;
    Ok(lines(rows.into_iter().map(|row| {
        let path = list.path(row.scope).join(" ");
        let value = serde_json::json!({
            "village": row.scope, "households": row.households, "entries": row.entries
        });
        let line = format!(
            "{}  {path}: {} 户 households, {} 条 log entries",
            row.scope, row.households, row.entries
        );
        (line, value)
    })))
}

fn code_output(code: &str, url: &str, minutes: u64) -> Output {
    let link = format!("wanhu:enrol?u={url}&c={code}");
    let picture = QrCode::new(&link)
        .map(|qr| qr.render::<unicode::Dense1x2>().quiet_zone(true).build())
        .unwrap_or_default();
    Output {
        text: format!(
            "{picture}\n登记码 · enrolment code: {code}\n{minutes} 分钟内有效,仅限一次 · good once, \
             within {minutes} minutes\n服务器 · server: {url}\n"
        ),
        json: format!("{}\n", serde_json::json!({ "code": code, "url": url, "minutes": minutes })),
    }
}
