//! A change as bytes: automerge's uncompressed change chunk without its header. The header (magic,
//! checksum, type, length) holds nothing the body does not imply, so it is neither stored nor sent.
//! Must not decode operations; see `change` for that.

use sha2::{Digest, Sha256};

use super::{DocumentError, varint};
use crate::domain::ids::{ActorId, ChangeHash};

/// Largest body of one change accepted from outside. One form save is about 2 kB.
pub const CHANGE_BYTES_MAX: usize = 256 * 1024;
/// Most dependencies of one change accepted from outside.
pub const DEPS_MAX: usize = 16;

const MAGIC: [u8; 4] = [0x85, 0x6f, 0x4a, 0x83];
const CHUNK_TYPE_CHANGE: u8 = 1;

/// The first fields behind the dependencies: enough for all checks that need no operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TailHead {
    /// Who claims to have made the change.
    pub actor: ActorId,
    /// Its number among that actor's changes of the household.
    pub seq: u64,
    /// Counter of its first operation.
    pub start_op: u64,
}

impl TailHead {
    /// Reads the start of a body behind its dependencies.
    pub fn parse(tail: &[u8]) -> Result<Self, DocumentError> {
        let mut reader = varint::Reader(tail);
        let actor = reader.bytes()?.try_into().map(ActorId);
        Ok(Self {
            actor: actor.map_err(|_| DocumentError::ForeignOperation)?,
            seq: reader.number()?,
            start_op: reader.number()?,
        })
    }
}

/// The body of one uncompressed change chunk: dependencies first, then all the rest.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct RawChange(Vec<u8>);

impl std::fmt::Debug for RawChange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RawChange({} bytes)", self.0.len())
    }
}

impl RawChange {
    /// Takes bytes as a body, after checking size only.
    pub fn from_body(body: Vec<u8>) -> Result<Self, DocumentError> {
        if body.len() > CHANGE_BYTES_MAX { Err(DocumentError::TooLarge) } else { Ok(Self(body)) }
    }

    /// Takes the body out of a whole uncompressed chunk as automerge writes it: its checksum must fit, and
    /// its length be written in the one shortest way.
    pub fn from_chunk(chunk: &[u8]) -> Result<Self, DocumentError> {
        let mut reader = varint::Reader(chunk);
        if reader.array::<4>()? != MAGIC {
            return Err(DocumentError::Malformed);
        }
        reader.take(4)?;
        if reader.take(1)? != [CHUNK_TYPE_CHANGE] {
            return Err(DocumentError::Malformed);
        }
        let body = reader.bytes()?;
        if !reader.0.is_empty() {
            return Err(DocumentError::Malformed);
        }
        let raw = Self::from_body(body.to_vec())?;
        if raw.chunk() == chunk { Ok(raw) } else { Err(DocumentError::Malformed) }
    }

    /// Joins dependencies and the rest, as a receiver does after resolving the dependencies.
    /// `deps` are sorted here, as automerge stores them.
    pub fn join(deps: &[ChangeHash], tail: &[u8]) -> Result<Self, DocumentError> {
        let mut sorted = deps.to_vec();
        sorted.sort_unstable();
        let mut body = Vec::with_capacity(tail.len() + 32 * sorted.len() + 1);
        varint::put(&mut body, sorted.len() as u64);
        for dep in &sorted {
            body.extend_from_slice(&dep.0);
        }
        body.extend_from_slice(tail);
        Self::from_body(body)
    }

    /// The dependencies, and the bytes after them.
    pub fn split(&self) -> Result<(Vec<ChangeHash>, &[u8]), DocumentError> {
        let mut reader = varint::Reader(&self.0);
        let count = reader.size()?;
        if count > DEPS_MAX {
            return Err(DocumentError::TooLarge);
        }
        let mut deps = Vec::with_capacity(count);
        for _ in 0..count {
            deps.push(ChangeHash(reader.array()?));
        }
        Ok((deps, reader.0))
    }

    /// The body's bytes.
    pub fn body(&self) -> &[u8] {
        &self.0
    }

    /// The change's name: SHA-256 over chunk type, length and body.
    pub fn hash(&self) -> ChangeHash {
        let mut head = vec![CHUNK_TYPE_CHANGE];
        varint::put(&mut head, self.0.len() as u64);
        let digest = Sha256::new().chain_update(&head).chain_update(&self.0).finalize();
        ChangeHash(digest.into())
    }

    /// The whole chunk, as automerge reads it.
    pub fn chunk(&self) -> Vec<u8> {
        self.chunk_named(&self.hash())
    }

    /// The whole chunk, where the hash is known already.
    pub fn chunk_named(&self, hash: &ChangeHash) -> Vec<u8> {
        let mut chunk = Vec::with_capacity(self.0.len() + 16);
        chunk.extend_from_slice(&MAGIC);
        chunk.extend_from_slice(&hash.0[..4]);
        chunk.push(CHUNK_TYPE_CHANGE);
        varint::put_bytes(&mut chunk, &self.0);
        chunk
    }
}
