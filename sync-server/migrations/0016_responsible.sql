-- Who is responsible for which household, one row a cadre who has an account, of records in use. Folded from the records up to a
-- place in the log (server.responsible_through), and made anew where it is lost. The record decides.

CREATE TABLE responsible (
    household INTEGER NOT NULL REFERENCES household ON DELETE CASCADE,
    cadre TEXT NOT NULL,                -- row of the household's cadres
    scope INTEGER NOT NULL,             -- the household's village
    account TEXT NOT NULL,              -- as somebody typed it; it may be anything
    ends TEXT NOT NULL,                 -- last day of the term, ISO; 'none' stands behind them all
    PRIMARY KEY (household, cadre)
) STRICT, WITHOUT ROWID;
CREATE INDEX responsible_by_scope ON responsible (scope, account, ends);
CREATE INDEX responsible_by_account ON responsible (account, ends, scope);
