//! The server's own program, started as a process of its own. Must not know what is asked of it.

use std::io::{BufRead, BufReader, Error, ErrorKind, Result};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

/// Starts a command that serves, and waits for its first line, which says where.
///
/// # Errors
/// Where it cannot be started, or says something else.
pub fn served(command: &mut Command) -> Result<(Child, SocketAddr)> {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    let said = child.stdout.take().ok_or(ErrorKind::BrokenPipe)?;
    let mut line = String::new();
    BufReader::new(said).read_line(&mut line)?;
    let address = line.trim().rsplit("http://").next().unwrap_or_default();
    let address = address.parse().map_err(|_| Error::other(format!("said {line}")))?;
    Ok((child, address))
}
