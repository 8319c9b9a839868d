//! What amounts of money are counted in, as a heading says, or a note beside the table: `单位:万元`, `医疗费用明细(万元)`. Must not
//! know a column.

use super::header::squeezed;

/// Units of money, each as a power of ten of yuan; those that end like another first.
const UNITS: [(&str, usize); 5] = [("亿元", 8), ("万元", 4), ("千元", 3), ("百元", 2), ("元", 0)];
/// What a note begins with that says nothing else.
const NOTES: [&str; 4] = ["单位", "金额单位", "计量单位", "货币单位"];
/// What stands before 单位 where it is an office: 填报单位, 工作单位.
const OFFICES: [&str; 8] = ["填报", "报送", "上报", "编制", "制表", "填表", "报告", "工作"];
const BRACKETS: [char; 8] = ['(', ')', '[', ']', '【', '】', '〔', '〕'];

/// The unit that a heading names.
pub(super) fn of_heading(title: &str) -> Option<usize> {
    let title = squeezed(title);
    UNITS.iter().find(|(word, _)| title.contains(word)).map(|(_, unit)| *unit)
}

/// The unit in which a title is told that ends with it in brackets: `医疗费用明细(万元)`. Of the heading of a group of columns, that
/// of each.
pub(super) fn of_title(title: &str) -> Option<usize> {
    let title = squeezed(title);
    let inner = title.strip_suffix([')', ']', '】', '〕'])?;
    exactly(inner.rsplit(BRACKETS).next()?)
}

/// The unit that stands alone in a cell, below the heading it belongs to: `(万元)`.
pub(super) fn alone(cell: &str) -> Option<usize> {
    exactly(squeezed(cell).trim_matches(BRACKETS))
}

/// Whether a cell announces a unit, which stands in the next one.
pub(super) fn is_announced(cell: &str) -> bool {
    NOTES.contains(&squeezed(cell).trim_end_matches(':'))
}

/// The units that a text names as such: of several things that it has units for, those of money.
pub(super) fn noted(text: &str) -> Vec<usize> {
    let text = squeezed(text);
    if let Some(unit) = text.strip_prefix("金额:").and_then(exactly) {
        return vec![unit];
    }
    let notes = text.match_indices("单位").filter(|(at, _)| {
        let before = &text[..*at];
        !OFFICES.iter().any(|office| before.ends_with(office))
    });
    let named = notes.flat_map(|(at, word)| {
        let rest = text[at + word.len()..].split("单位").next().unwrap_or_default();
        let rest = rest.trim_start_matches([':', '为', '(', '[', '【', '〔']);
        let rest = rest.split(BRACKETS).next().unwrap_or_default();
        rest.split(['、', ',', '/', ';']).filter_map(unit)
    });
    named.collect()
}

/// Whether a text is a note of a unit and nothing else.
pub(super) fn is_note(text: &str) -> bool {
    let plain = squeezed(text);
    let plain = plain.trim_start_matches(BRACKETS);
    let is_one = NOTES.iter().chain(&["金额:"]).any(|note| plain.starts_with(note));
    is_one && !noted(text).is_empty()
}

fn exactly(text: &str) -> Option<usize> {
    let text = text.strip_prefix("人民币").unwrap_or(text);
    UNITS.iter().find(|(word, _)| text == *word).map(|(_, unit)| *unit)
}

fn unit(text: &str) -> Option<usize> {
    let text = text.strip_prefix("人民币").unwrap_or(text);
    let named = UNITS.iter().find_map(|(word, unit)| Some((text.strip_prefix(word)?, *unit)));
    // 元 begins names of places as well.
    named.filter(|(rest, unit)| *unit > 0 || !rest.starts_with(char::is_alphabetic)).map(|n| n.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_name_units_of_money_and_other_words_do_not() {
        for (text, expected) in [
            ("单位:万元", &[4][..]),
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
            ("医疗费用明细(万元)", Some(4)),
            ("医疗费用明细【人民币元】 ", Some(0)),
            ("费用(自付)(千元)", Some(3)),
            ("（万元）", Some(4)),
            ("费用(万元以上)", None),
            ("费用(万元)明细", None),
            ("医疗费用超万元人员", None),
            ("元", None),
        ] {
            assert_eq!(of_title(title), expected, "{title}");
        }
        let cells = ["(万元)", "元", "[ 千元 ]", "", "()", "万元村", "单位:万元"];
        assert_eq!(cells.map(alone), [Some(4), Some(0), Some(3), None, None, None, None]);
        assert_eq!(
            ["单位", "金额单位：", "工作单位", ""].map(is_announced),
            [true, true, false, false]
        );
    }

    #[test]
    fn headings_name_their_own() {
        for (title, expected) in [
            ("总费用(万元)", Some(4)),
            ("总费用（元）", Some(0)),
            ("损失[千元]", Some(3)),
            ("总费用", None),
        ] {
            assert_eq!(of_heading(title), expected, "{title}");
        }
    }
}
