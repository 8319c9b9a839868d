-- What departments delivered and whom it is about. Kept, because a bill that is below every line today may count
-- with the next one; the household's record gets only what a warning rests on.

CREATE TABLE import (
    n INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,                 -- kind of the table, see import/profile.rs
    department TEXT NOT NULL,           -- code list department
    file_hash BLOB NOT NULL,            -- SHA-256 of the file
    account TEXT NOT NULL,              -- the account that delivered it
    begun_ms INTEGER NOT NULL,
    finished_ms INTEGER,                -- empty = cut off; the same file goes on
    withdrawn_ms INTEGER,
    withdrawn_by TEXT
) STRICT;

CREATE TABLE department_row (
    key BLOB NOT NULL,                  -- 16 bytes of a keyed hash of what the row means
    import INTEGER NOT NULL REFERENCES import,
    row INTEGER NOT NULL,               -- its number in the file
    household INTEGER NOT NULL REFERENCES household ON DELETE CASCADE,
    person BLOB NOT NULL,               -- 16 bytes, as in table person
    content TEXT NOT NULL,              -- JSON: {"container.field": value}
    PRIMARY KEY (key, import)           -- two deliveries may hold the same row, and one may be withdrawn
) STRICT, WITHOUT ROWID;
CREATE INDEX department_row_by_household ON department_row (household);
CREATE INDEX department_row_by_import ON department_row (import, household);
