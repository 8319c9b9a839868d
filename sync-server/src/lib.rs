//! The township's sync server: HTTP, accounts and storage round the core's responder. Runs as a program
//! (`wanhu-server`) or inside another on a given listener: [`App::open`], then [`serve()`].
//!
//! A request enters at `router`, is authenticated in `auth`, taken and answered by `handlers::sync`, and
//! stored by `storage`. Rules about records live in `wanhu_core`, none here.

pub mod accounts;
pub mod admin;
pub mod app;
pub mod audit;
pub mod auth;
pub mod backup;
pub mod error;
pub mod handlers;
pub mod household;
pub mod import;
pub mod keys;
pub mod limits;
pub mod outputs;
pub mod router;
mod serve;
pub mod settings;
pub mod storage;
pub mod warnings;
pub mod watch;

pub use app::App;
pub use serve::{ServeError, serve};
