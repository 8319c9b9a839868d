-- What has to be done about households, one row a task, in the order of the lists. Folded from the records up to a place in the
-- log and under one policy (server.dues_through), and made anew for another. The record decides.

DROP TABLE due;
CREATE TABLE due (
    household INTEGER NOT NULL REFERENCES household ON DELETE CASCADE,
    scope INTEGER NOT NULL,             -- its village
    desk INTEGER NOT NULL,              -- the village, township or county whose task it is
    due_on TEXT NOT NULL,               -- the last day for it, ISO; 'none' stands behind them all
    kind INTEGER NOT NULL,              -- place of its kind among the kinds
    subject TEXT NOT NULL,              -- row or field it is about; empty = the case
    id BLOB NOT NULL,                   -- the household's id
    begins TEXT NOT NULL                -- first day on which it is to be done; empty = it is already
) STRICT;
CREATE INDEX due_by_household ON due (household);
CREATE INDEX due_by_desk ON due (desk, due_on, kind, subject, id, begins, household);
CREATE INDEX due_by_scope ON due (scope, due_on, begins, household);
