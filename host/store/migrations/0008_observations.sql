-- What the server sees of adapters over time; it goes with its adapter.

CREATE TABLE health_checks (
  id TEXT PRIMARY KEY,
  adapter_id TEXT NOT NULL REFERENCES adapter_configs (id) ON DELETE CASCADE,
  status TEXT NOT NULL,
  latency_ms BIGINT NOT NULL,
  error TEXT NOT NULL,
  created_at BIGINT NOT NULL
);
CREATE INDEX health_checks_adapter ON health_checks (adapter_id, created_at DESC, id DESC);
CREATE INDEX health_checks_created ON health_checks (created_at);

CREATE TABLE version_changes (
  id TEXT PRIMARY KEY,
  adapter_id TEXT NOT NULL REFERENCES adapter_configs (id) ON DELETE CASCADE,
  previous_version TEXT NOT NULL,
  new_version TEXT NOT NULL,
  edition TEXT NOT NULL,
  detected_at BIGINT NOT NULL
);
CREATE INDEX version_changes_adapter ON version_changes (adapter_id, detected_at DESC, id DESC);

CREATE TABLE storage_snapshots (
  id TEXT PRIMARY KEY,
  adapter_id TEXT NOT NULL REFERENCES adapter_configs (id) ON DELETE CASCADE,
  size_bytes BIGINT NOT NULL,
  file_count BIGINT NOT NULL,
  created_at BIGINT NOT NULL
);
CREATE INDEX storage_snapshots_adapter ON storage_snapshots (adapter_id, created_at DESC, id DESC);
CREATE INDEX storage_snapshots_created ON storage_snapshots (created_at);
