#include "store/execution_store.hpp"

#include <utility>

#include "store/execution_row.hpp"

namespace dbackup::host {
namespace {

std::string select_runs(const std::string& rest) {
  return std::string{"SELECT "} + kExecutionColumns + "FROM executions " + rest;
}

std::vector<Execution> select(Session& session, const std::string& rest, const std::string* text,
                              const long long* number) {
  ExecutionRow row;
  Query query{session, select_runs(rest)};
  row.bind(query);
  if (text != nullptr) query.bind(*text);
  if (number != nullptr) query.bind(*number);
  std::vector<Execution> out;
  while (query.next()) out.push_back(row.take());
  return out;
}

}  // namespace

namespace {

/// Polling asks this more often than anything else, so it stays prepared.
struct FindExecution {
  explicit FindExecution(Session& session) : query{session, select_runs("WHERE id = :id")} {
    row.bind(query);
    query.bind(std::as_const(id));
  }
  std::string id;
  ExecutionRow row;
  Query query;
};

}  // namespace

std::optional<Execution> ExecutionStore::find(Session& session, const std::string& id) const {
  auto& statement = session.statements().get<FindExecution>(session);
  statement.id = id;
  statement.query.again();
  std::optional<Execution> out;
  while (statement.query.next()) out = statement.row.take();
  return out;
}

bool ExecutionStore::visit(
    Session& session, const std::string& id,
    const std::function<void(const Execution&, const std::string& labels)>& body) const {
  auto& statement = session.statements().get<FindExecution>(session);
  statement.id = id;
  statement.query.again();
  bool found = false;
  while (statement.query.next()) {
    body(statement.row.plain(), statement.row.labels);
    found = true;
  }
  return found;
}

std::vector<Execution> ExecutionStore::newest(Session& session, int64_t limit) const {
  const long long count = limit;
  return select(session, "ORDER BY started_at DESC, id DESC LIMIT :limit", nullptr, &count);
}

std::vector<LastRun> ExecutionStore::last_runs(Session& session) const {
  LastRun row;
  long long started_at = 0;
  // One step into the index per job, however many executions there are.
  Query query{session,
              "SELECT jobs.id, e.started_at, e.status FROM jobs JOIN executions e ON e.id = "
              "(SELECT newest.id FROM executions newest WHERE newest.job_id = jobs.id "
              "ORDER BY newest.started_at DESC, newest.id DESC LIMIT 1)"};
  query.out(row.job_id).out(started_at).out(row.status);
  std::vector<LastRun> out;
  while (query.next()) {
    row.started_at = started_at;
    out.push_back(row);
  }
  return out;
}

namespace {

/// Asked for every job of a page.
struct LastRunOfJob {
  explicit LastRunOfJob(Session& session)
      : query{session,
              "SELECT started_at, status FROM executions WHERE job_id = :job "
              "ORDER BY started_at DESC, id DESC LIMIT 1"} {
    query.out(started_at).out(status).bind(std::as_const(job_id));
  }
  std::string job_id, status;
  long long started_at = 0;
  Query query;
};

}  // namespace

std::optional<LastRun> ExecutionStore::last_run(Session& session, const std::string& job_id) const {
  auto& statement = session.statements().get<LastRunOfJob>(session);
  statement.job_id = job_id;
  statement.query.again();
  std::optional<LastRun> out;
  while (statement.query.next())
    out = LastRun{.job_id = job_id, .status = statement.status, .started_at = statement.started_at};
  return out;
}

void ExecutionStore::insert(Session& session, const Execution& e) const {
  const std::string metadata = dump_json(e.metadata);
  const std::string labels = dump_json(e.labels);
  const std::string options = dump_json(e.options);
  const long long progress = e.progress;
  const long long started_at = e.started_at;
  const long long ended_at = columns::time_or_zero(e.ended_at);
  const long long size = e.size;
  const long long heartbeat_at = e.heartbeat_at;
  Query query{session,
              "INSERT INTO executions (id, job_id, job_name, type, status, progress, stage, detail, "
              "started_at, ended_at, size, path, error, metadata, trigger_type, trigger_label, labels, "
              "options, host_id, heartbeat_at) VALUES (:a, NULLIF(:b, ''), :c, :d, :e, :f, :g, :h, :i, "
              ":j, :k, :l, :m, :n, :o, :p, :q, :r, :s, :t)"};
  query.bind(e.id).bind(e.job_id).bind(e.job_name).bind(e.type).bind(e.status).bind(progress);
  query.bind(e.stage).bind(e.detail).bind(started_at).bind(ended_at).bind(size).bind(e.path);
  query.bind(e.error).bind(metadata).bind(e.trigger_type).bind(e.trigger_label).bind(labels);
  query.bind(options).bind(e.host_id).bind(heartbeat_at).run();
  if (!e.labels.is_object()) return;
  for (const auto& [name, value] : e.labels.items()) {
    if (!value.is_string()) continue;
    const auto& text = value.get_ref<const std::string&>();
    Query label{session,
                "INSERT INTO execution_labels (run_id, name, value, run_started_at) "
                "VALUES (:r, :n, :v, :s)"};
    label.bind(e.id).bind(name).bind(text).bind(started_at).run();
  }
}

std::optional<Execution> ExecutionStore::claim_next(Session& session, const std::string& host_id,
                                                    int64_t limit, TimeMs now) const {
  const long long most = limit;
  const long long at = now;
  std::string id;
  // The inner select sees a row that another host claims meanwhile only on PostgreSQL, where it is
  // locked and skipped; SQLite's writers are one at a time.
  Query query{session,
              std::string("UPDATE executions SET status = 'Running', host_id = :host, started_at = :at, "
                          "heartbeat_at = :at2, stage = 'Initializing' WHERE id = (SELECT id FROM "
                          "executions WHERE status = 'Pending' AND (SELECT COUNT(*) FROM executions "
                          "WHERE status = 'Running') < :most ORDER BY started_at, id LIMIT 1") +
                  (session.is_sqlite() ? "" : " FOR UPDATE SKIP LOCKED") +
                  ") AND status = 'Pending' RETURNING id"};
  query.out(id).bind(host_id).bind(at).bind(at).bind(most);
  if (!query.next()) return std::nullopt;
  const std::string claimed = id;
  while (query.next()) {
  }
  Query labels{session, "UPDATE execution_labels SET run_started_at = :at WHERE run_id = :id"};
  labels.bind(at).bind(claimed).run();
  return find(session, claimed);
}

void ExecutionStore::set_progress(Session& session, const std::string& id, int64_t progress,
                                  const std::string& stage, const std::string& detail,
                                  TimeMs now) const {
  const long long percent = progress;
  const long long at = now;
  Query query{session,
              "UPDATE executions SET progress = :p, stage = :s, detail = :d, heartbeat_at = :h "
              "WHERE id = :id AND status = 'Running'"};
  query.bind(percent).bind(stage).bind(detail).bind(at).bind(id).run();
}

namespace {

/// A run that has ended needs its login no more: not even sealed does it stay.
void forget_login(Session& session, const std::string& id) {
  std::string text;
  Query query{session, "SELECT options FROM executions WHERE id = :id"};
  query.out(text).bind(id);
  const bool found = query.next();
  const std::string before = text;
  while (query.next()) {
  }
  Json options = found ? columns::json_column(before) : Json{};
  if (!options.is_object() || options.value("sealedLogin", "").empty()) return;
  options["sealedLogin"] = "";
  const std::string after = dump_json(options);
  Query update{session, "UPDATE executions SET options = :options WHERE id = :id"};
  update.bind(after).bind(id).run();
}

bool end_where(Session& session, const std::string& condition, const ExecutionEnd& end,
               const std::vector<std::string>& values) {
  const std::string metadata = dump_json(end.metadata);
  const long long size = end.size;
  const long long ended_at = end.ended_at;
  const long long is_success = end.status == "Success" || end.status == "Partial" ? 1 : 0;
  Query query{session,
              "UPDATE executions SET status = :status, error = :error, path = :path, size = :size, "
              "metadata = :metadata, ended_at = :ended, "
              "progress = CASE WHEN :good = 1 THEN 100 ELSE progress END, "
              "stage = CASE WHEN :good2 = 1 THEN 'Completed' ELSE stage END, detail = '' WHERE " +
                  condition};
  query.bind(end.status).bind(end.error).bind(end.path).bind(size).bind(metadata).bind(ended_at);
  query.bind(is_success).bind(is_success);
  for (const auto& value : values) query.bind(value);
  if (query.run() == 0) return false;
  forget_login(session, values.front());  // every condition begins with the id
  return true;
}

}  // namespace

bool ExecutionStore::end(Session& session, const std::string& id, const std::string& host_id,
                         const ExecutionEnd& end) const {
  return end_where(session, "id = :id AND host_id = :host AND status = 'Running'", end, {id, host_id});
}

bool ExecutionStore::end_abandoned(Session& session, const std::string& id,
                                   const ExecutionEnd& end) const {
  return end_where(session, "id = :id AND status = 'Running'", end, {id});
}

bool ExecutionStore::cancel_pending(Session& session, const std::string& id, TimeMs now,
                                    const std::string& error) const {
  const long long at = now;
  Query query{session,
              "UPDATE executions SET status = 'Cancelled', stage = 'Cancelled', progress = 0, "
              "error = :error, ended_at = :at WHERE id = :id AND status = 'Pending'"};
  if (query.bind(error).bind(at).bind(id).run() == 0) return false;
  forget_login(session, id);
  return true;
}

void ExecutionStore::set_metadata(Session& session, const std::string& id,
                                  const Json& metadata) const {
  const std::string text = dump_json(metadata);
  Query query{session, "UPDATE executions SET metadata = :m WHERE id = :id"};
  query.bind(text).bind(id).run();
}

std::vector<Execution> ExecutionStore::running_elsewhere(Session& session,
                                                         const std::string& host_id) const {
  return select(session, "WHERE status = 'Running' AND host_id <> :host ORDER BY started_at", &host_id,
                nullptr);
}

int64_t ExecutionStore::count_running(Session& session) const {
  long long count = 0;
  Query query{session, "SELECT COUNT(*) FROM executions WHERE status = 'Running'"};
  query.out(count);
  query.next();
  return count;
}

void ExecutionStore::append_logs(Session& session, const std::string& execution_id,
                                 const std::vector<LogEntry>& entries) const {
  LogEntry row;
  long long seq = 0;
  long long at = 0;
  long long duration = 0;
  // Prepared once for the batch: preparing is what costs.
  soci::statement statement =
      (session.raw().prepare << "INSERT INTO execution_logs (execution_id, seq, at, level, type, stage, "
                                "message, details, duration_ms) VALUES (:a, :b, :c, :d, :e, :f, :g, :h, :i)",
       soci::use(execution_id), soci::use(seq), soci::use(at), soci::use(row.level),
       soci::use(row.type), soci::use(row.stage), soci::use(row.message), soci::use(row.details),
       soci::use(duration));
  for (const LogEntry& entry : entries) {
    row = entry;
    seq = entry.seq;
    at = entry.at;
    duration = entry.duration_ms.value_or(-1);
    statement.execute(true);
  }
}

std::vector<LogEntry> ExecutionStore::logs(Session& session, const std::string& execution_id,
                                           int64_t after_seq, int64_t limit) const {
  const long long after = after_seq;
  LogEntry row;
  long long seq = 0;
  long long at = 0;
  long long duration = 0;
  Query query{session,
              "SELECT seq, at, level, type, stage, message, details, duration_ms FROM execution_logs "
              "WHERE execution_id = :id AND seq > :after ORDER BY seq" +
                  (limit > 0 ? " LIMIT " + std::to_string(limit) : std::string{})};
  query.out(seq).out(at).out(row.level).out(row.type).out(row.stage).out(row.message);
  query.out(row.details).out(duration).bind(execution_id).bind(after);
  std::vector<LogEntry> out;
  while (query.next()) {
    LogEntry entry = row;
    entry.seq = seq;
    entry.at = at;
    if (duration >= 0) entry.duration_ms = duration;
    out.push_back(std::move(entry));
  }
  return out;
}

int64_t ExecutionStore::last_log_seq(Session& session, const std::string& execution_id) const {
  long long seq = 0;
  Query query{session, "SELECT COALESCE(MAX(seq), 0) FROM execution_logs WHERE execution_id = :id"};
  query.out(seq).bind(execution_id);
  query.next();
  return seq;
}

}  // namespace dbackup::host
