//! The phone's half: the [`Ledger`] (台账), its enrolment and its way to the server. Every public act of
//! the phone is a method of the ledger; local work blocks, only the network is async.

mod case;
mod duplicates;
mod enrolment;
mod figures;
mod forms;
mod heal;
mod http;
mod lease;
mod ledger;
mod opening;
mod read;
mod session;
mod vault;
mod view;
mod write;

pub use crate::document::edit::{FieldChange, NewRow, RecordEdit, StepForm};
pub use crate::store::cases::{CaseView, PassedView, StepView, TaskView};
pub use duplicates::Duplicate;
pub use enrolment::Enrolment;
pub use forms::{FormView, SheetLine, SheetTable, SheetView};
pub use http::{Cancel, Progress, SyncPhase};
pub use ledger::{Ledger, Status};
pub use session::{Step, SyncSession};
pub use vault::{KeyVault, VaultError};
pub use view::{
    Conflict, ConflictValue, FieldView, HistoryLine, RecordView, RefusedView, UnsentView,
};
