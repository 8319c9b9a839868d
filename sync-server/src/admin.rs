//! What an office does on the server's own machine, while the server runs or not: regions, accounts,
//! codes, devices, moves, statistics. Prints Chinese first, English second; `--json` for scripts.

use clap::Subcommand;
use qrcode::QrCode;
use qrcode::render::unicode;
use wanhu_core::domain::authority::{self, Role};
use wanhu_core::domain::environment::Entropy;
use wanhu_core::domain::grid;
use wanhu_core::domain::ids::HouseholdId;
use wanhu_core::domain::region::{self, RegionList};
use wanhu_core::domain::value::Value;
use wanhu_core::store::{StoreError, records};

use crate::accounts::Account;
use crate::app::App;
use crate::settings::Settings;
use crate::storage;
use crate::storage::persons::PairPlace;
use crate::watch::{Watch, unwatched};

mod cadres;
mod campaigns;
mod cases;
mod conflicts;
mod declarations;
mod expected;
mod figures;
mod findings;
mod forms;
mod imports;
mod lists;
mod pages;
mod persons;
mod quarantine;
mod stale;
mod tasks;
mod vacancies;
mod warnings;
mod words;

pub use campaigns::CampaignArguments;
pub use cases::{HouseholdFilter, StepArguments};
pub use figures::FiguresArguments;
pub use forms::FormCommand;
pub use imports::ImportCommand;
pub use pages::PageArguments;
pub use tasks::TaskArguments;
pub use warnings::WarnArguments;
pub use words::AdminError;

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
        #[arg(long, default_value = "village_cadre", value_parser = role_of)]
        role: Role,
        /// 区划代码,可多个 · region codes
        #[arg(long, required = true, num_args = 1..)]
        area: Vec<u64>,
        /// 网格员负责的网格,可多个,默认全村 · grids of its village that a grid worker works in; else all of it
        #[arg(long, value_parser = grid_of)]
        grid: Vec<String>,
    },
    /// 调整网格员负责的网格 · say anew in which grids of its village a grid worker works
    AccountGrids {
        /// 账户 · id of the account
        id: String,
        /// 网格,可多个,默认全村 · grids; else the whole village
        #[arg(long, value_parser = grid_of)]
        grid: Vec<String>,
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
    /// 批准设备 · approve a device that waits
    DeviceApprove {
        /// 设备编号 · number of the device
        number: u32,
    },
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
    /// 按身份证号或电话查找 · find a person's households by identity number or telephone
    Find {
        /// 身份证号或电话 · the number
        number: String,
    },
    /// 一人多户 · people on record in two households
    Duplicates(PageArguments<PairPlace>),
    /// 农户列表 · households of the office's area
    List(HouseholdFilter),
    /// 查看农户 · show a household
    Show {
        /// 农户 · household
        household: HouseholdId,
    },
    /// 新建农户 · open a record, fields as container.field=value
    New {
        /// 村代码 · code of the village
        village: u64,
        /// 字段 · fields
        #[arg(required = true)]
        fields: Vec<String>,
    },
    /// 修改 · set fields, as container.field=value or container.row.field=value
    Edit {
        /// 农户 · household
        household: HouseholdId,
        /// 字段 · fields
        #[arg(required = true)]
        fields: Vec<String>,
        /// 代谁办理 · whom it is done for
        #[arg(long, default_value = "", hide_default_value = true)]
        on_behalf_of: String,
    },
    /// 待办 · what this account has to do
    Tasks(TaskArguments),
    /// 监测过程 · where a household's case is, and what may be done next
    Case {
        /// 农户 · household
        household: HouseholdId,
    },
    /// 按档案预警 · warn of what records tell by themselves: incomes, losses, accidents
    Warn(WarnArguments),
    /// 重演预警 · ask a household's warnings again, as they were
    Replay {
        /// 农户 · household
        household: HouseholdId,
        /// 预警编号,默认全部 · the warning's row; else all of them
        warning: Option<String>,
    },
    /// 办理步骤 · take a step of a case
    Step(StepArguments),
    /// 待录入的自主申报 · declarations of people whom no record knows
    Declarations(PageArguments<i64>),
    /// 录入申报 · enter one of them into the person's record
    DeclarationEnter {
        /// 编号 · its number
        number: i64,
        /// 农户,默认按身份证号和姓名查找 · the household; else the one where the person of that number and name is
        household: Option<HouseholdId>,
    },
    /// 退回申报 · turn one of them away
    DeclarationDrop {
        /// 编号 · its number
        number: i64,
    },
    /// 待审修改 · changes that were refused and wait for a person
    Quarantine(PageArguments<i64>),
    /// 查看待审修改 · look into one of them
    QuarantineShow {
        /// 编号 · its number
        number: i64,
    },
    /// 放行待审修改 · take one of them into the records
    QuarantineRelease {
        /// 编号 · its number
        number: i64,
    },
    /// 表格与公示 · forms and notices
    #[command(subcommand)]
    Form(FormCommand),
    /// 统计 · statistics
    Stats,
    /// 业务统计 · figures of an area, with their definitions
    Figures(FiguresArguments),
    /// 制作快照包 · make the snapshot packs that are due
    Pack,
}

/// A command's result: text for people and JSON for scripts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// Lines for people.
    pub text: String,
    /// One JSON value.
    pub json: String,
}

/// Most rows of one list.
const ROWS_MAX: u32 = 200;

/// Somebody at work on the open data directory.
#[derive(Clone, Copy, Debug)]
pub struct Office<'a> {
    /// The settings.
    pub settings: &'a Settings,
    /// The open data.
    pub app: &'a App,
    /// Id of the account that acts; empty for this machine's operator, who sees no household and does nothing about one.
    pub by: &'a str,
}

impl AdminCommand {
    /// Whether it may take minutes, says how far it has come, and can be ended.
    pub fn is_watched(&self) -> bool {
        matches!(self, Self::Warn(_) | Self::Figures(_))
    }
}

impl Office<'_> {
    /// Runs a command.
    ///
    /// # Errors
    /// See [`AdminError::words`]; nothing is changed then.
    pub fn run(
        &self,
        command: AdminCommand,
        entropy: &mut dyn Entropy,
    ) -> Result<Output, AdminError> {
        self.run_watched(command, entropy, &unwatched)
    }

    /// The same, while somebody waits for it: told to `watch` where [`AdminCommand::is_watched`].
    ///
    /// # Errors
    /// As [`Self::run`]; `Cancelled`.
    pub fn run_watched(
        &self,
        command: AdminCommand,
        entropy: &mut dyn Entropy,
        watch: Watch<'_>,
    ) -> Result<Output, AdminError> {
        let (app, by) = (self.app, self.by);
        let now_ms = app.clock.now_ms();
        match command {
            AdminCommand::Region { text } => Ok(find_regions(&self.app.regions, &text)),
            AdminCommand::AccountAdd { id, name, role, area: areas, grid: grids } => {
                let granted_by = by.to_owned();
                let account = Account { id, name, role, areas, grids, granted_by, disabled: false };
                app.accounts.create(&account, now_ms)?;
                Ok(done("账户已建立 · account opened", &account.id))
            }
            AdminCommand::AccountGrids { id, grid } => {
                app.accounts.set_grids(&id, &grid, by)?;
                Ok(done("负责的网格已调整 · grids changed", &id))
            }
            AdminCommand::AccountList => self.list_accounts(),
            AdminCommand::AccountDisable { id } => self.close_account(&id),
            AdminCommand::Code { account, url } => self.issue_code(&account, url, entropy),
            AdminCommand::DeviceList => self.list_devices(),
            AdminCommand::DeviceApprove { number } => {
                app.accounts.approve(number, by, now_ms)?;
                Ok(done("设备已批准 · device approved", &number.to_string()))
            }
            AdminCommand::DeviceRevoke { number } => {
                app.accounts.revoke(number, by, now_ms)?;
                Ok(done("设备已注销 · device revoked", &number.to_string()))
            }
            AdminCommand::Move { household, village } => self.move_household(household, village),
            AdminCommand::Find { number } => self.find_person(&number),
            AdminCommand::Duplicates(asked) => self.list_duplicates(&asked),
            AdminCommand::List(filter) => self.list_households(&filter),
            AdminCommand::Show { household } => self.show_household(household),
            AdminCommand::New { village, fields } => self.new_household(village, &fields, entropy),
            AdminCommand::Edit { household, fields, on_behalf_of } => {
                self.edit_household(household, &fields, on_behalf_of)
            }
            AdminCommand::Tasks(asked) => self.list_tasks(&asked),
            AdminCommand::Case { household } => self.show_case(household),
            AdminCommand::Warn(asked) => self.warn(&asked, watch),
            AdminCommand::Replay { household, warning } => {
                self.replay_warnings(household, warning.as_deref())
            }
            AdminCommand::Step(step) => self.take_step(step),
            AdminCommand::Declarations(asked) => self.list_declarations(&asked),
            AdminCommand::DeclarationEnter { number, household } => {
                self.enter_declaration(number, household)
            }
            AdminCommand::DeclarationDrop { number } => self.turn_away_declaration(number),
            AdminCommand::Quarantine(asked) => self.list_quarantine(&asked),
            AdminCommand::QuarantineShow { number } => self.show_quarantined(number),
            AdminCommand::QuarantineRelease { number } => self.release(number),
            AdminCommand::Stats => self.statistics(),
            AdminCommand::Form(command) => self.forms(command),
            AdminCommand::Figures(asked) => self.figures(&asked, watch),
            AdminCommand::Pack => {
                let made = storage::build_packs(&app.storage, now_ms)?;
                Ok(done("快照包已制作 · packs made", &made.to_string()))
            }
        }
    }

    fn issue_code(
        &self,
        account: &str,
        url: Option<String>,
        entropy: &mut dyn Entropy,
    ) -> Result<Output, AdminError> {
        let minutes = self.settings.enrolment_code_minutes;
        let lifetime_ms = i64::try_from(minutes * 60_000).unwrap_or(i64::MAX);
        let (accounts, now_ms) = (&self.app.accounts, self.app.clock.now_ms());
        let code = accounts.issue_code(account, self.by, now_ms, lifetime_ms, entropy)?;
        let listen = self.settings.listen;
        // This command knows the settings, not where a server was told to listen, nor what stands in front of it.
        let is_guess = url.is_none() && (listen.ip().is_loopback() || listen.ip().is_unspecified());
        let url = url.unwrap_or_else(|| format!("http://{listen}"));
        Ok(code_output(&code, &url, is_guess, minutes))
    }

    fn move_household(&self, household: HouseholdId, village: u64) -> Result<Output, AdminError> {
        let known = self.app.regions.get(village).is_some() && region::is_village(village);
        if !known {
            return Err(AdminError::NotAVillage);
        }
        let office = self.account()?;
        let now_ms = self.app.clock.now_ms();
        let from = self.app.storage.read(|connection| {
            Ok(records::find(connection, household)?.ok_or(StoreError::NotFound)?.scope)
        })?;
        let moves = |village| authority::may_move(office.role, &office.areas, village);
        granted(moves(from) && moves(village))?;
        self.app.storage.writer().write(move |transaction| {
            storage::move_household(transaction, household, village, now_ms)
        })?;
        let (ended, left) = self.end_terms(office, household)?;
        let (lines, findings) = findings::in_words(&left);
        let mut text = format!("农户已迁移 · household moved: {household}\n{lines}");
        if ended > 0 {
            text.push_str(&format!(
                "{ended} 名帮扶责任人不辖迁入村,任期已止,请确定新的责任人 · terms ended of cadres who do not reach the village; name others\n"
            ));
        }
        let value = serde_json::json!({
            "ok": true, "subject": household.to_string(), "terms_ended": ended,
            "findings": findings
        });
        Ok(Output { text, json: format!("{value}\n") })
    }

    /// Township and county offices decide for the villages of their area.
    fn must_decide_for(&self, village: u64) -> Result<(), AdminError> {
        let office = self.account()?;
        granted(authority::may_decide(office.role, &office.areas, village))
    }

    /// Whoever decides for no village at all is told so, and not that there is nothing.
    fn must_decide(&self) -> Result<(), AdminError> {
        granted(self.account()?.role.decides())
    }
}

fn granted(is_granted: bool) -> Result<(), AdminError> {
    if is_granted { Ok(()) } else { Err(AdminError::NotGranted) }
}

fn role_of(text: &str) -> Result<Role, String> {
    Role::from_code(text).ok_or_else(|| {
        let all: Vec<_> = Role::ALL.into_iter().map(Role::code).collect();
        format!("没有这个角色 · no such role; 可选 one of: {}", all.join(" "))
    })
}

fn grid_of(text: &str) -> Result<String, String> {
    let too_long = |_| "网格名称过长 · too long for a grid's name".to_owned();
    grid::check(text).map(|()| text.to_owned()).map_err(too_long)
}

fn plain(value: Option<&Value>) -> serde_json::Value {
    match value {
        None | Some(Value::Null) => serde_json::Value::Null,
        Some(Value::Bool(tick)) => (*tick).into(),
        Some(Value::Int(number)) => (*number).into(),
        Some(Value::Text(text)) => text.as_str().into(),
        Some(Value::Opaque { type_code, .. }) => format!("({type_code})").into(),
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
    let (text, values) = listed(rows);
    Output { text, json: format!("{}\n", serde_json::Value::from(values)) }
}

/// A line a row, and the rows' values.
fn listed(
    rows: impl Iterator<Item = (String, serde_json::Value)>,
) -> (String, Vec<serde_json::Value>) {
    let (mut text, mut values) = (String::new(), Vec::new());
    for (line, value) in rows {
        text.push_str(&line);
        text.push('\n');
        values.push(value);
    }
    if values.is_empty() {
        text.push_str("没有记录 · nothing found\n");
    }
    (text, values)
}

fn find_regions(list: &RegionList, text: &str) -> Output {
    lines(list.search(text, 20).into_iter().map(|found| {
        let path = list.path(found.code).join(" ");
        let value = serde_json::json!({ "code": found.code, "path": path });
        (format!("{:<13}{path}", found.code), value)
    }))
}

fn code_output(code: &str, url: &str, is_guess: bool, minutes: u64) -> Output {
    let hint = match is_guess {
        true => {
            "手机须能连到此地址,否则用 --url 指明 · phones have to reach this address; else name it with --url"
        }
        false => "",
    };
    let link = format!("wanhu:enrol?u={url}&c={code}");
    let picture = QrCode::new(&link)
        .map(|qr| qr.render::<unicode::Dense1x2>().quiet_zone(true).build())
        .unwrap_or_default();
    Output {
        text: format!(
            "{picture}\n登记码 · enrolment code: {code}\n{minutes} 分钟内有效,仅限一次 · good once, \
             within {minutes} minutes\n服务器 · server: {url}\n{}",
            if is_guess { format!("{hint}\n") } else { String::new() }
        ),
        json: format!(
            "{}\n",
            serde_json::json!({ "code": code, "url": url, "minutes": minutes, "hint": hint })
        ),
    }
}
