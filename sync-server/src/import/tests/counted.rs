//! In what a list counts its amounts, and which of its columns an amount is: as bureaus write it. What is not clear is refused
//! rather than read ten thousand times too small or too large.

use rust_xlsxwriter::Format;
use wanhu_core::domain::value::Value;

use super::rows::{rows_of, value};
use super::*;
use crate::import::header::HeaderError;
use crate::import::outcome::FaultCode;
use crate::import::profile::{Kind, Profile};
use crate::import::rows::read_rows;

const HEAD: &str = "姓名,身份证号码,住院/门诊,入院日期";

/// What the whole bill and the own part of the first row come to, in yuan.
fn yuan(text: &str) -> Result<[i64; 2], HeaderError> {
    let table = read(text.as_bytes()).unwrap();
    let (rows, _, _) = read_rows(&table, Profile::of(Kind::Medical).unwrap())?;
    let fen = |field| value(&rows[0], field).as_ref().and_then(Value::as_int).unwrap_or(-100);
    Ok(["total_fen", "self_pay_fen"].map(|field| fen(field) / 100))
}

fn line(cells: &str) -> String {
    format!("甲,{},住院,2020-01-01,{cells}", identity(1))
}

#[test]
fn units_are_found_wherever_bureaus_write_them() {
    let (plain, bill) = (format!("{HEAD},总费用,自付"), line("5,3"));
    let myriads = Ok([50_000, 30_000]);
    for text in [
        format!("{plain}\n(年月日),,天,年月日,万元,万元\n{bill}\n"),
        format!("{plain}\n—,—,—,—,万元,万元\n{bill}\n"),
        format!("{plain}\n1,2,3,4,5,6\n,,,,万元,万元\n{bill}\n"),
        format!("{plain}\n{bill}\n单位:万元\n"),
        format!("{plain}\n{bill}\n合计,,,,5,3\n,,,,注:金额单位为万元\n"),
        format!("{plain}\n{bill},,单位:万元\n"),
        format!("{HEAD},总费用(万),自付(万)\n{bill}\n"),
        format!("单位:万\n{plain}\n{bill}\n"),
        format!("单 位：万元\n{plain}\n{bill}\n"),
        format!(
            "姓名,身份证号码,住院/门诊,入院日期,医疗费用(万元),,,\n姓名,身份证号码,住院/门诊,入院日期,总费用,报销,,个人自付\n姓名,身份证号码,住院/门诊,入院日期,总费用,医保报销,大病保险,个人自付\n{}\n",
            line("5,1,1,3")
        ),
        format!("单位:,万\n{plain}\n{bill}\n"),
        format!("单位:RMB万元\n{plain}\n{bill}\n"),
        format!("住院明细\n,,,,,万元\n{plain}\n{bill}\n"),
        format!("住院费用(万元)明细表\n{plain}\n{bill}\n"),
        format!("住院费用明细(2026年1-10月，万元)\n{plain}\n{bill}\n"),
        format!("住院费用明细表 万元\n{plain}\n{bill}\n"),
        format!("注:金额以万元为单位\n{plain}\n{bill}\n"),
        format!("说明:本表金额单位均为万元。\n{plain}\n{bill}\n"),
        format!("{plain},金额单位\n{bill},万元\n"),
        format!("{HEAD},费用情况(次、万元),,备注\n,,,,总费用,自付,\n{bill}\n"),
        format!(
            "姓名,身份证号码,就诊,,费用,,\n,,住院/门诊,入院日期,总费用,自付,\n,,,,万元,万元,\n{bill}\n"
        ),
    ] {
        assert_eq!(yuan(&text), myriads, "{text}");
    }
    // In another unit each.
    let each = format!("{plain}\n,,,,万元,元\n{}\n", line("5,30000"));
    assert_eq!(yuan(&each), myriads);
}

#[test]
fn what_says_of_which_rows_a_column_has_is_no_unit() {
    let bill = line("50000,30000");
    for text in [
        format!("{HEAD},总费用(1万元以上),自付(含起付线0.1万元)\n{bill}\n"),
        format!("{HEAD},总费用(万元以下四舍五入),自付\n{bill}\n"),
        format!("住院费用超万元人员名单\n{HEAD},总费用,自付\n{bill}\n"),
        format!("{HEAD},总费用,自付,备注\n{bill},借款3万元\n"),
    ] {
        assert_eq!(yuan(&text), Ok([50_000, 30_000]), "{text}");
    }
}

#[test]
fn two_units_for_the_same_amounts_are_refused() {
    let plain = format!("{HEAD},总费用,自付");
    let second = format!("乙,{},住院,2020-01-01,5,3", identity(2));
    for text in [
        format!("住院费用明细(万元)\n单位:元\n{plain}\n{}\n", line("50000,30000")),
        format!("住院费用明细(元)\n单位:万元\n{plain}\n{}\n", line("5,3")),
        format!("单位:元\n{plain}\n{}\n单位:万元\n{plain}\n{second}\n", line("5,3")),
        format!(
            "{HEAD},总费用(元),自付(元)\n{}\n{HEAD},总费用(万元),自付(万元)\n{second}\n",
            line("5,3")
        ),
        format!("{plain},金额单位\n{},元\n{second},万元\n", line("5,3")),
    ] {
        assert_eq!(yuan(&text), Err(HeaderError::UnitTwice), "{text}");
    }
}

#[test]
fn of_an_amount_in_parts_their_sum_is_meant() {
    let head = |parts: &str| {
        let blanks = ",".repeat(parts.matches(',').count());
        format!("{HEAD},总费用,自付{blanks}\n,,,,,{parts}")
    };
    let summed = format!("{}\n{}\n", head("合规自付,自费,小计"), line("50000,4000,26000,30000"));
    assert_eq!(yuan(&summed), Ok([50_000, 30_000]));
    let named = format!("{}\n{}\n", head("人次,个人自付"), line("50000,3,30000"));
    assert_eq!(yuan(&named), Ok([50_000, 30_000]));
    for parts in ["自付,自费,小计", "政策内自付,政策外自付,自付合计"] {
        let summed = format!("{}\n{}\n", head(parts), line("50000,4000,26000,30000"));
        assert_eq!(yuan(&summed), Ok([50_000, 30_000]), "{parts}");
    }
    let unsummed = format!("{}\n{}\n", head("个人自付,自费"), line("50000,4000,26000"));
    assert_eq!(yuan(&unsummed), Err(HeaderError::ColumnInParts("自付".into())));
    let alone = format!("{}\n{}\n", head("万元"), line("50000,3"));
    assert_eq!(yuan(&alone), Ok([50_000, 30_000]));
    let parts = format!("{}\n{}\n", head("政策内,政策外"), line("50000,4000,26000"));
    assert_eq!(yuan(&parts), Err(HeaderError::ColumnInParts("自付".into())));
    // A line of totals and a note are no parts.
    let totals = format!("{HEAD},总费用,自付\n合计,,,,90000,60000\n{}\n", line("50000,30000"));
    assert_eq!(yuan(&totals), Ok([50_000, 30_000]));
}

#[test]
fn loss_is_counted_beside_other_things_that_were_lost() {
    let text = format!(
        "户主姓名,身份证号,灾种,受灾时间,农作物受灾面积,倒塌房屋,直接经济损失\n,,,,亩,间,万元\n甲,{},山洪,2020-07-01,3,2,3.5\n",
        identity(1)
    );
    let (rows, faults, _) = rows_of(Kind::Disaster, &text);
    assert_eq!(faults, []);
    assert_eq!(value(&rows[0], "total_fen"), Some(3_500_000.into()));
}

#[test]
fn an_amount_that_is_merged_downwards_is_counted_once() {
    let bytes = xlsx(|book| {
        let (sheet, plain) = (book.add_worksheet(), Format::new());
        for (column, title) in
            ["姓名", "身份证号码", "住院/门诊", "入院日期", "总费用", "自付"].iter().enumerate()
        {
            sheet.write(0, u16::try_from(column).unwrap(), *title).unwrap();
        }
        for row in 1..4 {
            let day = format!("2020-01-{row:02}");
            let cells = ["甲", &identity(1), "住院", &day, "20000"];
            for (column, cell) in cells.iter().enumerate().filter(|(column, _)| *column != 4) {
                sheet.write(row, u16::try_from(column).unwrap(), *cell).unwrap();
            }
            sheet.write(row, 4, 20_000).unwrap();
        }
        sheet.merge_range(1, 5, 3, 5, "", &plain).unwrap();
        sheet.write(1, 5, 9_000).unwrap();
    });
    let (rows, faults, _) =
        read_rows(&read(&bytes).unwrap(), Profile::of(Kind::Medical).unwrap()).unwrap();
    assert_eq!(rows.iter().map(|row| row.row).collect::<Vec<_>>(), [2]);
    let faults: Vec<_> = faults.iter().map(|f| (f.row, f.code, &*f.column)).collect();
    assert_eq!(faults, [3, 4].map(|row| (row, FaultCode::AmountMerged, "自付")));
}
