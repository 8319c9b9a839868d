//! What an office has to do, page by page, the most urgent first. Must not decide what a task is or whose.

use serde_json::Value as Json;
use wanhu_core::domain::authority::Role;
use wanhu_core::domain::schema::words;
use wanhu_core::domain::workflow::Task;
use wanhu_core::store::cases::TaskPlace;

use super::pages::page;
use super::{AdminError, Office, Output, PageArguments};
use crate::accounts::Account;
use crate::storage::dues;

/// Which part of the list of tasks.
pub type TaskArguments = PageArguments<TaskPlace>;

impl Office<'_> {
    pub(super) fn list_tasks(&self, asked: &TaskArguments) -> Result<Output, AdminError> {
        let account = self.account()?;
        let asking = self.asking(&account);
        let after = asked.after.as_ref();
        let (part, policy) = ((after, asked.rows_read()), &self.app.policy);
        let mut tasks = self.app.storage.read(|c| dues::page(c, &asking, policy, part))?;
        let go_on = asked.cut(&mut tasks, |view| view.place().to_string());
        let first = match after {
            None => self.before_tasks(&account)?,
            Some(_) => Vec::new(),
        };
        let list = &self.app.regions;
        let rows = first.into_iter().chain(tasks.into_iter().map(|view| {
            let late = if view.overdue { "逾期 overdue\t" } else { "" };
            let path = list.path(view.village).join(" ");
            let task = task_words(&view.task);
            let text = format!("{late}{}\t{}\t{path}\t{task}", view.household, view.head_name);
            let value = serde_json::json!({
                "household": view.household.to_string(), "village": view.village,
                "head_name": view.head_name, "overdue": view.overdue, "task": task_json(&view.task)
            });
            (text, value)
        }));
        Ok(page(rows, go_on))
    }

    /// What an office has to look at besides tasks about households.
    fn before_tasks(&self, office: &Account) -> Result<Vec<(String, Json)>, AdminError> {
        let mut lines = Vec::new();
        match office.role {
            Role::TownshipOffice => {
                lines.extend(self.waiting_declarations(office)?);
                lines.extend(self.waiting_in_quarantine(office)?);
                lines.extend(self.left_to_nobody(office)?);
                lines.extend(self.villages_unseen_to(office)?);
            }
            Role::CountyOffice => lines.extend(self.townships_without_office(office)?),
            Role::City => lines.extend(self.counties_without_office(office)?),
            Role::Household
            | Role::GridWorker
            | Role::VillageCadre
            | Role::VillageCommittee
            | Role::Department
            | Role::Operator => {}
        }
        Ok(lines)
    }
}

pub(super) fn task_words(task: &Task) -> String {
    let kind = words("task_kind", task.kind.code());
    let kind = kind.map(|kind| format!("{} · {}", kind.zh, kind.en)).unwrap_or_default();
    let due = task.due_on.map(|day| format!("\t限 by {day}")).unwrap_or_default();
    // What a command about it is typed with: --about, or the row of a field.
    let subject = match task.subject.as_str() {
        "" => String::new(),
        subject => format!(" [{subject}]"),
    };
    format!("{kind}{subject}{due}")
}

pub(super) fn task_json(task: &Task) -> serde_json::Value {
    serde_json::json!({
        "kind": task.kind.code(), "due_on": task.due_on.map(|day| day.to_string()),
        "subject": task.subject
    })
}
