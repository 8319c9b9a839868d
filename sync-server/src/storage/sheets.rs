//! Which sheets were made, and what they said, as digests. Must not know what a form shows.

use rusqlite::{Connection, Row, Transaction, params};
use wanhu_core::document::form::Digest;
use wanhu_core::domain::ids::HouseholdId;
use wanhu_core::store::StoreError;

/// A sheet's households and what it says about each.
pub type Digests = Vec<(HouseholdId, Digest)>;

/// A sheet that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MadeSheet {
    /// Form and version, for example `village/1`.
    pub form: String,
    /// The area it was made for.
    pub area: u64,
    /// The account whose own form it is; empty for a form of the release, which is the area's, whoever makes it.
    pub owner: String,
    /// When, by the server's clock, milliseconds since 1970 UTC.
    pub made_ms: i64,
    /// How far the log reached, as the sheet is stamped; empty where it is not known.
    pub log: String,
    /// The form itself as an office wrote it; empty for one of the release.
    pub template: String,
}

impl MadeSheet {
    /// The form's name, whatever its version.
    pub fn name(&self) -> &str {
        self.form.split_once('/').map_or(&self.form, |(name, _)| name)
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            form: row.get(0)?,
            area: row.get::<_, i64>(1)?.cast_unsigned(),
            owner: row.get(2)?,
            made_ms: row.get(3)?,
            log: row.get(4)?,
            template: row.get(5)?,
        })
    }
}

/// Remembers a sheet in place of its owner's last one of this form and area, of whichever version; also in place of one whose
/// owner is not known.
///
/// # Errors
/// Where the file fails.
pub fn made(
    transaction: &Transaction<'_>,
    sheet: &MadeSheet,
    digests: &Digests,
) -> Result<(), StoreError> {
    let MadeSheet { form, owner, made_ms, log, template, .. } = sheet;
    let area = sheet.area.cast_signed();
    forget(transaction, form, area, owner)?;
    transaction.execute(
        "INSERT INTO form_made (form, area, owner, made_ms, log, template) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![form, area, owner, made_ms, log, template],
    )?;
    let mut insert = transaction.prepare_cached(
        "INSERT INTO form_output (form, area, owner, household, digest) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    for (household, digest) in digests {
        insert.execute(params![form, area, owner, household.0, digest])?;
    }
    Ok(())
}

/// Forgets what there is of a form and an area, whatever the version behind the stroke.
fn forget(
    transaction: &Transaction<'_>,
    form: &str,
    area: i64,
    owner: &str,
) -> Result<(), StoreError> {
    let name = form.split_once('/').map_or(form, |(name, _)| name);
    let old: Vec<String> = transaction
        .prepare_cached("SELECT form FROM form_made WHERE area = ?1 AND owner IN (?2, '')")?
        .query_map(params![area, owner], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for old in old.iter().filter(|old| old.split_once('/').is_some_and(|(own, _)| own == name)) {
        for table in ["form_made", "form_output"] {
            let forget =
                format!("DELETE FROM {table} WHERE form = ?1 AND area = ?2 AND owner IN (?3, '')");
            transaction.execute(&forget, params![old, area, owner])?;
        }
    }
    Ok(())
}

/// All sheets that were made, by form, area and owner.
///
/// # Errors
/// Where the file fails.
pub fn all(connection: &Connection) -> Result<Vec<MadeSheet>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT form, area, owner, made_ms, log, template FROM form_made ORDER BY form, area, owner",
    )?;
    let rows = statement.query_map([], MadeSheet::read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The areas that an owner's sheets of a form, of whichever version, were made for, or those whose owner is not known.
///
/// # Errors
/// Where the file fails.
pub fn areas(connection: &Connection, name: &str, owner: &str) -> Result<Vec<u64>, StoreError> {
    let is_of_form =
        |made: &MadeSheet| made.name() == name && (made.owner == owner || made.owner.is_empty());
    Ok(all(connection)?.into_iter().filter(is_of_form).map(|made| made.area).collect())
}

/// What its owner's last sheet of this form and area said, or else the one whose owner is not known; empty where there was
/// none.
///
/// # Errors
/// Where the file fails.
pub fn last(
    connection: &Connection,
    form: &str,
    area: u64,
    owner: &str,
) -> Result<Digests, StoreError> {
    // Of the two there is but one: who makes the form takes over what is nobody's.
    let mut statement = connection.prepare_cached(
        "SELECT household, digest FROM form_output WHERE form = ?1 AND area = ?2 AND owner IN (?3, '')",
    )?;
    let rows = statement.query_map(params![form, area.cast_signed(), owner], |row| {
        Ok((HouseholdId(row.get(0)?), row.get(1)?))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::MIGRATIONS;

    fn sheet(form: &str, area: u64, owner: &str) -> MadeSheet {
        MadeSheet {
            form: form.into(),
            area,
            owner: owner.into(),
            made_ms: 1,
            log: "1/00000000".into(),
            template: String::new(),
        }
    }

    #[test]
    fn what_was_made_before_there_was_a_list_of_it_is_on_the_list() {
        let connection = Connection::open_in_memory().unwrap();
        let with_a_list =
            MIGRATIONS.0.iter().position(|sql| sql.contains("TABLE form_made (")).unwrap();
        let (before, since) = MIGRATIONS.0.split_at(with_a_list);
        before.iter().for_each(|sql| connection.execute_batch(sql).unwrap());
        connection
            .execute_batch(
                "INSERT INTO form_output (form, area, household, digest, made_ms) VALUES
                 ('village/1', 431022208, zeroblob(16), x'0102030405060708', 5)",
            )
            .unwrap();
        since.iter().for_each(|sql| connection.execute_batch(sql).unwrap());
        let made = all(&connection).unwrap();
        assert_eq!(
            (made[0].form.as_str(), made[0].area, made[0].made_ms),
            ("village/1", 431_022_208, 5)
        );
        let said = last(&connection, "village/1", 431_022_208, "").unwrap();
        assert_eq!(said, [(HouseholdId([0; 16]), [1, 2, 3, 4, 5, 6, 7, 8])]);
    }

    #[test]
    fn a_sheet_takes_the_place_of_its_other_versions_and_of_no_other_form() {
        let mut connection = Connection::open_in_memory().unwrap();
        MIGRATIONS.0.iter().for_each(|sql| connection.execute_batch(sql).unwrap());
        let transaction = connection.transaction().unwrap();
        let said = vec![(HouseholdId([1; 16]), [2; 8])];
        for (form, area) in [("own/1", 1), ("own/1", 2), ("own_x/1", 1), ("own/2", 1)] {
            made(&transaction, &sheet(form, area, ""), &said).unwrap();
        }
        let all: Vec<_> =
            all(&transaction).unwrap().into_iter().map(|made| (made.form, made.area)).collect();
        assert_eq!(all, [("own/1".into(), 2), ("own/2".into(), 1), ("own_x/1".into(), 1)]);
        assert_eq!(last(&transaction, "own/1", 1, "").unwrap(), []);
        assert_eq!(last(&transaction, "own/2", 1, "").unwrap(), said);
    }

    #[test]
    fn each_account_remembers_its_own_and_takes_over_what_is_nobodys() {
        let mut connection = Connection::open_in_memory().unwrap();
        MIGRATIONS.0.iter().for_each(|sql| connection.execute_batch(sql).unwrap());
        let transaction = connection.transaction().unwrap();
        let said = |by: u8| vec![(HouseholdId([1; 16]), [by; 8])];
        let make = |form, owner, by| made(&transaction, &sheet(form, 1, owner), &said(by)).unwrap();
        let remembered = |form, owner| last(&transaction, form, 1, owner).unwrap();
        make("own/1", "", 0);
        assert_eq!([remembered("own/1", "a"), remembered("own/1", "b")], [said(0), said(0)]);
        make("own/1", "a", 1);
        assert_eq!([remembered("own/1", "a"), remembered("own/1", "b")], [said(1), vec![]]);
        make("own/1", "b", 2);
        make("own/2", "b", 3);
        assert_eq!([remembered("own/1", "a"), remembered("own/2", "b")], [said(1), said(3)]);
        let all: Vec<_> =
            all(&transaction).unwrap().into_iter().map(|m| (m.form, m.owner)).collect();
        assert_eq!(all, [("own/1".into(), "a".into()), ("own/2".into(), "b".into())]);
    }
}
