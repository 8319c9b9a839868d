//! What a cadre reads for each error: what happened and what to do, Chinese and English.

use wanhu_core::document::edit;
use wanhu_core::domain::schema::{Schema, words};
use wanhu_core::domain::workflow;
use wanhu_core::error::LedgerError;

/// Chinese and English.
pub(crate) fn of(error: &LedgerError) -> (String, String) {
    match error {
        LedgerError::InvalidInput { field, reason } => {
            let (zh, en) = edit::explain(field, reason);
            (format!("{field}: {zh}"), format!("{field}: {en}"))
        }
        LedgerError::NotPermitted { action, level_needed } => (
            format!("您无权操作: {action};应由{}办理", role_words(level_needed).0),
            format!("not permitted: {action}; this is for the {}", role_words(level_needed).1),
        ),
        LedgerError::AlreadyOnRecord { household } => (
            format!("该户主已建档,请打开已有档案 {household}"),
            format!("this head's household is on record; open {household}"),
        ),
        LedgerError::NotFound { kind, id } => {
            (format!("没有找到 {kind} {id}"), format!("no such {kind}: {id}"))
        }
        LedgerError::IllegalStep { state, step, reason, until } => {
            let (state, step) = (stage_words(state), stage_words(step));
            let (zh, en) = workflow::explain(reason, until);
            (
                format!("现为“{}”,还不能办理“{}”: {zh}", state.0, step.0),
                format!("the case is at “{}”, not ready for “{}”: {en}", state.1, step.1),
            )
        }
        LedgerError::Offline { .. } => (
            "未连上服务器。数据已保存在本机,可继续工作,有信号后再同步".into(),
            "the server was not reached; everything is saved here, go on working and sync later"
                .into(),
        ),
        LedgerError::SessionExpired { reason }
            if matches!(reason.as_str(), "awaiting_approval" | "lease_over") =>
        {
            let (zh, en) = reason_words(reason);
            (zh.to_owned(), en.to_owned())
        }
        LedgerError::SessionExpired { reason } => {
            let (zh, en) = reason_words(reason);
            (
                format!("{zh}。请向乡镇索取新的登记码"),
                format!("{en}; ask the township for a new code"),
            )
        }
        LedgerError::UpgradeRequired { minimum } => (
            format!("请升级到 {minimum} 或更高版本,未上传的数据不会丢失"),
            format!("install version {minimum} or later; nothing unsent is lost"),
        ),
        LedgerError::StorageFull { .. } => (
            "存储空间不足,请清理后重试".into(),
            "storage full; free some space and try again".into(),
        ),
        LedgerError::StorageDamaged { kept_as } if kept_as.is_empty() => {
            ("台账文件损坏,请交给技术人员".into(), "the file is damaged; hand it to support".into())
        }
        LedgerError::StorageDamaged { kept_as } => (
            format!("台账文件损坏,已另存为 {kept_as},请交给技术人员"),
            format!("the file was damaged and set aside as {kept_as}; hand it to support"),
        ),
        LedgerError::Internal { report_id } => (
            format!("内部错误 {report_id},请报告"),
            format!("internal error {report_id}; please report"),
        ),
    }
}

/// A role's name in both languages; where no role may, the level above is asked.
fn role_words(code: &str) -> (&str, &str) {
    let known = words("role", code);
    known.map_or(("上级", "level above"), |known| (known.zh.as_str(), known.en.as_str()))
}

fn reason_words(reason: &str) -> (&str, &str) {
    match reason {
        "locked" => (
            "口令不对或未提供 (WANHU_PASSPHRASE)",
            "passphrase missing or wrong (WANHU_PASSPHRASE)",
        ),
        _ => words("reason", reason).map_or((reason, reason), |known| (&known.zh, &known.en)),
    }
}

/// A stage of the monitoring case.
pub(crate) fn stage_words(code: &str) -> (&str, &str) {
    let known = Schema::base().code("case_state", code);
    let none = if code.is_empty() { ("未建立", "no case yet") } else { (code, code) };
    known.map_or(none, |known| (known.zh.as_str(), known.en.as_str()))
}

/// What a refusal is about: what a step lacks, in words, or a field as it stands.
pub(crate) fn subject_words(subject: &str) -> (&str, &str) {
    let known = words("lack", subject);
    known.map_or((subject, subject), |known| (known.zh.as_str(), known.en.as_str()))
}

/// What to do about a change the server did not take.
pub(crate) fn refusal_words(code: &str) -> (&str, &str) {
    words("refusal", code).map_or((code, code), |known| (known.zh.as_str(), known.en.as_str()))
}
