//! The blind index: which households a person lives in, found by identity number or telephone. It follows the
//! log at its own pace, so that no phone waits for it. Must not hold a number in any readable form.

use std::fmt;
use std::str::FromStr;

use rusqlite::{Connection, OptionalExtension, Transaction, params};
use wanhu_core::document::duplicate::{
    self, End, Leads, identity_numbers, identity_numbers_left, leads, merged_into,
};
use wanhu_core::document::record;
use wanhu_core::domain::facts::is_in_use;
use wanhu_core::domain::identity::IdentityNumber;
use wanhu_core::domain::ids::HouseholdId;
use wanhu_core::domain::person::{Blind, PersonKey};
use wanhu_core::domain::pinyin;
use wanhu_core::domain::value::Value;
use wanhu_core::domain::workflow::Stage;
use wanhu_core::store::StoreError;
use wanhu_core::store::records::{self, Household};

use super::following::Follower;
use super::{Storage, strays};

const IDENTITY: u8 = 1;
const TELEPHONE: u8 = 2;
/// Identity number of somebody who is on record as having left.
const LEFT: u8 = 3;

/// Where somebody lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Residence {
    /// The household.
    pub household: HouseholdId,
    /// Its village.
    pub scope: u64,
}

/// Brings the index up to the end of the log. Where it is there already, the writer is left alone.
///
/// # Errors
/// Where the file fails.
pub fn catch_up(storage: &Storage, key: PersonKey) -> Result<(), StoreError> {
    let fold = move |transaction: &Transaction<'_>, n| {
        index(transaction, &key, &records::get(transaction, n)?)
    };
    Follower { name: "persons_through", made_from: Vec::new(), fold }.catch_up(storage)
}

fn index(
    transaction: &Transaction<'_>,
    key: &PersonKey,
    household: &Household,
) -> Result<(), StoreError> {
    let before = transaction
        .prepare_cached("DELETE FROM person WHERE household = ?1 RETURNING blind, kind")?
        .query_map([household.n], |row| Ok((Blind(row.get(0)?), row.get(1)?)))?
        .collect::<Result<Vec<(Blind, u8)>, _>>()?;
    let numbers = identity_numbers(&household.fold);
    let telephone = record::value(&household.fold, "basic", "phone").and_then(Value::as_text);
    let people: Vec<Blind> = numbers.iter().map(|number| key.identity(number)).collect();
    let gone = identity_numbers_left(&household.fold);
    // Whoever has left and come back, as another member, lives there.
    let blinds = people
        .iter()
        .map(|person| (*person, IDENTITY))
        .chain(telephone.and_then(|text| key.phone(text)).map(|blind| (blind, TELEPHONE)))
        .chain(gone.iter().map(|number| (key.identity(number), LEFT)));
    let mut insert = transaction.prepare_cached(
        "INSERT OR IGNORE INTO person (blind, household, kind) VALUES (?1, ?2, ?3)",
    )?;
    for (blind, kind) in blinds {
        insert.execute(params![blind.0, household.n, kind])?;
    }
    let left = before.into_iter().filter(|(_, kind)| *kind == IDENTITY).map(|(person, _)| person);
    let seen: Vec<Blind> = left.chain(people.iter().copied()).collect();
    let is_merged = merged_into(&household.fold).is_some();
    strays::follow(transaction, household.n, if is_merged { &[] } else { &people }, seen)
}

/// The households of the person with this identity number or telephone, as far as the index reaches.
///
/// # Errors
/// Where the file fails.
pub fn find(
    connection: &Connection,
    key: &PersonKey,
    text: &str,
) -> Result<Vec<Residence>, StoreError> {
    let identity = IdentityNumber::parse(text).ok().map(|number| key.identity(&number));
    let Some(Blind(blind)) = identity.or_else(|| key.phone(text)) else { return Ok(Vec::new()) };
    let mut statement = connection.prepare_cached(
        "SELECT h.id, h.scope FROM person p JOIN household h ON h.n = p.household
         WHERE p.blind = ?1 AND p.kind <> ?2 ORDER BY h.scope, h.id",
    )?;
    let rows = statement.query_map(params![blind, LEFT], |row| residence(row, 0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Local numbers of the records in use of which a person is a member, as far as the index reaches.
///
/// # Errors
/// Where the file fails.
pub fn homes(connection: &Connection, person: &Blind) -> Result<Vec<i64>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT l.household FROM person p JOIN listing l ON l.household = p.household
         WHERE p.blind = ?1 AND p.kind = ?2 AND l.status <> 'merged'",
    )?;
    let rows = statement.query_map(params![person.0, IDENTITY], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The records in use of which a person is a member, but for this one, as far as the index reaches.
///
/// # Errors
/// Where the file fails.
pub fn other_homes(
    connection: &Connection,
    person: &Blind,
    n: i64,
) -> Result<Vec<Residence>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT h.id, h.scope FROM person p JOIN listing l ON l.household = p.household
         JOIN household h ON h.n = p.household
         WHERE p.blind = ?1 AND p.kind = ?2 AND p.household <> ?3 AND l.status IN ('', 'active')
         ORDER BY h.id",
    )?;
    let rows = statement.query_map(params![person.0, IDENTITY, n], |row| residence(row, 0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Where somebody lives, as far as the index reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whereabouts {
    /// In no household on record.
    Nowhere,
    /// In this one.
    In {
        /// Its local number.
        household: i64,
        /// Its village.
        scope: u64,
        /// Whether somebody of just the name asked for lives there, as [`pinyin::has_name`] compares.
        has_the_name: bool,
        /// Whether its record is in use.
        is_in_use: bool,
    },
    /// In more than one.
    InSeveral,
    /// In none any more: on record as having left one, dead or alive.
    Left {
        /// The village of that one.
        scope: u64,
    },
}

/// Where people live, each with the name to be found there. Fastest where `people` ascend: then the index is read once from
/// one end to the other, and after it the list rows.
///
/// # Errors
/// Where the file fails.
pub fn whereabouts(
    connection: &Connection,
    people: &[(Blind, &str)],
) -> Result<Vec<Whereabouts>, StoreError> {
    let mut residents = Vec::with_capacity(people.len());
    let mut statement = connection
        .prepare_cached("SELECT household, kind FROM person WHERE blind = ?1 AND kind <> ?2")?;
    for (place, (Blind(blind), _)) in people.iter().enumerate() {
        let mut rows = statement.query(params![blind, TELEPHONE])?;
        while let Some(row) = rows.next()? {
            residents.push((row.get::<_, i64>(0)?, place, row.get::<_, u8>(1)? == LEFT));
        }
    }
    residents.sort_unstable();
    let mut found = vec![Whereabouts::Nowhere; people.len()];
    let mut statement = connection.prepare_cached(
        "SELECT scope, search, status, case_state FROM listing
         WHERE household = ?1 AND status <> 'merged'",
    )?;
    for family in residents.chunk_by(|(one, ..), (other, ..)| one == other) {
        let household = family[0].0;
        let row = |row: &rusqlite::Row<'_>| {
            let (status, stage) = (row.get_ref(2)?.as_str()?, row.get_ref(3)?.as_str()?);
            let is_in_use = is_in_use(status, || Stage::from_code(stage));
            Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?, is_in_use))
        };
        let Some((scope, names, is_in_use)) = statement.query_row([household], row).optional()?
        else {
            continue;
        };
        let scope = scope.cast_unsigned();
        for (_, place, has_left) in family {
            let has_the_name = pinyin::has_name(&names, people[*place].1);
            found[*place] = match (found[*place], has_left) {
                (Whereabouts::Nowhere, true) => Whereabouts::Left { scope },
                (known, true) => known,
                (Whereabouts::Nowhere | Whereabouts::Left { .. }, false) => {
                    Whereabouts::In { household, scope, has_the_name, is_in_use }
                }
                (Whereabouts::In { .. } | Whereabouts::InSeveral, false) => Whereabouts::InSeveral,
            };
        }
    }
    Ok(found)
}

/// Two households in which one person lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair {
    /// Where it stands in the list.
    pub place: PairPlace,
    /// The two, by when they came on record.
    pub homes: [Residence; 2],
}

/// A place in the list of such pairs, by the local numbers of the two: it names no household that somebody may not see, and
/// stays what it is when the person has left one of them or either has moved. As a text it is `FIRST/SECOND`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PairPlace {
    first: i64,
    second: i64,
}

/// A text that is no place in the list of pairs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a place in the list of duplicates")]
pub struct ParsePlaceError;

impl fmt::Display for PairPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.second)
    }
}

impl FromStr for PairPlace {
    type Err = ParsePlaceError;

    fn from_str(text: &str) -> Result<Self, ParsePlaceError> {
        let (first, second) = text.split_once('/').ok_or(ParsePlaceError)?;
        let number = |text: &str| text.parse().map_err(|_| ParsePlaceError);
        Ok(Self { first: number(first)?, second: number(second)? })
    }
}

/// Pairs of households in which one person lives, as far as the index reaches, one of them in a village that somebody sees: so
/// many of those behind a place. Of merged records only those that were merged into one another, so that none of them stands.
///
/// # Errors
/// Where the file fails.
pub fn in_two_households(
    connection: &Connection,
    (after, rows_max): (Option<&PairPlace>, usize),
    sees: impl Fn(u64) -> bool,
) -> Result<Vec<Pair>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT DISTINCT p.household, q.household, a.id, a.scope, b.id, b.scope, l.status = 'merged'
         FROM person p JOIN person q ON q.blind = p.blind AND q.household > p.household
         JOIN household a ON a.n = p.household JOIN household b ON b.n = q.household
         JOIN listing l ON l.household = a.n JOIN listing m ON m.household = b.n
         WHERE p.kind = ?1 AND q.kind = ?1 AND (l.status = 'merged') = (m.status = 'merged')
         AND (p.household, q.household) > (?2, ?3)
         ORDER BY p.household, q.household",
    )?;
    let (first, second) = after.map_or((0, 0), |place| (place.first, place.second));
    let rows = statement.query_map(params![IDENTITY, first, second], |row| {
        let place = PairPlace { first: row.get(0)?, second: row.get(1)? };
        let homes = [residence(row, 2)?, residence(row, 4)?];
        Ok((Pair { place, homes }, row.get::<_, bool>(6)?))
    })?;
    let mut pairs = Vec::new();
    for row in rows {
        let (pair, are_merged) = row?;
        if !pair.homes.iter().any(|home| sees(home.scope)) {
            continue;
        }
        if are_merged && !is_circle(connection, &pair)? {
            continue;
        }
        pairs.push(pair);
        if pairs.len() == rows_max {
            break;
        }
    }
    Ok(pairs)
}

/// Whether two records were merged into one another, if by way of a third.
fn is_circle(connection: &Connection, pair: &Pair) -> Result<bool, StoreError> {
    let [first, second] = &pair.homes;
    let look = |id| {
        let known = records::find(connection, id)?;
        Ok::<_, StoreError>(known.map_or(Leads::Nowhere, |known| leads(&known.fold)))
    };
    let end = duplicate::end(first.household, look(first.household)?, look)?;
    let End::Circle(circle) = end else { return Ok(false) };
    Ok([first, second].iter().all(|home| circle.contains(&home.household)))
}

fn residence(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<Residence> {
    let scope = row.get::<_, i64>(column + 1)?.cast_unsigned();
    Ok(Residence { household: HouseholdId(row.get(column)?), scope })
}
