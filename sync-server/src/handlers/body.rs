//! A request body read piece by piece, bounded before anything is kept, and given up when the phone
//! falls silent. Must not know what the pieces mean.

use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use bytes::{Buf, BytesMut};
use futures_util::StreamExt;
use wanhu_core::sync::seal;

use crate::error::ServerError;

/// Reads a body in order.
#[derive(Debug)]
pub struct BodyReader {
    stream: BodyDataStream,
    buffer: BytesMut,
    silence_max: Duration,
    /// Bytes that came in so far.
    pub bytes: u64,
}

impl BodyReader {
    /// Begins a body.
    pub fn new(body: Body, silence_max: Duration) -> Self {
        let stream = body.into_data_stream();
        Self { stream, buffer: BytesMut::new(), silence_max, bytes: 0 }
    }

    /// Gets more bytes; false at the end.
    async fn more(&mut self) -> Result<bool, ServerError> {
        let next = tokio::time::timeout(self.silence_max, self.stream.next()).await;
        match next.map_err(|_| ServerError::Timeout)? {
            None => Ok(false),
            // The line broke; there is nobody left to answer.
            Some(Err(_)) => Err(ServerError::BadRequest),
            Some(Ok(bytes)) => {
                self.bytes += bytes.len() as u64;
                self.buffer.extend_from_slice(&bytes);
                Ok(true)
            }
        }
    }

    async fn fill(&mut self, count: usize) -> Result<(), ServerError> {
        while self.buffer.len() < count {
            if !self.more().await? {
                return Err(ServerError::BadRequest);
            }
        }
        Ok(())
    }

    /// Exactly `count` bytes.
    ///
    /// # Errors
    /// `BadRequest` where the body ends before.
    pub async fn exact(&mut self, count: usize) -> Result<Vec<u8>, ServerError> {
        self.fill(count).await?;
        Ok(self.buffer.split_to(count).to_vec())
    }

    /// A length and that many bytes, at most `bytes_max`.
    ///
    /// # Errors
    /// `TooLarge` as soon as the length says so.
    pub async fn length_prefixed(&mut self, bytes_max: usize) -> Result<Vec<u8>, ServerError> {
        loop {
            match seal::take_length(&self.buffer).map_err(|_| ServerError::BadRequest)? {
                Some((length, _)) if length > bytes_max => return Err(ServerError::TooLarge),
                Some((length, taken)) => {
                    self.buffer.advance(taken);
                    return self.exact(length).await;
                }
                None => self.fill(self.buffer.len() + 1).await?,
            }
        }
    }

    /// The whole body, at most `bytes_max`.
    ///
    /// # Errors
    /// `TooLarge` as soon as it is.
    pub async fn all(&mut self, bytes_max: usize) -> Result<Vec<u8>, ServerError> {
        while self.more().await? {
            if self.buffer.len() > bytes_max {
                return Err(ServerError::TooLarge);
            }
        }
        Ok(self.buffer.split().to_vec())
    }

    /// Whether the body ends here.
    ///
    /// # Errors
    /// `BadRequest` where more follows.
    pub async fn end(&mut self) -> Result<(), ServerError> {
        if !self.buffer.is_empty() || self.more().await? {
            return Err(ServerError::BadRequest);
        }
        Ok(())
    }
}
