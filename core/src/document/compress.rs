//! Compression with a dictionary of the words every record uses, so that one small change alone, or one
//! 64 KiB frame alone, compresses almost as well as a whole file. Must not know what is inside, but for the names that do
//! not compress (`names`).

use std::cell::RefCell;
use std::sync::LazyLock;

use zstd::bulk::{Compressor, Decompressor};
use zstd::dict::{DecoderDictionary, EncoderDictionary};

mod names;

/// The usual words of records: part of protocol 1 and of every stored file. Once there is a release it is never changed in
/// place: a new one gets a new number.
static WORDS: &[u8] = include_bytes!("../../data/records-1.dict");

/// How hard to try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// One stored change: microseconds.
    Stored,
    /// A frame somebody waits for.
    Live,
    /// A pack, made once and read often.
    Pack,
}

const EFFORTS: [(Effort, i32); 3] = [(Effort::Stored, 3), (Effort::Live, 9), (Effort::Pack, 19)];

/// Bytes that are not a compressed block, or one over its bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("compressed block unreadable or over its bound")]
pub struct CompressError;

static ENCODER_WORDS: LazyLock<[EncoderDictionary<'static>; 3]> =
    LazyLock::new(|| EFFORTS.map(|(_, level)| EncoderDictionary::new(WORDS, level)));
static DECODER_WORDS: LazyLock<DecoderDictionary<'static>> =
    LazyLock::new(|| DecoderDictionary::new(WORDS));

thread_local! {
    // A context costs more to make than a change to compress.
    static ENCODERS: RefCell<[Option<Compressor<'static>>; 3]> = const { RefCell::new([None, None, None]) };
    static DECODER: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
}

/// What a dictionary is trained on: the bytes as the compressor sees them.
pub fn training_sample(raw: &[u8]) -> Vec<u8> {
    names::take_out(raw)
}

/// Compresses; the size is stated in the result.
///
/// # Errors
/// Where the library runs out of memory.
pub fn compress(raw: &[u8], effort: Effort) -> Result<Vec<u8>, CompressError> {
    let place = EFFORTS.iter().position(|(listed, _)| *listed == effort).ok_or(CompressError)?;
    ENCODERS.with_borrow_mut(|encoders| {
        if encoders[place].is_none() {
            let made = Compressor::with_prepared_dictionary(&ENCODER_WORDS[place])
                .and_then(|mut encoder| {
                    // The reader knows its dictionary: its number need not be in the block.
                    encoder.set_parameter(zstd::zstd_safe::CParameter::DictIdFlag(false))?;
                    // What travels is applied before the signature over the whole is reached: four
                    // bytes tell a damaged frame at once. What is stored lies in authenticated pages.
                    encoder.include_checksum(effort != Effort::Stored)?;
                    Ok(encoder)
                })
                .map_err(|_| CompressError)?;
            encoders[place] = Some(made);
        }
        let encoder = encoders[place].as_mut().ok_or(CompressError)?;
        encoder.compress(&names::take_out(raw)).map_err(|_| CompressError)
    })
}

/// Decompresses into at most `bytes_max`.
///
/// # Errors
/// Where the block does not state its size, states too much, or is damaged.
pub fn decompress(block: &[u8], bytes_max: usize) -> Result<Vec<u8>, CompressError> {
    let stated = zstd::zstd_safe::get_frame_content_size(block).map_err(|_| CompressError)?;
    let size = usize::try_from(stated.ok_or(CompressError)?).map_err(|_| CompressError)?;
    // A byte that looks like a mark takes two.
    if size > bytes_max.saturating_mul(2).saturating_add(1) {
        return Err(CompressError);
    }
    let told = DECODER.with_borrow_mut(|slot| {
        if slot.is_none() {
            *slot = Decompressor::with_prepared_dictionary(&DECODER_WORDS).ok();
        }
        let decoder = slot.as_mut().ok_or(CompressError)?;
        decoder.decompress(block, size).map_err(|_| CompressError)
    })?;
    names::put_back(&told, bytes_max)
}
