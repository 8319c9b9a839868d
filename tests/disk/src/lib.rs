//! A disk in memory that SQLite takes for a real one. It keeps every operation, so that a test can ask what
//! would be left had the power gone at any moment; it fails the n-th call and fills up on demand. Must not
//! know what is stored on it.
#![allow(clippy::expect_used, reason = "a test's own tool may fail like a test")]

mod file;
mod vfs;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use file::FileLocks;

/// Smallest piece that a disk writes whole.
const SECTOR_BYTES: usize = 512;

/// Calls that can be made to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Call {
    /// Opening a file.
    Open,
    /// Reading.
    Read,
    /// Writing.
    Write,
    /// Shortening a file.
    Truncate,
    /// Making what was written safe.
    Sync,
    /// Deleting a file.
    Delete,
}

impl Call {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Open, Self::Read, Self::Write, Self::Truncate, Self::Sync, Self::Delete];
}

#[derive(Clone, Debug)]
enum Operation {
    Create,
    Write {
        offset: usize,
        bytes: Vec<u8>,
    },
    Truncate {
        size: usize,
    },
    Sync,
    /// A sync that failed: whatever waited may or may not have arrived, and nobody asks again.
    FailedSync,
    Delete,
}

#[derive(Debug, Default)]
struct State {
    /// Contents as the running program sees them.
    files: BTreeMap<String, Vec<u8>>,
    locks: BTreeMap<String, FileLocks>,
    history: Vec<(String, Operation)>,
    calls: BTreeMap<Call, u64>,
    failing: Option<(Call, u64)>,
    bytes_max: Option<usize>,
    lies: bool,
}

impl State {
    /// Counts a call. True where it must fail.
    fn call(&mut self, call: Call) -> bool {
        let count = self.calls.entry(call).or_default();
        *count += 1;
        self.failing == Some((call, *count))
    }

    fn record(&mut self, file: &str, operation: Operation) {
        self.history.push((file.to_owned(), operation));
    }

    fn has_room(&self, file: &str, end: usize) -> bool {
        let grown = end.saturating_sub(self.files.get(file).map_or(0, Vec::len));
        let used: usize = self.files.values().map(Vec::len).sum();
        grown == 0 || self.bytes_max.is_none_or(|most| used + grown <= most)
    }
}

/// A disk. It has to outlive the connections to its files: what is left of them finds it empty.
#[derive(Debug)]
pub struct Disk {
    name: String,
    state: Arc<Mutex<State>>,
}

impl Drop for Disk {
    fn drop(&mut self) {
        // SQLite keeps the disk's name for ever, and thousands of disks are made in a test.
        *self.lock() = State::default();
    }
}

impl Default for Disk {
    fn default() -> Self {
        Self::with(BTreeMap::new())
    }
}

impl Disk {
    /// A disk with these files on it, known to SQLite under a name of its own until the process ends.
    fn with(files: BTreeMap<String, Vec<u8>>) -> Self {
        let mut state = State::default();
        for (name, bytes) in &files {
            state.record(name, Operation::Create);
            state.record(name, Operation::Write { offset: 0, bytes: bytes.clone() });
            state.record(name, Operation::Sync);
        }
        state.files = files;
        let state = Arc::new(Mutex::new(state));
        Self { name: vfs::register(state.clone()), state }
    }

    /// A disk that calls everything safe at once and writes it when it likes.
    pub fn that_lies() -> Self {
        let disk = Self::default();
        disk.lock().lies = true;
        disk
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What to open to have a file on this disk.
    pub fn path(&self, file: &str) -> PathBuf {
        PathBuf::from(format!("file:/{file}?vfs={}", self.name))
    }

    /// A file's content; nothing where there is no such file.
    pub fn content(&self, file: &str) -> Vec<u8> {
        self.lock().files.get(&format!("/{file}")).cloned().unwrap_or_default()
    }

    /// Operations so far: the moments at which the power can go.
    pub fn operations(&self) -> usize {
        self.lock().history.len()
    }

    /// Calls of a kind so far.
    pub fn calls(&self, call: Call) -> u64 {
        self.lock().calls.get(&call).copied().unwrap_or_default()
    }

    /// Lets the n-th call of a kind fail, counted from the disk's beginning. A failed sync is never made
    /// good: the pages it was about may be lost though later syncs succeed.
    pub fn fail(&self, call: Call, n: u64) {
        self.lock().failing = Some((call, n));
    }

    /// Room for so many bytes in all files together; `None` for no end of it.
    pub fn limit(&self, bytes_max: Option<usize>) {
        self.lock().bytes_max = bytes_max;
    }

    /// Bytes in all files together.
    pub fn used_bytes(&self) -> usize {
        self.lock().files.values().map(Vec::len).sum()
    }

    /// The disk as it would be found had the power gone after so many operations: everything that was made
    /// safe, and of the rest whatever the seed says, sector by sector.
    pub fn as_of(&self, operations: usize, seed: u64) -> Self {
        let mut chance = Chance(seed.wrapping_mul(2).wrapping_add(1));
        let mut platters: BTreeMap<String, Platter> = BTreeMap::new();
        {
            let state = self.lock();
            for (file, operation) in state.history.iter().take(operations) {
                platters.entry(file.clone()).or_default().take(operation, &mut chance);
            }
        }
        let left = platters.into_iter().filter_map(|(file, mut platter)| {
            platter.settle_by_chance(&mut chance);
            platter.content.map(|bytes| (file, bytes))
        });
        Self::with(left.collect())
    }
}

/// One file on its way to being safe.
#[derive(Debug, Default)]
struct Platter {
    content: Option<Vec<u8>>,
    waiting: Vec<Operation>,
}

impl Platter {
    fn take(&mut self, operation: &Operation, chance: &mut Chance) {
        match operation {
            Operation::Sync => {
                let waiting = std::mem::take(&mut self.waiting);
                waiting.iter().for_each(|operation| self.apply(operation, |_| true));
            }
            Operation::FailedSync => self.settle_by_chance(chance),
            Operation::Create
            | Operation::Write { .. }
            | Operation::Truncate { .. }
            | Operation::Delete => {
                self.waiting.push(operation.clone());
            }
        }
    }

    fn settle_by_chance(&mut self, chance: &mut Chance) {
        for operation in std::mem::take(&mut self.waiting) {
            // Whole, not at all, or torn between sectors.
            match chance.below(4) {
                0 => {}
                1 => self.apply(&operation, |_| chance.below(2) == 0),
                _ => self.apply(&operation, |_| true),
            }
        }
    }

    fn apply(&mut self, operation: &Operation, mut arrives: impl FnMut(usize) -> bool) {
        match operation {
            Operation::Delete => self.content = None,
            Operation::Create => {
                self.content.get_or_insert_default();
            }
            Operation::Truncate { size } => {
                self.content.get_or_insert_default().resize(*size, 0);
            }
            Operation::Write { offset, bytes } => {
                let content = self.content.get_or_insert_default();
                for (number, sector) in bytes.chunks(SECTOR_BYTES).enumerate() {
                    if arrives(number) {
                        write_at(content, offset + number * SECTOR_BYTES, sector);
                    }
                }
            }
            Operation::Sync | Operation::FailedSync => {}
        }
    }
}

fn write_at(content: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    if content.len() < offset + bytes.len() {
        content.resize(offset + bytes.len(), 0);
    }
    content[offset..offset + bytes.len()].copy_from_slice(bytes);
}

/// A small generator, the same for the same seed (xorshift64*).
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % end
    }
}
