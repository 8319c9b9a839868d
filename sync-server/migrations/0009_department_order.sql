-- A household's rows stand side by side: they are kept, and read when it is judged, in the order of households.

CREATE TABLE department_row_anew (
    household INTEGER NOT NULL REFERENCES household ON DELETE CASCADE,
    key BLOB NOT NULL,                  -- 16 bytes of a keyed hash of what the row means
    import INTEGER NOT NULL REFERENCES import,
    row INTEGER NOT NULL,               -- its number in the file
    person BLOB NOT NULL,               -- 16 bytes, as in table person
    content TEXT NOT NULL,              -- JSON: {"container.field": value}
    PRIMARY KEY (household, key, import) -- two deliveries may hold the same row, and one may be withdrawn
) STRICT, WITHOUT ROWID;
INSERT INTO department_row_anew
SELECT household, key, import, row, person, content FROM department_row ORDER BY household, key, import;
DROP TABLE department_row;
ALTER TABLE department_row_anew RENAME TO department_row;
CREATE INDEX department_row_by_import ON department_row (import, household);
