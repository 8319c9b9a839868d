//! How a monitoring case, tasks and warnings look on the command line.

use std::fmt::Write;

use serde_json::{Value as Json, json};
use wanhu_core::client::{CaseView, StepView, TaskView};
use wanhu_core::domain::schema::words;
use wanhu_core::domain::value::hundredths;
use wanhu_core::domain::warning::Warning;
use wanhu_core::domain::workflow::{Stage, Task};

use crate::Shown;
use crate::words::stage_words;

/// Where a case is and what comes next.
pub(crate) fn case(case: &CaseView) -> Shown {
    let mut text = String::new();
    if case.path.is_empty() {
        text.push_str("没有监测过程 · no case\n");
    }
    for passed in &case.path {
        let (zh, en) = stage_words(passed.stage.code());
        let _ = writeln!(text, "{zh} · {en}");
        passed.steps.iter().for_each(|step| push_step(&mut text, step));
    }
    for (title, steps) in [
        ("未采用的步骤 · steps set aside", &case.set_aside),
        ("未处理的异议 · open objections", &case.objections),
    ] {
        if !steps.is_empty() {
            let _ = writeln!(text, "{title}");
            steps.iter().for_each(|step| push_step(&mut text, step));
        }
    }
    if !case.may_enter.is_empty() {
        let next = case
            .may_enter
            .iter()
            .map(|stage| format!("{} {}", stage.code(), stage_words(stage.code()).0));
        let _ = writeln!(text, "您可办理 · you may enter: {}", next.collect::<Vec<_>>().join(", "));
    }
    for task in &case.tasks {
        let _ = writeln!(text, "待办 · to do: {}", task_words(task));
    }
    let steps = |steps: &[StepView]| steps.iter().map(step_json).collect::<Vec<_>>();
    let path = case
        .path
        .iter()
        .map(|passed| json!({ "stage": passed.stage.code(), "steps": steps(&passed.steps) }));
    let value = json!({
        "path": path.collect::<Vec<_>>(),
        "set_aside": steps(&case.set_aside),
        "objections": steps(&case.objections),
        "may_enter": case.may_enter.iter().map(|stage| stage.code()).collect::<Vec<_>>(),
        "tasks": case.tasks.iter().map(task_json).collect::<Vec<_>>()
    });
    (text, value)
}

fn push_step(text: &mut String, step: &StepView) {
    let on = step.on.map(|day| day.to_string()).unwrap_or_default();
    let state = if step.accepted { "" } else { "  待服务器接收 proposed, not accepted yet" };
    let name = step.stage.map_or("", Stage::code);
    let _ = write!(text, "    {on}  {}  {name} [{}]{state}", step.stamp.name, step.row);
    if !step.stamp.on_behalf_of.is_empty() {
        let _ = write!(text, "  代 for {}", step.stamp.on_behalf_of);
    }
    if !step.reason.is_empty() {
        let _ = write!(text, "  {}", step.reason);
    }
    text.push('\n');
}

fn step_json(step: &StepView) -> Json {
    json!({
        "row": step.row, "stage": step.stage.map(Stage::code), "on": step.on.map(|d| d.to_string()),
        "reason": step.reason, "by": step.stamp.account, "for": step.stamp.on_behalf_of,
        "accepted": step.accepted
    })
}

fn task_words(task: &Task) -> String {
    let kind = words("task_kind", task.kind.code());
    let (zh, en) = kind.map_or(("", ""), |kind| (kind.zh.as_str(), kind.en.as_str()));
    let due = task.due_on.map(|day| format!("  限 by {day}")).unwrap_or_default();
    let subject =
        if task.subject.is_empty() { String::new() } else { format!("  {}", task.subject) };
    format!("{zh} · {en}{due}{subject}")
}

fn task_json(task: &Task) -> Json {
    json!({
        "kind": task.kind.code(), "due_on": task.due_on.map(|day| day.to_string()),
        "subject": task.subject
    })
}

/// What this person has to do.
pub(crate) fn tasks(tasks: &[TaskView]) -> Shown {
    let mut text = String::new();
    for view in tasks {
        let late = if view.overdue { "逾期 overdue  " } else { "" };
        let _ = writeln!(
            text,
            "{late}{}  {}  {}",
            view.head_name,
            task_words(&view.task),
            view.household
        );
    }
    if tasks.is_empty() {
        text.push_str("没有待办 · nothing to do\n");
    }
    let value = tasks.iter().map(|view| {
        json!({
            "household": view.household.to_string(), "village": view.village,
            "head_name": view.head_name, "overdue": view.overdue, "task": task_json(&view.task)
        })
    });
    (text, value.collect())
}

/// Warnings that fire today.
pub(crate) fn warnings(warnings: &[Warning]) -> Shown {
    let mut text = String::new();
    for warning in warnings {
        let amount = |value: i64| match warning.is_in_fen {
            true => format!("{} 元 yuan", hundredths(value)),
            false => value.to_string(),
        };
        let (now, line) = (amount(warning.input), amount(warning.threshold));
        let Warning { rule, source, rule_version, .. } = warning;
        let _ =
            writeln!(text, "{rule}  现值 now {now}, 界线 line {line}  {source} [{rule_version}]");
    }
    if warnings.is_empty() {
        text.push_str("没有新的预警 · no new warning\n");
    }
    let value = warnings.iter().map(|warning| {
        json!({
            "rule": warning.rule, "rule_version": warning.rule_version, "input": warning.input,
            "threshold": warning.threshold, "unit": if warning.is_in_fen { "fen" } else { "" },
            "source": warning.source, "rows": warning.rows, "due_on": warning.due_on.to_string()
        })
    });
    (text, value.collect())
}
