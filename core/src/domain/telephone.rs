//! Telephone numbers as people write them. Must not know whose they are or where one is kept.

/// The digits that are dialled within the country: spaces, hyphens and the country's +86 do not count.
pub fn national_digits(text: &str) -> String {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    match digits.strip_prefix("86") {
        Some(national) if text.trim_start().starts_with('+') => national.to_owned(),
        _ => digits,
    }
}

/// The eleven digits of a mobile number of the mainland, which can be sent a short message; none for anything else.
pub fn mobile(text: &str) -> Option<String> {
    let is_written_so = |c: char| c.is_ascii_digit() || matches!(c, ' ' | '-' | '+');
    let digits = national_digits(text);
    let is_mobile = digits.len() == 11 && matches!(digits.as_bytes(), [b'1', b'3'..=b'9', ..]);
    (text.chars().all(is_written_so) && is_mobile).then_some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mobile_number_is_one_however_it_is_written() {
        for text in ["13807351234", " 138 0735 1234", "+86 138-0735-1234"] {
            assert_eq!(mobile(text).as_deref(), Some("13807351234"), "{text}");
        }
        for text in ["", "110", "0735-1234567", "12807351234", "138073512345", "13807351234x"] {
            assert_eq!(mobile(text), None, "{text}");
        }
    }
}
