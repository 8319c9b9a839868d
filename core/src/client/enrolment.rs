//! What enrolment leaves on the phone: the server's address and key, this device's number and key, and
//! whose phone it is. Must not be copied to another phone.

use std::borrow::Cow;

use ed25519_dalek::SigningKey;
use minicbor::bytes::ByteArray;
use minicbor::{Decode, Encode};

use crate::domain::authority::Role;
use crate::domain::person::PersonKey;
use crate::domain::region::RegionList;
use crate::sync::initiator::Identity;
use crate::sync::wire::EnrolResponse;

/// The phone's place at its server.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Enrolment {
    /// Address of the server, for example `https://sync.example.cn`.
    #[n(0)]
    pub url: String,
    /// This device's number there.
    #[n(1)]
    pub device: u32,
    /// Seed of this device's Ed25519 key. (A platform key store will hold it.)
    #[n(2)]
    secret: ByteArray<32>,
    /// The server's key, which signs receipts.
    #[n(3)]
    server_key: ByteArray<32>,
    /// Account of the person.
    #[n(4)]
    pub account: String,
    /// That person's name.
    #[n(5)]
    pub name: String,
    /// The areas the account may see.
    #[n(6)]
    pub areas: Vec<u64>,
    /// Certificate authority of the server in PEM, where it is a private one; then only that one counts.
    #[n(7)]
    pub authority_pem: Option<String>,
    /// Code of the person's role.
    #[n(8)]
    pub role: String,
    /// What gives one person one name in the whole county; a server of an older release has none.
    #[n(9)]
    person_key: Option<ByteArray<32>>,
    /// Names of divisions, as the server has them.
    #[n(10)]
    regions: Option<String>,
}

impl std::fmt::Debug for Enrolment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Enrolment(device {})", self.device)
    }
}

impl Enrolment {
    /// What the server's answer and this device's key make.
    pub fn new(
        url: &str,
        authority_pem: Option<String>,
        key: &SigningKey,
        response: EnrolResponse,
    ) -> Self {
        Self {
            url: url.trim_end_matches('/').to_owned(),
            device: response.device,
            secret: key.to_bytes().into(),
            server_key: response.server_key,
            account: response.account,
            name: response.name,
            areas: response.areas,
            authority_pem,
            role: response.role,
            person_key: response.person_key,
            regions: response.regions,
        }
    }

    /// What the person is; `None` for a role of a newer release, whose actions only the server judges.
    pub fn role(&self) -> Option<Role> {
        Role::from_code(&self.role)
    }

    /// The key under which people have one name.
    pub fn person_key(&self) -> Option<PersonKey> {
        self.person_key.map(|key| PersonKey::new(*key))
    }

    /// The names of the areas and of what is around them as the server knew them then; else this release's list of Chenzhou.
    pub fn regions(&self) -> Cow<'static, RegionList> {
        let own = self.regions.as_deref().and_then(|text| RegionList::parse(text).ok());
        own.map_or(Cow::Borrowed(RegionList::chenzhou()), Cow::Owned)
    }

    /// Who this phone is towards its server.
    pub fn identity(&self) -> Identity {
        Identity {
            device: self.device,
            key: SigningKey::from_bytes(&self.secret),
            server_key: *self.server_key,
        }
    }
}
