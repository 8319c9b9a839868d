-- By when something has to be done about a household at the earliest: the first day that may be the last day of a task. Folded
-- from the records up to a place in the log and under one policy (server.dues_through), and made anew for another.

CREATE TABLE due (
    household INTEGER PRIMARY KEY REFERENCES household ON DELETE CASCADE,
    scope INTEGER NOT NULL,             -- its village
    due_on TEXT NOT NULL                -- ISO day
) STRICT;
CREATE INDEX due_by_scope ON due (scope, due_on);
