//! One sync from its first request to its last answer, without a network: says what to send, takes what
//! comes back, decides whether to ask again. The HTTP transport and the simulation drive the same session.

use super::ledger::Ledger;
use crate::error::LedgerError;
use crate::sync::SyncError;
use crate::sync::initiator::{Outgoing, Purpose};
use crate::sync::receiver::{Next, Receiver, SyncReport};

/// Most requests of one sync: push, two rounds of repair, what the repair gives back, and the rest of a
/// large outbox.
const REQUESTS_MAX: u64 = 64;

/// What to do after an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Everything is exchanged.
    Done(SyncReport),
    /// Send the next request.
    Again,
}

/// One sync.
#[derive(Debug, Default)]
pub struct SyncSession {
    purpose: Purpose,
    receiver: Option<Receiver>,
    report: SyncReport,
    more: bool,
}

impl SyncSession {
    /// The next request. A session that was cut asks first what arrived, so that nothing large is sent
    /// twice.
    ///
    /// # Errors
    /// `SessionExpired` before enrolment; else as the store reports.
    pub fn request(&mut self, ledger: &Ledger) -> Result<Outgoing, LedgerError> {
        self.report.requests += 1;
        let purpose = std::mem::take(&mut self.purpose);
        self.more = purpose.ask_only;
        let (outgoing, receiver) = ledger.compose(purpose)?;
        self.more |= outgoing.more;
        self.receiver = Some(receiver);
        Ok(outgoing)
    }

    /// Takes bytes of the answer. What was complete before an error stays applied.
    ///
    /// # Errors
    /// Where the answer is refused, malformed or not authentic, or the store fails.
    pub fn feed(&mut self, ledger: &Ledger, bytes: &[u8]) -> Result<(), LedgerError> {
        let Some(receiver) = &mut self.receiver else { return Ok(()) };
        let was_heard = receiver.has_head();
        let fed = ledger.with_connection(|connection| Ok(receiver.feed(connection, bytes)?));
        if receiver.has_head() && !was_heard {
            ledger.heed_answer()?;
        }
        fed
    }

    /// The report so far, the running answer included.
    pub fn report(&self) -> SyncReport {
        let mut report = self.report.clone();
        if let Some(receiver) = &self.receiver {
            add(&mut report, receiver.report());
        }
        report
    }

    /// The answer has ended as far as the transport can tell.
    ///
    /// # Errors
    /// `Offline` where it was cut; call [`Self::request`] again to go on.
    pub fn end(&mut self, ledger: &Ledger) -> Result<Step, LedgerError> {
        let Some(receiver) = self.receiver.take() else { return Ok(Step::Again) };
        let so_far = receiver.report().clone();
        let ended = ledger.with_connection(|connection| match receiver.finish(connection) {
            Ok(ended) => Ok(Some(ended)),
            Err(SyncError::Cut) => Ok(None),
            Err(error) => Err(error.into()),
        })?;
        if let Some((report, _)) = ended.as_ref().filter(|(report, _)| report.wiped) {
            add(&mut self.report, report);
            ledger.forget_writer()?;
            return Ok(Step::Done(self.report.clone()));
        }
        ledger.heed_answer()?;
        let Some((report, Next { mut again, repair, renew })) = ended else {
            add(&mut self.report, &so_far);
            self.purpose = Purpose { ask_only: true, repair: Vec::new() };
            return Err(LedgerError::Offline { retry_after_ms: 0 });
        };
        add(&mut self.report, &report);
        self.purpose.repair = repair;
        again |= ledger.heal(renew)?;
        let stands = ledger.stand_again()?;
        again |= stands;
        if report.received > 0 || stands {
            again |= ledger.bring_over()?;
        }
        if (again || self.more) && self.report.requests < REQUESTS_MAX {
            return Ok(Step::Again);
        }
        // Everything is exchanged; what cannot be noted now, the next sync notes.
        if !again && !self.more {
            let _ = ledger.note_whole(self.report.server_time_ms);
        }
        let _ = ledger.note_residents();
        Ok(Step::Done(self.report.clone()))
    }

    /// The transport failed; the next request asks first what arrived.
    pub fn cut(&mut self) {
        if let Some(receiver) = self.receiver.take() {
            add(&mut self.report, receiver.report());
        }
        self.purpose = Purpose { ask_only: true, repair: Vec::new() };
    }
}

fn add(sum: &mut SyncReport, part: &SyncReport) {
    sum.receipts += part.receipts;
    sum.refused += part.refused;
    sum.received += part.received;
    sum.entries += part.entries;
    sum.entries_announced = part.entries_announced.max(sum.entries_announced);
    sum.left += part.left;
    sum.requests += part.requests;
    sum.wiped |= part.wiped;
    sum.server_time_ms = part.server_time_ms.max(sum.server_time_ms);
}
