//! Signatures on requests and receipts: what exactly is signed, by which key. Must not keep keys.

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};

use super::chain::Chain;
use super::wire::{HEADER_BYTES_MAX, Scope};

/// Bytes of a signature.
pub const SIGNATURE_BYTES: usize = 64;

/// First 16 bytes of the SHA-256 of a frame, by which a signed header covers it.
pub fn frame_digest(frame: &[u8]) -> [u8; 16] {
    let mut digest = [0; 16];
    digest.copy_from_slice(&Sha256::digest(frame)[..16]);
    digest
}

/// First 8 bytes of the SHA-256 of a policy's text, by which phone and server know whether theirs is the same.
pub fn policy_id(text: &[u8]) -> [u8; 8] {
    let mut id = [0; 8];
    id.copy_from_slice(&Sha256::digest(text)[..8]);
    id
}

fn is_signed(key: &[u8; 32], digest: &[u8; 32], signature: &[u8; 64]) -> bool {
    let signature = Signature::from_bytes(signature);
    VerifyingKey::from_bytes(key).is_ok_and(|key| key.verify_strict(digest, &signature).is_ok())
}

fn request_digest(path: &str, header: &[u8]) -> [u8; 32] {
    Sha256::new()
        .chain_update(b"wanhu-request-1\nPOST ")
        .chain_update(path)
        .chain_update(b"\n")
        .chain_update(Sha256::digest(header))
        .finalize()
        .into()
}

/// A request's start: length of the header, the header, the device's signature over method, path and
/// header. Frames follow, each as length and bytes.
pub fn seal_request(key: &SigningKey, path: &str, header: &[u8]) -> Vec<u8> {
    let signature = key.sign(&request_digest(path, header));
    let mut out = Vec::with_capacity(header.len() + 72);
    put_length(&mut out, header.len());
    out.extend_from_slice(header);
    out.extend_from_slice(&signature.to_bytes());
    out
}

/// Whether the device's key signed this header for this path.
pub fn request_is_signed(key: &[u8; 32], path: &str, header: &[u8], signature: &[u8; 64]) -> bool {
    is_signed(key, &request_digest(path, header), signature)
}

fn enrolment_digest(code: &str, public_key: &[u8; 32], actor: &[u8; 16]) -> [u8; 32] {
    Sha256::new()
        .chain_update(b"wanhu-enrolled-before-1")
        .chain_update(public_key)
        .chain_update(actor)
        .chain_update(code)
        .finalize()
        .into()
}

/// A phone's word, under the key it has been enrolled with, that the next key is its own as well.
pub fn sign_enrolment(
    key: &SigningKey,
    code: &str,
    public_key: &[u8; 32],
    actor: &[u8; 16],
) -> [u8; 64] {
    key.sign(&enrolment_digest(code, public_key, actor)).to_bytes()
}

/// Whether the device with this key gave its word for the next one.
pub fn enrolment_is_signed(
    key: &[u8; 32],
    code: &str,
    public_key: &[u8; 32],
    actor: &[u8; 16],
    proof: &[u8; 64],
) -> bool {
    is_signed(key, &enrolment_digest(code, public_key, actor), proof)
}

fn receipt_digest(epoch: &[u8; 8], scope: Scope, seq: u64, chain: Chain) -> [u8; 32] {
    Sha256::new()
        .chain_update(b"wanhu-receipt-1")
        .chain_update(epoch)
        .chain_update(scope.to_be_bytes())
        .chain_update(seq.to_be_bytes())
        .chain_update(chain.0)
        .finalize()
        .into()
}

/// The server's signature over a scope's log up to `seq`: the receipt for every change in it.
pub fn sign_receipt(
    key: &SigningKey,
    epoch: &[u8; 8],
    scope: Scope,
    seq: u64,
    chain: Chain,
) -> [u8; 64] {
    key.sign(&receipt_digest(epoch, scope, seq, chain)).to_bytes()
}

/// Whether the server signed exactly this log.
pub fn receipt_is_signed(
    key: &[u8; 32],
    epoch: &[u8; 8],
    scope: Scope,
    seq: u64,
    chain: Chain,
    signature: &[u8; 64],
) -> bool {
    is_signed(key, &receipt_digest(epoch, scope, seq, chain), signature)
}

/// Appends a length as LEB128.
pub fn put_length(out: &mut Vec<u8>, length: usize) {
    let mut rest = length;
    loop {
        let low = (rest & 0x7f).to_le_bytes()[0];
        rest >>= 7;
        if rest == 0 {
            out.push(low);
            return;
        }
        out.push(low | 0x80);
    }
}

/// Reads a LEB128 length of at most four bytes from the start of `bytes`: the length and how many bytes
/// it took; `None` while incomplete.
///
/// # Errors
/// `Err(())`-like [`TooLong`] where it does not end in four bytes.
pub fn take_length(bytes: &[u8]) -> Result<Option<(usize, usize)>, TooLong> {
    let mut length = 0usize;
    for (index, byte) in bytes.iter().take(4).enumerate() {
        length |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Ok(Some((length, index + 1)));
        }
    }
    if bytes.len() < 4 { Ok(None) } else { Err(TooLong) }
}

/// A length that does not end where it must.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("length too long")]
pub struct TooLong;

const _: () = assert!(HEADER_BYTES_MAX < 1 << 28, "a header's length fits in four bytes");
