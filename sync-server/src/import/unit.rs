//! What amounts of money are counted in, as a heading says, a cell below it, or a note beside the table: `单位:万元`,
//! `医疗费用明细(万元)`. Must not know a column.

use super::header::squeezed;

/// Units of money, each as a power of ten of yuan; those that end like another first.
const UNITS: [(&str, usize); 5] = [("亿元", 8), ("万元", 4), ("千元", 3), ("百元", 2), ("元", 0)];
/// The same where 元 is left out, as in brackets or behind 单位.
const SHORT: [(&str, usize); 2] = [("万", 4), ("千", 3)];
/// Other things that stand in a row of units below headings.
const OTHERS: [&str; 24] = [
    "亩",
    "公顷",
    "间",
    "人",
    "人次",
    "户",
    "天",
    "日",
    "次",
    "头",
    "只",
    "株",
    "棵",
    "平方米",
    "㎡",
    "个",
    "项",
    "%",
    "年月日",
    "年-月-日",
    "年/月/日",
    "—",
    "-",
    "/",
];
/// What a note begins with that says nothing else.
const NOTES: [&str; 4] = ["单位", "金额单位", "计量单位", "货币单位"];
/// What stands before 单位 where it is an office: 填报单位, 工作单位.
const OFFICES: [&str; 8] = ["填报", "报送", "上报", "编制", "制表", "填表", "报告", "工作"];
/// What may stand between 单位 and the unit; the longer before those they begin with.
const IS: [&str; 8] = ["统一为", "一律为", "均为", "皆为", "都是", "均是", "为", "是"];
const OPEN: [char; 4] = ['(', '[', '【', '〔'];
const CLOSE: [char; 4] = [')', ']', '】', '〕'];
const BRACKETS: [char; 8] = ['(', '[', '【', '〔', ')', ']', '】', '〕'];
const BETWEEN: [char; 5] = ['、', ',', '/', ';', ':'];

/// The unit that a heading names: in brackets and nothing else there, or behind 单位, or at its end. What a heading says in
/// brackets of which rows are in it, `(1万元以上)`, is no unit.
pub(super) fn of_heading(title: &str) -> Option<usize> {
    let text = squeezed(title);
    let at_end = || UNITS.iter().find(|(word, _)| text.ends_with(word)).map(|(_, unit)| *unit);
    bracketed(&text).first().copied().or_else(|| noted(title).first().copied()).or_else(at_end)
}

/// The units in which a title is told: in brackets, `医疗费用明细(万元)`, or behind a blank at its end. Of the heading of a group of
/// columns, that of each.
pub(super) fn of_title(title: &str) -> Vec<usize> {
    let named = noted(title);
    if !named.is_empty() {
        return named;
    }
    let mut units = bracketed(&squeezed(title));
    let last = title.trim().rsplit(char::is_whitespace).next();
    units.extend(last.and_then(|last| exactly(&squeezed(last))));
    units
}

/// The unit that stands alone in a cell, below the heading it belongs to: `(万元)`.
pub(super) fn alone(cell: &str) -> Option<usize> {
    let text = squeezed(cell);
    exactly(text.trim_matches(BRACKETS))
}

/// Whether a cell stands in a row of units below headings, of money or of anything else.
pub(super) fn is_unit(cell: &str) -> bool {
    let text = squeezed(cell);
    let inner = text.trim_matches(BRACKETS);
    exactly(inner).is_some() || OTHERS.contains(&inner)
}

/// Whether a cell announces a unit, which stands in the next one.
pub(super) fn is_announced(cell: &str) -> bool {
    NOTES.contains(&squeezed(cell).trim_end_matches(':'))
}

/// The units that a text names as such: of several things that it has units for, those of money.
pub(super) fn noted(text: &str) -> Vec<usize> {
    if !text.contains(['单', '金']) {
        return Vec::new();
    }
    let text = squeezed(text);
    if let Some(unit) = text.strip_prefix("金额:").and_then(exactly) {
        return vec![unit];
    }
    let by = text.split_once("为单位").and_then(|(before, _)| before.rsplit_once('以'));
    if let Some(unit) = by.and_then(|(_, unit)| exactly(unit)) {
        return vec![unit];
    }
    let notes = text.match_indices("单位").filter(|(at, _)| {
        let before = &text[..*at];
        !OFFICES.iter().any(|office| before.ends_with(office))
    });
    let named = notes.flat_map(|(at, word)| {
        let rest = text[at + word.len()..].split("单位").next().unwrap_or_default();
        let rest = rest.trim_start_matches([':']).trim_start_matches(OPEN);
        let rest = IS.iter().find_map(|is| rest.strip_prefix(is)).unwrap_or(rest);
        let rest = rest.trim_start_matches([':']).trim_start_matches(OPEN);
        let rest = rest.split(BRACKETS).next().unwrap_or_default();
        rest.split(BETWEEN).filter_map(unit)
    });
    named.collect()
}

/// Whether a text is a note of a unit and nothing else.
pub(super) fn is_note(text: &str) -> bool {
    let plain = squeezed(text);
    let plain = plain.trim_start_matches(OPEN);
    let is_one = NOTES.iter().chain(&["金额:"]).any(|note| plain.starts_with(note));
    is_one && !noted(text).is_empty()
}

/// The units that stand in brackets as a thing of their own.
fn bracketed(text: &str) -> Vec<usize> {
    let inner = text.split(OPEN).skip(1).filter_map(|rest| rest.split(CLOSE).next());
    inner.flat_map(|inner| inner.split(BETWEEN)).filter_map(exactly).collect()
}

fn without_currency(text: &str) -> &str {
    ["人民币", "rmb", "¥"].iter().find_map(|of| text.strip_prefix(of)).unwrap_or(text)
}

fn exactly(text: &str) -> Option<usize> {
    let text = without_currency(text);
    UNITS.iter().chain(&SHORT).find(|(word, _)| text == *word).map(|(_, unit)| *unit)
}

fn unit(text: &str) -> Option<usize> {
    let text = without_currency(text);
    let named = UNITS.iter().find_map(|(word, unit)| Some((text.strip_prefix(word)?, *unit)));
    // 元 begins names of places as well.
    let named = named.filter(|(rest, unit)| *unit > 0 || !rest.starts_with(char::is_alphabetic));
    named.map(|named| named.1).or_else(|| exactly(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_name_units_of_money_and_other_words_do_not() {
        for (text, expected) in [
            ("单位:万元", &[4][..]),
            ("单 位：万元", &[4]),
            ("金 额 单 位: 万 元", &[4]),
            ("医疗费用明细表　　　　单 位：千元", &[3]),
            ("受灾损失统计表  单位:万元", &[4]),
            ("(单位：万元）", &[4]),
            ("金额单位 : 千 元", &[3]),
            ("单位(百元)", &[2]),
            ("单位:户、人、亿元", &[8]),
            ("单位：人民币元", &[0]),
            ("填报单位:医保局 单位:万元 填报日期:2026年", &[4]),
            ("填报单位:元谋县医保局", &[]),
            ("填报单位:百元村卫生室", &[]),
            ("填报单位：万元村委会 单位：千元", &[3]),
            ("单位:人", &[]),
            ("工作单位", &[]),
            ("总费用(万元)", &[]),
            ("单位:万", &[4]),
            ("单位:RMB万元", &[4]),
            ("注:金额以万元为单位", &[4]),
            ("说明：本表金额单位均为万元。", &[4]),
            ("注：金额单位为万元", &[4]),
            ("以村为单位填报", &[]),
            ("金额：万元", &[4]),
            ("金额:万元以上", &[]),
            ("金额(万元)", &[]),
        ] {
            assert_eq!(noted(text), expected, "{text}");
        }
        assert!(
            is_note("【单位:万元】") && !is_note("损失统计表 单位:万元") && !is_note("单位名称")
        );
    }

    #[test]
    fn titles_end_with_their_unit_and_cells_may_be_nothing_else() {
        for (title, expected) in [
            ("医疗费用明细(万元)", &[4][..]),
            ("医疗费用明细【人民币元】 ", &[0]),
            ("费用(自付)(千元)", &[3]),
            ("（万元）", &[4]),
            ("损失情况(亩、间、万元)", &[4]),
            ("医疗费用(2026年1-10月,万元)", &[4]),
            ("医疗费用(万元)明细表", &[4]),
            ("医疗费用明细表 万元", &[4]),
            ("费用(万)", &[4]),
            ("总费用(元)、自付(万元)", &[0, 4]),
            ("费用(1万元以上)", &[]),
            ("医疗费用超万元人员", &[]),
        ] {
            assert_eq!(of_title(title), expected, "{title}");
        }
        let cells = ["(万元)", "元", "[ 千元 ]", "万", "", "()", "万元村", "单位:万元"];
        let expected = [Some(4), Some(0), Some(3), Some(4), None, None, None, None];
        assert_eq!(cells.map(alone), expected);
        let cells = ["万元", "亩", "(人)", "—", "张三", "", "5", "福岭村"];
        assert_eq!(cells.map(is_unit), [true, true, true, true, false, false, false, false]);
        let cells = ["单位", "金额单位：", "工作单位", ""];
        assert_eq!(cells.map(is_announced), [true, true, false, false]);
    }

    #[test]
    fn headings_name_their_own() {
        for (title, expected) in [
            ("总费用(万元)", Some(4)),
            ("总费用（元）", Some(0)),
            ("总费用(万)", Some(4)),
            ("总费用(单位:万元)", Some(4)),
            ("个人自付(含起付线,元)", Some(0)),
            ("直接经济损失(1万元以上)", None),
            ("医保报销(封顶15万元)", None),
            ("总费用(1万元以上)(元)", Some(0)),
            ("金额万元", Some(4)),
            ("损失[千元]", Some(3)),
            ("总费用", None),
        ] {
            assert_eq!(of_heading(title), expected, "{title}");
        }
    }
}
