//! What an office does with the households of its area: look, write, take steps of their cases. The same rules as on
//! a phone; must not hold one of its own.

use clap::Args;
use wanhu_core::document::edit::{RecordEdit, StepForm, Votes, votes_typed};
use wanhu_core::document::facts::facts;
use wanhu_core::domain::asking::Asking;
use wanhu_core::domain::authority;
use wanhu_core::domain::day::Day;
use wanhu_core::domain::environment::{Entropy, random};
use wanhu_core::domain::ids::HouseholdId;
use wanhu_core::domain::region;
use wanhu_core::domain::schema::Schema;
use wanhu_core::domain::workflow::{Case, Stage};
use wanhu_core::store::StoreError;
use wanhu_core::store::cases::{self, StepView};
use wanhu_core::store::listing::{self, ListFilter, ListRow};
use wanhu_core::store::records::{self, Household};

use super::conflicts::{Reader, Shown};
use super::pages::page;
use super::tasks::{task_json, task_words};
use super::{AdminError, Office, Output, conflicts, grid_of, lines};
use crate::accounts::{Account, AccountError};
use crate::storage::author::{self, Author};
use crate::storage::taken;
use crate::storage::{dues, search};

/// Which households a list shows.
#[derive(Clone, Debug, Default, Args)]
pub struct HouseholdFilter {
    /// 区划代码,默认为本账户辖区 · region code; else the account's own areas
    #[arg(long)]
    pub area: Option<u64>,
    /// 网格,空为未填网格的 · grid; an empty one for those that name none
    #[arg(long, value_parser = grid_of)]
    pub grid: Option<String>,
    /// 重点标记 · priority tag, for example 边缘户
    #[arg(long, value_parser = tag_of)]
    pub tag: Option<String>,
    /// 户类型 · kind of household, for example 脱贫户
    #[arg(long, value_parser = |text: &str| code_of("household_kind", text))]
    pub kind: Option<String>,
    /// 监测对象类别 · monitored kind, for example 突发严重困难户
    #[arg(long, value_parser = |text: &str| code_of("monitored_kind", text))]
    pub monitored: Option<String>,
    /// 风险等级 · risk level
    #[arg(long, value_parser = |text: &str| code_of("risk_level", text))]
    pub risk: Option<String>,
    /// 监测状态 · stage of the case, for example 待核实
    #[arg(long, value_parser = |text: &str| code_of("case_state", text))]
    pub state: Option<String>,
    /// 仅逾期的 · only where something is overdue
    #[arg(long)]
    pub overdue: bool,
    /// 汉字、拼音或首字母 · characters, pinyin or initials
    #[arg(long)]
    pub search: Option<String>,
    /// 接在此户之后 · continue behind this household
    #[arg(long)]
    pub after: Option<HouseholdId>,
    /// 行数 · rows
    #[arg(long, default_value_t = 50)]
    pub rows: u32,
}

impl HouseholdFilter {
    /// What it asks of the list of an area.
    pub fn filter(&self, area: u64) -> ListFilter {
        ListFilter {
            area: Some(area),
            grid: self.grid.clone(),
            tag: self.tag.clone(),
            kind: self.kind.clone(),
            monitored: self.monitored.clone(),
            risk_level: self.risk.clone(),
            case_state: self.state.clone(),
            search: self.search.clone(),
            ..ListFilter::default()
        }
    }
}

/// A step as an office types it.
#[derive(Clone, Debug, Args)]
pub struct StepArguments {
    /// 农户 · household
    pub household: HouseholdId,
    /// 步骤代码或名称 · code or name of the step, for example township_check or 乡镇审核
    #[arg(value_parser = stage_of)]
    pub stage: Stage,
    /// 同时保存的字段 · fields saved with it, for example class.monitored_kind=突发严重困难户
    pub fields: Vec<String>,
    /// 理由 · reason
    #[arg(long, default_value = "", hide_default_value = true)]
    pub reason: String,
    /// 票数,赞成:反对 · votes for:against
    #[arg(long, value_parser = votes_of)]
    pub votes: Option<Votes>,
    /// 所处理的异议,或所接续的未采用步骤(行号) · row of the objection it settles, or of the step set aside that it follows
    #[arg(long)]
    pub about: Option<String>,
}

fn stage_of(text: &str) -> Result<Stage, String> {
    Stage::named(text).ok_or_else(|| {
        let all: Vec<_> = Stage::ALL.into_iter().map(Stage::code).collect();
        format!("没有这个步骤 · no such step; 可选 one of: {}", all.join(" "))
    })
}

fn tag_of(text: &str) -> Result<String, String> {
    let labels = || listing::tag_labels().join(" ");
    let unknown = || format!("没有这个标记 · no such tag; 可选 one of: {}", labels());
    listing::tag_typed(text).map(str::to_owned).ok_or_else(unknown)
}

fn code_of(list: &str, text: &str) -> Result<String, String> {
    let schema = Schema::base();
    schema.code_typed(list, text).map(|known| known.code.clone()).ok_or_else(|| {
        let known = schema.code_list(list).map_or(&[][..], |list| &list.codes);
        let labels: Vec<_> = known.iter().map(|known| known.zh.as_str()).collect();
        format!("没有这个代码 · no such code; 可选 one of: {}", labels.join(" "))
    })
}

fn votes_of(text: &str) -> Result<Votes, String> {
    votes_typed(text).ok_or_else(|| "请写成 9:1 · write 9:1".to_owned())
}

/// Whether somebody typed an identity number or a telephone where a name goes.
fn is_number(text: &str) -> bool {
    const DIGITS_MIN: usize = 7;
    let sign = |c: char| c.is_ascii_digit() || matches!(c, 'x' | 'X' | '-' | ' ' | '+');
    text.chars().all(sign) && text.chars().filter(char::is_ascii_digit).count() >= DIGITS_MIN
}

impl Office<'_> {
    /// The account that acts. The operator of this machine keeps no household records.
    pub(super) fn account(&self) -> Result<Account, AdminError> {
        if self.by.is_empty() {
            return Err(AdminError::AccountNeeded);
        }
        self.open_account(self.by)
    }

    pub(super) fn open_account(&self, id: &str) -> Result<Account, AdminError> {
        let account = self.app.accounts.account(id)?.ok_or(AccountError::AccountUnknown)?;
        Ok(account.if_open()?)
    }

    pub(super) fn asking<'a>(&'a self, account: &'a Account) -> Asking<'a> {
        Asking {
            account: &account.id,
            role: Some(account.role),
            areas: &account.areas,
            grids: &account.grids,
            policy: &self.app.policy.policy,
            today: Day::in_china(self.app.clock.now_ms()),
        }
    }

    /// A household this account may see.
    pub(super) fn household(
        &self,
        account: &Account,
        id: HouseholdId,
    ) -> Result<Household, AdminError> {
        let found = self.app.storage.read(|connection| records::find(connection, id))?;
        let may_see = |village| authority::may_see(account.role, &account.areas, village);
        let seen = found.filter(|household| may_see(household.scope));
        Ok(seen.ok_or(StoreError::NotFound)?)
    }

    pub(super) fn list_households(&self, asked: &HouseholdFilter) -> Result<Output, AdminError> {
        let account = self.account()?;
        let list = &self.app.regions;
        // A list names people, and its tags the ill among them.
        if !account.role.holds_replica() {
            return Err(AdminError::NotGranted);
        }
        if asked.search.as_deref().is_some_and(is_number) {
            return Err(AdminError::SearchByNumber);
        }
        let areas = match asked.area {
            Some(area) if authority::covers(&account.areas, area) => vec![area],
            Some(_) => return Err(AdminError::NotGranted),
            None => account.areas.clone(),
        };
        let may_see = |row: &ListRow| authority::may_see(account.role, &account.areas, row.scope);
        let after = asked.after.map(|id| {
            let row = self.app.storage.read(|connection| listing::one(connection, id))?;
            row.filter(may_see).map(|row| row.place()).ok_or(StoreError::NotFound)
        });
        let after = after.transpose()?;
        let now = (&*self.app.policy, Day::in_china(self.app.clock.now_ms()));
        // An account's areas are ascending and of one level: one list after the other is the whole list.
        // One more than is shown says whether more follow.
        let (mut rows, mut missing) = (Vec::new(), asked.rows.saturating_add(1));
        for area in areas {
            let filter = asked.filter(area);
            let page = self.app.storage.read(|connection| match asked.overdue {
                true => dues::overdue(connection, &filter, after.as_ref(), missing as usize, now),
                false => search::page(connection, &filter, after.as_ref(), missing),
            })?;
            missing = missing.saturating_sub(u32::try_from(page.len()).unwrap_or(u32::MAX));
            rows.extend(page);
            if missing == 0 {
                break;
            }
        }
        let more = rows.len() > asked.rows as usize;
        rows.truncate(asked.rows as usize);
        let go_on = rows.last().filter(|_| more).map(|row| row.id.to_string());
        let rows = rows.into_iter().map(|row| {
            let state = stage_words(&row.case_state);
            let path = list.path(row.scope).join(" ");
            let ListRow { id, head_name, grid, members, .. } = &row;
            let text = format!("{id}\t{head_name}\t{path} {grid}\t{members} 人\t{state}");
            let value = serde_json::json!({
                "household": row.id.to_string(), "village": row.scope, "grid": row.grid,
                "head_name": row.head_name, "members": row.members, "stage": row.case_state, "tags": row.tags,
                "risk_level": row.risk_level, "last_visit": row.last_visit
            });
            (text, value)
        });
        Ok(page(rows, go_on))
    }

    pub(super) fn show_household(&self, id: HouseholdId) -> Result<Output, AdminError> {
        let account = self.account()?;
        let household = self.household(&account, id)?;
        let reader = Reader::of(&account, &household);
        let fields = household.fold.fields().filter_map(|(container, key, entries)| {
            let shown = Shown::of(&reader, container, key, entries)?;
            Some((shown.text(), shown.json()))
        });
        Ok(lines(fields))
    }

    pub(super) fn new_household(
        &self,
        village: u64,
        fields: &[String],
        entropy: &mut dyn Entropy,
    ) -> Result<Output, AdminError> {
        let account = self.account()?;
        if !region::is_village(village) || self.app.regions.get(village).is_none() {
            return Err(AdminError::NotAVillage);
        }
        let edit = RecordEdit::typed(Schema::base(), fields)?;
        let edit = edit.set("basic", "area_code", village.to_string());
        let edit = RecordEdit { form: "household/1".into(), ..edit };
        let id = match edit.head_number() {
            Some(head) => self.app.person_key.household(&head),
            None => HouseholdId::from_random(random(entropy)),
        };
        let known = self.app.storage.read(|connection| records::find(connection, id))?;
        if let Some(known) = known {
            let sees = authority::may_see(account.role, &account.areas, known.scope);
            return Err(AdminError::OnRecord(sees.then_some(id)));
        }
        self.write(account.clone(), Household::unsaved(id, village), edit)?;
        self.saved("已建档 · record opened", &id.to_string(), (id, &account))
    }

    pub(super) fn edit_household(
        &self,
        id: HouseholdId,
        fields: &[String],
        on_behalf_of: String,
    ) -> Result<Output, AdminError> {
        let account = self.account()?;
        let household = self.household(&account, id)?;
        let edit = RecordEdit::typed(Schema::base(), fields)?;
        let edit = RecordEdit { form: "household/1".into(), on_behalf_of, ..edit };
        let settled = conflicts::settled_by(&edit, &account, &household);
        self.write(account.clone(), household, edit)?;
        self.saved_settling("已保存 · saved", &id.to_string(), (id, &account), &settled)
    }

    pub(super) fn take_step(&self, step: StepArguments) -> Result<Output, AdminError> {
        let StepArguments { household: id, stage, fields, reason, votes, about } = step;
        let account = self.account()?;
        let household = self.household(&account, id)?;
        let facts = facts(&household.fold, household.scope);
        let form = StepForm { stage, reason, decision: String::new(), votes, about };
        let today = Day::in_china(self.app.clock.now_ms());
        let edit = RecordEdit::typed(Schema::base(), &fields)?;
        let edit = edit.step(&Case::of(&facts), &form, account.role.level_code(), today);
        let edit = edit.beginning(&facts, account.role, today);
        let edit = RecordEdit { form: "step/1".into(), ..edit };
        self.write(account.clone(), household, edit)?;
        let subject = format!("{id} {}", stage_words(stage.code()));
        self.saved("已办理 · done", &subject, (id, &account))
    }

    pub(super) fn write(
        &self,
        account: Account,
        household: Household,
        edit: RecordEdit,
    ) -> Result<(), AdminError> {
        let (now_ms, person_key) = (self.app.clock.now_ms(), self.app.person_key);
        let author = Author::office(account, now_ms, person_key);
        let policy = self.app.policy.clone();
        let written = self.app.storage.writer().write(move |transaction| {
            // Phones may have written since it was read.
            let now = records::find(transaction, household.id)?.unwrap_or(household);
            author::write(transaction, &author, &policy.policy, now, &edit)
        })?;
        Ok(written?)
    }

    pub(super) fn show_case(&self, id: HouseholdId) -> Result<Output, AdminError> {
        let account = self.account()?;
        let household = self.household(&account, id)?;
        let asking = self.asking(&account);
        let case = self.app.storage.read(|c| cases::view(c, &household, &asking, taken::case))?;
        let reader = Reader::of(&account, &household);
        let step_words = |step: &StepView| step_words(step, &reader.words(&step.reason));
        let mut text = String::new();
        for passed in &case.path {
            text.push_str(&format!("{}\n", stage_words(passed.stage.code())));
            passed.steps.iter().for_each(|step| text.push_str(&step_words(step)));
        }
        for (title, steps) in [
            ("未采用的步骤 · set aside", &case.set_aside),
            ("未处理的异议 · open objections", &case.objections),
        ] {
            if !steps.is_empty() {
                text.push_str(&format!("{title}\n"));
                steps.iter().for_each(|step| text.push_str(&step_words(step)));
            }
        }
        for task in &case.tasks {
            text.push_str(&format!("待办 · to do: {}\n", task_words(task)));
        }
        let codes = |stages: &[Stage]| stages.iter().map(|s| s.code()).collect::<Vec<_>>();
        let next: Vec<_> = case.may_enter.iter().map(|stage| stage_named(*stage)).collect();
        text.push_str(&format!("可办理 · may enter: {}\n", next.join(", ")));
        let rows = |steps: &[StepView]| steps.iter().map(|s| s.row.clone()).collect::<Vec<_>>();
        let value = serde_json::json!({
            "path": case.path.iter().map(|p| p.stage.code()).collect::<Vec<_>>(),
            "set_aside": rows(&case.set_aside), "objections": rows(&case.objections),
            "may_enter": codes(&case.may_enter),
            "tasks": case.tasks.iter().map(task_json).collect::<Vec<_>>()
        });
        Ok(Output { text, json: format!("{value}\n") })
    }
}

fn stage_words(code: &str) -> String {
    let known = Schema::base().code("case_state", code);
    known.map_or_else(String::new, |known| format!("{} · {}", known.zh, known.en))
}

/// The code, as it is typed, and its Chinese name.
fn stage_named(stage: Stage) -> String {
    let known = Schema::base().code("case_state", stage.code());
    known.map_or_else(String::new, |known| format!("{} {}", known.code, known.zh))
}

fn step_words(step: &StepView, reason: &str) -> String {
    let on = step.on.map(|day| day.to_string()).unwrap_or_default();
    let name = step.stage.map(stage_named).unwrap_or_default();
    let stamp = &step.stamp;
    let proxy = match stamp.on_behalf_of.as_str() {
        "" => String::new(),
        person => format!("  代 for {person}"),
    };
    format!("    {on}  {}  {name} [{}]{proxy}  {reason}\n", stamp.name, step.row)
}
