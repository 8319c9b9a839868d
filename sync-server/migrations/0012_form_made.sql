-- Every sheet that was made last, by form and area, also one on which nobody stands; what it says about each household is in
-- form_output. No value of a record.

CREATE TABLE form_made (
    form TEXT NOT NULL,                 -- form and version, for example village/1
    area INTEGER NOT NULL,              -- region code the sheet was made for
    made_ms INTEGER NOT NULL,
    log TEXT NOT NULL,                  -- how far the log reached that it was made from; empty = not known
    template TEXT NOT NULL,             -- an office's own form as it was then; empty = a form of the release
    PRIMARY KEY (form, area)
) STRICT, WITHOUT ROWID;

INSERT INTO form_made (form, area, made_ms, log, template)
    SELECT form, area, max(made_ms), '', '' FROM form_output GROUP BY form, area;
ALTER TABLE form_output DROP COLUMN made_ms;
