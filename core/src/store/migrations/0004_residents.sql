-- Who lives where, as far as a phone knows: finds a person's other household without reading records. Folded from the records by
-- store/residents.rs; the trigger keeps what it has not looked at since the last save.

CREATE TABLE resident (
    number INTEGER NOT NULL,            -- identity number without its check character
    household INTEGER NOT NULL REFERENCES household ON DELETE CASCADE,
    PRIMARY KEY (number, household)
) STRICT, WITHOUT ROWID;
CREATE INDEX resident_by_household ON resident (household, number);

CREATE TABLE resident_due (
    household INTEGER PRIMARY KEY REFERENCES household ON DELETE CASCADE
) STRICT;
INSERT INTO resident_due SELECT n FROM household;
CREATE TRIGGER resident_is_due AFTER UPDATE OF state ON household BEGIN
    INSERT OR IGNORE INTO resident_due VALUES (new.n);
END;
