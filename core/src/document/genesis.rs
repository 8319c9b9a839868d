//! The first change of every document, the same on every device for ever: it creates the containers.
//! Must never change in any byte: two genesis changes would hide one side's whole record.

use std::sync::LazyLock;

use crate::document::raw::RawChange;
use crate::domain::ids::{ActorId, ChangeHash, OpId};

/// The author of the genesis change, and so of all containers.
pub const GENESIS_ACTOR: ActorId = ActorId(*b"wanhu-genesis-01");

/// The containers in the order in which the genesis change creates them: name, and whether the
/// container holds rows (`row.field`) or fields (`field`). Frozen.
pub const CONTAINERS: [(&str, bool); 18] = [
    ("basic", false),
    ("class", false),
    ("income", false),
    ("living", false),
    ("guarantees", false),
    ("case", false),
    ("local", false),
    ("members", true),
    ("spending", true),
    ("cadres", true),
    ("plan", true),
    ("measures", true),
    ("visits", true),
    ("clues", true),
    ("warnings", true),
    ("evidence", true),
    ("steps", true),
    ("local_rows", true),
];

const CONTAINER_COUNT: u8 = 18;

/// A container's place in the genesis order, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContainerIndex(u8);

impl ContainerIndex {
    /// The container of this name.
    pub fn of(name: &str) -> Option<Self> {
        Self::all().find(|index| index.name() == name)
    }

    /// All containers in genesis order.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..CONTAINER_COUNT).map(Self)
    }

    /// The container at this place.
    pub fn new(index: u8) -> Option<Self> {
        (index < CONTAINER_COUNT).then_some(Self(index))
    }

    /// The place, from 0.
    pub fn get(self) -> u8 {
        self.0
    }

    /// The container's name in the document and in the schema.
    pub fn name(self) -> &'static str {
        CONTAINERS[usize::from(self.0)].0
    }

    /// Whether its keys are `row.field`.
    pub fn has_rows(self) -> bool {
        CONTAINERS[usize::from(self.0)].1
    }

    /// The operation of the genesis change that created it, by which automerge names the map.
    pub fn object(self) -> OpId {
        OpId { counter: u64::from(self.0) + 1, actor: GENESIS_ACTOR }
    }

    /// The container an operation addresses, where it is one of ours.
    pub fn from_object(object: &OpId) -> Option<Self> {
        let index = u8::try_from(object.counter.checked_sub(1)?).ok()?;
        if object.actor == GENESIS_ACTOR { Self::new(index) } else { None }
    }
}

/// The genesis change itself.
pub fn genesis() -> &'static (RawChange, ChangeHash) {
    static GENESIS: LazyLock<(RawChange, ChangeHash)> = LazyLock::new(|| {
        let raw = crate::document::draft::genesis_change();
        let hash = raw.hash();
        (raw, hash)
    });
    &GENESIS
}
