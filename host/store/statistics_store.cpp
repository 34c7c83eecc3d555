#include "store/statistics_store.hpp"

#include "store/query.hpp"

namespace dbackup::host {
namespace {

constexpr int64_t StatusCounts::*kMembers[] = {&StatusCounts::pending, &StatusCounts::running,
                                               &StatusCounts::success, &StatusCounts::partial,
                                               &StatusCounts::failed,  &StatusCounts::cancelled};
static_assert(std::size(kMembers) == kRunStatuses.size());

std::string of_type(const std::string& type) { return type.empty() ? "" : "type = :type AND "; }

}  // namespace

std::vector<StatusCounts> StatisticsStore::runs(Session& session, const std::string& type,
                                                const std::vector<TimeSpan>& spans) const {
  std::vector<StatusCounts> out(spans.size());
  if (spans.empty()) return out;
  // The spans are numbers of ours, so they stand in the text: one statement for each status, and
  // each count a walk through one piece of an index.
  std::string rows;
  for (size_t i = 0; i < spans.size(); ++i) {
    rows += (i == 0 ? "(" : ", (") + std::to_string(i) + ", " + std::to_string(spans[i].begins) +
            ", " + std::to_string(spans[i].ends) + ")";
  }
  for (size_t i = 0; i < kRunStatuses.size(); ++i) {
    const std::string status{kRunStatuses[i]};
    long long number = 0;
    long long count = 0;
    Query query{session, "SELECT column1, (SELECT COUNT(*) FROM executions WHERE " + of_type(type) +
                             "status = :status AND started_at >= column2 AND started_at < column3) "
                             "FROM (VALUES " +
                             rows + ") AS spans"};
    query.out(number).out(count);
    if (!type.empty()) query.bind(type);
    query.bind(status);
    while (query.next()) out.at(static_cast<size_t>(number)).*kMembers[i] = count;
  }
  return out;
}

std::optional<TimeSpan> StatisticsStore::extent(Session& session, const std::string& type) const {
  const auto end = [&](const char* order) {
    long long at = -1;
    Query query{session,
                std::string{"SELECT started_at FROM executions WHERE type = :type ORDER BY "
                            "started_at "} +
                    order + ", id " + order + " LIMIT 1"};
    query.out(at).bind(type);
    while (query.next()) {
    }
    return at;
  };
  const TimeSpan out{.begins = end("ASC"), .ends = end("DESC")};
  return out.begins < 0 ? std::nullopt : std::optional{out};
}

bool StatisticsStore::has_run(Session& session, const std::string& type,
                              const TimeSpan& span) const {
  const long long from = span.begins;
  const long long before = span.ends;
  long long at = 0;
  bool found = false;
  Query query{session,
              "SELECT started_at FROM executions WHERE type = :type AND started_at >= :from AND "
              "started_at < :before LIMIT 1"};
  query.out(at).bind(type).bind(from).bind(before);
  while (query.next()) found = true;
  return found;
}

StatisticsStore::Jobs StatisticsStore::jobs(Session& session) const {
  long long all = 0;
  long long enabled = 0;
  Query query{session, "SELECT COUNT(*), COALESCE(SUM(enabled), 0) FROM jobs"};
  query.out(all).out(enabled);
  while (query.next()) {
  }
  return {.all = all, .enabled = enabled};
}

std::vector<StoredSize> StatisticsStore::stored(Session& session) const {
  StoredSize row;
  long long count = 0;
  long long bytes = 0;
  long long seen_at = 0;
  Query query{
      session,
      "SELECT destination_id, COUNT(*), CAST(SUM(size) AS BIGINT), (SELECT MAX(seen_at) FROM "
      "backups seen WHERE seen.destination_id = backups.destination_id) FROM backups "
      "GROUP BY destination_id"};
  query.out(row.destination_id).out(count).out(bytes).out(seen_at);
  std::vector<StoredSize> out;
  while (query.next()) {
    row.count = count;
    row.bytes = bytes;
    row.seen_at = seen_at;
    out.push_back(row);
  }
  return out;
}

}  // namespace dbackup::host
