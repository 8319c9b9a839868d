-- Household records, on phone and server alike. Only `change` is the truth; `state`, `digest` and
-- `listing` are folded from it and can be rebuilt.

CREATE TABLE household (
    n INTEGER PRIMARY KEY,              -- local number, never sent
    id BLOB NOT NULL UNIQUE,            -- 16 bytes
    scope INTEGER NOT NULL,             -- village code, 12 digits
    state BLOB NOT NULL,                -- folded fields, see document/fold.rs; compressed
    digest BLOB NOT NULL                -- 16 bytes, sum over the acknowledged changes
) STRICT;
-- Covers what a sync compares: a scope's digest is the sum over its households.
CREATE INDEX household_by_scope ON household (scope, id, digest);

CREATE TABLE change (
    n INTEGER PRIMARY KEY,              -- order of arrival: dependencies come first
    household INTEGER NOT NULL REFERENCES household ON DELETE CASCADE,
    actor BLOB NOT NULL,                -- 16 bytes
    seq INTEGER NOT NULL,               -- the actor's count in this household
    start_op INTEGER NOT NULL,
    max_op INTEGER NOT NULL,
    hash BLOB NOT NULL,                 -- 32 bytes
    body BLOB NOT NULL,                 -- raw change without header, compressed
    acknowledged INTEGER NOT NULL,      -- 1 once the server's log holds it
    outbox INTEGER                      -- number among this installation's changes
) STRICT;
CREATE UNIQUE INDEX change_by_author ON change (household, actor, seq);
CREATE UNIQUE INDEX change_by_outbox ON change (outbox) WHERE outbox IS NOT NULL;
CREATE INDEX change_pending ON change (household) WHERE acknowledged = 0;

-- What lists show and search in. Small rows: a search reads them all.
CREATE TABLE listing (
    household INTEGER PRIMARY KEY REFERENCES household ON DELETE CASCADE,
    scope INTEGER NOT NULL,
    head_name TEXT NOT NULL,
    search TEXT NOT NULL,               -- names, pinyin, initials of all members
    kind TEXT NOT NULL,                 -- code list household_kind
    monitored TEXT NOT NULL,            -- code list monitored_kind, empty = not monitored
    tags INTEGER NOT NULL,              -- bits in the order of domain/listing.rs
    risk_level TEXT NOT NULL,
    case_state TEXT NOT NULL,
    status TEXT NOT NULL,
    members INTEGER NOT NULL,
    last_visit TEXT NOT NULL,           -- ISO day, empty = never
    conflicts INTEGER NOT NULL,
    tasks INTEGER NOT NULL              -- 1 where something may have to be done
) STRICT;
CREATE INDEX listing_by_scope ON listing (scope, head_name, household);
CREATE INDEX listing_with_tasks ON listing (scope) WHERE tasks <> 0;
