//! The households' own service: whoever answers at a household's telephone and is one of its members looks at its
//! record, and declares, objects and confirms in it as the household. Everybody else may declare; what they say waits
//! where no record knows them. Must not know HTTP.

use rusqlite::Connection;
use sha2::{Digest, Sha256};
use wanhu_core::document::DocumentError;
use wanhu_core::document::declare::{self, Declaration};
use wanhu_core::document::edit::RecordEdit;
use wanhu_core::document::facts::facts;
use wanhu_core::domain::authority::{self, Role};
use wanhu_core::domain::day::Day;
use wanhu_core::domain::facts::Facts;
use wanhu_core::domain::help::is_in_effect;
use wanhu_core::domain::identity::IdentityNumber;
use wanhu_core::domain::ids::HouseholdId;
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

/// A record in use, as it concerns a caller.
struct Home {
    household: Household,
    facts: Facts,
    /// The row of the member with the caller's number; empty where there is none.
    member: String,
    /// Whether that member has the caller's name.
    is_named: bool,
    /// Whether the caller answered at the telephone on record.
    is_reached: bool,
}

impl Home {
    /// None where the record is out of use: nobody would have a task for what is said there.
    fn of(household: Household, caller: &Caller, key: &PersonKey) -> Option<Self> {
        let facts = facts(&household.fold, household.scope);
        if !facts.is_active() {
            return None;
        }
        let member = facts.person(&caller.number);
        let is_name = |name: &str| without_spaces(name) == without_spaces(&caller.name);
        let is_named = member.is_some_and(|member| is_name(member.text("name")));
        let member = member.map(|member| member.id.clone()).unwrap_or_default();
        let on_record = key.phone(facts.text("basic", "phone"));
        let is_reached = on_record.is_some() && on_record == key.phone(&caller.telephone);
        Some(Self { household, facts, member, is_named, is_reached })
    }

    fn is_own(&self) -> bool {
        self.is_named && self.is_reached
    }

    /// What a caller says, as the record takes it. At a telephone that is not the household's nobody agrees for it.
    fn declaration(&self, caller: &Caller, said: &Said) -> Declaration {
        let is_own = self.is_own();
        Declaration {
            risks: said.risks.clone(),
            member: self.member.clone(),
            note: said.note.trim().to_owned(),
            contact: if is_own { String::new() } else { caller.telephone.clone() },
            consents: said.consents && is_own,
        }
    }
}

fn without_spaces(name: &str) -> String {
    name.chars().filter(|c| !c.is_whitespace()).collect()
}

/// The records in use of which somebody with the caller's number and name is a member.
fn homes(
    connection: &Connection,
    key: &PersonKey,
    caller: &Caller,
) -> Result<Vec<Home>, StoreError> {
    let numbers = persons::homes(connection, &key.identity(&caller.number))?;
    let records = numbers.into_iter().map(|n| records::get(connection, n));
    let records = records.collect::<Result<Vec<_>, StoreError>>()?;
    let homes = records.into_iter().filter_map(|household| Home::of(household, caller, key));
    Ok(homes.filter(|home| home.is_named).collect())
}

/// The caller's home: their own, else the only one; none where several know them.
fn home(app: &App, caller: &Caller) -> Result<Option<Home>, ServerError> {
    persons::catch_up(&app.storage, app.person_key)?;
    let mut homes = app.storage.read(|c| homes(c, &app.person_key, caller))?;
    let own = homes.iter().position(Home::is_own);
    let only = (homes.len() == 1).then_some(0);
    Ok(own.or(only).map(|at| homes.swap_remove(at)))
}

fn own_home(app: &App, caller: &Caller) -> Result<Home, ServerError> {
    home(app, caller)?.filter(Home::is_own).ok_or(ServerError::NotOnRecord)
}

/// Whether the caller's own record is here.
///
/// # Errors
/// Where the storage fails.
pub fn has_own_record(app: &App, caller: &Caller) -> Result<bool, ServerError> {
    Ok(home(app, caller)?.is_some_and(|home| home.is_own()))
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
/// `InvalidInput` for what no record can hold; `TooManyDeclarations` where the telephone has declared too often today.
/// Whether a record knows the caller makes no difference to that.
pub fn declare(app: &App, caller: &Caller, said: &Said) -> Result<Declared, ServerError> {
    check(app, said)?;
    let home = home(app, caller)?;
    let is_own = home.as_ref().is_some_and(Home::is_own);
    if !is_own && said.village.is_none() {
        return Err(ServerError::invalid("village", "not_a_village"));
    }
    let visitors = app.visitors.as_ref().ok_or(ServerError::NotFound)?;
    visitors.count_declaration(&app.person_key, &caller.telephone, app.clock.now_ms())?;
    if !is_own {
        let village = said.village.unwrap_or_default();
        let Some(home) = home else { return wait(app, caller, said, village) };
        // Where the record does not take it, a person looks: an answer would say that there is a record.
        return match record(app, caller, &home, said)? {
            Ok(_) => Ok(Declared::Taken),
            Err(_) => wait(app, caller, said, village),
        };
    }
    let home = home.ok_or(ServerError::NotOnRecord)?;
    let is_new = record(app, caller, &home, said)??;
    Ok(if is_new { Declared::Recorded } else { Declared::Known })
}

fn record(app: &App, caller: &Caller, home: &Home, said: &Said) -> Result<Written, StoreError> {
    let (declared, day) = (home.declaration(caller, said), today(app));
    write(app, caller, home, move |facts| {
        Ok(declare::declaration(facts, &declared, Role::Household, day))
    })
}

fn check(app: &App, said: &Said) -> Result<(), ServerError> {
    let fits = |risk: &String| fits("clues", "risk", risk);
    let is_twice = |(at, risk): (usize, &String)| said.risks[..at].contains(risk);
    if said.risks.is_empty()
        || !said.risks.iter().all(fits)
        || said.risks.iter().enumerate().any(is_twice)
    {
        return Err(ServerError::invalid("risks", "not_in_list"));
    }
    if !self::fits("clues", "note", &said.note) {
        return Err(ServerError::invalid("note", "too_long"));
    }
    let is_village =
        |village: u64| region::is_village(village) && app.regions.get(village).is_some();
    if !said.village.is_none_or(is_village) {
        return Err(ServerError::invalid("village", "not_a_village"));
    }
    Ok(())
}

/// Whether a field of the record can hold this.
fn fits(container: &str, field: &str, text: &str) -> bool {
    Schema::base().check(container, field, &text.into()).is_ok()
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
    if reason.is_empty() || !fits("steps", "reason", &reason) {
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
    })?
}

/// Says that a measure has arrived. False where that was on record.
///
/// # Errors
/// `NotOnRecord`; `InvalidInput` where there is no such measure in effect.
pub fn confirm(app: &App, caller: &Caller, measure: &str) -> Result<bool, ServerError> {
    let (home, measure) = (own_home(app, caller)?, measure.to_owned());
    write(app, caller, &home, move |facts| {
        if !facts.row("measures", &measure).is_some_and(is_in_effect) {
            return Err(ServerError::invalid("measure", "not_found"));
        }
        Ok(declare::confirmation(facts, &measure))
    })?
}

/// Enters what waits into a record, as an office: the record chosen, or the only one in which a person of that number and
/// name lives. The household, and whether the record did not say it all before; what waited is gone then.
///
/// # Errors
/// Outer: `NotFound` where there is no such record in use in the office's area; the file's. Inner: why the record does
/// not take it.
pub fn enter(
    app: &App,
    office: Account,
    waiting: WaitingDeclaration,
    chosen: Option<HouseholdId>,
) -> Result<Result<(HouseholdId, bool), WriteRefused>, StoreError> {
    let number = IdentityNumber::parse(&waiting.identity_number);
    let number = number.map_err(|_| StoreError::NotFound)?;
    let WaitingDeclaration { n, telephone, name, risks, note, consents, .. } = waiting;
    let caller = Caller { telephone, name, number };
    let said = Said { risks, note, consents, village: None };
    persons::catch_up(&app.storage, app.person_key)?;
    let author = Author::office(office, app.clock.now_ms(), app.person_key);
    let (key, day, policy) = (app.person_key, today(app), app.policy.clone());
    app.storage.writer().write(move |transaction| {
        // Another desk may have seen to it.
        declarations::one(transaction, n)?.ok_or(StoreError::NotFound)?;
        let mut homes = match chosen {
            None => homes(transaction, &key, &caller)?,
            Some(id) => {
                let found = records::find(transaction, id)?;
                found.and_then(|found| Home::of(found, &caller, &key)).into_iter().collect()
            }
        };
        let Account { role, areas, .. } = &author.account;
        homes.retain(|home| authority::may_see(*role, areas, home.household.scope));
        let (1, Some(home)) = (homes.len(), homes.pop()) else { return Err(StoreError::NotFound) };
        let (id, declared) = (home.household.id, home.declaration(&caller, &said));
        let edit = declare::declaration(&home.facts, &declared, *role, day);
        let is_new = edit.is_some();
        if let Some(edit) = edit {
            let edit = RecordEdit { on_behalf_of: caller.name.clone(), ..edit };
            let policy = &policy.policy;
            let written = author::write(transaction, &author, policy, home.household, &edit)?;
            if let Err(refused) = written {
                return Ok(Err(refused));
            }
        }
        declarations::forget(transaction, n)?;
        Ok(Ok((id, is_new)))
    })
}

/// Whether there was something to write, or why the record does not take it.
type Written = Result<bool, ServerError>;

/// Writes as the household what its record, as it is now, calls for.
fn write(
    app: &App,
    caller: &Caller,
    home: &Home,
    edit: impl FnOnce(&Facts) -> Result<Option<RecordEdit>, ServerError> + Send + 'static,
) -> Result<Written, StoreError> {
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
    })
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
        grids: Vec::new(),
        granted_by: String::new(),
        disabled: false,
    }
}

fn today(app: &App) -> Day {
    Day::in_china(app.clock.now_ms())
}
