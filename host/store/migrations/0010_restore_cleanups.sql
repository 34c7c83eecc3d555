-- Restores that ended while their target could not be cleaned up: tried again until it works.

CREATE TABLE restore_cleanups (
  execution_id TEXT PRIMARY KEY,
  created_at BIGINT NOT NULL
);
