-- Who may sync: accounts, their areas, their devices, one-time codes. No household data.

CREATE TABLE account (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    role TEXT NOT NULL,                 -- code of a role, see core/src/domain/authority.rs
    granted_by TEXT NOT NULL,           -- the account that opened it; empty = this machine's operator
    created_ms INTEGER NOT NULL,
    disabled INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE account_area (
    account TEXT NOT NULL REFERENCES account,
    area INTEGER NOT NULL,              -- region code of any level
    PRIMARY KEY (account, area)
) STRICT, WITHOUT ROWID;

CREATE TABLE device (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    account TEXT NOT NULL REFERENCES account,
    public_key BLOB NOT NULL,           -- Ed25519, 32 bytes
    name TEXT NOT NULL,
    enrolled_ms INTEGER NOT NULL,
    approved_ms INTEGER,                -- empty = the office has not looked at it yet
    revoked_ms INTEGER,
    last_counter INTEGER NOT NULL DEFAULT 0,
    last_seen_ms INTEGER
) STRICT;

CREATE TABLE actor (
    actor BLOB PRIMARY KEY,             -- installation id, 16 bytes
    device INTEGER NOT NULL REFERENCES device,
    bound_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE enrolment_code (
    hash BLOB PRIMARY KEY,              -- SHA-256 of the code; the code itself is kept nowhere
    account TEXT NOT NULL REFERENCES account,
    created_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL,
    used_ms INTEGER
) STRICT, WITHOUT ROWID;
