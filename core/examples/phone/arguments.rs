//! What is typed: the commands of a phone with their arguments, by code or by name. Must not know what comes of them.

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use wanhu_core::document::edit::{Votes, votes_typed};
use wanhu_core::domain::day::Day;
use wanhu_core::domain::figures::Statistic;
use wanhu_core::domain::ids::HouseholdId;
use wanhu_core::domain::workflow::Stage;
use wanhu_core::store::listing;

/// 命令行手机 · a phone on the command line
#[derive(Debug, Parser)]
#[command(name = "phone")]
pub(crate) struct Arguments {
    /// 台账文件 · file of the ledger
    #[arg(long, default_value = "phone.sqlite", global = true)]
    pub(crate) db: PathBuf,
    /// 口令,设定后台账文件加密 · passphrase; with one, the file is encrypted
    #[arg(long, env = "WANHU_PASSPHRASE", hide_env_values = true, global = true)]
    pub(crate) passphrase: Option<String>,
    /// 输出 JSON · print JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// 代谁填报,与填报人一并留存 · whom it is done for; kept beside whoever does it
    #[arg(long, global = true, default_value = "", hide_default_value = true)]
    pub(crate) on_behalf_of: String,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// 登记设备 · enrol this phone
    Enrol {
        /// 服务器地址 · address of the server
        url: String,
        /// 一次性登记码 · one-time code
        code: String,
        /// 设备名称 · name of the phone
        #[arg(long, default_value = "command line")]
        name: String,
        /// 服务器自有的证书机构 (PEM) · the server's own certificate authority
        #[arg(long)]
        authority: Option<PathBuf>,
    },
    /// 同步 · sync
    Sync,
    /// 列表 · list households
    List(ListArguments),
    /// 按汉字、拼音或首字母查找 · search by characters, pinyin or initials
    Search {
        /// 查找内容 · what to look for
        text: String,
        /// 网格 · grid
        #[arg(long)]
        grid: Option<String>,
    },
    /// 查看农户 · show a household
    Show {
        /// 农户 · household
        id: HouseholdId,
    },
    /// 新建农户 · open a record, fields as container.field=value
    New {
        /// 村代码 · code of the village
        village: u64,
        /// 字段 · fields, for example basic.head_name=陈永昌 members.name=陈永昌
        #[arg(required = true)]
        fields: Vec<String>,
    },
    /// 修改 · set fields; container.field=value, or container.row.field=value
    Edit {
        /// 农户 · household
        id: HouseholdId,
        /// 字段 · fields
        #[arg(required = true)]
        fields: Vec<String>,
    },
    /// 记录走访 · record a visit
    Visit {
        /// 农户 · household
        id: HouseholdId,
        /// 字段 · fields of the visit, for example met=户主 finding=稳定 note=…
        fields: Vec<String>,
    },
    /// 待办 · what this person has to do
    Tasks,
    /// 监测过程 · where a household's case is, and what may be done next
    Case {
        /// 农户 · household
        id: HouseholdId,
    },
    /// 办理步骤 · take a step of the case
    Step(StepArguments),
    /// 预警 · warnings that fire for a household today
    Warnings {
        /// 农户 · household
        id: HouseholdId,
    },
    /// 数据核查 · what contradicts on a record
    Check {
        /// 农户 · household
        id: HouseholdId,
    },
    /// 帮扶收益 · what help brings in a calendar year
    HelpYear {
        /// 农户 · household
        id: HouseholdId,
        /// 年份 · year
        year: i32,
    },
    /// 统计 · figures of an area that is all on this phone
    Figures {
        /// 区划代码 · region code
        area: u64,
        /// 网格,空为未填网格的 · of a grid; of an empty one, the households that name none
        #[arg(long)]
        grid: Option<String>,
        /// 起始日期 · first day; else a month back
        #[arg(long)]
        from: Option<Day>,
        /// 截止日期 · last day; else the day it is of
        #[arg(long)]
        to: Option<Day>,
        /// 截至日期 (以填报人手机时间为准),默认今天 · as of this day by the clocks of those who wrote; else today
        #[arg(long)]
        as_of: Option<Day>,
        /// 列出此项的农户,如 closure 或 风险消除率 · list the households behind this figure, by its code or Chinese name
        #[arg(long, value_parser = statistic_of)]
        list: Option<Statistic>,
        /// 显示各项含义 · say what each figure counts
        #[arg(long)]
        define: bool,
    },
    /// 未决冲突 · fields with several values
    Conflicts {
        /// 农户 · household
        id: HouseholdId,
    },
    /// 裁定冲突 · choose one of the values
    Settle {
        /// 农户 · household
        id: HouseholdId,
        /// 字段 · field as shown by conflicts
        field: String,
        /// 选第几个值 · number of the value as shown by conflicts
        choice: usize,
    },
    /// 修改历史 · history of a household
    History {
        /// 农户 · household
        id: HouseholdId,
    },
    /// 被退回的修改 · changes the server did not take
    Refused,
    /// 重新提交被退回的修改 · make a refused change anew
    Reauthor {
        /// 编号 · its number as shown by refused
        number: i64,
    },
    /// 疑似重复建档 · records that may be of one family
    Duplicates,
    /// 合并重复档案 · make two records one; what both hold stays as it is in the one kept
    Merge {
        /// 保留的农户 · household to keep
        kept: HouseholdId,
        /// 并入的农户 · household that is merged into it
        duplicate: HouseholdId,
    },
    /// 状态 · status of this phone
    Status,
}

#[derive(Debug, clap::Args)]
pub(crate) struct StepArguments {
    /// 农户 · household
    pub(crate) id: HouseholdId,
    /// 步骤代码或名称 · code or name of the step, for example verified or 入户核查
    #[arg(value_parser = stage_of)]
    pub(crate) stage: Stage,
    /// 同时保存的字段 · fields saved with it, for example case.consent=是
    pub(crate) fields: Vec<String>,
    /// 理由 · reason
    #[arg(long, default_value = "")]
    pub(crate) reason: String,
    /// 票数,赞成:反对 · votes for:against
    #[arg(long, value_parser = votes_of)]
    pub(crate) votes: Option<Votes>,
    /// 所处理的异议,或所接续的未采用步骤(行号) · row of the objection it settles, or of the step set aside that it follows
    #[arg(long)]
    pub(crate) about: Option<String>,
}

fn stage_of(text: &str) -> Result<Stage, String> {
    Stage::named(text).ok_or_else(|| {
        let all: Vec<_> = Stage::ALL.into_iter().map(Stage::code).collect();
        format!("没有这个步骤 · no such step; 可选 one of: {}", all.join(" "))
    })
}

fn state_of(text: &str) -> Result<String, String> {
    stage_of(text).map(|stage| stage.code().to_owned())
}

fn tag_of(text: &str) -> Result<String, String> {
    let labels = || listing::tag_labels().join(" ");
    let unknown = || format!("没有这个标记 · no such tag; 可选 one of: {}", labels());
    listing::tag_typed(text).map(str::to_owned).ok_or_else(unknown)
}

fn statistic_of(text: &str) -> Result<Statistic, String> {
    Statistic::named(text).ok_or_else(|| {
        let all: Vec<_> = Statistic::ALL.into_iter().map(Statistic::code).collect();
        format!("没有这项统计 · no such figure; 可选 one of: {}", all.join(" "))
    })
}

fn votes_of(text: &str) -> Result<Votes, String> {
    votes_typed(text).ok_or_else(|| "请写成 9:1 · write 9:1".to_owned())
}

#[derive(Debug, clap::Args)]
pub(crate) struct ListArguments {
    /// 区划代码 · region code
    #[arg(long)]
    pub(crate) area: Option<u64>,
    /// 网格,空为未填网格的 · grid; an empty one for those that name none
    #[arg(long)]
    pub(crate) grid: Option<String>,
    /// 重点标记 · priority tag, for example 边缘户
    #[arg(long, value_parser = tag_of)]
    pub(crate) tag: Option<String>,
    /// 监测状态 · stage of the case, for example 待核实
    #[arg(long, value_parser = state_of)]
    pub(crate) state: Option<String>,
    /// 仅有冲突的 · only those in conflict
    #[arg(long)]
    pub(crate) conflict: bool,
    /// 接在此户之后 · continue behind this household
    #[arg(long)]
    pub(crate) after: Option<HouseholdId>,
    /// 行数 · rows
    #[arg(long, default_value_t = 20)]
    pub(crate) rows: u32,
}
