//! Stub until the schema is merged.
use crate::domain::value::Value;
/// Stub.
#[derive(Debug)]
pub struct Schema {
    /// Version.
    pub version: u32,
}
/// Stub.
#[derive(Debug)]
pub struct Fault;
impl Fault {
    /// Code.
    pub fn code(&self) -> &'static str {
        "x"
    }
}
impl Schema {
    /// Base.
    pub fn base() -> &'static Self {
        &Self { version: 1 }
    }
    /// Check.
    pub fn check(&self, _: &str, _: &str, _: &Value) -> Result<(), Fault> {
        Ok(())
    }
}
