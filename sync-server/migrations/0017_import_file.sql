-- What the file was called when it was first delivered, without its folder; empty for deliveries of before.
ALTER TABLE import ADD COLUMN file TEXT NOT NULL DEFAULT '';
