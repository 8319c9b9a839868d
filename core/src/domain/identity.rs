//! The resident identity number (GB 11643-1999): region, birth date, order, check character by
//! ISO 7064 MOD 11-2. Never logged, never shown whole by `Debug`.

use std::fmt;

use super::day::Day;

/// A number that checks.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct IdentityNumber(String);

/// What is wrong with a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// Not 15 or 18 characters of the kind expected.
    #[error("not an identity number")]
    Malformed,
    /// The birth date does not exist.
    #[error("no such birth date")]
    BadBirthDate,
    /// The last character does not follow from the others.
    #[error("check character wrong")]
    BadCheckCharacter,
}

const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
const CHECK_CHARACTERS: &[u8; 11] = b"10X98765432";

/// The check character of the first 17 digits; `None` where they are not digits.
pub fn check_character(digits: &str) -> Option<char> {
    if digits.len() != 17 {
        return None;
    }
    let digits: Option<Vec<u32>> = digits.chars().map(|digit| digit.to_digit(10)).collect();
    let sum: u32 = digits?.iter().zip(WEIGHTS).map(|(digit, weight)| digit * weight).sum();
    let place = usize::try_from(sum % 11).ok()?;
    CHECK_CHARACTERS.get(place).map(|character| char::from(*character))
}

impl IdentityNumber {
    /// Reads a number of 18 characters, or of 15 digits, which is extended to 18.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn parse(text: &str) -> Result<Self, IdentityError> {
        let text = text.trim().to_ascii_uppercase();
        let first = match (text.len(), text.is_ascii()) {
            (18, true) => text[..17].to_owned(),
            (15, true) => format!("{}19{}", &text[..6], &text[6..]),
            _ => return Err(IdentityError::Malformed),
        };
        let check = check_character(&first).ok_or(IdentityError::Malformed)?;
        if text.len() == 18 && !text.ends_with(check) {
            return Err(IdentityError::BadCheckCharacter);
        }
        let number = Self(format!("{first}{check}"));
        number.birth_day().ok_or(IdentityError::BadBirthDate)?;
        Ok(number)
    }

    fn birth_day(&self) -> Option<Day> {
        let part = |from: usize, to: usize| self.0.get(from..to)?.parse::<u32>().ok();
        Day::new(i32::try_from(part(6, 10)?).ok()?, part(10, 12)?, part(12, 14)?)
    }

    /// The birth date it states.
    pub fn birth_on(&self) -> Day {
        // Checked when the number was read.
        self.birth_day().unwrap_or(Day(0))
    }

    /// Whether it states a man.
    pub fn is_male(&self) -> bool {
        self.0.as_bytes().get(16).is_some_and(|digit| digit % 2 == 1)
    }

    /// The county where it was first issued; the code may be long abolished.
    pub fn county(&self) -> u64 {
        self.0.get(..6).and_then(|county| county.parse().ok()).unwrap_or_default()
    }

    /// The 18 characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for IdentityNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IdentityNumber(…{})", self.0.get(16..).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standards_own_example_checks() {
        let number = IdentityNumber::parse("11010519491231002x").unwrap();
        assert_eq!(number.birth_on().to_string(), "1949-12-31");
        assert!(!number.is_male());
        assert_eq!(number.county(), 110_105);
        assert_eq!(format!("{number:?}"), "IdentityNumber(…2X)");
    }

    #[test]
    fn old_numbers_are_extended() {
        let number = IdentityNumber::parse("110105491231002").unwrap();
        assert_eq!(number.as_str(), "11010519491231002X");
    }

    #[test]
    fn faults_are_named() {
        for (text, error) in [
            ("", IdentityError::Malformed),
            ("1101051949123100", IdentityError::Malformed),
            ("1101051949123100２X", IdentityError::Malformed),
            ("110105194912310021", IdentityError::BadCheckCharacter),
            ("110105491331002", IdentityError::BadBirthDate),
        ] {
            assert_eq!(IdentityNumber::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn every_single_digit_slip_is_seen() {
        let good = "11010519491231002X";
        for place in 0..17 {
            for digit in '0'..='9' {
                let mut text: Vec<char> = good.chars().collect();
                if text[place] != digit {
                    text[place] = digit;
                    assert!(IdentityNumber::parse(&text.iter().collect::<String>()).is_err());
                }
            }
        }
    }
}
