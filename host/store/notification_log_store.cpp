#include "store/notification_log_store.hpp"

#include "store/query.hpp"

namespace dbackup::host {
namespace {

constexpr const char* kSelect =
    "SELECT id, event_type, channel_id, channel_name, adapter_id, status, title, message, fields, "
    "color, rendered_html, rendered_payload, error, execution_id, sent_at FROM notification_logs ";

struct Where {
  explicit Where(const NotificationLogFilter& filter) {
    also("adapter_id = :a", filter.adapter_id);
    also("event_type = :e", filter.event_type);
    also("status = :s", filter.status);
    also("execution_id = :x", filter.execution_id);
  }
  void also(const std::string& condition, const std::string& value) {
    if (value.empty()) return;
    text += (text.empty() ? "WHERE " : "AND ") + condition + " ";
    values.push_back(value);
  }
  void bind_to(Query& query) const {
    for (const std::string& value : values) query.bind(value);
  }
  std::string text;
  std::vector<std::string> values;
};

std::vector<NotificationLog> select(Session& session, const std::string& rest, const Where* where,
                                    const std::string* id) {
  NotificationLog row;
  long long sent_at = 0;
  Query query{session, kSelect + rest};
  query.out(row.id)
      .out(row.event_type)
      .out(row.channel_id)
      .out(row.channel_name)
      .out(row.adapter_id);
  query.out(row.status).out(row.title).out(row.message).out(row.fields).out(row.color);
  query.out(row.rendered_html).out(row.rendered_payload).out(row.error).out(row.execution_id);
  query.out(sent_at);
  if (where != nullptr) where->bind_to(query);
  if (id != nullptr) query.bind(*id);
  std::vector<NotificationLog> out;
  while (query.next()) {
    out.push_back(row);
    out.back().sent_at = sent_at;
  }
  return out;
}

}  // namespace

void NotificationLogStore::insert(Session& session, const NotificationLog& e) const {
  const long long sent_at = e.sent_at;
  Query query{
      session,
      "INSERT INTO notification_logs (id, event_type, channel_id, channel_name, adapter_id, "
      "status, title, message, fields, color, rendered_html, rendered_payload, error, "
      "execution_id, sent_at) VALUES (:a, :b, :c, :d, :e, :f, :g, :h, :i, :j, :k, :l, :m, :n, :o)"};
  query.bind(e.id).bind(e.event_type).bind(e.channel_id).bind(e.channel_name).bind(e.adapter_id);
  query.bind(e.status).bind(e.title).bind(e.message).bind(e.fields).bind(e.color);
  query.bind(e.rendered_html).bind(e.rendered_payload).bind(e.error).bind(e.execution_id);
  query.bind(sent_at).run();
}

std::optional<NotificationLog> NotificationLogStore::find(Session& session,
                                                          const std::string& id) const {
  auto rows = select(session, "WHERE id = :id", nullptr, &id);
  if (rows.empty()) return std::nullopt;
  return std::move(rows.front());
}

std::vector<NotificationLog> NotificationLogStore::list(Session& session,
                                                        const NotificationLogFilter& filter,
                                                        int64_t limit, int64_t offset) const {
  const Where where{filter};
  // The page is found in an index; whole rows, which are wide, are read for it alone.
  return select(session,
                "WHERE id IN (SELECT id FROM notification_logs " + where.text +
                    "ORDER BY sent_at DESC, id DESC LIMIT " + std::to_string(limit) + " OFFSET " +
                    std::to_string(offset) + ") ORDER BY sent_at DESC, id DESC",
                &where, nullptr);
}

int64_t NotificationLogStore::count(Session& session, const NotificationLogFilter& filter,
                                    int64_t most) const {
  const Where where{filter};
  long long count = 0;
  std::string from = "FROM notification_logs " + where.text;
  if (most > 0) from = "FROM (SELECT 1 " + from + "LIMIT " + std::to_string(most) + ") AS counted";
  Query query{session, "SELECT COUNT(*) " + from};
  query.out(count);
  where.bind_to(query);
  while (query.next()) {
  }
  return count;
}

int64_t NotificationLogStore::remove_older_than(Session& session, TimeMs limit) const {
  const long long before = limit;
  return Query{session, "DELETE FROM notification_logs WHERE sent_at < :at"}.bind(before).run();
}

}  // namespace dbackup::host
