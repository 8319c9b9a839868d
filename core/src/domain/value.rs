//! The scalar a field holds. Must not know which field; the schema says what is allowed where.

/// A field's value. Amounts are integers in the unit of the field (fen, 0.01 mu, days), dates are ISO
/// text, codes are stable ASCII text. There are no floats in a record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
pub enum Value {
    /// Explicitly empty.
    Null,
    /// A tick.
    Bool(bool),
    /// A number, an amount of money in fen, an area in 0.01 mu.
    Int(i64),
    /// Text, a code, an ISO date, an id.
    Text(String),
    /// A scalar of a kind this release does not know; kept byte for byte.
    Opaque {
        /// The scalar kind's number in automerge's value encoding.
        type_code: u8,
        /// Its bytes, untouched.
        bytes: Vec<u8>,
    },
}

impl Value {
    /// The text, where it is one.
    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The number, where it is one.
    pub fn as_int(&self) -> Option<i64> {
        if let Self::Int(number) = self { Some(*number) } else { None }
    }

    /// The tick, where it is one.
    pub fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(tick) = self { Some(*tick) } else { None }
    }
}

/// What people read for an amount the record keeps in hundredths: fen as yuan, 0.01 mu as mu, ten thousandths as
/// per cent. Two decimals.
pub fn hundredths(value: i64) -> String {
    let sign = if value < 0 { "-" } else { "" };
    let value = value.unsigned_abs();
    format!("{sign}{}.{:02}", value / 100, value % 100)
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<bool> for Value {
    fn from(tick: bool) -> Self {
        Self::Bool(tick)
    }
}
