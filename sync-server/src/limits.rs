//! How often a device may sync and how much it may send, and how often an address may try: enough for the busiest
//! cadre, too little to drown a township. Held in memory; a restart forgives. Must not know what is sent.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 86_400_000;

/// The limits and what each device has used of them.
#[derive(Debug)]
pub struct Limits {
    syncs_per_minute: u64,
    changes_per_day: u64,
    used: Mutex<HashMap<u32, Used>>,
}

#[derive(Debug, Default)]
struct Used {
    minute: i64,
    syncs: u64,
    day: i64,
    changes: u64,
}

impl Limits {
    /// Limits for every device.
    pub fn new(syncs_per_minute: u64, changes_per_day: u64) -> Self {
        Self { syncs_per_minute, changes_per_day, used: Mutex::default() }
    }

    /// Counts a sync; the changes the device may still send today.
    ///
    /// # Errors
    /// Milliseconds to wait, where it has begun too many within this minute.
    pub fn begin_sync(&self, device: u32, now_ms: i64) -> Result<u64, u64> {
        let mut all = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let used = all.entry(device).or_default();
        let (minute, day) = (now_ms.div_euclid(MINUTE_MS), now_ms.div_euclid(DAY_MS));
        if used.minute != minute {
            (used.minute, used.syncs) = (minute, 0);
        }
        if used.day != day {
            (used.day, used.changes) = (day, 0);
        }
        if used.syncs >= self.syncs_per_minute {
            let left_ms = MINUTE_MS - now_ms.rem_euclid(MINUTE_MS);
            return Err(u64::try_from(left_ms).unwrap_or_default());
        }
        used.syncs += 1;
        Ok(self.changes_per_day.saturating_sub(used.changes))
    }

    /// Counts changes that were taken.
    pub fn count_changes(&self, device: u32, changes: u64) {
        let mut all = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let used = all.entry(device).or_default();
        used.changes = used.changes.saturating_add(changes);
    }
}

/// What one address may try within a window.
#[derive(Debug)]
pub struct Tries {
    most: u32,
    window_ms: i64,
    used: Mutex<HashMap<IpAddr, (u32, i64)>>,
}

/// Addresses remembered at a time.
const ADDRESSES_MAX: usize = 10_000;

impl Tries {
    /// So many tries within so many milliseconds of the first.
    pub fn new(most: u32, window_ms: i64) -> Self {
        Self { most, window_ms, used: Mutex::default() }
    }

    /// Milliseconds this address has to wait before it may try again; 0 for none.
    pub fn wait_ms(&self, address: IpAddr, now_ms: i64) -> u64 {
        let used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let (count, since_ms) = used.get(&line_of(address)).copied().unwrap_or_default();
        let left_ms = since_ms + self.window_ms - now_ms;
        if count >= self.most { u64::try_from(left_ms).unwrap_or_default() } else { 0 }
    }

    /// Counts a try.
    pub fn count(&self, address: IpAddr, now_ms: i64) {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.retain(|_, (_, since_ms)| now_ms - *since_ms < self.window_ms);
        if used.len() < ADDRESSES_MAX {
            used.entry(line_of(address)).or_insert((0, now_ms)).0 += 1;
        }
    }
}

/// What one subscriber has: an address, or of the newer kind all that share its first half.
fn line_of(address: IpAddr) -> IpAddr {
    // One socket may serve both kinds, and then writes the older one as the newer.
    match address.to_canonical() {
        address @ IpAddr::V4(_) => address,
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_that_asks_too_often_is_told_how_long_to_wait() {
        let limits = Limits::new(2, 10);
        assert_eq!(limits.begin_sync(1, 30_000), Ok(10));
        assert_eq!(limits.begin_sync(1, 31_000), Ok(10));
        assert_eq!(limits.begin_sync(1, 45_000), Err(15_000));
        assert_eq!(limits.begin_sync(2, 45_000), Ok(10), "each device has its own");
        assert_eq!(limits.begin_sync(1, 60_000), Ok(10));
    }

    #[test]
    fn an_address_that_tries_too_often_waits_until_the_window_is_over() {
        let (tries, address) = (Tries::new(2, 1_000), IpAddr::from([127, 0, 0, 1]));
        for now_ms in [0, 400] {
            assert_eq!(tries.wait_ms(address, now_ms), 0);
            tries.count(address, now_ms);
        }
        assert_eq!(tries.wait_ms(address, 400), 600);
        assert_eq!(tries.wait_ms(IpAddr::from([127, 0, 0, 2]), 400), 0);
        assert_eq!(tries.wait_ms(address, 1_000), 0);

        let subscriber = |last| IpAddr::from([0x2408, 1, 2, 3, 0, 0, 0, last]);
        tries.count(subscriber(1), 0);
        tries.count(subscriber(2), 0);
        assert_eq!(tries.wait_ms(subscriber(3), 0), 1_000, "one line, whichever address");

        let mapped = |last| IpAddr::from([0, 0, 0, 0, 0, 0xffff, 0x0102, last]);
        (0..2).for_each(|_| tries.count(mapped(1), 0));
        assert_eq!([mapped(1), mapped(2)].map(|address| tries.wait_ms(address, 0)), [1_000, 0]);
    }

    #[test]
    fn changes_count_until_the_day_is_over() {
        let limits = Limits::new(9, 10);
        limits.count_changes(1, 7);
        assert_eq!(limits.begin_sync(1, 0), Ok(3));
        limits.count_changes(1, 7);
        assert_eq!(limits.begin_sync(1, 1_000), Ok(0));
        assert_eq!(limits.begin_sync(1, DAY_MS), Ok(10));
    }
}
