//! What may hang on a wall (公示): which fields of a record, how a name is masked, and what is struck out of
//! free text. Deny by default: a field that is neither public nor named here never appears. Must not know how
//! a notice is laid out.

use std::collections::BTreeSet;

use super::authority::Role;
use super::facts::Facts;
use super::schema::{Field, FieldKind, Schema, Sensitivity};

mod hamlet;
mod illness;

/// Stands for whatever was struck out.
pub const STRUCK: &str = "＊＊＊";

/// How a field appears on a notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Showing {
    /// As it is; free text after [`Scrubber::scrub`].
    Plain,
    /// A person's name after [`masked_name`].
    MaskedName,
    /// A hamlet's name after [`Scrubber::hamlet`].
    Hamlet,
}

/// Fields that are not public and stand on a notice all the same: whose household it is, where, and what
/// is proposed.
const ADMITTED: [(&str, &str, Showing); 3] = [
    ("basic", "head_name", Showing::MaskedName),
    ("basic", "natural_village", Showing::Hamlet),
    ("class", "monitored_kind", Showing::Plain),
];

/// Text that nobody words: what records and rules are kept by. So is all of a warning.
const KEPT: [&str; 3] = ["household_number", "area_code", "rule_version"];

/// How a field appears on a notice; `None` where it must not.
pub fn showing(schema: &Schema, container: &str, field: &str) -> Option<Showing> {
    let admitted = ADMITTED.iter().find(|(c, f, _)| (*c, *f) == (container, field));
    let known = schema.field(container, field)?;
    match (admitted, known.sensitivity) {
        (Some((_, _, showing)), _) => Some(*showing),
        (None, Sensitivity::Public) => Some(Showing::Plain),
        (None, Sensitivity::Internal | Sensitivity::Personal | Sensitivity::Sensitive) => None,
    }
}

/// A name as notices write it: 陈永昌 as 陈*昌, 陈昌 as 陈*, 欧阳永昌 as 欧**昌. Never longer than four
/// characters of stars, so that something else than a name shows no more than its ends; of what stands behind a name, nothing.
pub fn masked_name(name: &str) -> String {
    const STARS_MAX: usize = 4;
    let characters: Vec<char> = name_in(name).chars().filter(|c| !c.is_whitespace()).collect();
    match characters.as_slice() {
        [] if name.trim().is_empty() => String::new(),
        [] | [_] => "*".to_owned(),
        [first, _] => format!("{first}*"),
        [first, inner @ .., last] => {
            format!("{first}{}{last}", "*".repeat(inner.len().min(STARS_MAX)))
        }
    }
}

/// The name at the beginning of a text, without what somebody wrote behind it: 李明(癌症), 李明13800000000.
fn name_in(text: &str) -> &str {
    let is_of_name = |c: char| c.is_alphabetic() || c.is_whitespace() || matches!(c, '·' | '•');
    let end = text.find(|c| !is_of_name(c)).unwrap_or(text.len());
    text[..end].trim()
}

/// A number of which only the end is shown: enough to tell two cards of one family apart.
pub fn masked_number(number: &str) -> String {
    const SHOWN: usize = 4;
    let count = number.chars().count();
    let hidden = if count >= 2 * SHOWN { count - SHOWN } else { count };
    let shown: String = number.chars().skip(hidden).collect();
    format!("{}{shown}", "*".repeat(hidden))
}

/// Strikes out of free text what must not be read on a wall, or at a desk by whoever may not read the fields for it: long
/// numbers, names of illnesses, names of the household's people.
#[derive(Clone, Debug, Default)]
pub struct Scrubber {
    names: BTreeSet<String>,
}

impl Scrubber {
    /// For the free text of this household.
    pub fn of(facts: &Facts) -> Self {
        let members = facts.rows("members").iter().map(|member| member.text("name"));
        let all = members.chain([facts.text("basic", "head_name")]);
        // A name of one character stands in too many other words.
        let long = all.flat_map(|name| [name.trim(), name_in(name)]);
        let long = long.filter(|name| name.chars().count() > 1);
        Self { names: long.map(str::to_owned).collect() }
    }

    /// For whoever reads free text in this role; `None` for those who may read all that people write there.
    pub fn for_role(role: Role, facts: &Facts) -> Option<Self> {
        match (role.may_read(Sensitivity::Sensitive), role.may_read(Sensitivity::Personal)) {
            (true, _) => None,
            (false, true) => Some(Self::default()),
            (false, false) => Some(Self::of(facts)),
        }
    }

    /// What stands in a field: free text after [`Self::scrub`], all else as it is.
    pub fn scrub_field(&self, container: &str, field: &Field, text: &str) -> String {
        let is_text = matches!(field.kind, FieldKind::Text { .. });
        let is_kept = KEPT.contains(&field.name.as_str()) || container == "warnings";
        if is_text && !is_kept { self.scrub(text) } else { text.to_owned() }
    }

    /// The text with [`STRUCK`] for each number of a person's own, each clause that names an illness, and
    /// each name of the household's people.
    pub fn scrub(&self, text: &str) -> String {
        let mut text = illness::struck(&without_numbers(text));
        // A longer name may contain a shorter one.
        let mut names: Vec<&String> = self.names.iter().collect();
        names.sort_by_key(|name| std::cmp::Reverse(name.len()));
        for name in names {
            text = text.replace(name.as_str(), STRUCK);
        }
        text
    }

    /// What stands where a hamlet's name should: the name, or [`STRUCK`] for whatever else somebody typed there.
    pub fn hamlet(&self, text: &str) -> String {
        match text.trim() {
            "" => String::new(),
            name if hamlet::is_hamlet(name) => self.scrub(name),
            _ => STRUCK.to_owned(),
        }
    }
}

/// Digits of the shortest number that is taken for a person's own where it is written in one: a telephone
/// without its area code.
const DIGITS_MIN: usize = 7;
/// And where it is written in groups, as cards and mobile telephones are.
const GROUPED_DIGITS_MIN: usize = 11;

fn is_digit(character: char) -> bool {
    let written = "〇零一二三四五六七八九幺壹贰叁肆伍陆柒捌玖";
    character.is_numeric() || written.contains(character)
}

/// What people write between the digits of one number: anything but letters, also what nobody sees.
fn is_separator(character: char) -> bool {
    !character.is_alphanumeric()
}

fn without_numbers(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < characters.len() {
        let end = run_end(&characters, at);
        let run = &characters[at..end];
        if end == at {
            out.push(characters[at]);
            at += 1;
        } else if is_personal(run) {
            out.push_str(STRUCK);
            // The check character of an identity number may be a letter.
            let check = characters.get(end).is_some_and(|c| matches!(c, 'x' | 'X' | 'ｘ' | 'Ｘ'));
            at = end + usize::from(check);
        } else {
            out.extend(run);
            at = end;
        }
    }
    out
}

/// Where a run of digits with separators inside ends; `from` where none begins.
fn run_end(characters: &[char], from: usize) -> usize {
    let mut end = from;
    for (at, character) in characters.iter().enumerate().skip(from) {
        if is_digit(*character) {
            end = at + 1;
        } else if end == from || !is_separator(*character) {
            break;
        }
    }
    end
}

fn is_personal(run: &[char]) -> bool {
    let groups: Vec<String> = run
        .split(|character| is_separator(*character))
        .filter(|group| !group.is_empty())
        .map(|group| group.iter().collect())
        .collect();
    let longest = groups.iter().map(|group| group.chars().count()).max().unwrap_or(0);
    let all: usize = groups.iter().map(|group| group.chars().count()).sum();
    longest >= DIGITS_MIN || (all >= GROUPED_DIGITS_MIN && !is_period(&groups))
}

/// Whether groups of digits are one day or month, or two: `2020 03 01`, `2019 9 2020 6`.
fn is_period(groups: &[String]) -> bool {
    let number = |group: &String| group.parse::<u32>().ok();
    let is_year = |group: &&String| {
        group.len() == 4 && number(group).is_some_and(|year| (1900..2100).contains(&year))
    };
    let years = groups.iter().filter(is_year).count();
    let small = |group: &String| group.len() <= 2 && number(group).is_some_and(|n| n <= 31);
    let of_one = |days: &[String]| matches!(days, [year, rest @ ..] if is_year(&year) && rest.len() <= 2 && rest.iter().all(small));
    match years {
        1 => of_one(groups),
        2 => {
            let second = groups.iter().rposition(|group| is_year(&group)).unwrap_or(0);
            of_one(&groups[..second]) && of_one(&groups[second..])
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests;
