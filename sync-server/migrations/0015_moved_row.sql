-- Rows follow the people they are about. Where they stood before they are kept as moved: they count there no more, but what
-- they brought about can still be taken back.

ALTER TABLE department_row ADD COLUMN moved INTEGER NOT NULL DEFAULT 0;
CREATE INDEX department_row_moved ON department_row (import) WHERE moved;

-- Who has left a household that still has their rows, as long as nobody knows the one where they live.
CREATE TABLE department_stray (
    person BLOB NOT NULL,               -- 16 bytes, as in table person
    household INTEGER NOT NULL REFERENCES household ON DELETE CASCADE,
    PRIMARY KEY (person, household)
) STRICT, WITHOUT ROWID;

-- The index of people is made anew, so that rows find whoever has left before; it knows them as well by now, kind 3 of table
-- person: identity number of somebody who is on record as having left the household.
DELETE FROM server WHERE name = 'persons_through';
