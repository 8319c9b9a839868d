//! All sheets that were made, held against the records as they are now, and made anew. Must not know what a form shows.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use wanhu_core::document::facts::facts;
use wanhu_core::document::fold::Fold;
use wanhu_core::document::form::{Digest, Frame, LogPlace, Template, project};
use wanhu_core::domain::authority;
use wanhu_core::domain::day::Day;
use wanhu_core::domain::facts::Facts;
use wanhu_core::domain::ids::HouseholdId;
use wanhu_core::domain::region::{self, RegionList};
use wanhu_core::domain::schema::Schema;
use wanhu_core::store::{StoreError, records};

use super::forms::{Named, may_see, named};
use super::{AdminError, Office, Output, lines};
use crate::accounts::Account;
use crate::storage::sheets::{self, MadeSheet};

/// A sheet, what it said, and how much of that the records no longer say.
struct HeldSheet {
    made: MadeSheet,
    /// None where the release has another version of it, or cannot read it any more.
    template: Option<Cow<'static, Template>>,
    households: usize,
    /// What it said about the households not met yet.
    said: BTreeMap<HouseholdId, Digest>,
    changed: usize,
}

impl HeldSheet {
    fn read(connection: &Connection, made: MadeSheet) -> Result<Self, StoreError> {
        let said: BTreeMap<_, _> =
            sheets::last(connection, &made.form, made.area, &made.owner)?.into_iter().collect();
        let template = match made.template.as_str() {
            "" => Template::shipped().iter().find(|f| f.stamp() == made.form).map(Cow::Borrowed),
            own => Template::parse_own(Schema::base(), own).ok().map(Cow::Owned),
        };
        Ok(Self { made, template, households: said.len(), said, changed: 0 })
    }

    fn meet(&mut self, frame: &Frame<'_>, (id, fold, facts): (HouseholdId, &Fold, &Facts)) {
        let Some(template) = &self.template else { return };
        // What a sheet says about one household does not depend on the others.
        let now = project(template, frame, [(id, fold, facts)]).households;
        let now = now.first().map(|(_, digest)| *digest);
        self.changed += usize::from(self.said.remove(&id) != now);
    }

    /// Households about which the records say something else; those that are gone count.
    fn changed(&self) -> usize {
        self.changed + self.said.len()
    }

    fn is_stale(&self) -> bool {
        self.template.is_none() || self.changed() > 0
    }

    /// The form to make it of again: the office's own as it was, or this release's.
    fn named(&self) -> Result<Named, AdminError> {
        match self.made.template.as_str() {
            "" => named(self.made.name()),
            own => Named::own(own.to_owned()),
        }
    }

    fn line(&self, regions: &RegionList) -> (String, serde_json::Value) {
        let MadeSheet { form, area, owner, made_ms, log, .. } = &self.made;
        let zh = self.template.as_ref().map_or("", |template| template.zh.as_str());
        let (path, made_on) = (regions.path(*area).concat(), Day::in_china(*made_ms));
        let (changed, households) = (self.changed(), self.households);
        let state = match (&self.template, changed) {
            (None, _) => "表格已改版,须重新生成 · the form has another version now".to_owned(),
            (Some(_), 0) => "无变动 · up to date".to_owned(),
            (Some(_), _) => format!("{changed} 户须更新 · {changed} households changed"),
        };
        let value = serde_json::json!({
            "form": form, "zh": zh, "area": area, "owner": owner, "made_ms": made_ms, "made_on": made_on.to_string(),
            "log": log, "households": households, "changed": changed, "stale": self.is_stale()
        });
        let zh = if owner.is_empty() { zh.to_owned() } else { format!("{zh}({owner})") };
        (format!("{form}\t{zh}\t{path}\t{made_on}\t{households} 户 households\t{state}"), value)
    }
}

/// The areas of sheets that lie in no other's, so that a household is met once.
fn outermost(sheets: &[HeldSheet]) -> Vec<u64> {
    let mut areas: Vec<u64> = sheets.iter().map(|sheet| sheet.made.area).collect();
    areas.sort_unstable();
    areas.dedup();
    let within =
        |area: u64| move |other: &u64| *other != area && region::code_contains(*other, area);
    areas.iter().copied().filter(|area| !areas.iter().any(within(*area))).collect()
}

impl Office<'_> {
    /// The sheets on record in the account's areas, or in one of them: those out of date first.
    pub(super) fn list_sheets(&self, area: Option<u64>) -> Result<Output, AdminError> {
        let mut held = self.held_sheets(area)?;
        held.sort_by_key(|sheet| !sheet.is_stale());
        Ok(lines(held.iter().map(|sheet| sheet.line(&self.app.regions))))
    }

    /// Makes those that are out of date anew, but for forms of other accounts: a file each, named by form and area. One that
    /// cannot be made is told and keeps no other back.
    pub(super) fn renew_sheets(
        &self,
        directory: &Path,
        ending: &str,
        area: Option<u64>,
        fonts: &[PathBuf],
    ) -> Result<Output, AdminError> {
        let held = self.held_sheets(area)?;
        std::fs::create_dir_all(directory).map_err(|_| AdminError::FileUnwritable)?;
        let own = held.into_iter().filter(|sheet| ["", self.by].contains(&&*sheet.made.owner));
        let stale = own.filter(HeldSheet::is_stale);
        Ok(lines(stale.map(|sheet| {
            let (name, area) = (sheet.made.name(), sheet.made.area);
            let file = directory.join(format!("{name}-{area}.{ending}"));
            let make = |named| self.make_form(&named, &file, Some(area), fonts);
            let (told, error) = match sheet.named().and_then(make) {
                Ok(made) => (made.text.trim_end().to_owned(), None),
                Err(error) => {
                    let (code, zh, en) = error.words();
                    (format!("{name}: {zh} · {en}"), Some(code))
                }
            };
            let (changed, path) = (sheet.changed(), self.app.regions.path(area).concat());
            let text = format!("{path}\t{changed} 户有变动 households changed\t{told}");
            let value = serde_json::json!({
                "form": name, "area": area, "changed": changed, "file": file.display().to_string(),
                "error": error
            });
            (text, value)
        })))
    }

    fn held_sheets(&self, area: Option<u64>) -> Result<Vec<HeldSheet>, AdminError> {
        let account = self.account()?;
        let areas = area.map_or_else(|| account.areas.clone(), |area| vec![area]);
        if !areas.iter().all(|area| authority::covers(&account.areas, *area)) {
            return Err(AdminError::NotGranted);
        }
        Ok(self.app.storage.read(|connection| self.held(connection, &account, &areas))?)
    }

    fn held(
        &self,
        connection: &Connection,
        account: &Account,
        areas: &[u64],
    ) -> Result<Vec<HeldSheet>, StoreError> {
        let mut held = Vec::new();
        for made in sheets::all(connection)? {
            if authority::covers(areas, made.area) {
                held.push(HeldSheet::read(connection, made)?);
            }
        }
        held.retain(|sheet| may_see(account, sheet.template.as_deref(), sheet.made.area));
        for area in outermost(&held) {
            let frame = self.frame(area, LogPlace::default());
            // Households come village by village; which sheets a village is on is asked once.
            let (mut village, mut on) = (None, Vec::new());
            records::for_each(connection, area, |household| {
                if village.replace(household.scope) != Some(household.scope) {
                    let is_on =
                        |at: &usize| region::code_contains(held[*at].made.area, household.scope);
                    on = (0..held.len()).filter(is_on).collect();
                }
                let facts = facts(&household.fold, household.scope);
                let met = (household.id, &household.fold, &facts);
                on.iter().for_each(|at| held[*at].meet(&frame, met));
                Ok(())
            })?;
        }
        Ok(held)
    }
}
