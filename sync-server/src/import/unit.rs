//! What amounts of money are counted in, as a heading says, or a note beside the table: `单位:万元`. Must not know a column.

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

/// The units that a text names as such: of several things that it has units for, those of money.
pub(super) fn noted(text: &str) -> Vec<usize> {
    let text = squeezed(text);
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
    NOTES.iter().any(|note| plain.starts_with(note)) && !noted(text).is_empty()
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
        ] {
            assert_eq!(noted(text), expected, "{text}");
        }
        assert!(
            is_note("【单位:万元】") && !is_note("损失统计表 单位:万元") && !is_note("单位名称")
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
