#include "store/backup_store.hpp"

#include "store/columns.hpp"
#include "store/query.hpp"

namespace dbackup::host {
namespace {

std::vector<Reservation> select_reservations(Session& session, const std::string& where,
                                             const std::string* value) {
  Reservation row;
  long long created_at = 0;
  Query query{session,
              "SELECT token, execution_id, destination_id, path, created_at FROM reservations " + where};
  query.out(row.token).out(row.execution_id).out(row.destination_id).out(row.path).out(created_at);
  if (value != nullptr) query.bind(*value);
  std::vector<Reservation> out;
  while (query.next()) {
    out.push_back(row);
    out.back().created_at = created_at;
  }
  return out;
}

std::vector<StoredBackup> select_backups(Session& session, const std::string& rest,
                                         const std::vector<std::string>& values) {
  StoredBackup row;
  std::string sidecar;
  long long size = 0;
  long long modified_at = 0;
  long long locked = 0;
  long long seen_at = 0;
  Query query{session,
              "SELECT id, destination_id, path, execution_id, job_id, job_name, size, modified_at, "
              "locked, signature, sidecar, seen_at FROM backups " +
                  rest};
  query.out(row.id).out(row.destination_id).out(row.path).out(row.execution_id).out(row.job_id);
  query.out(row.job_name).out(size).out(modified_at).out(locked).out(row.signature).out(sidecar);
  query.out(seen_at);
  for (const auto& value : values) query.bind(value);
  std::vector<StoredBackup> out;
  while (query.next()) {
    StoredBackup backup = row;
    backup.size = size;
    backup.modified_at = modified_at;
    backup.locked = locked != 0;
    backup.sidecar = columns::json_column(sidecar);
    backup.seen_at = seen_at;
    out.push_back(std::move(backup));
  }
  return out;
}

constexpr const char* kNewestFirst = " ORDER BY modified_at DESC, path DESC";

void write_labels(Session& session, const StoredBackup& backup) {
  Query removal{session, "DELETE FROM backup_labels WHERE place_id = :d AND place_path = :p"};
  removal.bind(backup.destination_id).bind(backup.path).run();
  const Json labels = backup.sidecar.is_object() ? backup.sidecar.value("labels", Json{}) : Json{};
  if (!labels.is_object()) return;
  for (const auto& [name, value] : labels.items()) {
    if (!value.is_string()) continue;
    const auto& text = value.get_ref<const std::string&>();
    Query label{session,
                "INSERT INTO backup_labels (place_id, place_path, name, value) VALUES (:d, :p, :n, :v)"};
    label.bind(backup.destination_id).bind(backup.path).bind(name).bind(text).run();
  }
}

std::string profile_of(const Json& sidecar) {
  if (!sidecar.is_object()) return "";
  const auto encryption = sidecar.find("encryption");
  if (encryption == sidecar.end() || !encryption->is_object()) return "";
  const auto id = encryption->find("profileId");
  return id != encryption->end() && id->is_string() ? id->get<std::string>() : "";
}

}  // namespace

void ReservationStore::insert(Session& session, const Reservation& reservation) const {
  const long long created_at = reservation.created_at;
  Query query{session,
              "INSERT INTO reservations (token, execution_id, destination_id, path, created_at) "
              "VALUES (:a, :b, :c, :d, :e)"};
  query.bind(reservation.token).bind(reservation.execution_id).bind(reservation.destination_id);
  query.bind(reservation.path).bind(created_at).run();
}

std::vector<Reservation> ReservationStore::of_execution(Session& session,
                                                        const std::string& execution_id) const {
  return select_reservations(session, "WHERE execution_id = :id ORDER BY created_at", &execution_id);
}

std::vector<Reservation> ReservationStore::abandoned(Session& session) const {
  return select_reservations(session,
                             "WHERE execution_id NOT IN (SELECT id FROM executions WHERE status IN "
                             "('Pending', 'Running')) ORDER BY created_at",
                             nullptr);
}

void ReservationStore::remove(Session& session, const std::string& token) const {
  Query{session, "DELETE FROM reservations WHERE token = :token"}.bind(token).run();
}

std::vector<StoredBackup> BackupStore::list(Session& session, const std::string& destination_id,
                                            const BackupFilter& filter) const {
  std::string where = "WHERE destination_id = :d";
  std::vector<std::string> values{destination_id};
  const auto also = [&](const std::string& condition, const std::string& value) {
    if (value.empty()) return;
    where += " AND " + condition;
    values.push_back(value);
  };
  also("job_id = :j", filter.job_id);
  also("job_name = :n", filter.job_name);
  for (const auto& [name, value] : filter.labels) {
    // Of the rows in their order, so that a page ends early; the primary key finds the label.
    const std::string number = std::to_string(values.size());
    where += " AND EXISTS (SELECT 1 FROM backup_labels WHERE place_id = destination_id AND "
             "place_path = path AND name = :n" + number + " AND value = :v" + number + ")";
    values.push_back(name);
    values.push_back(value);
  }
  std::string rest = where + kNewestFirst;
  if (filter.limit > 0) {
    rest += " LIMIT " + std::to_string(filter.limit) + " OFFSET " + std::to_string(filter.offset);
  }
  return select_backups(session, rest, values);
}

std::optional<StoredBackup> BackupStore::find(Session& session, const std::string& destination_id,
                                              const std::string& path) const {
  auto rows = select_backups(session, "WHERE destination_id = :d AND path = :p", {destination_id, path});
  if (rows.empty()) return std::nullopt;
  return std::move(rows.front());
}

std::optional<StoredBackup> BackupStore::latest(Session& session, const std::string& destination_id,
                                                const std::string& job_id,
                                                const std::string& job_name) const {
  auto rows = list(session, destination_id, {.job_id = job_id, .job_name = job_name, .limit = 1});
  if (rows.empty()) return std::nullopt;
  return std::move(rows.front());
}

bool BackupStore::has_any(Session& session, const std::string& destination_id) const {
  std::string path;
  Query query{session, "SELECT path FROM backups WHERE destination_id = :d LIMIT 1"};
  query.out(path).bind(destination_id);
  bool found = false;
  while (query.next()) found = true;
  return found;
}

void BackupStore::upsert(Session& session, const StoredBackup& b) const {
  const std::string sidecar = dump_json(b.sidecar);
  const std::string profile = profile_of(b.sidecar);
  const long long size = b.size;
  const long long modified_at = b.modified_at;
  const long long locked = columns::flag(b.locked);
  const long long seen_at = b.seen_at;
  // A lock once set stays until it is taken away on purpose: the catalog or the sidecar says so.
  Query query{session,
              "INSERT INTO backups (id, destination_id, path, execution_id, job_id, job_name, "
              "profile_id, size, modified_at, locked, signature, sidecar, seen_at) VALUES (:a, :b, :c, "
              ":d, :e, :f, :g, :h, :i, :j, :k, :l, :m) ON CONFLICT (destination_id, path) DO UPDATE SET "
              "execution_id = excluded.execution_id, job_id = excluded.job_id, "
              "job_name = excluded.job_name, profile_id = excluded.profile_id, size = excluded.size, "
              "modified_at = excluded.modified_at, "
              "locked = CASE WHEN backups.locked = 1 THEN 1 ELSE excluded.locked END, "
              "signature = excluded.signature, sidecar = excluded.sidecar, seen_at = excluded.seen_at"};
  query.bind(b.id).bind(b.destination_id).bind(b.path).bind(b.execution_id).bind(b.job_id);
  query.bind(b.job_name).bind(profile).bind(size).bind(modified_at).bind(locked).bind(b.signature);
  query.bind(sidecar).bind(seen_at).run();
  write_labels(session, b);
}

void BackupStore::set_locked(Session& session, const std::string& id, bool locked) const {
  const long long value = columns::flag(locked);
  Query{session, "UPDATE backups SET locked = :l WHERE id = :id"}.bind(value).bind(id).run();
}

void BackupStore::remove(Session& session, const std::string& destination_id,
                         const std::string& path) const {
  Query query{session, "DELETE FROM backups WHERE destination_id = :d AND path = :p"};
  query.bind(destination_id).bind(path).run();
}

void BackupStore::keep_below(Session& session, const std::string& destination_id,
                             const std::string& folder, TimeMs seen_at) const {
  const long long at = seen_at;
  Query query{session,
              "UPDATE backups SET seen_at = :s WHERE destination_id = :d AND "
              "substr(path, 1, length(:f)) = :g"};
  query.bind(at).bind(destination_id).bind(folder).bind(folder).run();
}

int64_t BackupStore::remove_unseen(Session& session, const std::string& destination_id,
                                   TimeMs seen_at) const {
  const long long at = seen_at;
  Query query{session, "DELETE FROM backups WHERE destination_id = :d AND seen_at < :s"};
  return query.bind(destination_id).bind(at).run();
}

TimeMs BackupStore::last_seen(Session& session, const std::string& destination_id) const {
  long long at = 0;
  Query query{session, "SELECT COALESCE(MAX(seen_at), 0) FROM backups WHERE destination_id = :d"};
  query.out(at).bind(destination_id);
  while (query.next()) {
  }
  return at;
}

BackupStore::Totals BackupStore::totals(Session& session, const std::string& destination_id) const {
  long long count = 0;
  long long size = 0;
  // PostgreSQL's sum of BIGINT is a NUMERIC.
  Query query{session,
              "SELECT COUNT(*), CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM backups "
              "WHERE destination_id = :d"};
  query.out(count).out(size).bind(destination_id);
  while (query.next()) {
  }
  return {.count = count, .size_bytes = size};
}

std::vector<std::string> BackupStore::using_profile(Session& session, const std::string& profile_id,
                                                    int64_t limit) const {
  const long long most = limit;
  std::string path;
  Query query{session,
              "SELECT path FROM backups WHERE profile_id = :p ORDER BY modified_at DESC LIMIT :n"};
  query.out(path).bind(profile_id).bind(most);
  std::vector<std::string> out;
  while (query.next()) out.push_back(path);
  return out;
}

}  // namespace dbackup::host
