//! Why a form is refused. Words: list `form_error`. Must not know how a form is read.

/// Why a form is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    /// Not the TOML expected.
    #[error("form malformed at line {line}: {reason}")]
    Malformed {
        /// The line where it begins, from 1; 0 where it is about the form as a whole.
        line: usize,
        /// What the reader of TOML says about it.
        reason: String,
    },
    /// The record holds nothing of this name.
    #[error("no {0} on record")]
    UnknownSource(String),
    /// A notice must not show this, nor follow from it who stands on it.
    #[error("{0} may not stand on a notice")]
    NotPublic(String),
    /// A field of other rows than the part is over, a photo, or a mask on something that is no text.
    #[error("{0} cannot be shown in this part")]
    OutOfPlace(String),
    /// The same column twice in one part.
    #[error("{0} stands twice")]
    Twice(String),
    /// A form of this kind has one part over something else.
    #[error("parts do not fit the kind")]
    Parts,
    /// A name with other characters than letters, digits, `-` and `_`.
    #[error("{0} cannot be the name of a form")]
    Unnameable(String),
    /// An office's own form under the name of one of this release.
    #[error("{0} is a form of this release")]
    Shipped(String),
}

impl FormError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed { .. } => "malformed",
            Self::UnknownSource(_) => "unknown_source",
            Self::NotPublic(_) => "not_public",
            Self::OutOfPlace(_) => "out_of_place",
            Self::Twice(_) => "twice",
            Self::Parts => "parts",
            Self::Unnameable(_) => "unnameable",
            Self::Shipped(_) => "shipped",
        }
    }

    /// What it is about: a column, the name of the form, a line and what is wrong there; empty where it is about
    /// the whole.
    pub fn subject(&self) -> String {
        match self {
            Self::Malformed { line: 0, reason } => reason.clone(),
            Self::Malformed { line, reason } => format!("{line}: {reason}"),
            Self::UnknownSource(name)
            | Self::NotPublic(name)
            | Self::OutOfPlace(name)
            | Self::Twice(name)
            | Self::Unnameable(name)
            | Self::Shipped(name) => name.clone(),
            Self::Parts => String::new(),
        }
    }
}
