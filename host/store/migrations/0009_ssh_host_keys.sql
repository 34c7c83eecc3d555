-- Host keys of SSH servers: what each showed when it was first used, or what somebody entered.

CREATE TABLE ssh_host_keys (
  id TEXT PRIMARY KEY,
  host TEXT NOT NULL,
  port BIGINT NOT NULL,
  key_type TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  origin TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  UNIQUE (host, port)
);
