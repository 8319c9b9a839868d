//! A column of a profile where it stands in a table, and how its cells are read. Must not know what else stands in a row.

use std::borrow::Cow;
use std::sync::Arc;

use wanhu_core::domain::schema::Schema;
use wanhu_core::domain::value::Value;

use super::cell;
use super::header::{self, Place};
use super::outcome::FaultCode;
use super::profile::{Column, Reading};
use super::table::Row;

/// A column of the profile and its place in the table.
#[derive(Clone)]
pub(super) struct Target<'t> {
    pub(super) column: &'t Column,
    pub(super) at: usize,
    /// What stands above it in the file.
    pub(super) title: Arc<str>,
    /// What its amounts count, as a power of ten of yuan.
    pub(super) unit: usize,
}

/// A column's title and what is wrong with the cell under it.
pub(super) type CellFault = (Arc<str>, FaultCode);

/// What is wrong with a row as a whole.
pub(super) fn whole_row(code: FaultCode) -> CellFault {
    ("".into(), code)
}

impl<'t> Target<'t> {
    pub(super) fn of(column: &'t Column, place: &Place) -> Self {
        let (title, unit) = (Arc::clone(&place.title), place.unit.unwrap_or_default());
        Self { column, at: place.column, title, unit }
    }

    /// Whether it says when something ends.
    fn ends(&self) -> bool {
        matches!(&*self.column.field, "to" | "expires_on")
    }

    fn is_of_bill(&self) -> bool {
        self.column.container == "spending"
    }

    /// Whether a row says nothing that could be relied on where a cell of this column cannot be read: what is required, and what
    /// rules make of a bill its amount.
    pub(super) fn is_needed(&self) -> bool {
        let is_judged = matches!(self.column.reading, Reading::FenFromYuan | Reading::Tick);
        self.column.required || (self.is_of_bill() && is_judged)
    }

    pub(super) fn fault(&self, code: FaultCode) -> CellFault {
        (Arc::clone(&self.title), code)
    }

    pub(super) fn plain<'c>(&self, row: Row<'c>) -> Result<Cow<'c, str>, CellFault> {
        let plain = cell::plain(row.cell(self.at));
        // Text that is borrowed was looked at byte by byte and has no such character.
        if matches!(&plain, Cow::Owned(text) if text.contains(char::REPLACEMENT_CHARACTER)) {
            return Err(self.fault(FaultCode::TextDamaged));
        }
        Ok(plain)
    }

    fn code(&self, plain: &str) -> Result<&str, CellFault> {
        let code = self.column.code(&header::squeezed(plain));
        code.ok_or_else(|| self.fault(FaultCode::CodeUnknown))
    }

    /// A day as the column reads it; `None` where what it would end goes on.
    fn date(&self, plain: &str, from_1904: bool) -> Result<Option<Value>, CellFault> {
        if self.ends() && cell::is_without_end(plain) {
            return Ok(None);
        }
        let text = if self.ends() { plain } else { cell::begun(plain) };
        let (day, month) = (|| cell::day(text, from_1904), || cell::month(text, from_1904));
        let reads = |other| self.column.reading != other;
        let (reads_day, reads_month) = (reads(Reading::Month), reads(Reading::Day));
        let day = reads_day.then(day).flatten().or_else(|| reads_month.then(month).flatten());
        let day = day.ok_or_else(|| self.fault(FaultCode::DayMalformed))?;
        Ok(Some(day.to_string().into()))
    }

    /// The value of a cell; `None` where there is none.
    pub(super) fn read(&self, row: Row<'_>, from_1904: bool) -> Result<Option<Value>, CellFault> {
        let plain = self.plain(row)?;
        if cell::is_nothing(&plain) {
            let fault = || self.fault(FaultCode::ValueMissing);
            return if self.column.required { Err(fault()) } else { Ok(None) };
        }
        let fault = |code| self.fault(code);
        if self.is_of_bill()
            && self.column.reading == Reading::FenFromYuan
            && row.is_repeated(self.at)
        {
            return Err(fault(FaultCode::AmountMerged));
        }
        let (value, unfit) = match self.column.reading {
            Reading::Text | Reading::IdentityNumber => {
                if plain.chars().count() > self.column.text_max {
                    return Err(fault(FaultCode::TextTooLong));
                }
                (Value::Text(plain.into_owned()), FaultCode::TextTooLong)
            }
            Reading::Day | Reading::Month | Reading::DayOrMonth => {
                return self.date(&plain, from_1904);
            }
            Reading::FenFromYuan => {
                // What a bill comes to is no amount a month.
                let text = if self.is_of_bill() { &plain } else { cell::each_month(&plain) };
                let fen = cell::fen(text, self.unit).map_err(fault)?;
                (Value::Int(fen), FaultCode::AmountMalformed)
            }
            Reading::Number => {
                let number = cell::number(&plain);
                let malformed = FaultCode::NumberMalformed;
                (Value::Int(number.ok_or_else(|| fault(malformed))?), malformed)
            }
            Reading::Tick => (Value::Bool(self.code(&plain)? == "yes"), FaultCode::CodeUnknown),
            Reading::Code => (Value::Text(self.code(&plain)?.to_owned()), FaultCode::CodeUnknown),
        };
        // What no record takes would keep all else of the file off the household, and what comes after it.
        let (container, field) = (&self.column.container, &self.column.field);
        let is_unfit = Schema::base().breaks_a_hard_rule(container, field, &value);
        if is_unfit { Err(fault(unfit)) } else { Ok(Some(value)) }
    }
}
