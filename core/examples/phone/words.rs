//! What a cadre reads for each error: what happened and what to do, Chinese and English.

use wanhu_core::domain::authority::Role;
use wanhu_core::domain::schema::{Schema, words};
use wanhu_core::error::LedgerError;

/// Chinese and English.
pub(crate) fn of(error: &LedgerError) -> (String, String) {
    match error {
        LedgerError::InvalidInput { field, reason } => {
            let (zh, en) = reason_words(reason);
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
            let (zh, en) = lack_words(reason);
            let day = if until.is_empty() { String::new() } else { format!(" ({until})") };
            (
                format!("现为“{}”,还不能办理“{}”: {zh}{day}", state.0, step.0),
                format!("the case is at “{}”, not ready for “{}”: {en}{day}", state.1, step.1),
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
            reason_words(reason)
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

/// A role's name in both languages.
fn role_words(code: &str) -> (&'static str, &'static str) {
    match Role::from_code(code) {
        Some(Role::Household) => ("农户", "household"),
        Some(Role::GridWorker) => ("网格员", "grid worker of the village"),
        Some(Role::VillageCadre) => ("村干部", "cadre of the village"),
        Some(Role::VillageCommittee) => ("村民评议组织", "village committee"),
        Some(Role::TownshipOffice) => ("乡镇", "township office"),
        Some(Role::CountyOffice) => ("县级", "county office"),
        Some(Role::City) => ("市级", "city"),
        Some(Role::Department) => ("行业部门", "department"),
        Some(Role::Operator) => ("运维人员", "operator"),
        None => ("上级", "level above"),
    }
}

fn reason_words(reason: &str) -> (String, String) {
    let (zh, en) = match reason {
        "unknown_field" => ("没有这个字段", "no such field"),
        "unknown_container" => ("没有这个表", "no such container"),
        "wrong_type" => ("填写的内容类型不对", "a value of another kind is needed"),
        "not_in_list" => ("不在选项中", "not one of the choices"),
        "too_small" => ("数值太小", "too small"),
        "too_large" => ("超出上限", "too large"),
        "too_long" => ("内容太长", "too long"),
        "not_a_date" => ("日期应为 2020-03-01 的形式", "a date looks like 2020-03-01"),
        "bad_identity_number" => ("身份证号码校验不通过", "the identity number does not check"),
        "not_a_village" => ("应为12位村代码", "a village code has 12 digits"),
        "nothing_to_change" => ("内容没有变化", "nothing would change"),
        "merged_before" => ("其中一户已并入他户", "one of them was merged before"),
        "row_missing" => ("请指明是哪一行", "say which row"),
        "holds_no_rows" => ("该表没有行", "this container has no rows"),
        "not_container_dot_field" => ("请写成 表.字段", "write container.field"),
        "not_field_equals_value" => ("请写成 字段=值", "write field=value"),
        "in_use" => (
            "台账文件正被另一程序使用,请先关闭它",
            "another program has the file open; close it first",
        ),
        "not_a_file" => ("台账文件的位置不可用", "the ledger's file cannot be there"),
        "ends_before_it_begins" => ("止日早于起日", "it ends before it begins"),
        "not_yet" => ("该日尚未到来", "that day has not come yet"),
        "row_id_unfit" => {
            ("行名只能用字母、数字、- 和 _", "a row's name has letters, digits, - and _ only")
        }
        "not_an_address" => ("不是服务器地址", "not an address"),
        "not_encrypted" => ("服务器地址须为 https", "the address must be https"),
        "not_a_certificate" => ("证书无法读取", "not a certificate"),
        "code_unknown" => ("登记码不存在,请核对", "no such code; check it"),
        "code_expired" => ("登记码已过期,请重新索取", "the code has expired; ask for another"),
        "code_used" => ("登记码已用过,请重新索取", "the code was used; ask for another"),
        "installation_taken" => (
            "本机登记在另一账户名下,请用该账户的登记码",
            "this phone is another account's; use a code of that account",
        ),
        "installation_at_work" => (
            "服务器上本机的密钥不同(换机或恢复过);请乡镇先注销旧设备,再取登记码",
            "the server has another key for this phone; have the old device revoked, then ask for a code",
        ),
        "too_many_tries" => ("尝试次数过多,请十分钟后再试", "too many tries; wait ten minutes"),
        "not_enrolled" => ("本机尚未登记", "this phone is not enrolled"),
        "revoked" => ("本机已被注销", "this phone was revoked"),
        "unknown_device" => ("服务器不认识本机", "the server does not know this phone"),
        "bad_signature" => ("本机密钥与服务器不符", "the server has another key for this phone"),
        "locked" => (
            "口令不对或未提供 (WANHU_PASSPHRASE)",
            "passphrase missing or wrong (WANHU_PASSPHRASE)",
        ),
        "unavailable" => ("密钥库无法使用", "the key store does not answer"),
        "file_not_sealed" => (
            "该文件建立时未加密,请换一个文件",
            "this file was made without encryption; use another",
        ),
        "lease_over" => (
            "本机太久没有同步,档案已锁定;未上传的数据仍在,同步后即可打开",
            "too long without a sync: the records are locked; nothing unsent is lost, a sync opens them",
        ),
        "awaiting_approval" => ("本机等待乡镇批准", "this phone waits for the township's approval"),
        "replayed" => ("请求被判为重复", "the request was taken for a repetition"),
        other => return (other.to_owned(), other.to_owned()),
    };
    (zh.to_owned(), en.to_owned())
}

/// A stage of the monitoring case.
pub(crate) fn stage_words(code: &str) -> (&str, &str) {
    let known = Schema::base().code("case_state", code);
    let none = if code.is_empty() { ("未建立", "no case yet") } else { (code, code) };
    known.map_or(none, |known| (known.zh.as_str(), known.en.as_str()))
}

/// What a step lacks.
pub(crate) fn lack_words(code: &str) -> (&str, &str) {
    words("lack", code).map_or((code, code), |known| (known.zh.as_str(), known.en.as_str()))
}

/// What to do about a change the server did not take.
pub(crate) fn refusal_words(code: &str) -> (&str, &str) {
    words("refusal", code).map_or((code, code), |known| (known.zh.as_str(), known.en.as_str()))
}
