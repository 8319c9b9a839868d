//! Who holds which lock on a file, and the memory that connections of one process share (the WAL's index).
//! The rules are SQLite's own (os.h, wal.c); must not know bytes of a file.

use std::collections::BTreeMap;

use rusqlite::ffi;

/// Slots of the shared memory's lock table.
const SLOTS: usize = ffi::SQLITE_SHM_NLOCK as usize;

/// A connection's open file.
pub(crate) type Handle = u64;

#[derive(Debug, Default)]
pub(crate) struct FileLocks {
    levels: BTreeMap<Handle, i32>,
    slots: [Slot; SLOTS],
    /// Regions of shared memory, as addresses; they live as long as the process.
    pub(crate) regions: Vec<usize>,
}

#[derive(Debug, Default)]
struct Slot {
    shared: Vec<Handle>,
    exclusive: Option<Handle>,
}

impl FileLocks {
    fn others(&self, handle: Handle) -> impl Iterator<Item = i32> {
        self.levels.iter().filter(move |(other, _)| **other != handle).map(|(_, level)| *level)
    }

    /// Raises a lock. False where another connection is in the way.
    pub(crate) fn lock(&mut self, handle: Handle, level: i32) -> bool {
        let highest = self.others(handle).max().unwrap_or(ffi::SQLITE_LOCK_NONE);
        let free = match level {
            ffi::SQLITE_LOCK_SHARED => highest < ffi::SQLITE_LOCK_PENDING,
            ffi::SQLITE_LOCK_RESERVED => highest < ffi::SQLITE_LOCK_RESERVED,
            _ => highest == ffi::SQLITE_LOCK_NONE,
        };
        if free {
            self.levels.insert(handle, level);
        } else if level == ffi::SQLITE_LOCK_EXCLUSIVE && highest < ffi::SQLITE_LOCK_RESERVED {
            // Readers may finish; no new one may begin.
            self.levels.insert(handle, ffi::SQLITE_LOCK_PENDING);
        }
        free
    }

    pub(crate) fn unlock(&mut self, handle: Handle, level: i32) {
        if level == ffi::SQLITE_LOCK_NONE {
            self.levels.remove(&handle);
        } else {
            self.levels.insert(handle, level);
        }
    }

    pub(crate) fn is_reserved(&self) -> bool {
        self.levels.values().any(|level| *level >= ffi::SQLITE_LOCK_RESERVED)
    }

    /// Takes or gives back slots of the shared memory's lock table.
    pub(crate) fn lock_slots(
        &mut self,
        handle: Handle,
        first: usize,
        count: usize,
        flags: i32,
    ) -> bool {
        let slots = &mut self.slots[first..first + count];
        if flags & ffi::SQLITE_SHM_UNLOCK != 0 {
            for slot in slots {
                slot.shared.retain(|other| *other != handle);
                slot.exclusive.take_if(|other| *other == handle);
            }
            return true;
        }
        let wants_all = flags & ffi::SQLITE_SHM_EXCLUSIVE != 0;
        let in_the_way = |slot: &Slot| {
            slot.exclusive.is_some_and(|other| other != handle)
                || (wants_all && slot.shared.iter().any(|other| *other != handle))
        };
        if slots.iter().any(in_the_way) {
            return false;
        }
        for slot in slots {
            if wants_all {
                slot.exclusive = Some(handle);
            } else if !slot.shared.contains(&handle) {
                slot.shared.push(handle);
            }
        }
        true
    }

    pub(crate) fn forget(&mut self, handle: Handle) {
        self.levels.remove(&handle);
        self.forget_slots(handle);
    }

    pub(crate) fn forget_slots(&mut self, handle: Handle) {
        self.lock_slots(handle, 0, SLOTS, ffi::SQLITE_SHM_UNLOCK);
    }
}
