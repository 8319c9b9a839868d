//! The township's sync server.

pub mod storage;
