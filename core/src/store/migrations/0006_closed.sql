-- What came upon a household after its case was closed may give the township something to do; nobody has looked yet. The record
-- decides, and whatever is saved next says it anew.
UPDATE listing SET tasks = 1 WHERE case_state = 'closed';
