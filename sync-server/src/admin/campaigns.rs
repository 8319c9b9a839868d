//! Past campaigns at a desk: which offices bring a register in, and what they read when it is done. Must not know what a
//! column means, or a rule.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use clap::Args;
use wanhu_core::domain::authority;
use wanhu_core::domain::checks::{self, Finding};
use wanhu_core::domain::ids::HouseholdId;
use wanhu_core::domain::schema::{Schema, words};
use wanhu_core::store::records;

use super::imports::{left, read_profile, unused};
use super::{AdminError, Office, Output};
use crate::accounts::Account;
use crate::import::campaign::{self, Brought, Campaign, Said};
use crate::import::profile::{Kind, Profile};
use crate::watch::Watch;

/// A register, as an office types it.
#[derive(Clone, Debug, Args)]
pub struct CampaignArguments {
    /// 文件 · the file
    pub file: PathBuf,
    /// 同办账户:乡镇填基本情况,县级转入监测过程 · other offices at the desk: townships enter facts, the county cases
    #[arg(long = "with")]
    pub with: Vec<String>,
    /// 排查名称,默认为文件名 · name of the campaign; else the file's
    #[arg(long)]
    pub campaign: Option<String>,
    /// 自定义列对应 (TOML) · a mapping of one's own in place of the built-in one
    #[arg(long)]
    pub profile: Option<PathBuf>,
    /// 逐行结果 (CSV) · where to write what became of every row
    #[arg(long)]
    pub report: Option<PathBuf>,
    /// 只试算,不写入 · say what would become of it, and write nothing
    #[arg(long)]
    pub dry_run: bool,
}

impl Office<'_> {
    pub(super) fn bring_in(
        &self,
        asked: CampaignArguments,
        watch: Watch<'_>,
    ) -> Result<Output, AdminError> {
        let mut accounts = vec![self.account()?];
        for id in &asked.with {
            accounts.push(self.open_account(id)?);
        }
        let own = asked.profile.map(|path| read_profile(&path)).transpose()?;
        let profile = own.as_ref().or_else(|| Profile::of(Kind::Campaign));
        let profile = profile.filter(|profile| profile.kind == Kind::Campaign);
        let profile =
            profile.ok_or_else(|| AdminError::ProfileUnusable("kind = \"campaign\"".into()))?;
        let stem = asked.file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let reason = format!("历次排查转入: {}", asked.campaign.unwrap_or(stem));
        let fits = Schema::base().check("steps", "reason", &reason.as_str().into());
        fits.map_err(|_| AdminError::ProfileUnusable("--campaign".into()))?;
        let dry_run = asked.dry_run;
        let campaign = Campaign { reason: &reason, profile, regions: &self.app.regions, dry_run };
        let report = asked.report.as_deref().map(Path::new);
        let brought =
            campaign::bring_in(self.app, &accounts, campaign, &asked.file, report, watch)?;
        let found = self.found(&accounts, &brought.written);
        Ok(told(&brought, dry_run, found))
    }

    /// What contradicts on the records that a register has changed, as far as one of the offices may see them.
    fn found(&self, accounts: &[Account], written: &[HouseholdId]) -> Result<Found, AdminError> {
        let mut found = Found::new();
        for id in written {
            let Some(household) = self.app.storage.read(|c| records::find(c, *id))? else {
                continue;
            };
            let sees =
                |desk: &&Account| authority::may_see(desk.role, &desk.areas, household.scope);
            let Some(desk) = accounts.iter().find(sees) else { continue };
            for finding in self.findings(desk, &household)? {
                found.entry(checks::explain(&finding)).or_default().push((*id, finding));
            }
        }
        Ok(found)
    }
}

/// What contradicts, in Chinese and English, and where.
type Found = BTreeMap<(String, String), Vec<(HouseholdId, Finding)>>;

/// Households named in a line about a check; scripts are told all.
const NAMED_MAX: usize = 5;

fn told(brought: &Brought, dry_run: bool, found: Result<Found, AdminError>) -> Output {
    let head = match (dry_run, brought.has_written()) {
        (true, _) => "试算,未写入 · a trial, nothing was written",
        (false, true) => "历次排查数据已导入 · campaign brought in",
        (false, false) => "没有新内容,未写入 · nothing new, nothing was written",
    };
    let Brought { rows, skipped, taken, known, not_taken, .. } = brought;
    let Brought { households, opened, filled, carried, .. } = brought;
    let mut text = format!(
        "{head}\n{rows} 行 rows: {taken} 行已录入 taken, {known} 行已在册 known, {not_taken} 行未采用 \
         not taken, {skipped} 行略过 skipped\n{households} 户 households: {opened} 户新建档 opened, \
         {filled} 户补充 filled in, {carried} 户转入监测 carried over\n"
    );
    text.push_str(&left(&brought.sheets_left));
    text.push_str(&unused(&brought.columns_unused));
    let remarkable = |said: &Said| !matches!(said, Said::Taken | Said::Known);
    for (said, count) in brought.said.iter().filter(|(said, _)| remarkable(said)) {
        let known = words(said.list(), said.code());
        let (zh, en) = known.map_or(("", ""), |known| (known.zh.as_str(), known.en.as_str()));
        text.push_str(&format!("    {count} 行 {zh} · {en}\n"));
    }
    let is_checked = found.is_ok();
    if !is_checked {
        text.push_str("已保存,但未能核对 · saved, but it could not be looked at\n");
    }
    let found = found.unwrap_or_default();
    for ((zh, en), places) in &found {
        let ids: BTreeSet<_> = places.iter().map(|(id, _)| id.to_string()).collect();
        let named = ids.iter().take(NAMED_MAX).map(String::as_str).collect::<Vec<_>>().join(" ");
        let more = if ids.len() > NAMED_MAX { " …" } else { "" };
        text.push_str(&format!(
            "请核对 · please look at: {} 户 households: {zh}\n    {en}\n    {named}{more}\n",
            ids.len()
        ));
    }
    let findings: Vec<_> = found.values().flatten().map(|(id, finding)| {
        serde_json::json!({
            "household": id.to_string(), "check": finding.check.code(), "subject": finding.subject
        })
    }).collect();
    let said: serde_json::Map<_, _> = brought
        .said
        .iter()
        .filter(|(said, _)| remarkable(said))
        .map(|(said, count)| (said.code().to_owned(), (*count).into()))
        .collect();
    let value = serde_json::json!({
        "rows": rows, "taken": taken, "known": known, "not_taken": not_taken, "skipped": skipped,
        "households": households, "opened": opened, "filled": filled, "carried": carried,
        "said": said, "findings": findings, "checked": is_checked, "dry_run": dry_run, "sheets_left": brought.sheets_left,
        "columns_unused": brought.columns_unused
    });
    Output { text, json: format!("{value}\n") }
}
