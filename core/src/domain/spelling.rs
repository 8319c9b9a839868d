//! Characters that people write in more than one shape. Must not know what a text is about.

/// What full-width forms of ASCII have before them.
const FULL_WIDTH_OFFSET: u32 = 0xFEE0;

/// A full-width form of ASCII as ASCII; every other character as it is.
pub fn half_width(character: char) -> char {
    match character {
        '！'..='～' => u32::from(character)
            .checked_sub(FULL_WIDTH_OFFSET)
            .and_then(char::from_u32)
            .unwrap_or(character),
        _ => character,
    }
}

/// The dot within a foreign name, in every shape people type.
pub fn is_name_dot(character: char) -> bool {
    matches!(character, '·' | '•' | '．' | '・' | '‧')
}
