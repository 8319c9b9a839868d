//! Finding the households in which two replicas differ without listing them all: fingerprints over
//! equal ranges of the id space, then the items of the ranges that differ. Two rounds, whatever the
//! number of households. Must not know how the difference came about.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use crate::domain::ids::HouseholdId;

/// Bytes of a fingerprint and of the two parts of an item. A false match of 48 bits is caught by the
/// scope's digest at the next sync.
pub const SHORT_BYTES: usize = 6;
/// Households per range the server aims at.
const RANGE_HOUSEHOLDS: usize = 8;
/// Most ranges of one offer, as a power of two.
pub const RANGE_BITS_MAX: u8 = 16;

/// What a replica holds of one household: its id and the sum over its acknowledged changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item {
    /// The household.
    pub id: HouseholdId,
    /// Sum over its acknowledged changes.
    pub digest: u128,
}

/// How many leading bits of an id name its range, for this many households.
pub fn range_bits(households: usize) -> u8 {
    let ranges = (households / RANGE_HOUSEHOLDS).next_power_of_two();
    u8::try_from(ranges.trailing_zeros()).unwrap_or(RANGE_BITS_MAX).min(RANGE_BITS_MAX)
}

/// The range an id falls into.
pub fn range_of(id: &HouseholdId, bits: u8) -> usize {
    let top = u32::from_be_bytes([id.0[0], id.0[1], id.0[2], id.0[3]]);
    if bits == 0 { 0 } else { usize::try_from(top >> (32 - u32::from(bits))).unwrap_or_default() }
}

/// One fingerprint a range, joined.
pub fn fingerprints(items: impl IntoIterator<Item = Item>, bits: u8) -> Vec<u8> {
    let mut sums = vec![0u128; 1 << bits];
    for item in items {
        let sum = &mut sums[range_of(&item.id, bits)];
        *sum = sum.wrapping_add(mixed(&item));
    }
    sums.iter().flat_map(|sum| sum.to_be_bytes()[..SHORT_BYTES].to_vec()).collect()
}

/// An item as one number without structure: differences of two items cannot cancel in a sum, and an
/// empty household is seen too.
fn mixed(item: &Item) -> u128 {
    let hash =
        Sha256::new().chain_update(item.id.0).chain_update(item.digest.to_be_bytes()).finalize();
    hash.iter().take(16).fold(0, |number, byte| number << 8 | u128::from(*byte))
}

/// The ranges in which two lists of fingerprints differ; all, where their lengths do.
pub fn differing(ours: &[u8], theirs: &[u8]) -> Vec<usize> {
    let theirs = theirs.chunks(SHORT_BYTES).map(Some).chain(std::iter::repeat(None));
    ours.chunks(SHORT_BYTES)
        .zip(theirs)
        .enumerate()
        .filter(|(_, (ours, theirs))| Some(*ours) != *theirs)
        .map(|(range, _)| range)
        .collect()
}

/// Items of the given ranges as bytes: six of the id, six of the digest each.
pub fn shorten(items: impl IntoIterator<Item = Item>) -> Vec<u8> {
    let mut out = Vec::new();
    for item in items {
        out.extend_from_slice(&item.id.0[..SHORT_BYTES]);
        out.extend_from_slice(&item.digest.to_be_bytes()[..SHORT_BYTES]);
    }
    out
}

/// What to do about a difference, from the server's point of view.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// Households the phone lacks or holds differently: sent whole.
    pub send: Vec<HouseholdId>,
    /// Id prefixes of households the server does not hold in this scope.
    pub unknown: Vec<[u8; SHORT_BYTES]>,
}

/// Compares the server's items of some ranges with the phone's shortened ones.
pub fn compare(ours: impl IntoIterator<Item = Item>, theirs: &[u8]) -> Difference {
    let mut theirs: BTreeMap<[u8; SHORT_BYTES], &[u8]> = theirs
        .chunks_exact(2 * SHORT_BYTES)
        .filter_map(|item| Some((item[..SHORT_BYTES].try_into().ok()?, &item[SHORT_BYTES..])))
        .collect();
    let mut difference = Difference::default();
    for item in ours {
        let same = item.id.0[..SHORT_BYTES].try_into().is_ok_and(|prefix: [u8; SHORT_BYTES]| {
            theirs.remove(&prefix) == Some(&item.digest.to_be_bytes()[..SHORT_BYTES])
        });
        if !same {
            difference.send.push(item.id);
        }
    }
    difference.unknown = theirs.into_keys().collect();
    difference
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn item(seed: u64, digest: u128) -> Item {
        let mut id = [0; 16];
        id[..8].copy_from_slice(&seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
        Item { id: HouseholdId(id), digest: digest << 80 | 1 }
    }

    proptest! {
        #[test]
        fn finds_exactly_what_differs(
            ours in proptest::collection::btree_map(0u64..300, 1u128..3, 0..200),
            theirs in proptest::collection::btree_map(0u64..300, 1u128..3, 0..200),
        ) {
            let bits = range_bits(ours.len());
            let all = |map: &BTreeMap<u64, u128>| {
                map.iter().map(|(seed, digest)| item(*seed, *digest)).collect::<Vec<_>>()
            };
            let (mine, yours) = (all(&ours), all(&theirs));
            let ranges = differing(
                &fingerprints(yours.iter().copied(), bits),
                &fingerprints(mine.iter().copied(), bits),
            );
            let within = |items: &[Item]| {
                items.iter().copied().filter(|i| ranges.contains(&range_of(&i.id, bits))).collect::<Vec<_>>()
            };
            let mut found = compare(within(&mine), &shorten(within(&yours)));
            found.send.sort();
            let mut expected: Vec<_> = ours.iter()
                .filter(|(seed, digest)| theirs.get(seed) != Some(digest))
                .map(|(seed, digest)| item(*seed, *digest).id)
                .collect();
            expected.sort();
            prop_assert_eq!(found.send, expected);
            let unknown = theirs.keys().filter(|seed| !ours.contains_key(seed)).count();
            prop_assert_eq!(found.unknown.len(), unknown);
        }
    }

    #[test]
    fn ten_thousand_households_with_a_hundred_differing_cost_under_20_kb() {
        let ours: Vec<_> = (0..10_000).map(|seed| item(seed, 1)).collect();
        let theirs: Vec<_> =
            (0..10_000).map(|seed| item(seed, if seed % 100 == 0 { 2 } else { 1 })).collect();
        let bits = range_bits(ours.len());
        let offer = fingerprints(ours.iter().copied(), bits);
        let ranges = differing(&fingerprints(theirs.iter().copied(), bits), &offer);
        let items = theirs.iter().filter(|item| ranges.contains(&range_of(&item.id, bits)));
        let answer = shorten(items.copied());
        assert!(offer.len() + answer.len() < 20_000, "{} + {}", offer.len(), answer.len());
        assert_eq!(
            compare(
                ours.iter().copied().filter(|i| ranges.contains(&range_of(&i.id, bits))),
                &answer
            )
            .send
            .len(),
            100
        );
    }
}
