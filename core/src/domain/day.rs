//! Calendar days as the record writes them. Must not know what time it is.

use std::fmt;
use std::str::FromStr;

/// A day of the Gregorian calendar, as days since 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub i32);

/// A text that is not an ISO day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an ISO day")]
pub struct ParseDayError;

/// China has one time zone: UTC+8.
const UTC_OFFSET_MS: i64 = 8 * 3_600_000;
const DAY_MS: i64 = 86_400_000;

impl Day {
    /// The day of a year, month and day of month; `None` where there is none.
    pub fn new(year: i32, month: u32, day: u32) -> Option<Self> {
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let last = match month {
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            4 | 6 | 9 | 11 => 30,
            2 if leap => 29,
            2 => 28,
            _ => return None,
        };
        if !(1..=last).contains(&day) || !(1..=9999).contains(&year) {
            return None;
        }
        // Days from civil, after Howard Hinnant's chrono-compatible algorithms: years begin in March.
        let (month, day) = (i32::try_from(month).ok()?, i32::try_from(day).ok()?);
        let year = if month <= 2 { year - 1 } else { year };
        let era = year.div_euclid(400);
        let of_era = year.rem_euclid(400);
        let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
        Some(Self(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468))
    }

    /// Year, month and day of month.
    pub fn civil(self) -> (i32, u32, u32) {
        let shifted = self.0 + 719_468;
        let era = shifted.div_euclid(146_097);
        let of_era = shifted.rem_euclid(146_097);
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * of_year + 2) / 153;
        let day = of_year - (153 * shifted_month + 2) / 5 + 1;
        let month = (shifted_month + 2) % 12 + 1;
        let year = year_of_era + era * 400 + i32::from(month <= 2);
        (year, month.unsigned_abs(), day.unsigned_abs())
    }

    /// The day it is in China at this instant, milliseconds since 1970 UTC.
    pub fn in_china(time_ms: i64) -> Self {
        let days = time_ms.saturating_add(UTC_OFFSET_MS).div_euclid(DAY_MS);
        Self(i32::try_from(days).unwrap_or_default())
    }

    /// The instant at which it begins in China, milliseconds since 1970 UTC.
    pub fn begins_ms(self) -> i64 {
        i64::from(self.0) * DAY_MS - UTC_OFFSET_MS
    }

    /// The same day of another month, or that month's last day.
    #[must_use]
    pub fn plus_months(self, months: i32) -> Self {
        let (year, month, day) = self.civil();
        let count = year * 12 + i32::try_from(month).unwrap_or(1) - 1 + months;
        let (year, month) = (count.div_euclid(12), count.rem_euclid(12).unsigned_abs() + 1);
        (1..=day).rev().find_map(|day| Self::new(year, month, day)).unwrap_or(self)
    }

    /// The first day of its month.
    pub fn month_begin(self) -> Self {
        let (year, month, _) = self.civil();
        Self::new(year, month, 1).unwrap_or(self)
    }

    /// Whether it is a Saturday or Sunday.
    pub fn is_weekend(self) -> bool {
        // 1970-01-01 was a Thursday.
        (self.0 + 3).rem_euclid(7) >= 5
    }

    /// Full years from this day to another: somebody's age.
    pub fn years_until(self, day: Self) -> i32 {
        let (born, today) = (self.civil(), day.civil());
        today.0 - born.0 - i32::from((today.1, today.2) < (born.1, born.2))
    }

    /// The day so many days later.
    #[must_use]
    pub fn plus_days(self, days: i32) -> Self {
        Self(self.0.saturating_add(days))
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.civil();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

impl FromStr for Day {
    type Err = ParseDayError;

    fn from_str(text: &str) -> Result<Self, ParseDayError> {
        let part = |from: usize, to: usize| {
            let digits = text.get(from..to).filter(|part| part.bytes().all(|b| b.is_ascii_digit()));
            digits.and_then(|part| part.parse::<u32>().ok())
        };
        let dashes = text.as_bytes().get(4) == Some(&b'-') && text.as_bytes().get(7) == Some(&b'-');
        if text.len() != 10 || !dashes {
            return Err(ParseDayError);
        }
        let (year, month, day) = (part(0, 4), part(5, 7), part(8, 10));
        let year = year.and_then(|year| i32::try_from(year).ok());
        match (year, month, day) {
            (Some(year), Some(month), Some(day)) => {
                Self::new(year, month, day).ok_or(ParseDayError)
            }
            _ => Err(ParseDayError),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_days() {
        for (text, days) in [("1970-01-01", 0), ("2000-03-01", 11_017), ("2024-02-29", 19_782)] {
            assert_eq!(text.parse(), Ok(Day(days)));
            assert_eq!(Day(days).to_string(), text);
        }
        for text in ["2023-02-29", "2023-13-01", "2023-00-10", "2023-1-01", "２023-01-01", ""] {
            assert_eq!(text.parse::<Day>(), Err(ParseDayError), "{text}");
        }
        assert_eq!(
            Day::in_china(1_709_251_199_000).to_string(),
            "2024-03-01",
            "16:00 UTC is midnight"
        );
        let begins_ms = Day::in_china(1_709_251_199_000).begins_ms();
        assert_eq!(Day::in_china(begins_ms).to_string(), "2024-03-01");
        assert_eq!(Day::in_china(begins_ms - 1).to_string(), "2024-02-29");
    }

    #[test]
    fn months_weeks_and_ages() {
        let at = |text: &str| text.parse::<Day>().unwrap();
        assert_eq!(at("2024-01-31").plus_months(1), at("2024-02-29"));
        assert_eq!(at("2024-02-29").plus_months(-12), at("2023-02-28"));
        assert_eq!(at("2023-12-15").plus_months(1), at("2024-01-15"));
        assert_eq!(at("2024-02-29").month_begin(), at("2024-02-01"));
        let weekend: Vec<bool> =
            (0..7).map(|days| at("2024-09-27").plus_days(days).is_weekend()).collect();
        assert_eq!(weekend, [false, true, true, false, false, false, false], "from a Friday on");
        assert_eq!(at("2008-02-29").years_until(at("2024-02-28")), 15);
        assert_eq!(at("2008-02-29").years_until(at("2024-02-29")), 16);
    }

    proptest! {
        #[test]
        fn every_day_reads_back(days in -100_000..1_000_000i32) {
            prop_assert_eq!(Day(days).to_string().parse(), Ok(Day(days)));
        }
    }
}
