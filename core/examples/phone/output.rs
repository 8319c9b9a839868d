//! How results look: Chinese labels from the schema first, English behind; JSON for scripts.

use std::fmt::Write;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value as Json, json};
use wanhu_core::client::{
    Conflict, FieldChange, HistoryLine, Progress, RecordView, RefusedView, Status, SyncPhase,
};
use wanhu_core::document::duplicate::Likeness;
use wanhu_core::document::record::split_key;
use wanhu_core::domain::day::Day;
use wanhu_core::domain::region::RegionList;
use wanhu_core::domain::schema::{Field, FieldKind, Schema};
use wanhu_core::domain::value::Value;
use wanhu_core::store::listing::ListRow;
use wanhu_core::sync::receiver::SyncReport;

use crate::{Shown, words};

mod case;
mod figures;

pub(crate) use case::{case, tasks, warnings};
pub(crate) use figures::{figures, findings, help};

/// A bar for sending and receiving.
pub(crate) struct Bars(ProgressBar);

impl Bars {
    pub(crate) fn new() -> Self {
        let bar = ProgressBar::new(0);
        if let Ok(style) = ProgressStyle::with_template("{msg} [{bar:30}] {pos}/{len}") {
            bar.set_style(style.progress_chars("━━ "));
        }
        Self(bar)
    }

    pub(crate) fn finish(&self) {
        self.0.finish_and_clear();
    }
}

impl Progress for Bars {
    fn report(&self, phase: SyncPhase, done: u64, total: u64) {
        let words = match phase {
            SyncPhase::Sending => "上传 sending bytes  ",
            SyncPhase::Receiving => "下载 receiving      ",
            SyncPhase::Waiting => "等待重试 waiting ms ",
        };
        self.0.set_message(words);
        self.0.set_length(total);
        self.0.set_position(done);
    }
}

fn label(container: &str, key: &str) -> String {
    let schema = Schema::base();
    let has_rows = schema.container(container).is_some_and(|container| container.rows);
    let (row, field) = if has_rows { split_key(key) } else { ("", key) };
    let name = schema.field(container, field).map_or(field, |field| field.zh.as_str());
    let place = schema.container(container).map_or(container, |container| container.zh.as_str());
    if row.is_empty() { format!("{place}·{name}") } else { format!("{place}·{name}({row})") }
}

fn field_of(container: &str, key: &str) -> Option<&'static Field> {
    let schema = Schema::base();
    let has_rows = schema.container(container)?.rows;
    schema.field(container, if has_rows { split_key(key).1 } else { key })
}

fn shown(container: &str, key: &str, value: Option<&Value>) -> String {
    let kind = field_of(container, key).map(|field| &field.kind);
    match (value, kind) {
        (None | Some(Value::Null), _) => "(空)".into(),
        (Some(Value::Bool(tick)), _) => (if *tick { "☑ 是" } else { "☐ 否" }).into(),
        (Some(Value::Text(code)), Some(FieldKind::Choice { list })) => {
            Schema::base().code(list, code).map_or_else(|| code.clone(), |code| code.zh.clone())
        }
        (Some(Value::Int(number)), Some(FieldKind::Number { unit, .. })) if unit == "fen" => {
            format!("{}.{:02} 元", number / 100, (number % 100).abs())
        }
        (Some(Value::Int(number)), Some(FieldKind::Number { unit, .. })) if unit == "centimu" => {
            format!("{}.{:02} 亩", number / 100, (number % 100).abs())
        }
        (Some(Value::Int(number)), _) => number.to_string(),
        (Some(Value::Text(text)), _) => text.clone(),
        (Some(Value::Opaque { type_code, .. }), _) => format!("(新版本数据 {type_code})"),
    }
}

fn plain(value: Option<&Value>) -> Json {
    match value {
        None | Some(Value::Null) => Json::Null,
        Some(Value::Bool(tick)) => json!(tick),
        Some(Value::Int(number)) => json!(number),
        Some(Value::Text(text)) => json!(text),
        Some(Value::Opaque { type_code, bytes }) => json!({ "opaque": type_code, "bytes": bytes }),
    }
}

fn when(time_ms: i64) -> String {
    let minutes = (time_ms.saturating_add(8 * 3_600_000)).div_euclid(60_000);
    let (hour, minute) = (minutes.div_euclid(60).rem_euclid(24), minutes.rem_euclid(60));
    format!("{} {hour:02}:{minute:02}", Day::in_china(time_ms))
}

pub(crate) fn list(rows: &[ListRow], regions: &RegionList) -> Shown {
    let mut text = String::new();
    for row in rows {
        let code = |list: &str, code: &str| {
            Schema::base().code(list, code).map_or(String::new(), |code| code.zh.clone())
        };
        let village = regions.get(row.scope).map_or("", |region| &region.name);
        let mut marks = Vec::new();
        marks.extend(row.tags.iter().map(|tag| label("class", tag).replace("类别·", "")));
        if row.conflicts > 0 {
            marks.push(format!("冲突{}", row.conflicts));
        }
        if row.pending > 0 {
            marks.push(format!("待传{}", row.pending));
        }
        let _ = writeln!(
            text,
            "{}  {}  {}{}  {}人  {}  走访 {}  {}",
            row.id,
            row.head_name,
            village,
            row.grid,
            row.members,
            code("household_kind", &row.kind),
            if row.last_visit.is_empty() { "—" } else { &row.last_visit },
            marks.join(" ")
        );
    }
    let _ = writeln!(text, "{} 户 · households shown", rows.len());
    (text, rows.iter().map(row_json).collect())
}

fn row_json(row: &ListRow) -> Json {
    json!({
        "id": row.id.to_string(), "village": row.scope, "grid": row.grid, "head_name": row.head_name,
        "kind": row.kind, "monitored": row.monitored, "tags": row.tags,
        "risk_level": row.risk_level, "case_state": row.case_state, "members": row.members,
        "last_visit": row.last_visit, "conflicts": row.conflicts, "pending": row.pending
    })
}

pub(crate) fn record(record: &RecordView) -> Shown {
    let path = RegionList::chenzhou().path(record.row.scope).join(" ");
    let mut text = format!("{}  {}  {path}\n", record.row.id, record.row.head_name);
    for field in &record.fields {
        let mark = if field.in_conflict { "  ⚠ 多个值,见 conflicts" } else { "" };
        let value = shown(&field.container, &field.key, Some(&field.value));
        let _ = writeln!(text, "  {}: {value}{mark}", label(&field.container, &field.key));
    }
    let fields = record.fields.iter().map(|field| {
        json!({
            "field": format!("{}.{}", field.container, field.key),
            "value": plain(Some(&field.value)), "in_conflict": field.in_conflict
        })
    });
    (text, json!({ "row": row_json(&record.row), "fields": fields.collect::<Json>() }))
}

pub(crate) fn conflicts(conflicts: &[Conflict]) -> Shown {
    let mut text = String::new();
    for conflict in conflicts {
        let name = format!("{}.{}", conflict.container, conflict.key);
        let _ = writeln!(text, "{} [{name}]", label(&conflict.container, &conflict.key));
        for (place, value) in (1..).zip(&conflict.values) {
            let current =
                if place == conflict.values.len() { "  ← 当前显示 shown" } else { "" };
            let _ = writeln!(
                text,
                "  {place}. {}  {} {}{current}",
                shown(&conflict.container, &conflict.key, Some(&value.value)),
                value.stamp.name,
                when(value.time_ms)
            );
        }
    }
    let _ = writeln!(text, "{} 处冲突 · conflicts", conflicts.len());
    let json = conflicts.iter().map(|conflict| {
        let values = conflict.values.iter().map(|value| {
            json!({
                "value": plain(Some(&value.value)), "account": value.stamp.account,
                "name": value.stamp.name, "time_ms": value.time_ms
            })
        });
        json!({
            "field": format!("{}.{}", conflict.container, conflict.key),
            "values": values.collect::<Json>()
        })
    });
    (text, json.collect())
}

pub(crate) fn history(lines: &[HistoryLine]) -> Shown {
    let mut text = String::new();
    for line in lines {
        let state = if line.acknowledged { "" } else { "  (待上传 not sent)" };
        let _ = writeln!(
            text,
            "{}  {}  {}: {} → {}{state}",
            when(line.time_ms),
            line.stamp.name,
            label(&line.container, &line.key),
            shown(&line.container, &line.key, line.old.as_ref()),
            shown(&line.container, &line.key, line.new.as_ref())
        );
    }
    let json = lines.iter().map(|line| {
        json!({
            "time_ms": line.time_ms, "account": line.stamp.account, "name": line.stamp.name,
            "form": line.stamp.form, "device_actor": line.actor.to_string(),
            "field": format!("{}.{}", line.container, line.key),
            "old": plain(line.old.as_ref()), "new": plain(line.new.as_ref()),
            "acknowledged": line.acknowledged
        })
    });
    (text, json.collect())
}

pub(crate) fn refused(refused: &[RefusedView]) -> Shown {
    let mut text = String::new();
    for change in refused {
        let (zh, en) = words::refusal_words(&change.code);
        let (about_zh, about_en) = words::subject_words(&change.subject);
        let (n, household) = (change.n, change.household);
        let _ = writeln!(text, "{n}  {household}  {zh} {about_zh} · {en} {about_en}");
        for FieldChange { container, key, value } in &change.fields {
            let value = shown(container, key, value.as_ref());
            let _ = writeln!(text, "    {}: {value}", label(container, key));
        }
    }
    let _ = writeln!(text, "{} 条被退回 · changes not taken", refused.len());
    if !refused.is_empty() {
        text.push_str("重新填写: phone reauthor 编号 · to make one anew: phone reauthor NUMBER\n");
    }
    let json = refused.iter().map(|change| {
        let fields = change.fields.iter().map(|FieldChange { container, key, value }| {
            json!({ "field": format!("{container}.{key}"), "value": plain(value.as_ref()) })
        });
        json!({
            "number": change.n, "household": change.household.to_string(), "code": change.code,
            "subject": change.subject, "fields": fields.collect::<Json>()
        })
    });
    (text, json.collect())
}

pub(crate) fn report(report: &SyncReport, status: &Status) -> Shown {
    let mut text = format!(
        "已同步: 上传确认 {} 条,收到 {} 条,被退回 {} 条,移出 {} 户\n\
         synced: {} receipts, {} received, {} refused, {} households left\n",
        report.receipts,
        report.received,
        report.refused,
        report.left,
        report.receipts,
        report.received,
        report.refused,
        report.left
    );
    if status.pending > 0 {
        let _ = writeln!(text, "仍有 {} 条待上传 · still waiting", status.pending);
    }
    let json = json!({
        "receipts": report.receipts, "received": report.received, "refused": report.refused,
        "left": report.left, "requests": report.requests, "pending": status.pending
    });
    (text, json)
}

pub(crate) fn status(status: &Status) -> Shown {
    let who = status.enrolment.as_ref().map_or_else(
        || "未登记 · not enrolled".to_owned(),
        |enrolment| {
            let areas =
                enrolment.areas.iter().map(|area| RegionList::chenzhou().path(*area).join(" "));
            let areas = areas.collect::<Vec<_>>().join(", ");
            let grids = status.grids.join(" ");
            format!(
                "{} ({}) 设备 {} · {areas} {grids}",
                enrolment.name, enrolment.account, enrolment.device
            )
        },
    );
    let receipt = status.last_receipt.as_ref().map_or_else(
        || "尚无回执 · no receipt yet".to_owned(),
        |receipt| {
            let chain: String = receipt.chain.iter().take(8).map(|b| format!("{b:02x}")).collect();
            format!("回执 · receipt {} 第{}条 {chain}", when(receipt.server_time_ms), receipt.seq)
        },
    );
    let old = match status.needs_newer_release {
        true => {
            "本程序版本过旧,读不了现行政策,暂无预警和期限 · too old for the server's policy: no warnings, no due days\n"
        }
        false => "",
    };
    let text = format!(
        "{who}\n{} 户 households,待上传 {} 条 pending,被退回 {} 条 refused\n{receipt}\n{old}",
        status.households, status.pending, status.refused
    );
    let json = json!({
        "enrolled": status.enrolment.is_some(),
        "account": status.enrolment.as_ref().map(|enrolment| &enrolment.account),
        "grids": status.grids,
        "households": status.households, "pending": status.pending, "refused": status.refused,
        "last_receipt_ms": status.last_receipt.as_ref().map(|receipt| receipt.server_time_ms),
        "needs_newer_release": status.needs_newer_release
    });
    (text, json)
}

/// Pairs of records that may be of one family.
pub(crate) fn duplicates(pairs: &[(Likeness, ListRow, ListRow)]) -> Shown {
    let mut text = String::new();
    let mut values = Vec::new();
    for (likeness, first, second) in pairs {
        let (code, zh, en) = match likeness {
            Likeness::SamePerson => {
                ("same_person", "同一身份证号码", "one identity number in both")
            }
            Likeness::WrittenSince => {
                ("written_since", "合并后又有填写", "written in the second one since it was merged")
            }
            Likeness::SameFamily => {
                ("same_family", "同村同名户主", "one head's name in one village")
            }
        };
        let _ = writeln!(text, "{zh} · {en}");
        for row in [first, second] {
            let _ = writeln!(text, "    {}  {}  {} 人", row.id, row.head_name, row.members);
        }
        values.push(json!({
            "likeness": code, "first": first.id.to_string(), "second": second.id.to_string()
        }));
    }
    if pairs.is_empty() {
        text.push_str("没有疑似重复 · nothing looks like a duplicate\n");
    } else {
        text.push_str("核实后用 merge 合并 · once made sure: merge KEPT DUPLICATE\n");
    }
    (text, Json::from(values))
}
