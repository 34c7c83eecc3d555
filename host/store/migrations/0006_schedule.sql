-- Each due time of a job, once over all hosts of the database: whoever inserts the row makes the run.
CREATE TABLE schedule_fires (
  job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
  fire_at BIGINT NOT NULL,
  execution_id TEXT NOT NULL,
  PRIMARY KEY (job_id, fire_at)
);
CREATE INDEX schedule_fires_at ON schedule_fires (fire_at);

-- The same for system tasks.
CREATE TABLE task_fires (
  task_id TEXT NOT NULL,
  fire_at BIGINT NOT NULL,
  PRIMARY KEY (task_id, fire_at)
);
CREATE INDEX task_fires_at ON task_fires (fire_at);

-- The audit log is read by what was done, to what, and when.
CREATE INDEX audit_log_action ON audit_log (action, created_at);
CREATE INDEX audit_log_resource ON audit_log (resource, created_at);
