-- Lists, counts and filters of runs and of stored backups walk an index in the order in which they are
-- shown, however many rows there are; and the log of notifications.

DROP INDEX executions_started;
DROP INDEX executions_status;
DROP INDEX executions_job;
CREATE INDEX executions_started ON executions (started_at, id);
CREATE INDEX executions_status ON executions (status, started_at, id);
CREATE INDEX executions_type ON executions (type, started_at, id);
CREATE INDEX executions_type_status ON executions (type, status, started_at, id);
CREATE INDEX executions_job ON executions (job_id, started_at, id);
CREATE INDEX executions_job_status ON executions (job_id, status, started_at, id);
-- Runs that ended since somebody looked; 0 are those that have not.
CREATE INDEX executions_ended ON executions (ended_at, id);

CREATE INDEX jobs_newest ON jobs (created_at, id);

-- Labels of runs, for the search alone: the row of the run has them all. Names of columns differ from
-- those of executions, so that both can stand in one statement.
CREATE TABLE execution_labels (
  run_id TEXT NOT NULL REFERENCES executions (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  value TEXT NOT NULL,
  run_started_at BIGINT NOT NULL,
  PRIMARY KEY (run_id, name)
);
CREATE INDEX execution_labels_value ON execution_labels (name, value, run_started_at, run_id);

-- Newest backup of a job, by id or by name; sizes and times of a destination without its side files.
CREATE INDEX backups_job ON backups (destination_id, job_id, modified_at, path);
CREATE INDEX backups_job_name ON backups (destination_id, job_name, modified_at, path);
CREATE INDEX backups_seen ON backups (destination_id, seen_at);
DROP INDEX backups_profile;
CREATE INDEX backups_profile ON backups (profile_id, modified_at);
CREATE INDEX backups_sizes ON backups (destination_id, size);

CREATE TABLE backup_labels (
  place_id TEXT NOT NULL,
  place_path TEXT NOT NULL,
  name TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (place_id, place_path, name),
  FOREIGN KEY (place_id, place_path) REFERENCES backups (destination_id, path) ON DELETE CASCADE
);
CREATE INDEX backup_labels_value ON backup_labels (place_id, name, value, place_path);

-- What was told to whom. It stays when the channel or the run goes.
CREATE TABLE notification_logs (
  id TEXT PRIMARY KEY,
  event_type TEXT NOT NULL,
  channel_id TEXT NOT NULL,
  channel_name TEXT NOT NULL,
  adapter_id TEXT NOT NULL,
  status TEXT NOT NULL,
  title TEXT NOT NULL,
  message TEXT NOT NULL,
  fields TEXT NOT NULL,
  color TEXT NOT NULL,
  rendered_html TEXT NOT NULL,
  rendered_payload TEXT NOT NULL,
  error TEXT NOT NULL,
  execution_id TEXT NOT NULL,
  sent_at BIGINT NOT NULL
);
CREATE INDEX notification_logs_sent ON notification_logs (sent_at, id);
CREATE INDEX notification_logs_execution ON notification_logs (execution_id, sent_at, id);
CREATE INDEX notification_logs_adapter ON notification_logs (adapter_id, sent_at, id);
CREATE INDEX notification_logs_event ON notification_logs (event_type, sent_at, id);
CREATE INDEX notification_logs_status ON notification_logs (status, sent_at, id);
