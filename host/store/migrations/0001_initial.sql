-- Portable between SQLite and PostgreSQL: every integer that is not a row id is BIGINT (SOCI reads an
-- INTEGER column as 32 bits), booleans are 0/1, times milliseconds UTC (0 = none), JSON is text,
-- optional references are NULL.

CREATE TABLE settings (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL
);

CREATE TABLE adapter_configs (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  type TEXT NOT NULL,
  adapter_id TEXT NOT NULL,
  sealed_config TEXT NOT NULL,
  metadata TEXT NOT NULL,
  primary_credential_id TEXT,
  ssh_credential_id TEXT,
  default_retention_policy_id TEXT,
  storage_role TEXT NOT NULL,
  last_health_check BIGINT NOT NULL,
  last_status TEXT NOT NULL,
  last_error TEXT NOT NULL,
  consecutive_failures BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  UNIQUE (type, name)
);

CREATE TABLE encryption_profiles (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  description TEXT NOT NULL,
  extra_recipients TEXT NOT NULL,
  retired BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);

CREATE TABLE encryption_identities (
  id TEXT PRIMARY KEY,
  profile_id TEXT NOT NULL REFERENCES encryption_profiles (id) ON DELETE CASCADE,
  sealed_identity TEXT NOT NULL,
  recipient TEXT NOT NULL,
  active BIGINT NOT NULL,
  created_at BIGINT NOT NULL
);
CREATE INDEX encryption_identities_profile ON encryption_identities (profile_id);

CREATE TABLE jobs (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  schedule TEXT NOT NULL,
  enabled BIGINT NOT NULL,
  source_id TEXT REFERENCES adapter_configs (id),
  databases TEXT NOT NULL,
  compression TEXT NOT NULL,
  pg_compression TEXT NOT NULL,
  encryption_profile_id TEXT REFERENCES encryption_profiles (id),
  naming_template_id TEXT,
  schedule_preset_id TEXT,
  notification_events TEXT NOT NULL,
  notification_template_ids TEXT NOT NULL,
  skip_verification BIGINT NOT NULL,
  backup_mode TEXT NOT NULL,
  full_every_days BIGINT NOT NULL,
  verify_by_hash BIGINT NOT NULL,
  directory_sources TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);

CREATE TABLE job_destinations (
  id TEXT PRIMARY KEY,
  job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
  config_id TEXT NOT NULL REFERENCES adapter_configs (id),
  priority BIGINT NOT NULL,
  retention TEXT NOT NULL,
  retention_policy_id TEXT,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  UNIQUE (job_id, config_id)
);
CREATE INDEX job_destinations_config ON job_destinations (config_id);

CREATE TABLE job_notifications (
  job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
  config_id TEXT NOT NULL REFERENCES adapter_configs (id),
  position BIGINT NOT NULL,
  PRIMARY KEY (job_id, config_id)
);

CREATE TABLE executions (
  id TEXT PRIMARY KEY,
  job_id TEXT REFERENCES jobs (id) ON DELETE SET NULL,
  job_name TEXT NOT NULL,
  type TEXT NOT NULL,
  status TEXT NOT NULL,
  progress BIGINT NOT NULL,
  stage TEXT NOT NULL,
  detail TEXT NOT NULL,
  started_at BIGINT NOT NULL,
  ended_at BIGINT NOT NULL,
  size BIGINT NOT NULL,
  path TEXT NOT NULL,
  error TEXT NOT NULL,
  metadata TEXT NOT NULL,
  trigger_type TEXT NOT NULL,
  trigger_label TEXT NOT NULL,
  labels TEXT NOT NULL,
  options TEXT NOT NULL,
  host_id TEXT NOT NULL,
  heartbeat_at BIGINT NOT NULL
);
CREATE INDEX executions_started ON executions (started_at DESC);
CREATE INDEX executions_status ON executions (status, started_at);
CREATE INDEX executions_job ON executions (job_id, started_at);

CREATE TABLE execution_logs (
  execution_id TEXT NOT NULL REFERENCES executions (id) ON DELETE CASCADE,
  seq BIGINT NOT NULL,
  at BIGINT NOT NULL,
  level TEXT NOT NULL,
  type TEXT NOT NULL,
  stage TEXT NOT NULL,
  message TEXT NOT NULL,
  details TEXT NOT NULL,
  duration_ms BIGINT NOT NULL,
  PRIMARY KEY (execution_id, seq)
);

CREATE TABLE reservations (
  token TEXT PRIMARY KEY,
  execution_id TEXT NOT NULL,
  destination_id TEXT NOT NULL,
  path TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  UNIQUE (destination_id, path)
);
CREATE INDEX reservations_execution ON reservations (execution_id);

CREATE TABLE backups (
  id TEXT PRIMARY KEY,
  destination_id TEXT NOT NULL,
  path TEXT NOT NULL,
  execution_id TEXT NOT NULL,
  job_id TEXT NOT NULL,
  job_name TEXT NOT NULL,
  profile_id TEXT NOT NULL,
  size BIGINT NOT NULL,
  modified_at BIGINT NOT NULL,
  locked BIGINT NOT NULL,
  signature TEXT NOT NULL,
  sidecar TEXT NOT NULL,
  seen_at BIGINT NOT NULL,
  UNIQUE (destination_id, path)
);
CREATE INDEX backups_newest ON backups (destination_id, modified_at DESC, path DESC);
CREATE INDEX backups_profile ON backups (profile_id);

CREATE TABLE api_keys (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  prefix TEXT NOT NULL,
  hash TEXT NOT NULL UNIQUE,
  permissions TEXT NOT NULL,
  user_id TEXT,
  expires_at BIGINT NOT NULL,
  last_used_at BIGINT NOT NULL,
  enabled BIGINT NOT NULL,
  created_at BIGINT NOT NULL
);

CREATE TABLE idempotency_keys (
  principal TEXT NOT NULL,
  route TEXT NOT NULL,
  idempotency_key TEXT NOT NULL,
  body_hash TEXT NOT NULL,
  status BIGINT NOT NULL,
  answer TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (principal, route, idempotency_key)
);
CREATE INDEX idempotency_keys_created ON idempotency_keys (created_at);
