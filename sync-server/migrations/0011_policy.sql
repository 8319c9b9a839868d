-- The policies that households were warned under, as they were published: a warning names its policy by name and version, and
-- can be asked again under it. A name and version may have been given twice.

CREATE TABLE policy (
    version TEXT NOT NULL,              -- name and version
    since_ms INTEGER NOT NULL,          -- when somebody was first warned under it, by the server's clock
    text TEXT NOT NULL,                 -- TOML
    PRIMARY KEY (version, since_ms)
) STRICT, WITHOUT ROWID;
