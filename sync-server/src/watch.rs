//! How far a long piece of work has come, told to whoever waits for it and may end it. Must not know what is done.

/// What is being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Rows are read and matched.
    Reading,
    /// Rows are kept.
    Keeping,
    /// Households are judged.
    Judging,
    /// Villages are counted.
    Counting,
}

/// Told how much of how many is done. False ends the work; what is done stays.
pub type Watch<'w> = &'w (dyn Fn(Phase, usize, usize) -> bool + Sync);

/// Nobody waits.
pub fn unwatched(_: Phase, _: usize, _: usize) -> bool {
    true
}
