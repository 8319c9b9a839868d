-- What came upon a household whose case was turned down or decided, and what was found before anybody knew of it, may give somebody
-- something to do; nobody has looked yet. The record decides, and whatever is saved next says it anew. Of households without a case
-- this tells nothing: too many of them have nothing to be done.
UPDATE listing SET tasks = 1
WHERE case_state IN ('not_included', 'duplicate', 'county_decision', 'monitored', 'helped', 'closed', 'reopened');
