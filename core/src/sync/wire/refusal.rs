//! Why a change was not taken: the protocol's numbers, and the names by which everybody else calls them. Must not know who
//! judges.

use minicbor::{Decode, Encode};

use super::decode;

/// Why a change was not taken. Numbers are part of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum RefusalCode {
    /// Over a bound on bytes, operations or dependencies.
    #[n(0)]
    TooLarge,
    /// Not a change.
    #[n(1)]
    Malformed,
    /// An operation outside the household shape.
    #[n(2)]
    ForeignOperation,
    /// The author is not an installation of this device, or the person named is not its person.
    #[n(3)]
    WrongActor,
    /// Another change of this author with this number is on record.
    #[n(4)]
    Equivocation,
    /// Not the author's next change of this household.
    #[n(5)]
    SequenceGap,
    /// Operation counter does not follow from the dependencies.
    #[n(6)]
    CounterForged,
    /// Builds on a change the server does not hold; the phone keeps it and sends it again.
    #[n(7)]
    DependencyMissing,
    /// A shortened dependency fits several changes.
    #[n(8)]
    DependencyAmbiguous,
    /// The household is outside this device's area; kept for review by the office in charge.
    #[n(9)]
    OutsideArea,
    /// This person may not write this field.
    #[n(10)]
    NotPermitted,
    /// A hard rule of the record is broken.
    #[n(11)]
    RuleBroken,
    /// Builds on a change that was refused.
    #[n(12)]
    BuildsOnRefused,
    /// The device has used up what it may send for now.
    #[n(13)]
    OverQuota,
    /// The first four bytes of its hash name another change of the household already; make it anew.
    #[n(14)]
    PrefixTaken,
    /// Is on record already, in an area this device does not hold.
    #[n(15)]
    AlreadyHeld,
    /// A shortened household id fits none or several; send it in full.
    #[n(16)]
    HouseholdUnclear,
    /// The device was shut out; kept for review by the office in charge.
    #[n(17)]
    DeviceRevoked,
    /// The step does not follow from where the case is, lacks something, or comes before its time.
    #[n(18)]
    IllegalStep,
}

impl RefusalCode {
    /// Stable name; the words for it are list `refusal`.
    pub fn code(self) -> &'static str {
        match self {
            Self::TooLarge => "too_large",
            Self::Malformed => "malformed",
            Self::ForeignOperation => "foreign_operation",
            Self::WrongActor => "wrong_actor",
            Self::Equivocation => "equivocation",
            Self::SequenceGap => "sequence_gap",
            Self::CounterForged => "counter_forged",
            Self::DependencyMissing => "dependency_missing",
            Self::DependencyAmbiguous => "dependency_ambiguous",
            Self::OutsideArea => "outside_area",
            Self::NotPermitted => "not_permitted",
            Self::RuleBroken => "rule_broken",
            Self::BuildsOnRefused => "builds_on_refused",
            Self::OverQuota => "over_quota",
            Self::PrefixTaken => "prefix_taken",
            Self::AlreadyHeld => "already_held",
            Self::HouseholdUnclear => "household_unclear",
            Self::DeviceRevoked => "device_revoked",
            Self::IllegalStep => "illegal_step",
        }
    }

    /// The name under which a person is told of a refusal: as [`Self::name`], but for what is about merging.
    pub fn told(number: u8, subject: &str) -> &'static str {
        let is_merging = number == Self::RuleBroken as u8 && subject == MERGED_AWAY;
        if is_merging { "merged_away" } else { Self::name(number) }
    }

    /// The stable name of the code with this number; `unknown` for one of a newer server.
    pub fn name(number: u8) -> &'static str {
        // Numbers this small are themselves in CBOR.
        decode::<Self>(&[number]).map_or("unknown", Self::code)
    }
}

/// What `RuleBroken` is about where a change would merge a family out of sight.
pub const MERGED_AWAY: &str = "basic.merged_into";

/// One change that was not taken.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Refusal {
    /// Its outbox number.
    #[n(0)]
    pub outbox: u64,
    /// Why.
    #[n(1)]
    pub code: RefusalCode,
    /// What the reason is about, for example `container.field`; never personal data.
    #[n(2)]
    pub subject: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::{MERGED_AWAY, RefusalCode};
    use crate::domain::schema::words;

    #[test]
    fn every_refusal_has_the_name_of_its_number_and_words() {
        let last = RefusalCode::IllegalStep as u8;
        let names: std::collections::BTreeSet<_> = (0..=last).map(RefusalCode::name).collect();
        assert_eq!(names.len(), usize::from(last) + 1, "each its own");
        for name in names {
            assert!(name != "unknown" && words("refusal", name).is_some(), "{name}");
        }
        assert_eq!(RefusalCode::name(last), RefusalCode::IllegalStep.code());
        for number in last + 1..=u8::MAX {
            assert_eq!(RefusalCode::name(number), "unknown", "{number}");
        }
        assert!(words("refusal", RefusalCode::name(u8::MAX)).is_some());
        let rule_broken = RefusalCode::RuleBroken as u8;
        assert!(words("refusal", RefusalCode::told(rule_broken, MERGED_AWAY)).is_some());
        assert_eq!(RefusalCode::told(rule_broken, "basic.address"), "rule_broken");
    }
}
