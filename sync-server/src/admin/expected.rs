//! How many households somebody expects in each village: a table of village codes and numbers. Must not know what is on record.

use std::collections::BTreeMap;
use std::path::Path;

use wanhu_core::domain::region::{self, RegionList};

use crate::import::table::{RowState, Table, TableError};

/// Why such a table cannot be used; rows by the number they have in it.
#[derive(Debug, thiserror::Error)]
pub enum ExpectedFault {
    /// It is no table.
    #[error("{0}")]
    Table(#[from] TableError),
    /// A row is not a village's code and a number.
    #[error("row {0}")]
    Row(u32),
    /// The list of divisions has no such village.
    #[error("row {0}: no such village")]
    Unknown(u32),
    /// A village stands there twice.
    #[error("row {0}: again")]
    Again(u32),
}

impl ExpectedFault {
    /// What to do about it, Chinese and English.
    pub(super) fn words(&self) -> (String, String) {
        match self {
            Self::Table(error) => (
                "应登记户数文件无法作为表格读取".to_owned(),
                format!("expected households: cannot be read as a table: {error}"),
            ),
            Self::Row(row) => (
                format!("应登记户数文件第 {row} 行有误;每行为村代码、户数"),
                format!("expected households: row {row} is not a village code and a number"),
            ),
            Self::Unknown(row) => (
                format!("应登记户数文件第 {row} 行:区划表中没有这个村"),
                format!("expected households: row {row}: no such village in the region list"),
            ),
            Self::Again(row) => (
                format!("应登记户数文件第 {row} 行:该村前面已有"),
                format!("expected households: row {row}: the village stands there already"),
            ),
        }
    }
}

/// How many households each village should have on record. What stands above the first number is title and header.
///
/// # Errors
/// The first fault.
pub(super) fn read(path: &Path, list: &RegionList) -> Result<BTreeMap<u64, u64>, ExpectedFault> {
    let table = Table::read(path)?;
    let mut expected = BTreeMap::new();
    for row in table.rows() {
        let number = |column| row.cell(column).trim().parse::<u64>().ok();
        let village = number(0).filter(|village| region::is_village(*village));
        let (Some(village), Some(households)) = (village, number(1)) else {
            let is_heading = expected.is_empty() && village.is_none() && number(1).is_none();
            if is_heading && row.state == RowState::Whole {
                continue;
            }
            return Err(ExpectedFault::Row(row.number));
        };
        if row.state != RowState::Whole {
            return Err(ExpectedFault::Row(row.number));
        }
        if list.get(village).is_none() {
            return Err(ExpectedFault::Unknown(row.number));
        }
        if expected.insert(village, households).is_some() {
            return Err(ExpectedFault::Again(row.number));
        }
    }
    Ok(expected)
}
