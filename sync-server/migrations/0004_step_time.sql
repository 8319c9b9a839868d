-- When each step of a monitoring case was taken, by the server's clock: periods of the workflow run from there, not
-- from the day a phone wrote. Folded from the log; can be made anew from it.

CREATE TABLE step_time (
    household INTEGER NOT NULL REFERENCES household ON DELETE CASCADE,
    step TEXT NOT NULL,                 -- row id in container `steps`
    received_ms INTEGER NOT NULL,
    PRIMARY KEY (household, step)
) STRICT, WITHOUT ROWID;

-- A household as it was on a day is folded from what had been taken by then.
CREATE INDEX log_by_household ON log (household, received_ms);
