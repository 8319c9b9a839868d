//! Reading the log for an answer. Every method is one bounded query.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, params};
use wanhu_core::document::raw::RawChange;
use wanhu_core::domain::ids::{ChangeHash, HouseholdId};
use wanhu_core::domain::region;
use wanhu_core::store::{StoreError, records};
use wanhu_core::sync::chain::{Chain, Digest, EntryKind};
use wanhu_core::sync::repair::Item;
use wanhu_core::sync::responder::{LogPoint, LogReader, LogRow, Pack};
use wanhu_core::sync::wire::Scope;

/// A view of the log through one connection.
#[derive(Debug)]
pub struct SqliteReader<'c>(pub &'c Connection);

impl SqliteReader<'_> {
    fn read_pack(
        &self,
        sql: &str,
        values: impl rusqlite::Params,
        scope: Scope,
    ) -> Result<Option<Pack>, StoreError> {
        let mut statement = self.0.prepare_cached(sql)?;
        let found = statement
            .query_row(values, |row| {
                Ok((row.get(0)?, row.get::<_, i64>(1)?.cast_unsigned(), row.get(2)?))
            })
            .optional()?;
        let Some((id, seq, frames)) = found else { return Ok(None) };
        Ok(self.point(scope, seq)?.map(|point| Pack { id, point, frames }))
    }
}

impl LogReader for SqliteReader<'_> {
    type Error = StoreError;

    fn epoch(&self) -> Result<[u8; 8], StoreError> {
        let mut statement =
            self.0.prepare_cached("SELECT value FROM server WHERE name = 'epoch'")?;
        Ok(statement.query_row([], |row| row.get(0))?)
    }

    fn scopes(&self, areas: &[u64]) -> Result<Vec<(Scope, LogPoint)>, StoreError> {
        let mut statement = self.0.prepare_cached(
            "SELECT scope, seq, chain, digest FROM scope WHERE scope BETWEEN ?1 AND ?2",
        )?;
        // A map, because areas may lie in one another.
        let mut scopes = BTreeMap::new();
        for area in areas {
            let (first, last) = region::villages_of(*area);
            let rows = statement.query_map([first.cast_signed(), last.cast_signed()], |row| {
                let point = LogPoint {
                    seq: row.get::<_, i64>(1)?.cast_unsigned(),
                    chain: Chain(row.get(2)?),
                    digest: Digest::from_bytes(row.get(3)?),
                };
                Ok((row.get::<_, i64>(0)?.cast_unsigned(), point))
            })?;
            for row in rows {
                let (scope, point) = row?;
                scopes.insert(scope, point);
            }
        }
        Ok(scopes.into_iter().collect())
    }

    fn point(&self, scope: Scope, seq: u64) -> Result<Option<LogPoint>, StoreError> {
        if seq == 0 {
            let start = LogPoint { seq, chain: Chain::start(scope), digest: Digest::default() };
            return Ok(Some(start));
        }
        let mut statement =
            self.0.prepare_cached("SELECT chain, digest FROM log WHERE scope = ?1 AND seq = ?2")?;
        Ok(statement
            .query_row([scope.cast_signed(), seq.cast_signed()], |row| {
                Ok(LogPoint {
                    seq,
                    chain: Chain(row.get(0)?),
                    digest: Digest::from_bytes(row.get(1)?),
                })
            })
            .optional()?)
    }

    fn rows(&self, scope: Scope, seq: u64, rows_max: u32) -> Result<Vec<LogRow>, StoreError> {
        let mut statement = self.0.prepare_cached(
            "SELECT l.seq, l.kind, h.id, l.device, l.outbox, l.other_scope, l.change, l.chain, c.body
             FROM log l JOIN household h ON h.n = l.household
             LEFT JOIN change c ON c.n = l.change AND l.kind = 1
             WHERE l.scope = ?1 AND l.seq > ?2 ORDER BY l.seq LIMIT ?3",
        )?;
        let rows = statement.query_map(
            params![scope.cast_signed(), seq.cast_signed(), rows_max],
            |row| {
                let row_of = LogRow {
                    seq: row.get::<_, i64>(0)?.cast_unsigned(),
                    kind: kind(row.get(1)?),
                    household: HouseholdId(row.get(2)?),
                    device: row.get(3)?,
                    outbox: row.get::<_, i64>(4)?.cast_unsigned(),
                    other_scope: row.get::<_, i64>(5)?.cast_unsigned(),
                    change_bound: row.get(6)?,
                    chain: Chain(row.get(7)?),
                    change: None,
                };
                Ok((row_of, row.get::<_, Option<Vec<u8>>>(8)?))
            },
        )?;
        rows.map(|row| {
            let (mut row, body) = row?;
            row.change = body.map(|body| records::read_body(&body)).transpose()?;
            Ok(row)
        })
        .collect()
    }

    fn changes(
        &self,
        household: HouseholdId,
        bound: Option<i64>,
    ) -> Result<Vec<(ChangeHash, RawChange)>, StoreError> {
        let Some(household) = records::find(self.0, household)? else { return Ok(Vec::new()) };
        let changes = records::changes(self.0, household.n)?.into_iter();
        let within = changes.filter(|change| bound.is_none_or(|bound| change.n <= bound));
        Ok(within.map(|change| (change.hash, change.raw)).collect())
    }

    fn pack(&self, scope: Scope) -> Result<Option<Pack>, StoreError> {
        let sql = "SELECT id, seq, frames FROM pack WHERE scope = ?1 ORDER BY seq DESC LIMIT 1";
        self.read_pack(sql, [scope.cast_signed()], scope)
    }

    fn pack_by_id(&self, scope: Scope, id: [u8; 16]) -> Result<Option<Pack>, StoreError> {
        let sql = "SELECT id, seq, frames FROM pack WHERE scope = ?1 AND id = ?2";
        self.read_pack(sql, params![scope.cast_signed(), id], scope)
    }

    fn pack_frame(&self, id: [u8; 16], frame: u32) -> Result<Vec<u8>, StoreError> {
        let mut statement =
            self.0.prepare_cached("SELECT bytes FROM pack_frame WHERE pack = ?1 AND frame = ?2")?;
        let bytes = statement.query_row(params![id, frame], |row| row.get(0)).optional()?;
        bytes.ok_or(StoreError::NotFound)
    }

    fn items(&self, scope: Scope) -> Result<Vec<Item>, StoreError> {
        let digests = records::digests(self.0, scope)?;
        Ok(digests.into_iter().map(|(id, digest)| Item { id, digest }).collect())
    }

    fn is_elsewhere(&self, scope: Scope, prefix: &[u8]) -> Result<bool, StoreError> {
        let mut next = prefix.to_vec();
        next.resize(16, 0xff);
        let mut statement = self.0.prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM household
             WHERE id >= ?1 AND id <= ?2 AND scope != ?3)",
        )?;
        Ok(statement.query_row(params![prefix, next, scope.cast_signed()], |row| row.get(0))?)
    }
}

fn kind(number: u8) -> EntryKind {
    match number {
        2 => EntryKind::Leave,
        3 => EntryKind::Enter,
        _ => EntryKind::Change,
    }
}
