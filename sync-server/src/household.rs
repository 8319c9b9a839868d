//! The households' own service: whoever answers at a household's telephone and is one of its members looks at its
//! record, and declares, objects and confirms in it as the household. Everybody else may declare; what they say waits
//! where no record knows them. Must not know HTTP.

use sha2::{Digest, Sha256};
use wanhu_core::document::DocumentError;
use wanhu_core::document::declare::{self, Declaration};
use wanhu_core::document::edit::RecordEdit;
use wanhu_core::document::facts::facts;
use wanhu_core::domain::authority::Role;
use wanhu_core::domain::day::Day;
use wanhu_core::domain::facts::{Facts, Row};
use wanhu_core::domain::identity::IdentityNumber;
use wanhu_core::domain::person::PersonKey;
use wanhu_core::domain::region;
use wanhu_core::domain::schema::Schema;
use wanhu_core::domain::workflow::{Case, Stage};
use wanhu_core::store::StoreError;
use wanhu_core::store::records::{self, Household};

use crate::accounts::Account;
use crate::app::App;
use crate::error::ServerError;
use crate::storage::author::{self, Author, WriteRefused};
use crate::storage::declarations::{self, WaitingDeclaration};
use crate::storage::persons;

pub mod outbox;
mod view;
mod visitors;

pub use view::{OwnCadre, OwnClue, OwnMeasure, OwnRecord, OwnStage};
pub use visitors::Visitors;

/// Open objections beyond which a notice takes no more of the household itself: a case holds a bounded number of steps.
const OBJECTIONS_MAX: usize = 20;

/// Somebody who answered at a telephone, and who they say they are.
#[derive(Clone, PartialEq, Eq)]
pub struct Caller {
    /// The telephone, eleven digits.
    pub telephone: String,
    /// Their name.
    pub name: String,
    /// Their identity number.
    pub number: IdentityNumber,
}

impl std::fmt::Debug for Caller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Caller")
    }
}

/// What somebody declares.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// Codes of list `risk`.
    pub risks: Vec<String>,
    /// In their own words.
    pub note: String,
    /// Whether they agree that their circumstances are looked into.
    pub consents: bool,
    /// The village they live in; needed where the record is not their own.
    pub village: Option<u64>,
}

/// What became of a declaration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Declared {
    /// It is on record; somebody will come.
    Recorded,
    /// It was on record before, and is being looked into.
    Known,
    /// It is taken. Whether a record knows the caller is nobody's to learn who is not at its telephone.
    Taken,
}

/// The record of a caller's household.
struct Home {
    household: Household,
    facts: Facts,
    /// The caller's row among the members.
    member: String,
    /// Whether the caller answered at the telephone on record.
    is_own: bool,
}

impl Home {
    fn of(household: Household, caller: &Caller, key: &PersonKey) -> Option<Self> {
        let facts = facts(&household.fold, household.scope);
        // On a record out of use nobody has a task: what is said there would be lost.
        if !facts.is_active() {
            return None;
        }
        let is_caller = |member: &&Row| {
            let number = IdentityNumber::parse(member.text("identity_number"));
            number.is_ok_and(|number| number == caller.number)
                && without_spaces(member.text("name")) == without_spaces(&caller.name)
        };
        let member = facts.people().find(is_caller)?.id.clone();
        let on_record = key.phone(facts.text("basic", "phone"));
        let is_own = on_record.is_some() && on_record == key.phone(&caller.telephone);
        Some(Self { household, facts, member, is_own })
    }
}

fn without_spaces(name: &str) -> String {
    name.chars().filter(|c| !c.is_whitespace()).collect()
}

/// The caller's home; none where no record knows them, or several do and none is their own.
fn home(app: &App, caller: &Caller) -> Result<Option<Home>, ServerError> {
    persons::catch_up(app.storage.writer(), app.person_key)?;
    let key = app.person_key;
    let mut homes = app.storage.read(|connection| {
        let mut homes = persons::Homes::open(connection)?;
        let found = homes.of(&key.identity(&caller.number))?.iter();
        let numbers: Vec<i64> = found.map(|home| home.n).collect();
        let records = numbers.into_iter().map(|n| records::get(connection, n));
        let records = records.collect::<Result<Vec<_>, StoreError>>()?;
        Ok(records.into_iter().filter_map(|household| Home::of(household, caller, &key)))
    })?;
    let (first, others) = (homes.next(), homes.collect::<Vec<_>>());
    if others.is_empty() || first.as_ref().is_some_and(|home| home.is_own) {
        return Ok(first);
    }
    Ok(others.into_iter().find(|home| home.is_own))
}

fn own_home(app: &App, caller: &Caller) -> Result<Home, ServerError> {
    home(app, caller)?.filter(|home| home.is_own).ok_or(ServerError::NotOnRecord)
}

/// Whether the caller's own record is here.
///
/// # Errors
/// Where the storage fails.
pub fn has_own_record(app: &App, caller: &Caller) -> Result<bool, ServerError> {
    Ok(home(app, caller)?.is_some_and(|home| home.is_own))
}

/// What the caller's household is shown.
///
/// # Errors
/// `NotOnRecord` where there is no record of the caller's own.
pub fn own_record(app: &App, caller: &Caller) -> Result<OwnRecord, ServerError> {
    let home = own_home(app, caller)?;
    Ok(OwnRecord::of(&home.facts, &app.regions, today(app)))
}

/// Takes a declaration.
///
/// # Errors
/// `InvalidInput` for what no record can hold; `TooManyRequests` where the telephone, which is not the one on record,
/// has declared too often today. Whether a record knows the caller makes no difference to that.
pub fn declare(app: &App, caller: &Caller, said: &Said) -> Result<Declared, ServerError> {
    check(app, said)?;
    let home = home(app, caller)?;
    let is_own = home.as_ref().is_some_and(|home| home.is_own);
    let village = said.village.filter(|village| is_village(app, *village));
    if !is_own {
        if village.is_none() {
            return Err(ServerError::invalid("village", "not_a_village"));
        }
        let visitors = app.visitors.as_ref().ok_or(ServerError::NotFound)?;
        visitors.count_declaration(&app.person_key, &caller.telephone, app.clock.now_ms())?;
    }
    let Some(home) = home else {
        return wait(app, caller, said, village.unwrap_or_default());
    };
    let declared = Declaration {
        risks: said.risks.clone(),
        member: home.member.clone(),
        note: said.note.trim().to_owned(),
        contact: if is_own { String::new() } else { caller.telephone.clone() },
        // Nobody else agrees for the household.
        consents: said.consents && is_own,
    };
    let day = today(app);
    let recorded = write(app, caller, &home, move |facts| {
        Ok(declare::declaration(facts, &declared, Role::Household, day))
    })?;
    Ok(match (is_own, recorded) {
        (false, _) => Declared::Taken,
        (true, true) => Declared::Recorded,
        (true, false) => Declared::Known,
    })
}

fn check(app: &App, said: &Said) -> Result<(), ServerError> {
    let known = |risk: &String| Schema::base().code("risk", risk).is_some();
    let is_twice = |(at, risk): (usize, &String)| said.risks[..at].contains(risk);
    if said.risks.is_empty()
        || !said.risks.iter().all(known)
        || said.risks.iter().enumerate().any(is_twice)
    {
        return Err(ServerError::invalid("risks", "not_in_list"));
    }
    if said.note.chars().count() > NOTE_CHARS_MAX {
        return Err(ServerError::invalid("note", "too_long"));
    }
    match said.village {
        Some(village) if !is_village(app, village) => {
            Err(ServerError::invalid("village", "not_a_village"))
        }
        Some(_) | None => Ok(()),
    }
}

/// As the record's `clues.note`.
const NOTE_CHARS_MAX: usize = 300;

fn is_village(app: &App, village: u64) -> bool {
    region::is_village(village) && app.regions.get(village).is_some()
}

/// Keeps a declaration for the township.
fn wait(app: &App, caller: &Caller, said: &Said, village: u64) -> Result<Declared, ServerError> {
    let waiting = WaitingDeclaration {
        n: 0,
        received_ms: app.clock.now_ms(),
        village,
        name: caller.name.clone(),
        identity_number: caller.number.as_str().to_owned(),
        telephone: caller.telephone.clone(),
        risks: said.risks.clone(),
        note: said.note.trim().to_owned(),
        consents: said.consents,
    };
    let writer = app.storage.writer();
    writer.write(move |transaction| declarations::keep(transaction, &waiting))?;
    Ok(Declared::Taken)
}

/// Objects to the notice about the caller's own household. False where the same objection is open.
///
/// # Errors
/// `NotOnRecord`; `InvalidInput` without a reason; `NotNow` where no notice hangs, or too many objections are open.
pub fn object(app: &App, caller: &Caller, reason: &str) -> Result<bool, ServerError> {
    let reason = reason.trim().to_owned();
    if reason.is_empty() || reason.chars().count() > NOTE_CHARS_MAX {
        return Err(ServerError::invalid("reason", "length"));
    }
    let (home, day) = (own_home(app, caller)?, today(app));
    write(app, caller, &home, move |facts| {
        let case = Case::of(facts);
        if case.stage() != Some(Stage::OnNotice) {
            return Err(ServerError::NotNow { lack: "not_from_here" });
        }
        let mut open = case.objections.iter().filter_map(|row| facts.row("steps", row));
        if open.any(|objection| objection.text("reason") == reason) {
            return Ok(None);
        }
        if case.objections.len() >= OBJECTIONS_MAX {
            return Err(ServerError::NotNow { lack: "too_many_steps" });
        }
        Ok(Some(declare::objection(facts, &reason, day)))
    })
}

/// Says that a measure has arrived. False where that was on record.
///
/// # Errors
/// `NotOnRecord`; `InvalidInput` where there is no such measure.
pub fn confirm(app: &App, caller: &Caller, measure: &str) -> Result<bool, ServerError> {
    let (home, measure) = (own_home(app, caller)?, measure.to_owned());
    write(app, caller, &home, move |facts| {
        if facts.row("measures", &measure).is_none() {
            return Err(ServerError::invalid("measure", "not_found"));
        }
        Ok(declare::confirmation(facts, &measure))
    })
}

/// Writes as the household what its record, as it is now, calls for. False where that is nothing.
fn write(
    app: &App,
    caller: &Caller,
    home: &Home,
    edit: impl FnOnce(&Facts) -> Result<Option<RecordEdit>, ServerError> + Send + 'static,
) -> Result<bool, ServerError> {
    let author = Author {
        account: account(app, caller, home),
        now_ms: app.clock.now_ms(),
        person_key: app.person_key,
        own: Some(home.household.id),
    };
    let (n, policy) = (home.household.n, app.policy.clone());
    app.storage.writer().write(move |transaction| {
        let household = records::get(transaction, n)?;
        let edit = match edit(&facts(&household.fold, household.scope)) {
            Ok(Some(edit)) => edit,
            Ok(None) => return Ok(Ok(false)),
            Err(error) => return Ok(Err(error)),
        };
        let written = author::write(transaction, &author, &policy.policy, household, &edit)?;
        Ok(match written {
            Ok(()) => Ok(true),
            Err(WriteRefused::Change(DocumentError::Empty)) => Ok(false),
            Err(refused) => Err(refused.into()),
        })
    })?
}

/// The account under which a household writes: the same for the same person at the same telephone.
fn account(app: &App, caller: &Caller, home: &Home) -> Account {
    let person = app.person_key.identity(&caller.number);
    let hash = Sha256::new().chain_update(person.0).chain_update(&caller.telephone).finalize();
    let mut meaning = [0; 16];
    meaning.copy_from_slice(&hash[..16]);
    let name = app.person_key.told(&meaning);
    let id = name[..8].iter().fold("h-".to_owned(), |id, byte| format!("{id}{byte:02x}"));
    let member = home.facts.row("members", &home.member);
    Account {
        id,
        // As the record writes it.
        name: member.map(|member| member.text("name").to_owned()).unwrap_or_default(),
        role: Role::Household,
        areas: vec![home.household.scope],
        granted_by: String::new(),
        disabled: false,
    }
}

fn today(app: &App) -> Day {
    Day::in_china(app.clock.now_ms())
}
