-- Who is found by identity number or telephone without either being kept: a keyed blind index, folded from the
-- records up to a place in the log (server.persons_through) and made anew where it is lost.

CREATE TABLE person (
    blind BLOB NOT NULL,                -- 16 bytes of a keyed hash, see core/src/domain/person.rs
    household INTEGER NOT NULL REFERENCES household ON DELETE CASCADE,
    kind INTEGER NOT NULL,              -- 1 identity number of a member, 2 telephone of the household
    PRIMARY KEY (blind, household)
) STRICT, WITHOUT ROWID;
CREATE INDEX person_by_household ON person (household);
