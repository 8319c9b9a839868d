//! What an office reads before its tasks because nobody below would do them: roles that nobody fills where something is on
//! record, and households left to somebody who does not reach them. Must not know a task.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;
use wanhu_core::domain::authority::Role;
use wanhu_core::domain::day::Day;
use wanhu_core::domain::ids::HouseholdId;
use wanhu_core::domain::region::{self, Level};

use super::{AdminError, Office};
use crate::accounts::{Account, Seat};
use crate::storage::inhabited;
use crate::storage::responsible::{self, Left};

/// A line before the tasks, and its value.
type Line = (String, Json);

impl Office<'_> {
    /// Of a township: villages where nobody has a cadre's or committee's account, or no cadre a phone at work.
    pub(super) fn villages_unseen_to(&self, township: &Account) -> Result<Vec<Line>, AdminError> {
        let (villages, seats) = (self.inhabited(township)?, self.seats(township, Level::Village)?);
        let without = |fills: fn(&Seat) -> bool| {
            let filled = filled(&seats, fills);
            villages.iter().copied().filter(move |village| !filled.contains(village))
        };
        let no_cadre: Vec<u64> = without(|seat| seat.role.is_cadre()).collect();
        let no_committee: Vec<u64> = without(|seat| seat.role == Role::VillageCommittee).collect();
        let no_phone = without(|seat| seat.role.is_cadre() && seat.has_phone);
        let no_phone: Vec<u64> = no_phone.filter(|village| !no_cadre.contains(village)).collect();
        let vacant = [(NO_CADRE, no_cadre), (NO_COMMITTEE, no_committee), (NO_PHONE, no_phone)];
        Ok(vacant.iter().filter_map(|(vacancy, areas)| self.vacancy(*vacancy, areas)).collect())
    }

    /// Of a county: townships without an office.
    pub(super) fn townships_without_office(
        &self,
        county: &Account,
    ) -> Result<Option<Line>, AdminError> {
        let is_it = |seat: &Seat| seat.role == Role::TownshipOffice;
        self.without_office(county, (Level::Township, NO_TOWNSHIP), is_it)
    }

    /// Of the city: counties without an office.
    pub(super) fn counties_without_office(
        &self,
        city: &Account,
    ) -> Result<Option<Line>, AdminError> {
        let is_it = |seat: &Seat| seat.role == Role::CountyOffice;
        self.without_office(city, (Level::County, NO_COUNTY), is_it)
    }

    fn without_office(
        &self,
        above: &Account,
        (level, vacancy): (Level, Vacancy),
        is_it: fn(&Seat) -> bool,
    ) -> Result<Option<Line>, AdminError> {
        let offices = filled(&self.seats(above, level)?, is_it);
        let areas = self.inhabited(above)?.into_iter();
        let areas = areas.filter_map(|village| region::at_level(village, level));
        let empty: BTreeSet<u64> = areas.filter(|area| !offices.contains(area)).collect();
        Ok(self.vacancy(vacancy, &empty.into_iter().collect::<Vec<_>>()))
    }

    /// The villages of an office's area with something on record.
    fn inhabited(&self, office: &Account) -> Result<Vec<u64>, AdminError> {
        let within = |area: &u64| self.app.regions.within(*area, Level::Village);
        let villages = office.areas.iter().flat_map(within).map(|region| region.code);
        let villages: Vec<u64> = villages.collect();
        Ok(self.app.storage.read(|c| inhabited(c, &villages))?)
    }

    fn vacancy(&self, vacancy: Vacancy, areas: &[u64]) -> Option<Line> {
        let regions = areas.iter().filter_map(|area| self.app.regions.get(*area));
        let names: Vec<&str> = regions.map(|region| region.name.as_str()).collect();
        let Vacancy { kind, role, words } = vacancy;
        let value = serde_json::json!({
            "task": { "kind": kind, "due_on": null, "subject": "" }, "role": role.code(), "areas": areas
        });
        (!areas.is_empty()).then(|| (format!("{words}: {}", names.join(" ")), value))
    }

    /// Open accounts in the areas of one level inside an office's own.
    fn seats(&self, office: &Account, level: Level) -> Result<Vec<Seat>, AdminError> {
        let mut seats = Vec::new();
        for area in &office.areas {
            let (first, last) = region::villages_of(*area);
            let ends = region::at_level(first, level).zip(region::at_level(last, level));
            if let Some(ends) = ends {
                seats.extend(self.app.accounts.seats(ends)?);
            }
        }
        Ok(seats)
    }

    /// Lines for the households of a township whose responsible cadres are nobody who sees to them, and for those whose cadres
    /// have no phone while others of the village do.
    pub(super) fn left_to_nobody(&self, township: &Account) -> Result<Vec<Line>, AdminError> {
        responsible::catch_up(&self.app.storage)?;
        let cadres = self.seats(township, Level::Village)?.into_iter();
        let cadres: Vec<Seat> = cadres.filter(|seat| seat.role.is_cadre()).collect();
        let with_phone: Vec<&Seat> = cadres.iter().filter(|seat| seat.has_phone).collect();
        let reached = self.left_by(township, cadres.iter())?;
        let on_phone = self.left_by(township, with_phone.iter().copied())?;
        let known: BTreeSet<HouseholdId> = reached.iter().map(|left| left.household).collect();
        let phones = filled(&cadres, |seat| seat.has_phone);
        let is_told = |left: &Left| known.contains(&left.household);
        let unseen = on_phone.into_iter().filter(|left| !is_told(left));
        let unseen: Vec<Left> = unseen.filter(|left| phones.contains(&left.village)).collect();
        let lines = [self.out_of_hand(&reached), self.without_phone(&unseen)];
        Ok(lines.into_iter().flatten().collect())
    }

    /// Households of a township whose responsible cadres are none of these.
    fn left_by<'s>(
        &self,
        township: &Account,
        cadres: impl Iterator<Item = &'s Seat>,
    ) -> Result<Vec<Left>, AdminError> {
        let cadres: BTreeSet<_> = cadres.map(|seat| (seat.area, seat.account.as_str())).collect();
        let reaches = |village, account: &str| cadres.contains(&(village, account));
        let today = Day::in_china(self.app.clock.now_ms());
        let mut left = Vec::new();
        for area in &township.areas {
            let read = |c: &_| responsible::out_of_reach(c, *area, today, reaches);
            left.extend(self.app.storage.read(read)?);
        }
        Ok(left)
    }

    /// How many households have a responsible cadre without a phone, and where.
    fn without_phone(&self, left: &[Left]) -> Option<Line> {
        let villages = by_village(left);
        let (count, places) = (left.len(), self.places(&villages));
        let text = format!(
            "帮扶责任人无在用手机的农户,逾期前只有本人的待办 · households whose responsible cadre has no phone at work: \
             {count}\t{places}"
        );
        let value = serde_json::json!({
            "task": { "kind": NO_PHONE.kind, "due_on": null, "subject": "" }, "count": count,
            "role": NO_PHONE.role.code(), "areas": villages.keys().collect::<Vec<_>>()
        });
        (count > 0).then_some((text, value))
    }

    /// How many households have a responsible cadre who does not reach them, where, and how another is named.
    fn out_of_hand(&self, left: &[Left]) -> Option<Line> {
        let first = left.first()?;
        let today = Day::in_china(self.app.clock.now_ms());
        let villages = by_village(left);
        let (count, places) = (left.len(), self.places(&villages));
        let (household, cadre) = (first.household, &first.cadre);
        let text = format!(
            "帮扶责任人的账户不存在、已停用或不是本村干部的农户,请另行确定 · households whose responsible cadre's account is unknown, \
             closed or no cadre's of the village, name others: {count}\t{places}\n    例 for example: edit {household} \
             cadres.{cadre}.to={today} cadres.name=姓名 cadres.account=账户 cadres.from={today}"
        );
        let value = serde_json::json!({
            "task": { "kind": "name_others", "due_on": null, "subject": "" }, "count": count,
            "villages": villages.keys().collect::<Vec<_>>(),
            "household": household.to_string(), "cadre": cadre
        });
        Some((text, value))
    }

    /// Villages by name, each with a number of households.
    pub(super) fn places(&self, villages: &BTreeMap<u64, u32>) -> String {
        let name = |village| self.app.regions.get(village).map_or("", |region| &region.name);
        let places =
            villages.iter().map(|(village, count)| format!("{} {count} 户", name(*village)));
        places.collect::<Vec<_>>().join(", ")
    }
}

/// A role that nobody fills.
#[derive(Clone, Copy)]
struct Vacancy {
    /// What is to be done about it, for scripts.
    kind: &'static str,
    role: Role,
    words: &'static str,
}

const NO_CADRE: Vacancy = Vacancy {
    kind: "open_account",
    role: Role::VillageCadre,
    words: "无村干部账户的村,其待办无人办理 · villages without a cadre's account",
};
const NO_COMMITTEE: Vacancy = Vacancy {
    kind: "open_account",
    role: Role::VillageCommittee,
    words: "无村级评议组织账户的村,评议和公示无人办理 · villages without a committee's account",
};
const NO_PHONE: Vacancy = Vacancy {
    kind: "enrol_phone",
    role: Role::VillageCadre,
    words: "村干部无在用手机的村,其待办无人看到 · villages whose cadres have no phone at work",
};
const NO_TOWNSHIP: Vacancy = Vacancy {
    kind: "open_account",
    role: Role::TownshipOffice,
    words: "无乡镇账户的乡镇,乡镇审核无人办理 · townships without an office's account",
};

const NO_COUNTY: Vacancy = Vacancy {
    kind: "open_account",
    role: Role::CountyOffice,
    words: "无县级账户的县(市、区),县级审定无人办理 · counties without an office's account",
};

fn by_village(left: &[Left]) -> BTreeMap<u64, u32> {
    let mut villages = BTreeMap::new();
    left.iter().for_each(|left| *villages.entry(left.village).or_default() += 1);
    villages
}

fn filled(seats: &[Seat], fills: fn(&Seat) -> bool) -> BTreeSet<u64> {
    seats.iter().filter(|seat| fills(seat)).map(|seat| seat.area).collect()
}
