//! The families of acceptance stories A1 to A3, with the facts and figures the press printed and no
//! others. Where the press gives a month, the first of it stands; where it says "a little over", the round figure.

use wanhu_core::client::RecordEdit;
use wanhu_core::domain::value::Value;

use super::Sample;

/// 福岭村, 关溪乡, 宜章县.
pub const FULING: u64 = 431_022_208_217;
/// 金盆村, 舜峰镇, 临武县.
pub const JINPEN: u64 = 431_025_100_216;

/// The three families, in the order of the stories.
pub fn stories() -> [Sample; 3] {
    [(FULING, chen_yongchang()), (JINPEN, chen_guojian()), (JINPEN, hu_fuwu())]
}

fn row(fields: &[(&str, Value)]) -> Vec<(String, Value)> {
    fields.iter().map(|(field, value)| ((*field).to_owned(), value.clone())).collect()
}

fn record(head: &str) -> RecordEdit {
    RecordEdit { form: "household/1".into(), ..RecordEdit::default() }
        .set("basic", "head_name", head)
        .set("class", "household_kind", "lifted")
}

fn measure(kind: &str, title: &str, amount_fen: Option<i64>, period: &str) -> Vec<(String, Value)> {
    let mut fields =
        row(&[("kind", kind.into()), ("title", title.into()), ("status", "under_way".into())]);
    if let Some(amount_fen) = amount_fen {
        fields.extend(row(&[("amount_fen", amount_fen.into()), ("period", period.into())]));
    }
    fields
}

/// A1: breast cancer found in July 2019; hospital cost about 90,000 yuan, 78,000 reimbursed.
fn chen_yongchang() -> RecordEdit {
    record("陈永昌")
        .set("class", "tag_unstable", true)
        .set("class", "risk_1", "illness")
        .set("case", "channel", "department")
        .set("case", "by_proxy", true)
        .row("members", row(&[("name", "陈永昌".into()), ("relation", "head".into())]))
        .row(
            "members",
            row(&[
                ("name", "文秀芬".into()),
                ("relation", "spouse".into()),
                ("sex", "female".into()),
                ("health", "serious".into()),
            ]),
        )
        .row("members", row(&[("relation", "son".into()), ("labour", "ordinary".into())]))
        .row("members", row(&[("relation", "son".into())]))
        .row(
            "spending",
            row(&[
                ("kind", "medical".into()),
                ("disease", "cancer".into()),
                ("inpatient", true.into()),
                ("from", "2019-07-01".into()),
                ("to", "2020-02-01".into()),
                ("total_fen", 9_000_000.into()),
                ("basic_insurance_fen", 7_800_000.into()),
                ("self_pay_fen", 1_200_000.into()),
            ]),
        )
        .row("measures", measure("comprehensive", "二类低保", None, ""))
        .row("measures", measure("other_education", "小儿子助学", None, ""))
        .row("measures", measure("insurance_dividend", "产业项目分红", Some(500_000), "year"))
        .row("measures", measure("public_post", "村级保洁员", Some(50_000), "month"))
}

/// A2: stomach cancer in March 2020, found by data matching; transfers of 20,680 yuan a year.
fn chen_guojian() -> RecordEdit {
    record("陈国建")
        .set("class", "tag_serious_illness", true)
        .set("class", "risk_1", "illness")
        .set("case", "channel", "department")
        .set("income", "transfer_fen", 2_068_000)
        .row(
            "members",
            row(&[
                ("name", "陈国建".into()),
                ("relation", "head".into()),
                ("health", "serious".into()),
            ]),
        )
        .row("members", row(&[("relation", "son".into()), ("school_stage", "vocational".into())]))
        .row("members", row(&[("relation", "son".into())]))
        .row(
            "spending",
            row(&[
                ("kind", "medical".into()),
                ("disease", "cancer".into()),
                ("from", "2020-03-01".into()),
            ]),
        )
        .row("measures", measure("other_education", "大儿子免费就读职校,毕业安排就业", None, ""))
        .row("measures", measure("other_education", "小儿子助学", Some(400_000), "year"))
        .row("measures", measure("comprehensive", "全家低保", Some(128_000), "month"))
        .row("measures", measure("comprehensive", "残疾人补贴", Some(11_000), "month"))
}

/// A3: a pig farm lost nearly 200,000 yuan; registered 2014, relocated 2016; 2,000 yuan a month at a tea
/// base, more than 20 mu of peaches and herbs, a little over 50,000 yuan of debt left.
fn hu_fuwu() -> RecordEdit {
    record("胡甫武")
        .set("class", "risk_1", "business_failure")
        .set("class", "risk_2", "illness")
        .set("basic", "relocated", true)
        .set("basic", "relocation_kind", "concentrated")
        .set("income", "wage_fen", 2_400_000)
        .set("living", "orchard_centimu", 2_000)
        .set("living", "debt_fen", 5_000_000)
        .row(
            "members",
            row(&[
                ("name", "胡甫武".into()),
                ("relation", "head".into()),
                ("health", "chronic".into()),
                ("labour", "skilled".into()),
                ("work_months", 12.into()),
                ("work_area", "county".into()),
            ]),
        )
        .row("spending", row(&[("kind", "other".into()), ("total_fen", 20_000_000.into())]))
        .row(
            "measures",
            row(&[
                ("kind", "industry".into()),
                ("title", "桃和中药材种植".into()),
                ("status", "under_way".into()),
                ("asset", "orchard".into()),
                ("area_centimu", 2_000.into()),
            ]),
        )
        .row("measures", measure("jobs", "茶叶基地管理", Some(200_000), "month"))
        .row("measures", measure("relocation", "易地搬迁", None, ""))
        .row("measures", measure("industry", "县内及农业大学培训", None, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_yearly_transfers_of_a2_add_up() {
        let edit = chen_guojian();
        let yearly: i64 = edit
            .new_rows
            .iter()
            .filter(|row| row.container == "measures")
            .map(|row| {
                let get = |name: &str| {
                    row.fields
                        .iter()
                        .find(|named| named.field == name)
                        .map(|named| named.value.clone())
                };
                let amount = get("amount_fen").and_then(|v| v.as_int()).unwrap_or(0);
                let months = if get("period") == Some("month".into()) { 12 } else { 1 };
                amount * months
            })
            .sum();
        assert_eq!(yearly, 2_068_000, "1,280 x 12 + 110 x 12 + 4,000 yuan");
    }
}
