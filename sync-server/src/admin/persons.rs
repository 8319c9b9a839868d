//! Who lives where: an office finds a person by number, and people who are on record twice. Shows only what
//! lies in the office's own area; must not print a number.

use rusqlite::Connection;
use wanhu_core::domain::region::RegionList;

use super::pages::page;
use super::{AdminError, Office, Output, PageArguments, lines};
use crate::storage::persons::{self, PairPlace, Residence};

impl Office<'_> {
    /// The households of a person with this identity number or telephone.
    pub(super) fn find_person(&self, text: &str) -> Result<Output, AdminError> {
        self.must_decide()?;
        let key = self.app.person_key;
        persons::catch_up(&self.app.storage, key)?;
        let found = self.app.storage.read(|connection| persons::find(connection, &key, text))?;
        let list = &self.app.regions;
        let own = found.into_iter().filter(|home| self.must_decide_for(home.scope).is_ok());
        Ok(lines(own.map(|home| (words(&home, list), json(&home)))))
    }

    /// People who live in two households at once. One of the two has to lie in the office's area: people
    /// move.
    pub(super) fn list_duplicates(
        &self,
        asked: &PageArguments<PairPlace>,
    ) -> Result<Output, AdminError> {
        self.must_decide()?;
        persons::catch_up(&self.app.storage, self.app.person_key)?;
        let sees = |village| self.must_decide_for(village).is_ok();
        let part = (asked.after.as_ref(), asked.rows_read());
        let read = |c: &Connection| persons::in_two_households(c, part, sees);
        let (mut pairs, list) = (self.app.storage.read(read)?, &self.app.regions);
        let go_on = asked.cut(&mut pairs, |pair| pair.place.to_string());
        let rows = pairs.into_iter().map(|pair| {
            // Of the other office's household this one learns that there is one.
            let [first, second] = pair.homes.map(|home| Some(home).filter(|home| sees(home.scope)));
            let words = |home: &Option<Residence>| {
                home.as_ref().map_or_else(
                    || "另一户在其他辖区 · the other is in another area".to_owned(),
                    |home| words(home, list),
                )
            };
            let text = format!("{}\n    {}", words(&first), words(&second));
            (text, serde_json::json!([first.as_ref().map(json), second.as_ref().map(json)]))
        });
        Ok(page(rows, go_on))
    }
}

fn words(home: &Residence, list: &RegionList) -> String {
    format!("{}\t{}", home.household, list.path(home.scope).join(" "))
}

fn json(home: &Residence) -> serde_json::Value {
    serde_json::json!({ "household": home.household.to_string(), "village": home.scope })
}
