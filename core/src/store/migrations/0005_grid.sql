-- In which grid of its village a household is.
ALTER TABLE listing ADD COLUMN grid TEXT;  -- as the record spells it, empty = none on record; NULL where nobody has looked yet
CREATE INDEX listing_by_grid ON listing (grid, scope, head_name);
