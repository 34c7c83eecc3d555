#include "store/audit_store.hpp"

#include <utility>

#include "store/columns.hpp"
#include "store/query.hpp"

namespace dbackup::host {
namespace {

/// The rest of a SELECT, and what it binds, in order.
struct Condition {
  explicit Condition(const AuditFilter& filter) {
    also(filter.user_id, "user_id = :u");
    also(filter.action, "action = :a");
    also(filter.resource, "resource = :r");
    if (!filter.search.empty()) {
      const std::string part = "%" + escaped(filter.search) + "%";
      for (int i = 0; i < 4; ++i) texts.push_back(part);
      add("(LOWER(details) LIKE LOWER(:s1) ESCAPE '!' OR LOWER(resource_id) LIKE LOWER(:s2) ESCAPE '!' OR "
          "LOWER(ip_address) LIKE LOWER(:s3) ESCAPE '!' OR LOWER(user_agent) LIKE LOWER(:s4) ESCAPE '!')");
    }
    also(filter.from, "created_at >= :f");
    also(filter.to, "created_at <= :t");
  }
  void bind_to(Query& query) const {
    for (const auto& text : texts) query.bind(text);
    for (const auto& number : numbers) query.bind(number);
  }

  std::string sql;
  std::vector<std::string> texts;
  std::vector<long long> numbers;  ///< after the texts

 private:
  void add(const std::string& condition) { sql += (sql.empty() ? "WHERE " : " AND ") + condition; }
  void also(const std::string& text, const char* condition) {
    if (text.empty()) return;
    texts.push_back(text);
    add(condition);
  }
  void also(const std::optional<TimeMs>& time, const char* condition) {
    if (!time) return;
    numbers.push_back(*time);
    add(condition);
  }
  /// With "!" before what LIKE would read as a pattern.
  static std::string escaped(const std::string& text) {
    std::string out;
    for (const char c : text) {
      if (c == '%' || c == '_' || c == '!') out += '!';
      out += c;
    }
    return out;
  }
};

std::vector<std::pair<std::string, int64_t>> count_by(Session& session, const std::string& column) {
  std::string value;
  long long count = 0;
  Query query{session, "SELECT " + column + ", COUNT(*) FROM audit_log GROUP BY " + column + " ORDER BY " + column};
  query.out(value).out(count);
  std::vector<std::pair<std::string, int64_t>> out;
  while (query.next()) out.emplace_back(value, count);
  return out;
}

}  // namespace

std::vector<AuditEntry> AuditStore::list(Session& session, const AuditFilter& filter) const {
  Condition condition{filter};
  AuditEntry row;
  std::string details;
  long long created_at = 0;
  std::string sql =
      "SELECT id, user_id, api_key_id, action, resource, resource_id, details, ip_address, user_agent, "
      "created_at FROM audit_log " +
      condition.sql + " ORDER BY created_at DESC, id DESC";
  if (filter.limit > 0) {
    sql += " LIMIT :limit OFFSET :offset";
    condition.numbers.insert(condition.numbers.end(), {filter.limit, filter.offset});
  }
  Query query{session, sql};
  query.out(row.id).out(row.user_id).out(row.api_key_id).out(row.action).out(row.resource);
  query.out(row.resource_id).out(details).out(row.ip_address).out(row.user_agent).out(created_at);
  condition.bind_to(query);
  std::vector<AuditEntry> out;
  while (query.next()) {
    row.details = columns::json_column(details);
    row.created_at = created_at;
    out.push_back(row);
  }
  return out;
}

int64_t AuditStore::count(Session& session, const AuditFilter& filter) const {
  const Condition condition{filter};
  long long count = 0;
  Query query{session, "SELECT COUNT(*) FROM audit_log " + condition.sql};
  query.out(count);
  condition.bind_to(query);
  query.next();
  return count;
}

std::vector<std::pair<std::string, int64_t>> AuditStore::count_by_action(Session& session) const {
  return count_by(session, "action");
}

std::vector<std::pair<std::string, int64_t>> AuditStore::count_by_resource(Session& session) const {
  return count_by(session, "resource");
}

std::map<std::string, AuditUser> AuditStore::users(Session& session,
                                                   const std::set<std::string>& ids) const {
  std::map<std::string, AuditUser> out;
  if (ids.empty()) return out;
  AuditUser row;
  std::string wanted;
  Query query{session, "SELECT id, name, email, image FROM users WHERE id = :id"};
  query.out(row.id).out(row.name).out(row.email).out(row.image).bind(std::as_const(wanted));
  for (const auto& id : ids) {
    wanted = id;
    query.again();
    while (query.next()) out[row.id] = row;
  }
  return out;
}

void AuditStore::insert(Session& session, const AuditEntry& entry) const {
  const std::string details = dump_json(entry.details);
  const long long created_at = entry.created_at;
  Query query{session,
              "INSERT INTO audit_log (id, user_id, api_key_id, action, resource, resource_id, details, "
              "ip_address, user_agent, created_at) VALUES (:a, :b, :c, :d, :e, :f, :g, :h, :i, :j)"};
  query.bind(entry.id).bind(entry.user_id).bind(entry.api_key_id).bind(entry.action);
  query.bind(entry.resource).bind(entry.resource_id).bind(details).bind(entry.ip_address);
  query.bind(entry.user_agent).bind(created_at).run();
}

int64_t AuditStore::remove_older_than(Session& session, TimeMs limit) const {
  const long long before = limit;
  return Query{session, "DELETE FROM audit_log WHERE created_at < :at"}.bind(before).run();
}

}  // namespace dbackup::host
