//! The two things the core never takes by itself: the time and randomness. Both are passed in, so that
//! a simulation controls them. Must not contain an implementation that reads the machine.

/// Where the time comes from.
pub trait Clock: Send + Sync {
    /// Milliseconds since 1970-01-01 UTC. A phone's clock may be wrong by years: nothing in sync or
    /// authentication depends on it.
    fn now_ms(&self) -> i64;
}

/// Where random bytes come from.
pub trait Entropy: Send {
    /// Fills `bytes` with unpredictable bytes.
    fn fill(&mut self, bytes: &mut [u8]);
}

/// Draws `N` random bytes.
pub fn random<const N: usize>(entropy: &mut dyn Entropy) -> [u8; N] {
    let mut bytes = [0; N];
    entropy.fill(&mut bytes);
    bytes
}
