//! The tree over a server's whole log, as RFC 6962 builds it: a signed head says "this is all I have
//! taken, in this order", a proof of a few hashes says that an entry is in it, or that a later head
//! holds all of an earlier one. Must not know where the leaves are kept.

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};

/// A hash of the tree.
pub type Node = [u8; 32];

/// The hash of an entry's bytes.
pub fn leaf(entry: &[u8]) -> Node {
    Sha256::new().chain_update([0]).chain_update(entry).finalize().into()
}

fn parent(left: &Node, right: &Node) -> Node {
    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}

/// The largest power of two below `count`, which must be over 1.
fn split(count: usize) -> usize {
    count.next_power_of_two() / 2
}

/// The root over all leaves; of none, the hash of nothing.
pub fn root(leaves: &[Node]) -> Node {
    match leaves {
        [] => Sha256::digest([]).into(),
        [only] => *only,
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len()));
            parent(&root(left), &root(right))
        }
    }
}

/// The hashes that lead from leaf `index` to the root, nearest first. Empty where there is no such leaf.
pub fn inclusion(leaves: &[Node], index: usize) -> Vec<Node> {
    if leaves.len() < 2 || index >= leaves.len() {
        return Vec::new();
    }
    let (left, right) = leaves.split_at(split(leaves.len()));
    let (mut path, other) = match index.checked_sub(left.len()) {
        None => (inclusion(left, index), root(right)),
        Some(index) => (inclusion(right, index), root(left)),
    };
    path.push(other);
    path
}

/// The hashes that show that the first `old` leaves are the beginning of all of them.
pub fn consistency(leaves: &[Node], old: usize) -> Vec<Node> {
    if old == 0 || old >= leaves.len() { Vec::new() } else { subproof(leaves, old, true) }
}

fn subproof(leaves: &[Node], old: usize, is_whole: bool) -> Vec<Node> {
    if old == leaves.len() {
        return if is_whole { Vec::new() } else { vec![root(leaves)] };
    }
    let (left, right) = leaves.split_at(split(leaves.len()));
    let (mut proof, other) = match old.checked_sub(left.len()) {
        None | Some(0) => (subproof(left, old, is_whole), root(right)),
        Some(old) => (subproof(right, old, false), root(left)),
    };
    proof.push(other);
    proof
}

/// What is needed of a tree to go on building it: the roots of its whole subtrees, largest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    nodes: Vec<Node>,
}

impl Frontier {
    /// The frontier of a tree of `size` leaves; `None` where the nodes cannot be its own.
    pub fn new(size: u64, nodes: Vec<Node>) -> Option<Self> {
        (nodes.len() as u64 == u64::from(size.count_ones())).then_some(Self { size, nodes })
    }

    /// Leaves in the tree.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Its nodes.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Adds a leaf.
    pub fn add(&mut self, leaf: Node) {
        let (mut node, mut complete) = (leaf, self.size);
        while complete & 1 == 1 {
            if let Some(left) = self.nodes.pop() {
                node = parent(&left, &node);
            }
            complete >>= 1;
        }
        self.nodes.push(node);
        self.size += 1;
    }

    /// The root over all leaves.
    pub fn root(&self) -> Node {
        let right_to_left = self.nodes.iter().rev().copied();
        right_to_left.reduce(|right, left| parent(&left, &right)).unwrap_or_else(|| root(&[]))
    }
}

/// What a head's signature covers.
fn head_bytes(size: u64, root: &Node, time_ms: i64) -> Vec<u8> {
    [&b"wanhu-tree-1"[..], &size.to_be_bytes(), root, &time_ms.to_be_bytes()].concat()
}

/// Signs a head: the server had taken `size` entries at `time_ms`, milliseconds since 1970 UTC.
pub fn sign_head(key: &SigningKey, size: u64, root: &Node, time_ms: i64) -> [u8; 64] {
    key.sign(&head_bytes(size, root, time_ms)).to_bytes()
}

/// Whether a head is the server's.
pub fn head_is_signed(
    key: &VerifyingKey,
    size: u64,
    root: &Node,
    time_ms: i64,
    signature: &[u8; 64],
) -> bool {
    let signature = Signature::from_bytes(signature);
    key.verify_strict(&head_bytes(size, root, time_ms), &signature).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The leaves of the reference implementation's own tests, and its roots.
    const ENTRIES: [&[u8]; 8] = [
        b"",
        &[0x00],
        &[0x10],
        &[0x20, 0x21],
        &[0x30, 0x31],
        &[0x40, 0x41, 0x42, 0x43],
        &[0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57],
        &[
            0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d,
            0x6e, 0x6f,
        ],
    ];
    const ROOT_OF_1: &str = "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d";
    const ROOT_OF_8: &str = "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328";

    fn leaves(count: usize) -> Vec<Node> {
        ENTRIES.iter().cycle().take(count).map(|entry| leaf(entry)).collect()
    }

    fn hex(node: &Node) -> String {
        node.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn roots_are_those_of_the_reference() {
        assert_eq!(hex(&root(&leaves(1))), ROOT_OF_1);
        assert_eq!(hex(&root(&leaves(8))), ROOT_OF_8);
    }

    #[test]
    fn a_frontier_goes_on_where_it_stopped() {
        let mut frontier = Frontier::default();
        for count in 0..70 {
            assert_eq!(frontier.root(), root(&leaves(count)), "{count}");
            let size = frontier.size();
            frontier = Frontier::new(size, frontier.nodes().to_vec()).unwrap();
            assert_eq!(Frontier::new(size + 1, vec![[0; 32]; 9]), None);
            frontier.add(leaves(count + 1)[count]);
        }
    }

    #[test]
    fn a_head_is_the_servers_or_nobodys() {
        let key = SigningKey::from_bytes(&[7; 32]);
        let top = root(&leaves(5));
        let signature = sign_head(&key, 5, &top, 9);
        let verify =
            |size, time| head_is_signed(&key.verifying_key(), size, &top, time, &signature);
        assert!(verify(5, 9) && !verify(6, 9) && !verify(5, 8));
    }

    #[test]
    fn proofs_are_short() {
        for count in 2..40 {
            let all = leaves(count);
            let bits = usize::try_from(count.next_power_of_two().trailing_zeros()).unwrap();
            for index in 0..count {
                assert!(inclusion(&all, index).len() <= bits);
                assert!(consistency(&all, index).len() <= bits + 1);
            }
        }
    }
}
