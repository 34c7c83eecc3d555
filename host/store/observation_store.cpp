#include "store/observation_store.hpp"

#include "store/query.hpp"

namespace dbackup::host {

void ObservationStore::insert(Session& session, const HealthCheck& check) const {
  const long long latency = check.latency_ms;
  const long long at = check.created_at;
  Query query{session,
              "INSERT INTO health_checks (id, adapter_id, status, latency_ms, error, created_at) "
              "VALUES (:a, :b, :c, :d, :e, :f)"};
  query.bind(check.id).bind(check.adapter_id).bind(check.status).bind(latency);
  query.bind(check.error).bind(at).run();
}

void ObservationStore::insert(Session& session, const VersionChange& change) const {
  const long long at = change.detected_at;
  Query query{
      session,
      "INSERT INTO version_changes (id, adapter_id, previous_version, new_version, edition, "
      "detected_at) VALUES (:a, :b, :c, :d, :e, :f)"};
  query.bind(change.id).bind(change.adapter_id).bind(change.previous_version);
  query.bind(change.new_version).bind(change.edition).bind(at).run();
}

void ObservationStore::insert(Session& session, const StorageSnapshot& snapshot) const {
  const long long size = snapshot.size_bytes;
  const long long count = snapshot.file_count;
  const long long at = snapshot.created_at;
  Query query{session,
              "INSERT INTO storage_snapshots (id, adapter_id, size_bytes, file_count, created_at) "
              "VALUES (:a, :b, :c, :d, :e)"};
  query.bind(snapshot.id).bind(snapshot.adapter_id).bind(size).bind(count).bind(at).run();
}

std::vector<HealthCheck> ObservationStore::health(Session& session, const std::string& adapter_id,
                                                  TimeMs from, int64_t limit) const {
  HealthCheck row{.adapter_id = adapter_id};
  long long latency = 0;
  long long at = 0;
  const long long since = from;
  const long long most = limit;
  Query query{session,
              "SELECT id, status, latency_ms, error, created_at FROM health_checks "
              "WHERE adapter_id = :a AND created_at >= :f "
              "ORDER BY created_at DESC, id DESC LIMIT :n"};
  query.out(row.id).out(row.status).out(latency).out(row.error).out(at);
  query.bind(adapter_id).bind(since).bind(most);
  std::vector<HealthCheck> out;
  while (query.next()) {
    row.latency_ms = latency;
    row.created_at = at;
    out.push_back(row);
  }
  return out;
}

std::vector<VersionChange> ObservationStore::versions(Session& session,
                                                      const std::string& adapter_id,
                                                      int64_t limit) const {
  VersionChange row{.adapter_id = adapter_id};
  long long at = 0;
  const long long most = limit;
  Query query{session,
              "SELECT id, previous_version, new_version, edition, detected_at FROM version_changes "
              "WHERE adapter_id = :a ORDER BY detected_at DESC, id DESC LIMIT :n"};
  query.out(row.id).out(row.previous_version).out(row.new_version).out(row.edition).out(at);
  query.bind(adapter_id).bind(most);
  std::vector<VersionChange> out;
  while (query.next()) {
    row.detected_at = at;
    out.push_back(row);
  }
  return out;
}

std::vector<StorageSnapshot> ObservationStore::snapshots(Session& session,
                                                         const std::string& adapter_id,
                                                         TimeMs from) const {
  StorageSnapshot row{.adapter_id = adapter_id};
  long long size = 0;
  long long count = 0;
  long long at = 0;
  const long long since = from;
  Query query{session,
              "SELECT id, size_bytes, file_count, created_at FROM storage_snapshots "
              "WHERE adapter_id = :a AND created_at >= :f ORDER BY created_at DESC, id DESC"};
  query.out(row.id).out(size).out(count).out(at).bind(adapter_id).bind(since);
  std::vector<StorageSnapshot> out;
  while (query.next()) {
    row.size_bytes = size;
    row.file_count = count;
    row.created_at = at;
    out.push_back(row);
  }
  return out;
}

int64_t ObservationStore::remove_health_before(Session& session, TimeMs at) const {
  const long long before = at;
  return Query{session, "DELETE FROM health_checks WHERE created_at < :t"}.bind(before).run();
}

int64_t ObservationStore::remove_snapshots_before(Session& session, TimeMs at) const {
  const long long before = at;
  return Query{session, "DELETE FROM storage_snapshots WHERE created_at < :t"}.bind(before).run();
}

}  // namespace dbackup::host
