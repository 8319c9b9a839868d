//! Whether a value fits its field, and how typed text becomes a value. Must not ask who is typing.

use super::{Field, FieldKind, Schema};
use crate::domain::day::Day;
use crate::domain::value::Value;

/// Why a value does not fit. Values only; the app has the words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FaultReason {
    /// The schema has no such field.
    #[error("unknown field")]
    UnknownField,
    /// A value of another kind.
    #[error("wrong type")]
    WrongType,
    /// Not a code of the list.
    #[error("not in the list")]
    NotInList,
    /// Smaller than allowed.
    #[error("below {min}")]
    TooSmall {
        /// The smallest value.
        min: i64,
    },
    /// Larger than allowed.
    #[error("above {max}")]
    TooLarge {
        /// The largest value.
        max: i64,
    },
    /// More characters than allowed.
    #[error("longer than {max}")]
    TooLong {
        /// Most characters.
        max: u32,
    },
    /// Not an ISO day.
    #[error("not a date")]
    NotADate,
}

impl FaultReason {
    /// The stable code of the reason.
    pub fn code(self) -> &'static str {
        match self {
            Self::UnknownField => "unknown_field",
            Self::WrongType => "wrong_type",
            Self::NotInList => "not_in_list",
            Self::TooSmall { .. } => "too_small",
            Self::TooLarge { .. } => "too_large",
            Self::TooLong { .. } => "too_long",
            Self::NotADate => "not_a_date",
        }
    }
}

/// Longest id: a UUID, a rule name, a row id.
const ID_CHARS_MAX: u32 = 64;

impl Schema {
    /// Whether this client may enter this value. `Null` empties any known field. Values that came from
    /// other releases are shown without this check.
    ///
    /// # Errors
    /// The first reason against it.
    pub fn check(&self, container: &str, field: &str, value: &Value) -> Result<(), FaultReason> {
        let field = self.field(container, field).ok_or(FaultReason::UnknownField)?;
        field.check(self, value)
    }
}

impl Schema {
    /// Whether a server must not take this value, whoever sends it: lists, sums and screens everywhere
    /// would stumble over it. Codes and fields it does not know may come from a newer release: those are taken.
    pub fn breaks_a_hard_rule(&self, container: &str, field: &str, value: &Value) -> bool {
        match self.check(container, field, value) {
            Ok(()) | Err(FaultReason::UnknownField | FaultReason::NotInList) => false,
            Err(
                FaultReason::WrongType
                | FaultReason::TooSmall { .. }
                | FaultReason::TooLarge { .. }
                | FaultReason::TooLong { .. }
                | FaultReason::NotADate,
            ) => true,
        }
    }
}

impl Field {
    /// Whether a value fits this field.
    ///
    /// # Errors
    /// The first reason against it.
    pub fn check(&self, schema: &Schema, value: &Value) -> Result<(), FaultReason> {
        match (&self.kind, value) {
            (_, Value::Null) | (FieldKind::Tick, Value::Bool(_)) => Ok(()),
            (FieldKind::Choice { list }, Value::Text(code)) => {
                schema.code(list, code).map(|_| ()).ok_or(FaultReason::NotInList)
            }
            (FieldKind::Number { min, max, .. }, Value::Int(number)) => {
                match (min.filter(|min| number < min), max.filter(|max| number > max)) {
                    (Some(min), _) => Err(FaultReason::TooSmall { min }),
                    (None, Some(max)) => Err(FaultReason::TooLarge { max }),
                    (None, None) => Ok(()),
                }
            }
            (FieldKind::Text { max }, Value::Text(text)) => within(text, *max),
            (FieldKind::Date, Value::Text(text)) => {
                text.parse::<Day>().map(|_| ()).map_err(|_| FaultReason::NotADate)
            }
            (FieldKind::Photo | FieldKind::Id, Value::Text(text)) => within(text, ID_CHARS_MAX),
            (
                FieldKind::Tick
                | FieldKind::Choice { .. }
                | FieldKind::Number { .. }
                | FieldKind::Text { .. }
                | FieldKind::Date
                | FieldKind::Photo
                | FieldKind::Id,
                Value::Bool(_) | Value::Int(_) | Value::Text(_) | Value::Opaque { .. },
            ) => Err(FaultReason::WrongType),
        }
    }

    /// The value somebody typed: ticks as true, false, 是, 否, 1, 0; choices as code or Chinese label;
    /// fen also as `12.5元`; nothing at all as empty.
    ///
    /// # Errors
    /// The first reason against it.
    pub fn parse_text(&self, schema: &Schema, text: &str) -> Result<Value, FaultReason> {
        let text = text.trim();
        let value = match &self.kind {
            _ if text.is_empty() => Value::Null,
            FieldKind::Tick => match text {
                "true" | "是" | "1" | "yes" => Value::Bool(true),
                "false" | "否" | "0" | "no" => Value::Bool(false),
                _ => return Err(FaultReason::WrongType),
            },
            FieldKind::Choice { list } => {
                let found = schema.code_typed(list, text);
                Value::Text(found.ok_or(FaultReason::NotInList)?.code.clone())
            }
            FieldKind::Number { unit, .. } => {
                let yuan = text.strip_suffix('元').filter(|_| unit == "fen");
                let number = yuan.map_or_else(|| text.parse().ok(), fen_of);
                Value::Int(number.ok_or(FaultReason::WrongType)?)
            }
            FieldKind::Text { .. } | FieldKind::Date | FieldKind::Photo | FieldKind::Id => {
                Value::Text(text.to_owned())
            }
        };
        self.check(schema, &value)?;
        Ok(value)
    }
}

fn within(text: &str, max: u32) -> Result<(), FaultReason> {
    let chars = text.chars().count();
    if u32::try_from(chars).is_ok_and(|chars| chars <= max) {
        Ok(())
    } else {
        Err(FaultReason::TooLong { max })
    }
}

/// `12.5` yuan as 1250 fen; at most two decimals.
fn fen_of(yuan: &str) -> Option<i64> {
    let (whole, decimals) = yuan.trim().split_once('.').unwrap_or((yuan.trim(), ""));
    if decimals.len() > 2 || !decimals.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let negative = whole.starts_with('-');
    let whole: i64 = whole.parse().ok()?;
    let part: i64 = if decimals.is_empty() { 0 } else { format!("{decimals:0<2}").parse().ok()? };
    whole.checked_mul(100)?.checked_add(if negative { -part } else { part })
}
