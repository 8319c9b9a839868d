-- What the village found before it knew that a case was turned down may give the township something to do; nobody has looked yet.
-- The record decides, and whatever is saved next says it anew.
UPDATE listing SET tasks = 1 WHERE case_state IN ('not_included', 'duplicate');
