-- What was printed last, so that a changed value marks exactly the sheets that show it. No value of a record.

CREATE TABLE form_output (
    form TEXT NOT NULL,                 -- form and version, for example village/1
    area INTEGER NOT NULL,              -- region code the sheet was made for
    household BLOB NOT NULL,            -- 16 bytes
    digest BLOB NOT NULL,               -- 8 bytes over what the sheet says about it
    made_ms INTEGER NOT NULL,
    PRIMARY KEY (form, area, household)
) STRICT, WITHOUT ROWID;
