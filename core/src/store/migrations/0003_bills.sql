-- Whether a record has spending of its own. Where it has none, what departments deliver says alone whether a bill can matter.
ALTER TABLE listing ADD COLUMN bills INTEGER NOT NULL DEFAULT 1;  -- 1 where it has, or nobody has looked yet
