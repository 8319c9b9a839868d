-- What only the server keeps: the log of each scope, in the order in which it was committed.

CREATE TABLE server (
    name TEXT PRIMARY KEY,              -- epoch (8 bytes), actor (16), takes_back_until_ms (8)
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE scope (
    scope INTEGER PRIMARY KEY,          -- village code
    seq INTEGER NOT NULL,               -- entries in its log
    chain BLOB NOT NULL,                -- 32 bytes, after them
    digest BLOB NOT NULL                -- 16 bytes, sum over the changes of its households
) STRICT;

CREATE TABLE log (
    scope INTEGER NOT NULL REFERENCES scope,
    seq INTEGER NOT NULL,               -- from 1, without a gap
    kind INTEGER NOT NULL,              -- 1 change, 2 leave, 3 enter
    household INTEGER NOT NULL REFERENCES household,
    change INTEGER NOT NULL,            -- the change; for a move the household's newest one
    other_scope INTEGER NOT NULL,       -- for a move
    device INTEGER NOT NULL,
    outbox INTEGER NOT NULL,            -- the device's number for it
    received_ms INTEGER NOT NULL,       -- the server's clock
    rule_set INTEGER NOT NULL,          -- judged by it; 0 = released by a person
    chain BLOB NOT NULL,                -- 32 bytes, after this entry
    digest BLOB NOT NULL,               -- 16 bytes, after this entry
    n INTEGER NOT NULL,                 -- from 1 over all villages: its place in the tree
    PRIMARY KEY (scope, seq)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX log_by_number ON log (n);

CREATE TABLE tree_head (
    size INTEGER PRIMARY KEY,           -- entries it covers
    root BLOB NOT NULL,                 -- 32 bytes
    made_ms INTEGER NOT NULL,
    signature BLOB NOT NULL,            -- 64 bytes
    frontier BLOB NOT NULL              -- where the next head goes on: 32 bytes a subtree
) STRICT;

CREATE TABLE quarantine (
    n INTEGER PRIMARY KEY,
    content BLOB NOT NULL UNIQUE,       -- the change as it was sent
    household BLOB NOT NULL,            -- 16 bytes
    scope INTEGER NOT NULL,             -- the village the phone had it in
    code INTEGER NOT NULL,              -- the protocol's refusal code
    device INTEGER NOT NULL,
    outbox INTEGER NOT NULL,
    received_ms INTEGER NOT NULL,
    released_ms INTEGER,                -- empty = waits for an office
    released_by TEXT                    -- account of the office; empty = this machine's operator
) STRICT;

CREATE TABLE pack (
    id BLOB PRIMARY KEY,                -- 16 bytes of the SHA-256 over its frames
    scope INTEGER NOT NULL,
    seq INTEGER NOT NULL,               -- log entries it stands for
    frames INTEGER NOT NULL,
    made_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX pack_by_scope ON pack (scope, seq);

CREATE TABLE pack_frame (
    pack BLOB NOT NULL REFERENCES pack ON DELETE CASCADE,
    frame INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (pack, frame)
) STRICT;
