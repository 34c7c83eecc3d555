-- Templates of all five kinds, and what jobs refer to as rows that the database itself looks after.
-- `content` is a JSON object of what a kind has beside the common columns: config of a retention
-- policy, schedule, pattern, patterns and groups of an exclude preset.

CREATE TABLE templates (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  description TEXT NOT NULL,
  content TEXT NOT NULL,
  is_default BIGINT NOT NULL,
  is_system BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  UNIQUE (kind, name)
);
-- Of exclude presets several may be defaults.
CREATE UNIQUE INDEX templates_default ON templates (kind) WHERE is_default = 1 AND kind <> 'exclude-presets';

-- Channels of notification templates.
CREATE TABLE template_channels (
  id TEXT PRIMARY KEY,
  template_id TEXT NOT NULL REFERENCES templates (id) ON DELETE CASCADE,
  config_id TEXT NOT NULL REFERENCES adapter_configs (id),
  events TEXT NOT NULL,
  position BIGINT NOT NULL,
  UNIQUE (template_id, config_id)
);
CREATE INDEX template_channels_config ON template_channels (config_id);

INSERT INTO templates VALUES ('retention-keep-all', 'retention-policies', 'Keep all', 'Deletes nothing', '{"config":{"mode":"NONE"}}', 0, 1, 0, 0);
INSERT INTO templates VALUES ('retention-simple-14', 'retention-policies', 'Keep last 14', 'The newest 14 backups', '{"config":{"mode":"SIMPLE","simple":{"keepCount":14}}}', 0, 1, 0, 0);
INSERT INTO templates VALUES ('retention-gvs-default', 'retention-policies', 'Daily, weekly, monthly, yearly', '7 daily, 4 weekly, 12 monthly and 2 yearly backups', '{"config":{"mode":"SMART","smart":{"daily":7,"monthly":12,"weekly":4,"yearly":2}}}', 0, 1, 0, 0);
INSERT INTO templates VALUES ('naming-standard', 'naming-templates', 'Standard', 'Job, date and time', '{"pattern":"{job_name}_yyyy-MM-dd_HH-mm-ss_{chain}"}', 1, 1, 0, 0);
INSERT INTO templates VALUES ('schedule-daily-midnight', 'schedule-presets', 'Daily at midnight', '', '{"schedule":"0 0 * * *"}', 0, 0, 0, 0);
INSERT INTO templates VALUES ('schedule-daily-3am', 'schedule-presets', 'Daily at 3:00', '', '{"schedule":"0 3 * * *"}', 0, 0, 0, 0);
INSERT INTO templates VALUES ('schedule-weekly-sunday', 'schedule-presets', 'Weekly on Sunday at 2:00', '', '{"schedule":"0 2 * * 0"}', 0, 0, 0, 0);
INSERT INTO templates VALUES ('schedule-hourly', 'schedule-presets', 'Hourly', '', '{"schedule":"0 * * * *"}', 0, 0, 0, 0);
INSERT INTO templates VALUES ('schedule-monthly-1st', 'schedule-presets', 'Monthly on the 1st at 4:00', '', '{"schedule":"0 4 1 * *"}', 0, 0, 0, 0);
INSERT INTO templates VALUES ('exclude-system-junk', 'exclude-presets', 'System Junk Files', 'What macOS and Windows leave in folders', '{"excludedGroupPatterns":[],"groups":["macos","windows"],"patterns":[]}', 1, 1, 0, 0);

-- SQLite gives a reference to a new column only.
ALTER TABLE jobs DROP COLUMN naming_template_id;
ALTER TABLE jobs ADD COLUMN naming_template_id TEXT REFERENCES templates (id);
ALTER TABLE jobs DROP COLUMN schedule_preset_id;
ALTER TABLE jobs ADD COLUMN schedule_preset_id TEXT REFERENCES templates (id) ON DELETE SET NULL;
ALTER TABLE jobs DROP COLUMN notification_template_ids;
ALTER TABLE jobs DROP COLUMN directory_sources;
ALTER TABLE job_destinations DROP COLUMN retention_policy_id;
ALTER TABLE job_destinations ADD COLUMN retention_policy_id TEXT REFERENCES templates (id);
ALTER TABLE adapter_configs DROP COLUMN default_retention_policy_id;
ALTER TABLE adapter_configs ADD COLUMN default_retention_policy_id TEXT REFERENCES templates (id) ON DELETE SET NULL;
CREATE INDEX jobs_naming_template ON jobs (naming_template_id);
CREATE INDEX jobs_schedule_preset ON jobs (schedule_preset_id);
CREATE INDEX job_destinations_retention ON job_destinations (retention_policy_id);

CREATE TABLE job_notification_templates (
  id TEXT PRIMARY KEY,
  job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
  template_id TEXT NOT NULL REFERENCES templates (id),
  priority BIGINT NOT NULL,
  UNIQUE (job_id, template_id)
);
CREATE INDEX job_notification_templates_template ON job_notification_templates (template_id);

-- Folders that a job backs up.
CREATE TABLE job_sources (
  id TEXT PRIMARY KEY,
  job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
  config_id TEXT NOT NULL REFERENCES adapter_configs (id),
  path TEXT NOT NULL,
  priority BIGINT NOT NULL,
  exclude_patterns TEXT NOT NULL,
  stop_containers BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  UNIQUE (job_id, config_id, path)
);
CREATE INDEX job_sources_config ON job_sources (config_id);

CREATE TABLE job_source_presets (
  source_id TEXT NOT NULL REFERENCES job_sources (id) ON DELETE CASCADE,
  template_id TEXT NOT NULL REFERENCES templates (id) ON DELETE CASCADE,
  position BIGINT NOT NULL,
  PRIMARY KEY (source_id, template_id)
);
CREATE INDEX job_source_presets_template ON job_source_presets (template_id);
