-- What a list of a whole city is found by. Follows from `listing` and is kept by it, in the same transaction.

-- Every three characters of a search key that stand side by side. The mark at the end lets its last two begin three as
-- well. A row's number is its village times 2^23 plus the household's number: the order of the list, and one stretch
-- for every area.
CREATE VIRTUAL TABLE search USING fts5(
    key, content = '', contentless_delete = 1, detail = none, tokenize = 'trigram case_sensitive 1'
);
CREATE VIRTUAL TABLE search_term USING fts5vocab('search', 'row');

CREATE TRIGGER listing_opened AFTER INSERT ON listing BEGIN
    SELECT RAISE(ABORT, 'more households than one file can number') WHERE new.household >= 8388608;
    INSERT INTO search (rowid, key)
    VALUES (new.scope * 8388608 + new.household, new.search || '||');
END;
CREATE TRIGGER listing_renamed AFTER UPDATE OF scope, search ON listing
WHEN new.scope <> old.scope OR new.search <> old.search BEGIN
    DELETE FROM search WHERE rowid = old.scope * 8388608 + old.household;
    INSERT INTO search (rowid, key)
    VALUES (new.scope * 8388608 + new.household, new.search || '||');
END;
CREATE TRIGGER listing_dropped AFTER DELETE ON listing BEGIN
    DELETE FROM search WHERE rowid = old.scope * 8388608 + old.household;
END;
INSERT INTO search (rowid, key)
SELECT scope * 8388608 + household, search || '||' FROM listing ORDER BY scope, household;

-- What filters ask for stands in the index that the list is read by; what few households have, in one of its own.
DROP INDEX listing_by_scope;
CREATE INDEX listing_by_scope
ON listing (scope, head_name, household, status, kind, monitored, tags, risk_level, case_state, conflicts);
CREATE INDEX listing_by_state ON listing (case_state, scope, head_name) WHERE case_state <> '';
CREATE INDEX listing_by_monitored ON listing (monitored, scope, head_name) WHERE monitored <> '';
CREATE INDEX listing_by_risk ON listing (risk_level, scope, head_name) WHERE risk_level <> '';
CREATE INDEX listing_with_tags ON listing (scope, head_name, tags, status) WHERE tags <> 0;
