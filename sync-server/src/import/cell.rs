//! One cell read as a day, an amount, an identity number, a name. What can be read in one way only is read;
//! nothing is guessed. Must not know which column it stands in.

use std::borrow::Cow;

use wanhu_core::domain::day::Day;
use wanhu_core::domain::identity::{IdentityError, IdentityNumber};

use super::outcome::FaultCode;

/// Full-width forms of ASCII stand this far behind it.
const FULL_WIDTH_OFFSET: u32 = 0xFEE0;
/// Days from the spreadsheet's day 0 to 1970-01-01, by the epoch of 1900 (its false leap day is long past).
const SERIAL_OF_1970: i32 = 25_569;
/// How much later the epoch of 1904 begins.
const SERIAL_OF_1904: i32 = 1_462;
/// Serial numbers taken for days: five digits, 1927 to 2173.
const SERIALS: std::ops::Range<i32> = 10_000..100_000;
/// Years taken.
const YEARS: std::ops::RangeInclusive<i32> = 1900..=2100;
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
    Cow::Owned(cell.chars().filter(|character| !is_invisible(*character)).map(half_width).collect())
}

fn half_width(character: char) -> char {
    match character {
        '\u{3000}' | '\u{A0}' => ' ',
        '！'..='～' => u32::from(character)
            .checked_sub(FULL_WIDTH_OFFSET)
            .and_then(char::from_u32)
            .unwrap_or(character),
        '￥' => '¥',
        _ => character,
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
        |character: char| character.is_whitespace() || matches!(character, '•' | '．' | '・' | '‧');
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

/// An amount of yuan in fen, rounded to the nearest: `12,000.50`, `¥12000`, `1.2万`, `12000元`. `in_myriads`
/// where the header says that the column counts 万元.
///
/// # Errors
/// `AmountNegative`; `AmountMalformed`, also for commas that do not stand between thousands.
pub(super) fn fen(plain: &str, in_myriads: bool) -> Result<i64, FaultCode> {
    let malformed = FaultCode::AmountMalformed;
    let text = plain.trim_start_matches(['¥', '$']).trim_start();
    let text = text.strip_prefix("RMB").unwrap_or(text).trim();
    let bracketed = text.strip_prefix('(').and_then(|text| text.strip_suffix(')'));
    let signed = text.strip_prefix('-').or(text.strip_prefix('−')).or(bracketed);
    let text = signed.unwrap_or(text).trim_start_matches('¥');
    let text = ["人民币", "元", "圆"].iter().fold(text.trim(), |text, word| {
        text.strip_suffix(word).or(text.strip_prefix(word)).unwrap_or(text).trim()
    });
    let (text, in_myriads) = match text.strip_suffix('万') {
        Some(_) if in_myriads => return Err(malformed),
        Some(text) => (text.trim(), true),
        None => (text, in_myriads),
    };
    let fen = decimal(text, if in_myriads { 6 } else { 2 }).ok_or(malformed)?;
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

/// A whole number of anything.
pub(super) fn number(plain: &str) -> Option<i64> {
    decimal(plain, 0).filter(|_| !plain.contains('.') || plain.ends_with(".0"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn iso(text: &str) -> Option<String> {
        day(&plain(text), false).map(|day| day.to_string())
    }

    #[test]
    fn days_as_people_write_them() {
        for text in [
            "2020-02-01",
            "2020-2-1",
            "2020/2/1",
            "2020.02.01",
            "2020年2月1日",
            "2020年02月01日",
            "20200201",
            "43862",
            "43862.75",
            "２０２０－０２－０１",
            " 2020-02-01 10:30:00 ",
            "2020-02-01T00:00:00.000Z",
            "'2020-02-01",
        ] {
            assert_eq!(iso(text).as_deref(), Some("2020-02-01"), "{text}");
        }
        for text in [
            "2020-02-30",
            "20-02-01",
            "2/1/2020",
            "2020",
            "1899-12-31",
            "2020-02",
            "20200230",
            "2月1日",
            "2020-02/01",
            "438620",
            "2020-02-01 至 2020-02-05",
            "二〇二〇年二月",
            "9999-01-01",
        ] {
            assert_eq!(iso(text), None, "{text}");
        }
        assert_eq!(day("42400", true), day("43862", false), "counted from 1904");
    }

    #[test]
    fn months_are_their_first_day() {
        for text in
            ["2020-02", "2020/2", "2020.02", "2020年2月", "202002", "2020-02-17", "20200217"]
        {
            let month = month(text, false).map(|day| day.to_string());
            assert_eq!(month.as_deref(), Some("2020-02-01"), "{text}");
        }
        for text in ["2020", "202013", "2020-13", "2月", "2020-2-30"] {
            assert_eq!(month(text, false), None, "{text}");
        }
    }

    #[test]
    fn amounts_as_people_write_them() {
        let read = |text: &str| fen(&plain(text), false);
        for (text, expected) in [
            ("12,000.50", 1_200_050),
            ("￥12000", 1_200_000),
            ("¥ 12,000", 1_200_000),
            ("1.2万", 1_200_000),
            ("1.23456万元", 1_234_560),
            ("12000元", 1_200_000),
            ("人民币12000元", 1_200_000),
            ("１２０００．５", 1_200_050),
            ("0", 0),
            ("-0.00", 0),
            ("0.005", 1),
            ("1234.5649", 123_456),
            ("12.", 1_200),
        ] {
            assert_eq!(read(text), Ok(expected), "{text}");
        }
        for text in ["-12", "(12.00)", "（1,200）", "￥-3", "−5元"] {
            assert_eq!(read(text), Err(FaultCode::AmountNegative), "{text}");
        }
        for text in [
            "12,50",
            "1,2000",
            ",120",
            "1.2.3",
            "十二",
            "1.2E+4",
            "12千",
            "元",
            "万",
            "0x10",
            "12a",
            "=1+1",
            "999999999999999",
            "12..",
            "1 200",
        ] {
            assert_eq!(read(text), Err(FaultCode::AmountMalformed), "{text}");
        }
        assert_eq!(fen("1.5", true), Ok(1_500_000), "under a header that counts 万元");
        assert_eq!(fen("1.5万", true), Err(FaultCode::AmountMalformed), "万 times 万元");
    }

    #[test]
    fn identity_numbers_are_read_or_refused_and_never_mended() {
        let read = |text: &str| identity(&plain(text)).map(|number| number.as_str().to_owned());
        for text in [
            "11010519491231002X",
            "11010519491231002x",
            "１１０１０５１９４９１２３１００２Ｘ",
            "'11010519491231002X",
            "=\"11010519491231002X\"",
            "\t11010519491231002X",
            "110105 19491231 002X",
            "110105491231002",
        ] {
            assert_eq!(read(text).as_deref(), Ok("11010519491231002X"), "{text}");
        }
        for (text, code) in [
            ("4.31022E+17", FaultCode::IdentityScientific),
            ("4.31022199001011E17", FaultCode::IdentityScientific),
            ("431022199001011000", FaultCode::IdentityScientific),
            ("110105194912310021", FaultCode::IdentityCheck),
            ("11010519491231002", FaultCode::IdentityMalformed),
            ("110105491331002", FaultCode::IdentityMalformed),
            ("E", FaultCode::IdentityMalformed),
            ("护照E123", FaultCode::IdentityMalformed),
            ("=\"11010519491231002X\"&\"\"", FaultCode::IdentityMalformed),
            ("=11010519491231002X", FaultCode::IdentityMalformed),
        ] {
            assert_eq!(read(text), Err(code), "{text}");
        }
    }

    #[test]
    fn names_lose_the_spaces_that_widen_them() {
        for (text, expected) in [
            ("张　三", "张三"),
            (" 张 三\u{200B}", "张三"),
            ("阿依古丽•买买提", "阿依古丽·买买提"),
            ("John Smith", "John Smith"),
        ] {
            assert_eq!(name(&plain(text)), expected);
        }
    }
}
