-- In which grid of its village a household is. The index holds what filters ask for besides, so that of a grid whose name every
-- village has only the rows shown are read.
ALTER TABLE listing ADD COLUMN grid TEXT;  -- as the record spells it, empty = none on record; NULL where nobody has looked yet
CREATE INDEX listing_by_grid
ON listing (grid, scope, head_name, household, status, kind, monitored, tags, risk_level, case_state, conflicts);
