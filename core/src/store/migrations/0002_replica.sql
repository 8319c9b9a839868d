-- What only a phone keeps.

CREATE TABLE setting (
    name TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE cursor (
    scope INTEGER PRIMARY KEY,          -- village code
    seq INTEGER NOT NULL,               -- log entries held
    chain BLOB NOT NULL,                -- 32 bytes, after them
    pack BLOB,                          -- 16 bytes, the pack being read
    pack_frame INTEGER NOT NULL         -- its next frame
) STRICT;

CREATE TABLE refused (
    n INTEGER PRIMARY KEY,
    household BLOB NOT NULL,            -- 16 bytes
    hash BLOB NOT NULL,                 -- 32 bytes
    scope INTEGER NOT NULL,             -- the village its household was in
    body BLOB NOT NULL,                 -- raw change without header, compressed
    code INTEGER NOT NULL,              -- number of the refusal code in the protocol
    subject TEXT NOT NULL,
    refused_ms INTEGER NOT NULL,
    outbox INTEGER                      -- set where it must be handed in once more
) STRICT;
CREATE UNIQUE INDEX refused_by_outbox ON refused (outbox) WHERE outbox IS NOT NULL;
