//! One cell read as a day, an amount, an identity number, a name. What can be read in one way only is read;
//! nothing is guessed. Must not know which column it stands in.

use std::borrow::Cow;

use wanhu_core::domain::day::Day;
use wanhu_core::domain::identity::{IdentityError, IdentityNumber};
use wanhu_core::domain::spelling::{half_width, is_name_dot};

use super::outcome::FaultCode;

/// Days from the spreadsheet's day 0 to 1970-01-01, by the epoch of 1900 (its false leap day is long past).
const SERIAL_OF_1970: i32 = 25_569;
/// How much later the epoch of 1904 begins.
const SERIAL_OF_1904: i32 = 1_462;
/// Serial numbers taken for days: five digits, 1927 to 2173.
const SERIALS: std::ops::Range<i32> = 10_000..100_000;
/// Years taken.
const YEARS: std::ops::RangeInclusive<i32> = 1900..=2100;
/// 万 as a power of ten.
const MYRIAD: usize = 4;
/// What is written where something has no end, or none yet.
const NO_END: [&str; 8] =
    ["长期", "长期有效", "永久", "永久有效", "终身", "无限期", "现在", "目前"];
const UNTIL_NOW: &str = "至今";
/// What is counted, where it stands behind its number.
const COUNTED: [&str; 12] =
    ["人", "口", "名", "户", "间", "栋", "处", "亩", "个月", "个", "次", "岁"];
/// Digits of yuan taken: a thousand times a county's budget.
const YUAN_DIGITS_MAX: usize = 14;

/// The text of a cell as it is compared: ASCII instead of full-width characters, no space around it, none of
/// the marks that force a spreadsheet to see text: `'431022…`, `="431022…"`.
pub(super) fn plain(cell: &str) -> Cow<'_, str> {
    // Spaces, invisible characters and those of full width begin with one of these bytes; most cells have none.
    let odd =
        |byte: u8| byte <= b' ' || matches!(byte, b'\'' | b'=' | 0xC2 | 0xE1 | 0xE2 | 0xE3 | 0xEF);
    if !cell.bytes().any(odd) {
        return Cow::Borrowed(cell);
    }
    let is_edge = |character: char| character.is_whitespace() || is_invisible(character);
    let cell = cell.trim_matches(is_edge).trim_start_matches('\'').trim_matches(is_edge);
    let quoted = cell.strip_prefix("=\"").and_then(|cell| cell.strip_suffix('"'));
    let cell =
        quoted.filter(|text| !text.contains('"')).map_or(cell, |text| text.trim_matches(is_edge));
    Cow::Owned(cell.chars().filter(|character| !is_invisible(*character)).map(narrow).collect())
}

fn narrow(character: char) -> char {
    match character {
        '\u{3000}' | '\u{A0}' => ' ',
        '￥' => '¥',
        _ => half_width(character),
    }
}

fn is_invisible(character: char) -> bool {
    matches!(character, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}' | '\u{FEFF}')
}

/// Whether people write this where there is nothing to write.
pub(super) fn is_nothing(plain: &str) -> bool {
    // The longest of them has six bytes.
    plain.len() <= 6
        && matches!(
            plain,
            "" | "-"
                | "--"
                | "—"
                | "——"
                | "/"
                | "\\"
                | "无"
                | "空"
                | "N/A"
                | "#N/A"
                | "null"
                | "NULL"
        )
}

/// A person's name without the spaces that make short ones as wide as long ones.
pub(super) fn name(plain: &str) -> Cow<'_, str> {
    let latin = plain.bytes().any(|byte| byte.is_ascii_alphabetic());
    let odd =
        |character: char| character.is_whitespace() || (is_name_dot(character) && character != '·');
    if latin || !plain.contains(odd) {
        return Cow::Borrowed(plain);
    }
    let kept = plain.chars().filter(|character| !character.is_whitespace());
    Cow::Owned(kept.map(|character| if odd(character) { '·' } else { character }).collect())
}

/// An identity number.
///
/// # Errors
/// `IdentityScientific` where a spreadsheet has lost its digits, `IdentityCheck`, `IdentityMalformed`.
pub(super) fn identity(plain: &str) -> Result<IdentityNumber, FaultCode> {
    let spaced = plain.contains(' ');
    let text = if spaced { Cow::Owned(plain.replace(' ', "")) } else { Cow::Borrowed(plain) };
    IdentityNumber::parse(&text).map_err(|error| match error {
        IdentityError::BadCheckCharacter if has_lost_digits(&text) => FaultCode::IdentityScientific,
        IdentityError::BadCheckCharacter => FaultCode::IdentityCheck,
        IdentityError::BadBirthDate => FaultCode::IdentityMalformed,
        IdentityError::Malformed if is_scientific(&text) => FaultCode::IdentityScientific,
        IdentityError::Malformed => FaultCode::IdentityMalformed,
    })
}

/// `4.31022E+17`, and nothing that is not a number.
fn is_scientific(text: &str) -> bool {
    let Some((digits, exponent)) = text.split_once(['E', 'e']) else { return false };
    let exponent = exponent.trim_start_matches('+');
    let numeric = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    numeric(exponent) && digits.split('.').all(numeric)
}

/// The digits after the fifteenth are zeros: a spreadsheet took the number for a number and saved it.
fn has_lost_digits(text: &str) -> bool {
    text.len() == 18 && text.ends_with("000")
}

/// A day: `2020-02-01`, `2020/2/1`, `2020.02.01`, `2020年2月1日`, `20200201`, any of them followed by a time,
/// or a spreadsheet's serial number.
pub(super) fn day(plain: &str, from_1904: bool) -> Option<Day> {
    if let Some(day) = serial(plain, from_1904) {
        return Some(day);
    }
    let (date, time) =
        plain.split_at(plain.bytes().position(|b| matches!(b, b' ' | b'T')).unwrap_or(plain.len()));
    let is_time = |c: char| c.is_ascii_digit() || matches!(c, ' ' | 'T' | ':' | '.' | 'Z');
    if !time.chars().all(is_time) {
        return None;
    }
    if date.len() == 8 && date.bytes().all(|byte| byte.is_ascii_digit()) {
        return ymd([&date[..4], &date[4..6], &date[6..]]);
    }
    ymd(parts(date.strip_suffix('日').unwrap_or(date))?)
}

/// A month: `2020-02`, `2020年2月`, `202002`, or a day of it; its first day.
pub(super) fn month(plain: &str, from_1904: bool) -> Option<Day> {
    if let Some(day) = day(plain, from_1904) {
        let (year, month, _) = day.civil();
        return Day::new(year, month, 1);
    }
    if plain.len() == 6 && plain.bytes().all(|byte| byte.is_ascii_digit()) {
        return ymd([&plain[..4], &plain[4..], "1"]);
    }
    let text = plain.strip_suffix('月').unwrap_or(plain);
    let (year, month) = text.split_once(['-', '/', '.', '年'])?;
    ymd([year, month, "1"])
}

/// Whether this stands where something has no end, or none yet: `长期`, `至今`, `2025.3.1至今`.
pub(super) fn is_without_end(plain: &str) -> bool {
    NO_END.contains(&plain) || plain.ends_with(UNTIL_NOW)
}

/// When what goes on began: `2025.3.1至今`, `2025年3月起`.
pub(super) fn begun(plain: &str) -> &str {
    let begun = plain.strip_suffix(UNTIL_NOW).or_else(|| plain.strip_suffix('起'));
    begun.map_or(plain, |begun| begun.trim_end_matches([' ', '-', '—', '~']))
}

fn serial(plain: &str, from_1904: bool) -> Option<Day> {
    let (whole, fraction) = plain.split_once('.').unwrap_or((plain, ""));
    if whole.len() != 5 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let serial: i32 = whole.parse().ok().filter(|serial| SERIALS.contains(serial))?;
    Some(Day(serial - SERIAL_OF_1970 + if from_1904 { SERIAL_OF_1904 } else { 0 }))
}

/// Year, month and day between two equal signs, or 年 and 月.
fn parts(date: &str) -> Option<[&str; 3]> {
    let signs = [('-', '-'), ('/', '/'), ('.', '.'), ('年', '月')];
    signs.into_iter().find_map(|(first, second)| {
        let (year, rest) = date.split_once(first)?;
        let (month, day) = rest.split_once(second)?;
        Some([year, month, day])
    })
}

fn ymd([year, month, day]: [&str; 3]) -> Option<Day> {
    let digits = |text: &str, most: usize| {
        let text = text.trim();
        let fits = (1..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        if fits { text.parse::<u32>().ok() } else { None }
    };
    let year = i32::try_from(digits(year, 4)?).ok().filter(|year| YEARS.contains(year))?;
    Day::new(year, digits(month, 2)?, digits(day, 2)?)
}

/// An amount of yuan in fen, rounded to the nearest: `12,000.50`, `¥12000`, `1.2万`, `12000元`. `unit` is what the column
/// counts, as a power of ten of yuan; a cell that says 元 itself counts that.
///
/// # Errors
/// `AmountNegative`; `AmountMalformed`, also for commas that do not stand between thousands.
pub(super) fn fen(plain: &str, unit: usize) -> Result<i64, FaultCode> {
    let malformed = FaultCode::AmountMalformed;
    let text = plain.trim_start_matches(['¥', '$']).trim_start();
    let text = text.strip_prefix("RMB").unwrap_or(text).trim();
    let bracketed = text.strip_prefix('(').and_then(|text| text.strip_suffix(')'));
    let signed = text.strip_prefix('-').or(text.strip_prefix('−')).or(bracketed);
    let text = signed.unwrap_or(text).trim_start_matches('¥');
    let bare = ["人民币", "元", "圆"].iter().fold(text.trim(), |text, word| {
        text.strip_suffix(word).or(text.strip_prefix(word)).unwrap_or(text).trim()
    });
    let says_yuan = text.trim_end().ends_with(['元', '圆']);
    let (text, unit) = match bare.strip_suffix('万') {
        Some(_) if unit > 0 => return Err(malformed),
        Some(text) => (text.trim(), MYRIAD),
        None => (bare, if says_yuan { 0 } else { unit }),
    };
    let fen = decimal(text, unit + 2).ok_or(malformed)?;
    if signed.is_some() && fen != 0 { Err(FaultCode::AmountNegative) } else { Ok(fen) }
}

/// A decimal number times ten to a power, rounded to the nearest.
fn decimal(text: &str, power: usize) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if whole.contains(',') && !is_grouped(whole) {
        return None;
    }
    let mut digits = 0usize;
    let mut number = 0i64;
    for byte in whole.bytes().filter(|byte| *byte != b',') {
        digits += 1;
        number = number.checked_mul(10)?.checked_add(digit(byte)?)?;
    }
    if digits == 0 || digits > YUAN_DIGITS_MAX {
        return None;
    }
    let mut fraction = fraction.bytes();
    for _ in 0..power {
        let next = fraction.next().map_or(Some(0), digit)?;
        number = number.checked_mul(10)?.checked_add(next)?;
    }
    let next = fraction.next().map_or(Some(0), digit)?;
    fraction.all(|byte| byte.is_ascii_digit()).then_some(())?;
    number.checked_add(i64::from(next >= 5))
}

fn digit(byte: u8) -> Option<i64> {
    byte.is_ascii_digit().then(|| i64::from(byte - b'0'))
}

/// `1,234,567`; not `12,50`, which may mean something else.
fn is_grouped(whole: &str) -> bool {
    let mut groups = whole.split(',');
    let first = groups.next().unwrap_or_default();
    (1..=3).contains(&first.len()) && groups.all(|group| group.len() == 3)
}

/// An amount as it stands before `/月` or `每月`.
pub(super) fn each_month(plain: &str) -> &str {
    let bare = plain.strip_suffix("/月").or_else(|| plain.strip_suffix("每月"));
    bare.or_else(|| plain.strip_prefix("每月")).unwrap_or(plain).trim()
}

/// A whole number of anything: `2`, `2间`, a year `2026年`.
pub(super) fn number(plain: &str) -> Option<i64> {
    let counted = COUNTED.iter().find_map(|unit| plain.strip_suffix(unit));
    // Years of four digits are no length of time.
    let year = plain.strip_suffix('年').filter(|year| year.len() == 4);
    let bare = counted.or(year).unwrap_or(plain).trim();
    decimal(bare, 0).filter(|_| !bare.contains('.') || bare.ends_with(".0"))
}

#[cfg(test)]
mod tests;
