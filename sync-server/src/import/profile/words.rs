//! What a cell says by the words in it. A word that stands with what takes it back (`非低保`, `参保异常`) does not count,
//! unless the profile has both as one word of its own (`未参保`). Must not know a table, nor what the codes mean.

use std::borrow::Cow;
use std::ops::Range;

use super::{Column, Reading};

/// What takes back what is said in its clause; in a cell that says yes or no, all that is said.
const DENIALS: [&str; 43] = [
    "不",
    "非",
    "未",
    "否",
    "曾",
    "原",
    "拟",
    "差",
    "待",
    "应参",
    "可参",
    "免予",
    "动员",
    "申请",
    "审核中",
    "审批中",
    "公示",
    "调查中",
    "计划",
    "准备",
    "即将",
    "部分",
    "疑似",
    "条件",
    "需解决",
    "缺乏",
    "难以",
    "低于",
    "以下",
    "率低",
    "亚健",
    "脱低保",
    "脱离",
    "享受过",
    "参保过",
    "参加过",
    "以前",
    "此前",
    "之前",
    "生前",
    "往年",
    "上年",
    "去年",
];
/// What takes back what is said in the whole cell.
const ENDINGS: [&str; 37] = [
    "停", "断", "欠", "缓", "拒", "取消", "退出", "退保", "清退", "剔除", "注销", "销户", "终止",
    "撤销", "放弃", "丧失", "离岗", "辞退", "解聘", "返乡", "返回", "已愈", "治愈", "死亡", "已故",
    "去世", "病故", "异常", "隐患", "风险", "问题", "存疑", "失败", "失效", "作废", "过期", "到期",
];
/// What has such a word in it and takes nothing back.
const BESIDES: [&str; 2] = ["待遇", "优待"];
/// All that is written for `未`.
const NOT: [&str; 5] = ["没有", "尚未", "并未", "没", "无"];
/// What ends a clause.
const CLAUSES: [char; 10] = [',', ';', '、', '。', '(', ')', '/', ':', '|', '+'];
/// What stands before how things are, where how they were is said as well.
const NOW: [&str; 7] = ["现", "鉴定为", "评定为", "改为", "转", "变更为", "调整为"];

/// A cell's text with one word for not: `没有参保` as `未参保`.
pub(super) fn with_one_not(text: &str) -> Cow<'_, str> {
    if !text.contains(['没', '无', '尚', '并']) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(NOT.iter().fold(text.to_owned(), |text, not| text.replace(not, "未")))
}

/// What takes back what a cell says, as a column has it.
#[derive(Clone, Debug, Default)]
pub(super) struct Contrary {
    /// Instead of [`DENIALS`].
    pub(super) denials: Option<Vec<String>>,
    /// Instead of [`ENDINGS`].
    pub(super) endings: Option<Vec<String>>,
    /// What says nothing of what the column is about, whatever it has in it.
    pub(super) besides: Vec<String>,
    /// Whether a cell with two codes says none.
    pub(super) single: bool,
}

fn word_at(text: &str, own: Option<&[String]>, usual: &[&'static str]) -> Option<usize> {
    let length = |word: &str| text.starts_with(word).then_some(word.len());
    match own {
        Some(own) => own.iter().find_map(|word| length(word)),
        None => usual.iter().find_map(|word| length(word)),
    }
}

impl Contrary {
    /// Where something in the text takes back what is said, and whether it is the whole of it.
    fn within<'t>(&'t self, text: &'t str) -> impl Iterator<Item = (Range<usize>, bool)> + 't {
        text.char_indices().filter_map(|(at, _)| {
            let denial = word_at(&text[at..], self.denials.as_deref(), &DENIALS);
            let ending = || word_at(&text[at..], self.endings.as_deref(), &ENDINGS);
            let is_ending = denial.is_none();
            denial.or_else(ending).map(|length| (at..at + length, is_ending))
        })
    }

    fn without_besides<'t>(&self, cell: Cow<'t, str>) -> Cow<'t, str> {
        let own = self.besides.iter().map(String::as_str);
        own.chain(BESIDES).fold(cell, |cell, word| {
            if cell.contains(word) { Cow::Owned(cell.replace(word, "")) } else { cell }
        })
    }
}

impl Column {
    /// The code that a cell spells, squeezed; `None` where it spells none, or says that and the contrary.
    pub(in crate::import) fn code(&self, squeezed: &str) -> Option<&str> {
        let cell = with_one_not(squeezed);
        if let Some((_, code)) = self.spellings.iter().find(|(spelling, _)| *spelling == *cell) {
            return Some(code);
        }
        let cell = self.contrary.without_besides(cell);
        let cell = self.latest(&cell);
        let mut told = self.told(cell);
        match told.next() {
            Some(first) if self.contrary.single && told.any(|other| other != first) => None,
            Some(first) => Some(first),
            None if self.open(cell).next().is_some() => None,
            None => self.otherwise.as_deref(),
        }
    }

    /// Whether a cell says more than its [`Column::code`].
    pub(in crate::import) fn says_more(&self, squeezed: &str) -> bool {
        let cell = self.contrary.without_besides(with_one_not(squeezed));
        let is_whole = self.spellings.iter().any(|(spelling, _)| *spelling == *cell);
        let mut told = self.told(&cell);
        let first = told.next();
        !is_whole && told.any(|other| Some(other) != first)
    }

    /// The codes of the words in a cell that are not taken back.
    fn told<'s>(&'s self, cell: &str) -> impl Iterator<Item = &'s str> {
        let counts = move |part: &str| {
            let mut places = cell.match_indices(part).map(|(at, _)| at..at + part.len());
            places.any(|place| !self.is_inside(cell, &place) && !self.is_taken_back(cell, &place))
        };
        self.parts.iter().filter(move |(part, _)| counts(part)).map(|(_, code)| code.as_str())
    }

    /// How things are now, where the cell says how they were before: `原A级现D级`.
    fn latest<'c>(&self, cell: &'c str) -> &'c str {
        let tells = |text: &str| self.parts.iter().any(|(part, _)| text.contains(part));
        let places = NOW.iter().flat_map(|now| cell.match_indices(now));
        let tails = places.filter_map(|(at, now)| {
            let tail = &cell[at + now.len()..];
            (tells(&cell[..at]) && tells(tail)).then_some(tail)
        });
        tails.min_by_key(|tail| tail.len()).unwrap_or(cell)
    }

    /// Whether the place lies in that of a longer word of the profile.
    fn is_inside(&self, cell: &str, place: &Range<usize>) -> bool {
        self.parts.iter().filter(|(part, _)| part.len() > place.len()).any(|(part, _)| {
            let mut longer = cell.match_indices(part.as_str());
            longer.any(|(at, _)| at <= place.start && place.end <= at + part.len())
        })
    }

    /// What takes something back and is not of a word of the profile.
    fn open<'t>(&'t self, cell: &'t str) -> impl Iterator<Item = (Range<usize>, bool)> + 't {
        self.contrary.within(cell).filter(|(place, _)| !self.is_inside(cell, place))
    }

    fn is_taken_back(&self, cell: &str, place: &Range<usize>) -> bool {
        // What is itself a contrary is only taken back by a no right before it: `欠费停保`, `未停保`.
        if self.contrary.within(&cell[place.clone()]).next().is_some() {
            return cell[..place.start].ends_with(['不', '非', '未']);
        }
        let is_of_cell = self.reading == Reading::Tick;
        let between = |one: &Range<usize>, other: &Range<usize>| {
            cell.get(one.end.min(other.end)..one.start.max(other.start)).unwrap_or_default()
        };
        self.open(cell).any(|(taker, is_ending)| {
            is_ending || is_of_cell || !between(&taker, place).contains(CLAUSES)
        })
    }
}
