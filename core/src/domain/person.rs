//! One person, one name: what follows from an identity number for everybody who holds the same key, and tells
//! nobody else the number. Two cadres who open the same family's record out of each other's sight so open
//! the same one. Must not keep a number, and must not know where a record is stored.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::identity::IdentityNumber;
use super::ids::HouseholdId;
use super::telephone;

/// The key all phones and the server of one county share. A number of 18 digits is soon guessed from an
/// open hash; without the key it is not.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PersonKey([u8; 32]);

/// What a blind index holds in place of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Blind(pub [u8; 16]);

impl PersonKey {
    /// The key with these bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The key that a server's secret makes, always the same.
    pub fn derive(secret: &[u8; 32]) -> Self {
        Self(Self(*secret).hash("wanhu person key v1", ""))
    }

    /// The bytes, for those who are to share it.
    pub fn to_bytes(self) -> [u8; 32] {
        self.0
    }

    /// Where an identity number stands in a blind index.
    pub fn identity(&self, number: &IdentityNumber) -> Blind {
        Blind(first(&self.hash("identity", number.as_str())))
    }

    /// Where a telephone number stands in a blind index; `None` where there are fewer than five digits.
    /// Spaces, hyphens and the country's +86 do not count.
    pub fn phone(&self, text: &str) -> Option<Blind> {
        let national = telephone::national_digits(text);
        (national.len() >= 5).then(|| Blind(first(&self.hash("phone", &national))))
    }

    /// The name of something that was told about a person, from an open hash of what it means.
    pub fn told(&self, meaning: &[u8; 16]) -> [u8; 16] {
        let hex = meaning.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
        first(&self.hash("told", &hex))
    }

    /// The id of the household that this person heads (UUID version 8).
    pub fn household(&self, head: &IdentityNumber) -> HouseholdId {
        let bytes = first(&self.hash("household", head.as_str()));
        HouseholdId(uuid::Builder::from_custom_bytes(bytes).into_uuid().into_bytes())
    }

    /// The name of this person's row among a household's members: `p` and ten hexadecimal digits.
    pub fn member_row(&self, number: &IdentityNumber) -> String {
        let bytes: [u8; 5] = first(&self.hash("member", number.as_str()));
        bytes.iter().fold("p".to_owned(), |row, byte| format!("{row}{byte:02x}"))
    }

    fn hash(&self, purpose: &str, text: &str) -> [u8; 32] {
        // HMAC takes keys of every length; this one has the right one.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else { unreachable!() };
        mac.update(purpose.as_bytes());
        mac.update(&[0]);
        mac.update(text.as_bytes());
        mac.finalize().into_bytes().into()
    }
}

impl std::fmt::Debug for PersonKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PersonKey")
    }
}

fn first<const N: usize>(hash: &[u8; 32]) -> [u8; N] {
    let mut bytes = [0; N];
    bytes.copy_from_slice(&hash[..N]);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> IdentityNumber {
        IdentityNumber::parse(text).unwrap()
    }

    #[test]
    fn the_same_person_has_one_name_and_other_people_others() {
        let key = PersonKey::new([7; 32]);
        let (old, new) = (number("110105491231002"), number("11010519491231002X"));
        assert_eq!(key.household(&old), key.household(&new));
        assert_eq!(key.member_row(&old), key.member_row(&new));
        assert_eq!(key.member_row(&old).len(), 11);
        let other = number("110105194912310046");
        assert_ne!(key.identity(&new), key.identity(&other));
        assert_ne!(PersonKey::new([8; 32]).identity(&new), key.identity(&new));
        assert_ne!(
            key.identity(&new).0,
            key.household(&new).0,
            "one purpose tells nothing of another"
        );
    }

    #[test]
    fn telephone_numbers_are_found_however_they_are_written() {
        let key = PersonKey::new([7; 32]);
        let plain = key.phone("13800001234");
        assert!(plain.is_some());
        assert_eq!(key.phone("138 0000-1234"), plain);
        assert_eq!(key.phone("+86 138 0000 1234"), plain);
        assert_eq!(key.phone("110"), None);
    }

    #[test]
    fn names_never_change() {
        // Frozen: another id for the same person would open a second record.
        let key = PersonKey::derive(&[1; 32]);
        let head = number("11010519491231002X");
        assert_eq!(key.household(&head).to_string(), "d41a1568-d967-8152-90cc-fe75132be479");
        assert_eq!(key.member_row(&head), "p483f4806a0");
    }
}
