//! Warnings at a desk: of what an office's records tell, and one explained: asked again as it was, and under today's policy.
//! Must not know a rule.

use clap::Args;
use wanhu_core::domain::authority::{self, Role};
use wanhu_core::domain::facts::Row;
use wanhu_core::domain::ids::HouseholdId;
use wanhu_core::domain::region::RegionList;
use wanhu_core::domain::schema::Sensitivity;
use wanhu_core::domain::value::hundredths;
use wanhu_core::domain::warning::Warning;

use super::{AdminError, Office, Output, lines};
use crate::import::replay::{self, Outcome, Replay};
use crate::warnings::alone::{self, Asked, Found, Warned};
use crate::watch::Watch;

/// Which records are judged.
#[derive(Clone, Debug, Args)]
pub struct WarnArguments {
    /// 区划代码,默认账户的全部辖区 · an area; else all of the account's
    pub area: Option<u64>,
    /// 只看数量,不写入 · say how many, write nothing
    #[arg(long)]
    pub preview: bool,
    /// 列出的农户数 · households to name
    #[arg(long, default_value_t = 20)]
    pub rows: u32,
}

impl Office<'_> {
    /// Warns of what records tell by themselves.
    pub(super) fn warn(
        &self,
        asked: &WarnArguments,
        watch: Watch<'_>,
    ) -> Result<Output, AdminError> {
        let account = self.account()?;
        let areas = asked.area.map_or_else(|| account.areas.clone(), |area| vec![area]);
        let is_theirs = areas.iter().all(|area| authority::covers(&account.areas, *area));
        if !alone::may_warn(&account) || !is_theirs {
            return Err(AdminError::NotGranted);
        }
        let how = Asked { is_preview: asked.preview, named_max: asked.rows as usize, watch };
        let found = alone::judge(self.app, &account, &areas, how)?;
        Ok(told(&found, asked.preview, &self.app.regions))
    }

    /// Asks a household's warnings again, or one of them.
    pub(super) fn replay_warnings(
        &self,
        id: HouseholdId,
        warning: Option<&str>,
    ) -> Result<Output, AdminError> {
        let account = self.account()?;
        let may_read = |role: Role| role.may_read(Sensitivity::Sensitive);
        if !may_read(account.role) {
            return Err(AdminError::NotGranted);
        }
        let household = self.household(&account, id)?;
        let replays = replay::replay(self.app, &household, warning)?;
        Ok(lines(replays.iter().map(|replay| (words(replay), json(replay)))))
    }
}

fn told(found: &Found, is_preview: bool, list: &RegionList) -> Output {
    let Found { households, left, warned, rules, refused, which } = found;
    let title = match is_preview {
        true => "按档案预警,仅预览 · what records tell, nothing written",
        false => "按档案预警 · warned of what records tell",
    };
    let mut text =
        format!("{title}\n已查 judged: {households} 户 households, {warned} 户新预警 warned\n");
    for (rule, fired) in rules {
        let sources: Vec<&str> = fired.sources.iter().map(String::as_str).collect();
        let (count, sources) = (fired.households, sources.join("; "));
        text.push_str(&format!("    {count} 户 households\t{rule}\t{sources}\n"));
    }
    let mut named = Vec::new();
    for Warned { household, village, head_name, fired } in which {
        let rules: Vec<&str> = fired.iter().map(|warning| warning.rule.as_str()).collect();
        let path = list.path(*village).join(" ");
        text.push_str(&format!("{household}\t{head_name}\t{path}\t{}\n", rules.join(" ")));
        named.push(serde_json::json!({
            "household": household.to_string(), "village": village, "head_name": head_name,
            "warnings": fired.iter().map(fired_json).collect::<Vec<_>>()
        }));
    }
    let rest = warned.saturating_sub(which.len() as u64);
    if rest > 0 {
        text.push_str(&format!("另有 {rest} 户,用 --rows 列出 · {rest} more, by --rows\n"));
    }
    if *left > 0 {
        text.push_str(&format!(
            "已中断,余 {left} 户未查;再次运行即可继续 · stopped, {left} not judged; run it again to go on\n"
        ));
    }
    for household in refused {
        text.push_str(&format!("{household} 未能写入预警,请核查 · did not take its warning\n"));
    }
    let refused: Vec<String> = refused.iter().map(ToString::to_string).collect();
    let rules = rules.iter().map(|(rule, fired)| (rule.clone(), fired.households.into()));
    let rules: serde_json::Map<_, _> = rules.collect();
    let value = serde_json::json!({
        "preview": is_preview, "households": households, "left": left, "warned": warned, "rules": rules,
        "refused": refused, "which": named
    });
    Output { text, json: format!("{value}\n") }
}

fn words(replay: &Replay) -> String {
    let Replay { row, outcome, is_in_fen, today } = replay;
    let amount = |value: i64| if *is_in_fen { hundredths(value) } else { value.to_string() };
    let figures = |input: i64, line: i64| {
        format!("触发值 value {}  阈值 line {}", amount(input), amount(line))
    };
    let stored = |field| row.int(field).unwrap_or_default();
    let (title, other) = match outcome {
        Outcome::Alike => ("重演一致 · fires alike", String::new()),
        Outcome::Differs(None) => ("重演不一致 · does not fire again", String::new()),
        Outcome::Differs(Some(warning)) => {
            let now = figures(warning.input, warning.threshold);
            ("重演不一致 · fires otherwise", format!("\n    重演 again: {now}"))
        }
        Outcome::ListWithdrawn => {
            ("依据的名单已撤回 · the list that it rested on was taken back", String::new())
        }
        Outcome::PolicyUnknown => {
            ("当时的政策未留存 · the policy of its time is not kept here", String::new())
        }
        Outcome::NoWarning => {
            return format!("不是规则发出的预警 · not a warning of a rule\t[{}]", row.id);
        }
    };
    let today = match today {
        Some(warning) => {
            format!("会预警 would warn: {}", figures(warning.input, warning.threshold))
        }
        None => "不会预警 would not warn".to_owned(),
    };
    let state = if row.tick("withdrawn") { "\t已撤回 · withdrawn" } else { "" };
    format!(
        "{title}{state}\t{rule}\t{day}\t[{id}]\n    {was}\n    依据 written in: {version} {source}\n    \
         所据记录 rows: {rows}{other}\n    按现行政策 under today's policy: {today}",
        rule = row.text("rule"),
        day = row.text("fired_on"),
        id = row.id,
        was = figures(stored("input"), stored("threshold")),
        version = row.text("rule_version"),
        source = row.text("source"),
        rows = row.text("rows"),
    )
}

fn json(replay: &Replay) -> serde_json::Value {
    let Replay { row, outcome, is_in_fen, today } = replay;
    let (code, again) = match outcome {
        Outcome::Alike => ("alike", None),
        Outcome::Differs(again) => ("differs", again.as_ref()),
        Outcome::ListWithdrawn => ("list_withdrawn", None),
        Outcome::PolicyUnknown => ("policy_unknown", None),
        Outcome::NoWarning => ("no_warning", None),
    };
    serde_json::json!({
        "warning": row.id, "rule": row.text("rule"), "rule_version": row.text("rule_version"),
        "fired_on": row.text("fired_on"), "input": row.int("input"),
        "threshold": row.int("threshold"), "unit": unit(*is_in_fen),
        "source": row.text("source"), "rows": listed(row), "replay": code,
        "again": again.map(fired_json), "today": today.as_ref().map(fired_json),
        "withdrawn": row.tick("withdrawn")
    })
}

fn listed(row: &Row) -> Vec<&str> {
    row.text("rows").split_whitespace().collect()
}

/// In what a figure counts; people and yes have none.
fn unit(is_in_fen: bool) -> &'static str {
    if is_in_fen { "fen" } else { "" }
}

fn fired_json(warning: &Warning) -> serde_json::Value {
    serde_json::json!({
        "rule": warning.rule,
        "input": warning.input, "threshold": warning.threshold,
        "unit": unit(warning.is_in_fen), "source": warning.source, "rows": warning.rows,
        "rule_version": warning.rule_version
    })
}
