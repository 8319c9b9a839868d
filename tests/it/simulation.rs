//! Deterministic simulation: a seed decides phones, edits, moves, cuts, repeats, late requests, skewed
//! clocks, restores. Whatever happened, once the faults stop all replicas agree and nothing is lost.
