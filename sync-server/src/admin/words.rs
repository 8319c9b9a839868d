//! What an office reads when a command fails, and why changes were refused. Chinese first.

use wanhu_core::document::DocumentError;
use wanhu_core::document::edit::{self, EditError};
use wanhu_core::document::form::FormError;
use wanhu_core::domain::figures::FiguresDiffer;
use wanhu_core::domain::ids::HouseholdId;
use wanhu_core::domain::schema::{Schema, words};
use wanhu_core::domain::workflow;
use wanhu_core::store::StoreError;
use wanhu_core::sync::wire::RefusalCode;

use super::expected::ExpectedFault;
use crate::accounts::AccountError;
use crate::app::OpenError;
use crate::import::delivery::DeliveryError;
use crate::import::header::HeaderError;
use crate::import::table::TableError;
use crate::outputs::OutputError;
use crate::storage::author::WriteRefused;

/// Why a command failed, with the code that scripts read.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// The data directory cannot be used.
    #[error("{0}")]
    Open(#[from] OpenError),
    /// The accounts refuse.
    #[error("{0}")]
    Account(#[from] AccountError),
    /// The records refuse.
    #[error("{0}")]
    Store(#[from] wanhu_core::store::StoreError),
    /// Somebody ended it.
    #[error("cancelled")]
    Cancelled,
    /// Not of this role, or outside of its area.
    #[error("not granted")]
    NotGranted,
    /// Not a village of the region list.
    #[error("not a village")]
    NotAVillage,
    /// No such change in quarantine.
    #[error("not in quarantine")]
    QuarantineUnknown,
    /// A day to come, of which nobody can tell anything.
    #[error("not yet")]
    NotYet,
    /// A list is searched by name; a number is found elsewhere.
    #[error("search by number")]
    SearchByNumber,
    /// The change cannot be taken even so, or not before an earlier one that waits as well.
    #[error("cannot be released")]
    NotReleasable {
        /// Why not.
        code: RefusalCode,
        /// Number of the one to release first.
        first: Option<i64>,
    },
    /// The operator of this machine keeps no household records: somebody has to say who acts.
    #[error("no account")]
    AccountNeeded,
    /// This head's household is on record: which one, where the office may see it.
    #[error("on record")]
    OnRecord(Option<HouseholdId>),
    /// The record or the rules refuse.
    #[error("{0}")]
    Refused(#[from] WriteRefused),
    /// No such form.
    #[error("no such form")]
    FormUnknown,
    /// No file of this form was made in the area.
    #[error("form not made")]
    FormNotMade,
    /// A form of an office's own that cannot be made.
    #[error("{0}")]
    FormRefused(#[from] FormError),
    /// The file cannot be read.
    #[error("file unreadable")]
    FileUnreadable,
    /// Not a kind of file that this program makes.
    #[error("no such format")]
    FormatUnknown,
    /// The file cannot be written.
    #[error("file unwritable")]
    FileUnwritable,
    /// More households than one file is made for.
    #[error("area too large")]
    AreaTooLarge,
    /// The sheet does not fit the format.
    #[error("{0}")]
    Output(#[from] OutputError),
    /// A file of expected households that cannot be used.
    #[error("expected households: {0}")]
    ExpectedUnusable(#[from] ExpectedFault),
    /// Parts of figures that answer different questions; a fault of this program.
    #[error("{0}")]
    Figures(#[from] FiguresDiffer),
    /// A mapping of columns that cannot be used.
    #[error("profile: {0}")]
    ProfileUnusable(String),
    /// A file that cannot be delivered.
    #[error("{0}")]
    Delivery(#[from] DeliveryError),
}

impl From<EditError> for AdminError {
    fn from(error: EditError) -> Self {
        Self::Refused(error.into())
    }
}

impl AdminError {
    /// What to do about it: stable code, Chinese, English.
    pub fn words(&self) -> (&'static str, String, String) {
        if let Self::Refused(refused) = self {
            return refused_words(refused);
        }
        if let Self::OnRecord(seen) = self {
            let (zh, en) = seen.map_or_else(
                || ("该户主已在其他辖区建档".into(), "on record in another area".into()),
                |id| (format!("该户主已建档: {id}"), format!("on record: {id}")),
            );
            return ("on_record", zh, format!("this head's household is {en}"));
        }
        if let Self::NotReleasable { code, first } = self {
            let (zh, en) = refusal_words(code.code());
            let (first_zh, first_en) = first.map_or_else(Default::default, |n| {
                (format!(";请先放行 {n}"), format!("; release {n} first"))
            });
            return ("not_releasable", format!("{zh}{first_zh}"), format!("{en}{first_en}"));
        }
        if let Self::FormRefused(error) = self {
            return form_words(error);
        }
        if let Self::Delivery(error) = self {
            return delivery_words(error);
        }
        if let Self::ProfileUnusable(reason) = self {
            let en = format!("the mapping of columns cannot be used: {reason}");
            return ("profile_unusable", format!("列对应文件无法使用: {reason}"), en);
        }
        if let Self::ExpectedUnusable(fault) = self {
            let (zh, en) = fault.words();
            return ("expected_unusable", zh, en);
        }
        let (code, zh, en) = self.fixed_words();
        (code, zh.to_owned(), en.to_owned())
    }

    fn fixed_words(&self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::AccountNeeded => (
                "account_needed",
                "请用 --by 说明以哪个账户办理;运维不办理农户档案",
                "say with --by which account acts; the operator keeps no household records",
            ),
            // Said above.
            Self::Refused(_)
            | Self::Delivery(_)
            | Self::FormRefused(_)
            | Self::ExpectedUnusable(_)
            | Self::ProfileUnusable(_)
            | Self::NotReleasable { .. }
            | Self::OnRecord(_) => ("refused", "未保存", "not saved"),
            Self::Open(_) => {
                ("data_unusable", "数据目录无法使用", "the data directory cannot be used")
            }
            Self::Figures(_) => ("internal", "内部错误", "internal error"),
            Self::FormUnknown => ("form_unknown", "没有这种表格", "no such form; see form list"),
            Self::FormNotMade => (
                "form_not_made",
                "本辖区尚未生成过这种表格",
                "no file of this form was made in the area",
            ),
            Self::FormatUnknown => (
                "format_unknown",
                "文件须为 .csv 或 .xlsx;.pdf 须以 --features pdf 编译",
                "name a .csv or .xlsx; for .pdf build with --features pdf",
            ),
            Self::AreaTooLarge => (
                "area_too_large",
                "辖区过大,请按乡镇或村生成",
                "too many households; make it by township or village",
            ),
            Self::FileUnreadable => (
                "file_unreadable",
                "文件无法读取,须为 UTF-8 文本",
                "the file cannot be read as UTF-8 text",
            ),
            Self::FileUnwritable => {
                ("file_unwritable", "文件无法写入", "the file cannot be written")
            }
            Self::Output(_) => {
                ("sheet_too_large", "表格放不进这种文件", "the sheet does not fit the format")
            }
            Self::NotYet => ("not_yet", "该日尚未到来", "that day has not come yet"),
            Self::SearchByNumber => (
                "search_by_number",
                "列表按姓名查找;身份证号和电话请用 admin find",
                "lists are searched by name; for an identity number or telephone use admin find",
            ),
            Self::NotAVillage => {
                ("not_a_village", "区划表中没有这个村", "no such village in the region list")
            }
            Self::QuarantineUnknown => {
                ("quarantine_unknown", "没有这条待审修改", "no such change in quarantine")
            }
            Self::Store(StoreError::NotFound) => {
                ("household_unknown", "没有这个农户", "no such household")
            }
            Self::Store(_) => ("store_failed", "档案库读写失败", "the records file failed"),
            Self::Cancelled => ("cancelled", "已中断", "stopped"),
            Self::NotGranted => (
                "not_granted",
                "该账户无此权限或超出辖区",
                "not for this account, or outside its area",
            ),
            Self::Account(error) => account_words(error),
        }
    }
}

/// Why the accounts refuse.
fn account_words(error: &AccountError) -> (&'static str, &'static str, &'static str) {
    match error {
        AccountError::AccountUnknown => ("account_unknown", "没有这个账户", "no such account"),
        AccountError::AccountClosed => ("account_closed", "该账户已停用", "the account is closed"),
        AccountError::AccountExists => ("account_exists", "账户已存在", "the account exists"),
        AccountError::Malformed => {
            ("malformed", "账户或姓名为空或超过40字", "id or name is empty or over 40 characters")
        }
        AccountError::AreaUnfit => (
            "area_unfit",
            "区划级别与角色不符: 村级角色用12位,乡镇9位,县6位,市4位",
            "the area is not of the role's level: village 12 digits, township 9, county 6, city 4",
        ),
        AccountError::GridUnfit => (
            "grid_unfit",
            "只有一个村的网格员才能指定网格,名称不能为空",
            "grids with a name are for a grid worker of one village",
        ),
        AccountError::NotGranted => (
            "not_granted",
            "账户由上一级在本辖区内开立和管理",
            "accounts are the level above's, inside its own area",
        ),
        AccountError::DeviceUnknown => ("device_unknown", "没有这个设备", "no such device"),
        AccountError::CodeUnknown
        | AccountError::CodeExpired
        | AccountError::CodeUsed
        | AccountError::ActorTaken
        | AccountError::ActorAtWork => ("code_refused", "登记码不可用", "the code cannot be used"),
        AccountError::Store(_) => ("store_failed", "账户库读写失败", "the accounts file failed"),
    }
}

/// The words for a code; the code itself where it has none.
fn told<'c>(list: &str, code: &'c str) -> (&'c str, &'c str) {
    words(list, code).map_or((code, code), |known| (known.zh.as_str(), known.en.as_str()))
}

/// Why nothing was written.
fn refused_words(refused: &WriteRefused) -> (&'static str, String, String) {
    match refused {
        WriteRefused::Edit(error) => {
            let (zh, en) = edit::explain(&error.field, error.reason);
            ("invalid_input", format!("{}: {zh}", error.field), format!("{}: {en}", error.field))
        }
        WriteRefused::Denied(denial) => {
            let field = &denial.field;
            let (by_zh, by_en) = denial.needed.map_or(Default::default(), |role| {
                let (zh, en) = told("role", role.code());
                (format!(";应由{zh}办理"), format!("; it is for the {en}"))
            });
            (
                "not_permitted",
                format!("该账户无权填写 {field}{by_zh}"),
                format!("this account may not write {field}{by_en}"),
            )
        }
        WriteRefused::Step(denial) => {
            let until = denial.lack.day().map(|day| day.to_string()).unwrap_or_default();
            let (zh, en) = workflow::explain(denial.lack.code(), &until);
            ("illegal_step", zh, en)
        }
        WriteRefused::MergedAway => {
            let (zh, en) = told("refusal", "merged_away");
            ("merged_away", zh.to_owned(), en.to_owned())
        }
        WriteRefused::Change(DocumentError::Empty) => {
            ("nothing_to_change", "没有可修改的内容".into(), "nothing would change".into())
        }
        WriteRefused::Change(_) => {
            ("too_large", "内容过大,请分次保存".into(), "too large; save in parts".into())
        }
    }
}

/// Why a form cannot be made; a field goes by its label as well.
fn form_words(error: &FormError) -> (&'static str, String, String) {
    let subject = error.subject();
    let field = subject.split_once('.').and_then(|(c, name)| Schema::base().field(c, name));
    let (zh, en) = field.map_or_else(Default::default, |field| {
        (format!(" ({})", field.zh), format!(" ({})", field.en))
    });
    let known = words("form_error", error.code()).cloned();
    let said = |text: String, label: String| text.replace("{subject}", &(subject.clone() + &label));
    known.map_or_else(
        || ("form_refused", "模板有误".into(), error.to_string()),
        |known| ("form_refused", said(known.zh, zh), said(known.en, en)),
    )
}

/// Why a file was not delivered.
fn delivery_words(error: &DeliveryError) -> (&'static str, String, String) {
    let en = error.to_string();
    let (code, zh) = match error {
        DeliveryError::OtherKind(kind) => {
            let named = format!("--kind {kind}");
            let zh =
                format!("表头更像 {named} 的表,未导入:请改用 {named};确属所选种类的,加 --anyway");
            return ("other_kind", zh, en);
        }
        DeliveryError::Header(HeaderError::ColumnInParts(title)) => {
            let zh = format!("“{title}”下分几列而没有合计,无法确定金额:请加一列合计,或只留一列");
            return ("header_missing", zh, en);
        }
        DeliveryError::Amounts(yuan) => {
            let zh = format!(
                "金额最大为 {yuan} 元,疑似单位有误(如万元),未导入:请在表头写明单位;确无误的,加 --anyway"
            );
            return ("amounts_unlikely", zh, en);
        }
        DeliveryError::Table(TableError::Unsupported) => (
            "table_unreadable",
            "不是可读取的表格(网页存成的 .xls 也不是):请用 Excel 或 WPS 打开,另存为 .xlsx 或 .csv",
        ),
        DeliveryError::Table(TableError::MixedEncodings) => {
            ("table_unreadable", "文件里混有两种文字编码(UTF-8 与 GBK):请另存为 .xlsx 再导入")
        }
        DeliveryError::Table(_) => ("table_unreadable", "文件无法作为表格读取"),
        DeliveryError::Header(HeaderError::ColumnsMissing { sheets_left, .. })
            if !sheets_left.is_empty() =>
        {
            ("header_missing", "只读第一张工作表,其表头缺少必需的列;请把数据表移到最前")
        }
        DeliveryError::Header(HeaderError::UnitTwice) => (
            "header_missing",
            "注明了两种金额单位(标题、附注、单位列或另一张表):请在各列表头写明单位",
        ),
        DeliveryError::Header(_) => ("header_missing", "表头缺少必需的列"),
        DeliveryError::NotPermitted => {
            ("not_permitted", "只有部门账户可以导入,且只能撤回自己的或同辖区已停用账户的导入")
        }
        DeliveryError::NotAnOffice => ("not_permitted", "历次排查数据只能由乡镇或县级账户导入"),
        DeliveryError::Unknown => ("delivery_unknown", "没有这次导入,或已撤回"),
        DeliveryError::Cancelled => ("cancelled", "已中断;重新导入同一文件即可继续"),
        DeliveryError::Report(_) => ("report_unwritable", "报告文件无法写入;数据已导入"),
        DeliveryError::Store(_) => ("store_failed", "档案库读写失败;重新导入同一文件即可继续"),
    };
    (code, format!("{zh} ({en})"), en)
}

/// Why a change was refused, as an office reads it.
pub(super) fn refusal_words(code: &str) -> (&'static str, &'static str) {
    let known = words("quarantine", code).or_else(|| words("refusal", code));
    known.map_or(("被退回", "refused"), |known| (&known.zh, &known.en))
}
