-- Two offices may give forms of their own the same id: what is remembered of such a form is its account's. What was made before
-- is nobody's until an account makes that form again.

CREATE TABLE form_made_by (
    form TEXT NOT NULL,                 -- form and version, for example village/1
    area INTEGER NOT NULL,              -- region code the sheet was made for
    owner TEXT NOT NULL,                -- the account whose own form it is; empty = a form of the release, or not known
    made_ms INTEGER NOT NULL,
    log TEXT NOT NULL,                  -- how far the log reached that it was made from; empty = not known
    template TEXT NOT NULL,             -- an office's own form as it was then; empty = a form of the release
    PRIMARY KEY (form, area, owner)
) STRICT, WITHOUT ROWID;
CREATE TABLE form_said (
    form TEXT NOT NULL,
    area INTEGER NOT NULL,
    owner TEXT NOT NULL,
    household BLOB NOT NULL,            -- 16 bytes
    digest BLOB NOT NULL,               -- 8 bytes over what the sheet says about it
    PRIMARY KEY (form, area, owner, household)
) STRICT, WITHOUT ROWID;

INSERT INTO form_made_by (form, area, owner, made_ms, log, template)
    SELECT form, area, '', made_ms, log, template FROM form_made;
INSERT INTO form_said (form, area, owner, household, digest) SELECT form, area, '', household, digest FROM form_output;
DROP TABLE form_made;
DROP TABLE form_output;
ALTER TABLE form_made_by RENAME TO form_made;
ALTER TABLE form_said RENAME TO form_output;
