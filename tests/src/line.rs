//! A slow mountain line: a TCP proxy with a round-trip time, a rate and cuts at exact bytes. What it counts
//! is what the other side was given. Must not know what passes through.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::seeded::Seeded;

/// Bytes read at a time; small, so that rate and cuts are fine-grained.
const CHUNK_BYTES: usize = 4 * 1024;
/// What is lost at once: a segment of TCP.
const SEGMENT_BYTES: usize = 1_400;
/// The shortest pause before a lost segment is sent again (RFC 6298).
const RESENT_AFTER: Duration = Duration::from_secs(1);
/// Chunks under way in one direction.
const CHUNKS_MAX: usize = 64;

/// How the line behaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// Time for a byte to go and come back; a new connection costs one more.
    pub rtt: Duration,
    /// Bytes a second in each direction; none = as fast as the machine.
    pub rate_bytes_per_s: Option<u64>,
    /// Of a hundred segments so many are lost and sent again after a pause that doubles, as TCP does when
    /// nothing behind them gets through either.
    pub lost_percent: u8,
    /// Every connection breaks after so many bytes, both directions together.
    pub cut_after_bytes: Option<u64>,
}

#[derive(Debug, Default)]
struct Counters {
    up: AtomicU64,
    down: AtomicU64,
    connections: AtomicU64,
}

/// An open line. Dropping it closes it.
#[derive(Debug)]
pub struct LineHandle {
    address: SocketAddr,
    counters: Arc<Counters>,
    accepting: JoinHandle<()>,
}

impl Line {
    /// Opens the line to a server; phones connect to [`LineHandle::address`].
    ///
    /// # Errors
    /// Where no port can be had.
    pub async fn open(self, target: SocketAddr) -> io::Result<LineHandle> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let counters = Arc::new(Counters::default());
        let counted = counters.clone();
        let accepting = tokio::spawn(async move {
            while let Ok((phone, _)) = listener.accept().await {
                counted.connections.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(self.connect(phone, target, counted.clone()));
            }
        });
        Ok(LineHandle { address, counters, accepting })
    }

    async fn connect(self, phone: TcpStream, target: SocketAddr, counters: Arc<Counters>) {
        tokio::time::sleep(self.rtt).await;
        let Ok(server) = TcpStream::connect(target).await else { return };
        let _ = (phone.set_nodelay(true), server.set_nodelay(true));
        let ((from_phone, to_phone), (from_server, to_server)) =
            (phone.into_split(), server.into_split());
        let budget = Arc::new(Budget {
            left: AtomicU64::new(self.cut_after_bytes.unwrap_or(u64::MAX)),
            cut: Notify::new(),
        });
        let up = self.pipe(from_phone, to_server, budget.clone(), |bytes| {
            counters.up.fetch_add(bytes, Ordering::Relaxed);
        });
        let down = self.pipe(from_server, to_phone, budget.clone(), |bytes| {
            counters.down.fetch_add(bytes, Ordering::Relaxed);
        });
        tokio::select! {
            _ = async { tokio::join!(up, down) } => {}
            // Both sockets are dropped here: each side sees the line break.
            () = budget.cut.notified() => {}
        }
    }

    async fn pipe(
        self,
        mut from: OwnedReadHalf,
        mut to: OwnedWriteHalf,
        budget: Arc<Budget>,
        count: impl Fn(u64),
    ) {
        let (sender, mut receiver) = mpsc::channel::<(Instant, Vec<u8>)>(CHUNKS_MAX);
        let read = async move {
            let mut free_at = Instant::now();
            let mut loss = Seeded(u64::from(self.lost_percent));
            let mut chunk =
                vec![0; if self.lost_percent == 0 { CHUNK_BYTES } else { SEGMENT_BYTES }];
            while let Ok(bytes @ 1..) = from.read(&mut chunk).await {
                let sent = self.rate_bytes_per_s.map_or(Duration::ZERO, |rate| {
                    Duration::from_secs_f64(bytes as f64 / rate as f64)
                });
                free_at = free_at.max(Instant::now()) + sent;
                let mut pause = RESENT_AFTER.max(self.rtt);
                while loss.chance(self.lost_percent.into()) {
                    free_at += pause;
                    pause *= 2;
                }
                let arrives = free_at + self.rtt / 2;
                if sender.send((arrives, chunk[..bytes].to_vec())).await.is_err() {
                    break;
                }
            }
        };
        let write = async move {
            while let Some((arrives, chunk)) = receiver.recv().await {
                tokio::time::sleep_until(arrives).await;
                let allowed = budget.take(chunk.len());
                if to.write_all(&chunk[..allowed]).await.is_err() {
                    break;
                }
                count(allowed as u64);
                if allowed < chunk.len() {
                    budget.cut.notify_one();
                    break;
                }
            }
            let _ = to.shutdown().await;
        };
        tokio::join!(read, write);
    }
}

struct Budget {
    left: AtomicU64,
    cut: Notify,
}

impl Budget {
    /// How many of `wanted` bytes may still pass.
    fn take(&self, wanted: usize) -> usize {
        let wanted = wanted as u64;
        let left = self
            .left
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |left| {
                Some(left.saturating_sub(wanted))
            })
            .unwrap_or_default();
        usize::try_from(left.min(wanted)).unwrap_or_default()
    }
}

impl LineHandle {
    /// Where phones connect.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Bytes the server was given.
    pub fn bytes_up(&self) -> u64 {
        self.counters.up.load(Ordering::Relaxed)
    }

    /// Bytes the phones were given.
    pub fn bytes_down(&self) -> u64 {
        self.counters.down.load(Ordering::Relaxed)
    }

    /// Connections made.
    pub fn connections(&self) -> u64 {
        self.counters.connections.load(Ordering::Relaxed)
    }
}

impl Drop for LineHandle {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that sends back what it gets.
    async fn echo() -> SocketAddr {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut read, mut write) = socket.split();
                    let _ = tokio::io::copy(&mut read, &mut write).await;
                });
            }
        });
        address
    }

    async fn send(line: &LineHandle, bytes: usize) -> usize {
        let mut socket = TcpStream::connect(line.address()).await.unwrap();
        let (mut read, mut write) = socket.split();
        let data = vec![7; bytes];
        let mut back = Vec::new();
        let writing = async {
            let _ = write.write_all(&data).await;
            let _ = write.shutdown().await;
        };
        let _ = tokio::join!(writing, read.read_to_end(&mut back));
        back.len()
    }

    #[tokio::test]
    async fn counts_what_passes() {
        let line = Line::default().open(echo().await).await.unwrap();
        assert_eq!(send(&line, 100_000).await, 100_000);
        assert_eq!((line.bytes_up(), line.bytes_down(), line.connections()), (100_000, 100_000, 1));
    }

    #[tokio::test]
    async fn cuts_at_the_exact_byte_and_works_again() {
        let line = Line { cut_after_bytes: Some(10_001), ..Line::default() };
        let line = line.open(echo().await).await.unwrap();
        assert!(send(&line, 100_000).await < 10_001);
        assert_eq!(line.bytes_up() + line.bytes_down(), 10_001);
        assert_eq!(send(&line, 5_000).await, 5_000);
    }

    #[tokio::test]
    async fn delays_and_paces() {
        let line = Line {
            rtt: Duration::from_millis(60),
            rate_bytes_per_s: Some(100_000),
            ..Line::default()
        };
        let line = line.open(echo().await).await.unwrap();
        let begin = Instant::now();
        assert_eq!(send(&line, 20_000).await, 20_000);
        // One rtt to connect, one there and back, 0.2 s each way of which the way back overlaps.
        let least = Duration::from_millis(60 + 60 + 200);
        assert!(begin.elapsed() >= least, "{:?}", begin.elapsed());
    }
}
