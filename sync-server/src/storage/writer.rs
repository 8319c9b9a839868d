//! The one writer: a thread that runs the jobs of many requests in one transaction and answers them
//! all after one fsync. Must not know what the jobs do.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::JoinHandle;

use rusqlite::{Connection, Transaction};
use wanhu_core::store::{StoreError, open};

/// Most jobs of one transaction.
const GROUP_MAX: usize = 128;
/// Jobs that may wait before senders are held back.
const QUEUE_MAX: usize = 1024;

/// Told after the commit whether it held.
type Answer = Box<dyn FnOnce(Result<(), StoreError>) + Send>;
/// With the error that a job came to, for those that shared its transaction.
type Job = Box<dyn FnOnce(&Transaction<'_>) -> (Answer, Option<StoreError>) + Send>;

/// A handle to the writer's thread. When the last handle is dropped the thread ends, and is waited for: its file must
/// be closed before the process takes down what closing needs.
#[derive(Clone)]
pub struct Writer(Arc<Running>);

struct Running {
    jobs: Option<SyncSender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.jobs = None;
        let Some(thread) = self.thread.take() else { return };
        // A job may hold the last handle; the thread cannot wait for itself.
        if thread.thread().id() != std::thread::current().id() {
            let _ = thread.join();
        }
    }
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Writer")
    }
}

impl Writer {
    /// Starts the writer on its own thread.
    pub fn start(connection: Connection) -> Self {
        let (jobs, queue) = sync_channel(QUEUE_MAX);
        let thread = std::thread::spawn(move || run(connection, &queue));
        Self(Arc::new(Running { jobs: Some(jobs), thread: Some(thread) }))
    }

    /// Runs `work` in a transaction and waits until it is safe on disk. An error of `work` undoes
    /// `work` alone.
    ///
    /// # Errors
    /// As `work` reports, or where the commit fails.
    pub fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (job, outcome) = job_of(work);
        let jobs = self.0.jobs.as_ref().ok_or(StoreError::InUse)?;
        jobs.send(job).map_err(|_| StoreError::InUse)?;
        outcome.recv().map_err(|_| StoreError::InUse)?
    }
}

fn job_of<T: Send + 'static>(
    work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError> + Send + 'static,
) -> (Job, Receiver<Result<T, StoreError>>) {
    let (answer, outcome) = channel();
    let job = Box::new(move |transaction: &Transaction<'_>| {
        let done = in_savepoint(transaction, work);
        let failed = done.as_ref().err().map(StoreError::echo);
        (answer_with(answer, done), failed)
    });
    (job, outcome)
}

fn answer_with<T: Send + 'static>(
    answer: Sender<Result<T, StoreError>>,
    done: Result<T, StoreError>,
) -> Answer {
    Box::new(move |committed| {
        let outcome = done.and_then(|done| committed.map(|()| done));
        // Whoever asked may have gone; what was committed stays.
        let _ = answer.send(outcome);
    })
}

fn in_savepoint<T>(
    transaction: &Transaction<'_>,
    work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    transaction.execute_batch("SAVEPOINT job")?;
    let done = work(transaction);
    // After some errors SQLite has undone the whole transaction by itself.
    if transaction.is_autocommit() {
        return done.and(Err(StoreError::InUse));
    }
    if done.is_err() {
        transaction.execute_batch("ROLLBACK TO job")?;
    }
    transaction.execute_batch("RELEASE job")?;
    done
}

fn run(mut connection: Connection, queue: &Receiver<Job>) {
    while let Ok(first) = queue.recv() {
        run_group(&mut connection, first, queue);
    }
}

fn run_group(connection: &mut Connection, first: Job, queue: &Receiver<Job>) {
    let mut answers = Vec::new();
    let committed = group(connection, first, queue, &mut answers);
    for answer in answers {
        answer(committed.as_ref().copied().map_err(StoreError::echo));
    }
}

fn group(
    connection: &mut Connection,
    first: Job,
    queue: &Receiver<Job>,
    answers: &mut Vec<Answer>,
) -> Result<(), StoreError> {
    let transaction = open::begin(connection)?;
    let mut next = Some(first);
    while let Some(job) = next {
        let (answer, failed) = job(&transaction);
        answers.push(answer);
        if transaction.is_autocommit() {
            return Err(failed.unwrap_or(StoreError::InUse));
        }
        next = if answers.len() < GROUP_MAX { queue.try_recv().ok() } else { None };
    }
    open::commit(transaction)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transaction_that_is_over_is_over_for_all_its_jobs() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE kept (n INTEGER)").unwrap();
        let keep = |n: i64| {
            job_of(move |transaction| Ok(transaction.execute("INSERT INTO kept VALUES (?1)", [n])?))
        };
        let ((first, of_first), (last, of_last)) = (keep(1), keep(3));
        // As SQLite does by itself when the disk has no room for a page.
        let (second, of_second) = job_of(|transaction| {
            transaction.execute_batch("ROLLBACK")?;
            Err::<usize, _>(StoreError::Full)
        });
        let (jobs, queue) = sync_channel(2);
        jobs.send(second).unwrap();
        jobs.send(last).unwrap();
        drop(jobs);
        let mut next = Some(first);
        while let Some(job) = next {
            run_group(&mut connection, job, &queue);
            next = queue.try_recv().ok();
        }
        for outcome in [of_first, of_second] {
            assert!(matches!(outcome.recv().unwrap(), Err(StoreError::Full)));
        }
        assert!(matches!(of_last.recv().unwrap(), Ok(1)), "the next one begins anew");
        let kept: i64 = connection.query_row("SELECT sum(n) FROM kept", [], |r| r.get(0)).unwrap();
        assert_eq!(kept, 3);
    }
}
