//! Taking bytes out of their checksums and compression, and putting other bytes back in so that both fit.
//! Must not know what the bytes mean.

use wanhu_core::document::compress::{Effort, compress, decompress};
use wanhu_core::document::raw::RawChange;
use wanhu_core::sync::seal;
use wanhu_core::sync::wire::{FRAME_RAW_BYTES_MAX, PartKind};

/// A chunk's body.
pub fn unpack_chunk(bytes: &[u8]) -> Option<Vec<u8>> {
    RawChange::from_chunk(bytes).ok().map(|raw| raw.body().to_vec())
}

/// The chunk of a body.
pub fn pack_chunk(body: &[u8]) -> Vec<u8> {
    RawChange::from_body(body.to_vec()).map_or_else(|_| body.to_vec(), |raw| raw.chunk())
}

/// What is in a frame.
pub fn unpack_frame(bytes: &[u8]) -> Option<Vec<u8>> {
    decompress(bytes, FRAME_RAW_BYTES_MAX).ok()
}

/// A frame of these bytes.
pub fn pack_frame(inside: &[u8]) -> Vec<u8> {
    compress(inside, Effort::Live).unwrap_or_default()
}

/// An answer's parts one after the other, each a kind, a length and its bytes.
fn parts(mut bytes: &[u8]) -> Option<Vec<(u8, &[u8])>> {
    let mut parts = Vec::new();
    while let Some((kind, rest)) = bytes.split_first() {
        let (length, taken) = seal::take_length(rest).ok()??;
        parts.push((*kind, rest.get(taken..taken + length)?));
        bytes = &rest[taken + length..];
    }
    Some(parts)
}

fn is_compressed(kind: u8) -> bool {
    kind == PartKind::Log as u8 || kind == PartKind::PackFrame as u8
}

fn rewritten(bytes: &[u8], rewrite: fn(&[u8]) -> Option<Vec<u8>>) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    for (kind, content) in parts(bytes)? {
        let content = match is_compressed(kind) {
            true => rewrite(content)?,
            false => content.to_vec(),
        };
        out.push(kind);
        seal::put_length(&mut out, content.len());
        out.extend(content);
    }
    Some(out)
}

/// An answer with its log and pack frames opened.
pub fn unpack_answer(bytes: &[u8]) -> Option<Vec<u8>> {
    rewritten(bytes, unpack_frame)
}

/// The answer whose frames hold these bytes; where a length was mutated, the bytes as they are.
pub fn pack_answer(inside: &[u8]) -> Vec<u8> {
    rewritten(inside, |content| Some(pack_frame(content))).unwrap_or_else(|| inside.to_vec())
}
