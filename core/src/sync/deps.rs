//! Dependencies on the wire: four bytes of a hash name a change among the few of one household. The
//! hash of the rebuilt change proves that they were resolved rightly.

use std::borrow::Cow;

use minicbor::bytes::ByteVec;

use super::wire::RefusalCode;
use crate::document::genesis::genesis;
use crate::document::raw::{DEPS_MAX, RawChange};
use crate::domain::ids::ChangeHash;
use crate::store::records::Held;

/// Bytes of a shortened dependency.
pub const SHORT_BYTES: usize = 4;

/// The dependencies of a change, shortened for the wire, and the rest of its body.
pub fn shorten(raw: &RawChange) -> Option<(Vec<ByteVec>, ByteVec)> {
    let (deps, tail) = raw.split().ok()?;
    let deps = deps.iter().map(|dep| dep.0[..SHORT_BYTES].to_vec().into()).collect();
    Some((deps, tail.to_vec().into()))
}

/// As [`shorten`], for changes sent whole household by whole household: building on nothing but the
/// change sent just before is said with an empty dependency.
pub fn shorten_after(
    raw: &RawChange,
    previous: Option<&ChangeHash>,
) -> Option<(Vec<ByteVec>, ByteVec)> {
    let (deps, tail) = raw.split().ok()?;
    if previous.is_some_and(|previous| deps == [*previous]) {
        return Some((vec![ByteVec::from(Vec::new())], tail.to_vec().into()));
    }
    shorten(raw)
}

/// Dependencies as [`shorten_after`] wrote them, with the empty one named.
pub fn named_after(deps: &[ByteVec], previous: Option<ChangeHash>) -> Cow<'_, [ByteVec]> {
    match (deps, previous) {
        ([only], Some(previous)) if only.is_empty() => {
            Cow::Owned(vec![ByteVec::from(previous.0.to_vec())])
        }
        _ => Cow::Borrowed(deps),
    }
}

/// The dependencies in full, and the largest operation counter among them.
///
/// `candidates` gives the changes of the household whose hash begins with the bytes it is called with.
///
/// # Errors
/// Outer: the candidates' own. Inner: the refusal that says what is wrong.
pub fn resolve<E>(
    deps: &[ByteVec],
    mut candidates: impl FnMut(&[u8]) -> Result<Vec<Held>, E>,
) -> Result<Result<(Vec<ChangeHash>, u64), RefusalCode>, E> {
    if deps.is_empty() {
        return Ok(Err(RefusalCode::Malformed));
    }
    if deps.len() > DEPS_MAX {
        return Ok(Err(RefusalCode::TooLarge));
    }
    let (mut hashes, mut max_op) = (Vec::with_capacity(deps.len()), 0);
    for dep in deps {
        if dep.len() != SHORT_BYTES && dep.len() != 32 {
            return Ok(Err(RefusalCode::Malformed));
        }
        let mut found = candidates(dep)?;
        if genesis().1.0.starts_with(dep) {
            found.push(Held { n: 0, hash: genesis().1, max_op: GENESIS_OPS });
        }
        let [only] = found.as_slice() else {
            let code = if found.is_empty() {
                RefusalCode::DependencyMissing
            } else {
                RefusalCode::DependencyAmbiguous
            };
            return Ok(Err(code));
        };
        hashes.push(only.hash);
        max_op = max_op.max(only.max_op);
    }
    Ok(Ok((hashes, max_op)))
}

const GENESIS_OPS: u64 = crate::document::genesis::CONTAINERS.len() as u64;
