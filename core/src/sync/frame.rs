//! Compression of frames: each stands alone, so that a cut costs one frame, and shares a dictionary of
//! this protocol's usual words, so that standing alone costs little. Must not know what is inside.

use std::sync::{LazyLock, Mutex};

use super::wire::FRAME_RAW_BYTES_MAX;

/// The words of protocol 1: part of the protocol, never changed within it.
static DICTIONARY: &[u8] = include_bytes!("../../data/frames-1.dict");

/// Level for frames made while somebody waits.
pub const LEVEL_LIVE: i32 = 9;
/// Level for packs, made once and read often.
pub const LEVEL_PACK: i32 = 19;

/// Raw bytes after which a frame is closed.
pub const FRAME_RAW_BYTES: usize = 64 * 1024;

/// A frame that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("frame unreadable or over its bound")]
pub struct FrameError;

struct Codec {
    live: zstd::bulk::Compressor<'static>,
    pack: zstd::bulk::Compressor<'static>,
    reader: zstd::bulk::Decompressor<'static>,
}

/// Preparing the dictionary costs far more than a frame; one prepared codec serves all.
static CODEC: LazyLock<Option<Mutex<Codec>>> = LazyLock::new(|| {
    Some(Mutex::new(Codec {
        live: zstd::bulk::Compressor::with_dictionary(LEVEL_LIVE, DICTIONARY).ok()?,
        pack: zstd::bulk::Compressor::with_dictionary(LEVEL_PACK, DICTIONARY).ok()?,
        reader: zstd::bulk::Decompressor::with_dictionary(DICTIONARY).ok()?,
    }))
});

fn with_codec<T>(work: impl FnOnce(&mut Codec) -> std::io::Result<T>) -> Result<T, FrameError> {
    let mut codec = CODEC.as_ref().ok_or(FrameError)?.lock().map_err(|_| FrameError)?;
    work(&mut codec).map_err(|_| FrameError)
}

/// Compresses a frame while somebody waits.
pub fn compress(raw: &[u8]) -> Result<Vec<u8>, FrameError> {
    with_codec(|codec| codec.live.compress(raw))
}

/// Compresses a frame of a pack.
pub fn compress_pack(raw: &[u8]) -> Result<Vec<u8>, FrameError> {
    with_codec(|codec| codec.pack.compress(raw))
}

/// Decompresses a frame, never into more than [`FRAME_RAW_BYTES_MAX`].
///
/// # Errors
/// Where the frame does not state its size, states too much, or is damaged.
pub fn decompress(frame: &[u8]) -> Result<Vec<u8>, FrameError> {
    let stated = zstd::zstd_safe::get_frame_content_size(frame).map_err(|_| FrameError)?;
    let size = usize::try_from(stated.ok_or(FrameError)?).map_err(|_| FrameError)?;
    if size > FRAME_RAW_BYTES_MAX {
        return Err(FrameError);
    }
    with_codec(|codec| codec.reader.decompress(frame, size))
}
