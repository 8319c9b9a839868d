//! POST /v1/sync: read the signed header, take frame by frame as they arrive, stream the answer. A line
//! that breaks in the middle leaves the frames before the break committed.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream;
use tokio::sync::OwnedSemaphorePermit;
use wanhu_core::sync::responder::Responder;
use wanhu_core::sync::seal::{SIGNATURE_BYTES, frame_digest};
use wanhu_core::sync::wire::{FRAME_BYTES_MAX, HEADER_BYTES_MAX};

use super::body::BodyReader;
use super::{blocking, permit};
use crate::app::App;
use crate::auth::authenticate;
use crate::error::ServerError;
use crate::storage::{SqliteLog, SqliteReader};

/// Bytes of the answer gathered before they are handed to the line.
const ANSWER_CHUNK_BYTES: usize = 32 * 1024;

/// Serves one sync.
///
/// # Errors
/// Before anything of the request was taken where header or signature are at fault; later errors leave
/// what was taken before.
#[utoipa::path(post, path = "/v1/sync", tag = "phones",
    request_body(content = Vec<u8>, content_type = "application/cbor", description = "signed header, then frames"),
    responses((status = 200, content_type = "application/cbor", body = Vec<u8>, description = "head, then villages"),
        (status = "4XX", content_type = "application/cbor", body = Vec<u8>, description = "code, details"),
        (status = "5XX", content_type = "application/cbor", body = Vec<u8>, description = "code, details")))]
pub async fn sync(State(app): State<Arc<App>>, body: Body) -> Result<Response, ServerError> {
    let permit = permit(&app)?;
    let mut reader = BodyReader::new(body, app.silence_max);
    let header = reader.length_prefixed(HEADER_BYTES_MAX).await?;
    let signature: [u8; SIGNATURE_BYTES] =
        reader.exact(SIGNATURE_BYTES).await?.try_into().map_err(|_| ServerError::BadRequest)?;
    let worker = app.clone();
    let (request, mut sender) = blocking(move || {
        authenticate(&worker.accounts, &header, &signature, worker.clock.now_ms())
    })
    .await?;
    sender.quota = app
        .limits
        .begin_sync(sender.device, app.clock.now_ms())
        .map_err(|retry_after_ms| ServerError::TooManyRequests { retry_after_ms })?;
    sender.lease_days = app.lease_days;
    let (device, digests) = (sender.device, request.frames.clone());
    let mut responder = Responder::begin(request, sender)?.publishing(app.policy.clone());
    for digest in digests {
        let frame = reader.length_prefixed(FRAME_BYTES_MAX).await?;
        if frame_digest(&frame) != *digest {
            return Err(ServerError::BadRequest);
        }
        let before = responder.taken();
        responder = take(app.clone(), responder, frame).await?;
        app.limits.count_changes(device, responder.taken() - before);
    }
    reader.end().await?;
    metrics::counter!("wanhu_syncs_total").increment(1);
    metrics::counter!("wanhu_received_bytes_total").increment(reader.bytes);
    let answer = Answer { app, responder, device, bytes: 0, ended: false, _permit: permit };
    answer.respond().await
}

async fn take(
    app: Arc<App>,
    mut responder: Responder,
    frame: Vec<u8>,
) -> Result<Responder, ServerError> {
    blocking(move || {
        let frame = Responder::read_frame(&frame)?;
        let now_ms = app.clock.now_ms();
        metrics::counter!("wanhu_pushed_changes_total").increment(frame.changes.len() as u64);
        let policy = app.policy.clone();
        let taken = app.storage.writer().write(move |transaction| {
            let mut log = SqliteLog::new(transaction, now_ms).under(&policy.policy);
            responder.take(&mut log, &frame, now_ms)?;
            Ok(responder)
        });
        Ok(taken?)
    })
    .await
}

struct Answer {
    app: Arc<App>,
    responder: Responder,
    device: u32,
    bytes: u64,
    ended: bool,
    _permit: OwnedSemaphorePermit,
}

impl Answer {
    /// A short answer goes out whole, with its length; a long one streams.
    async fn respond(self) -> Result<Response, ServerError> {
        let (first, rest) = self.next_chunk().await?;
        if rest.ended {
            // Without a content type: bytes a phone pays for and never reads.
            return Ok(Response::new(Body::from(first)));
        }
        let first = stream::once(std::future::ready(Ok(first)));
        let rest = stream::try_unfold(rest, |answer| async move {
            if answer.ended {
                return Ok(None);
            }
            // An error here can only end the answer early; the phone sees that its end is missing.
            answer.next_chunk().await.map(Some)
        });
        Ok(Response::new(Body::from_stream(futures_util::StreamExt::chain(first, rest))))
    }

    async fn next_chunk(mut self) -> Result<(Bytes, Self), ServerError> {
        blocking(move || {
            let mut chunk = Vec::new();
            let (app, responder) = (&self.app, &mut self.responder);
            let now_ms = app.clock.now_ms();
            let mut ended = false;
            app.storage.read(|connection| {
                let reader = SqliteReader(connection);
                while chunk.len() < ANSWER_CHUNK_BYTES && !ended {
                    match responder.next_part(&reader, &app.key, now_ms)? {
                        Some(part) => chunk.extend(part),
                        None => ended = true,
                    }
                }
                Ok(())
            })?;
            self.ended = ended;
            self.bytes += chunk.len() as u64;
            if ended {
                metrics::counter!("wanhu_sent_bytes_total").increment(self.bytes);
                tracing::info!(device = self.device, bytes_out = self.bytes, "synced");
            }
            Ok((Bytes::from(chunk), self))
        })
        .await
    }
}
