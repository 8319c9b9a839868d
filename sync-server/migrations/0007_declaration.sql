-- What somebody declared from their own telephone whom no record knows by identity number and name: it waits for
-- the township. The file is encrypted; the row goes when it is entered into a record or turned away.
CREATE TABLE declaration (
    n INTEGER PRIMARY KEY,
    received_ms INTEGER NOT NULL,
    village INTEGER NOT NULL,
    name TEXT NOT NULL,
    identity_number TEXT NOT NULL,
    telephone TEXT NOT NULL,
    -- Codes of list risk, separated by spaces.
    risks TEXT NOT NULL,
    note TEXT NOT NULL,
    consents INTEGER NOT NULL
) STRICT;
CREATE INDEX declaration_by_village ON declaration (village, n);
CREATE INDEX declaration_by_telephone ON declaration (telephone);
