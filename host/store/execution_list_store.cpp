#include "store/execution_list_store.hpp"

#include <initializer_list>
#include <variant>

#include "store/execution_row.hpp"

namespace dbackup::host {
namespace {

/// Up to so many runs with a label, its index is walked; beyond it that of the other conditions.
constexpr int64_t kFewLabelled = 500;

/// The part of a statement behind its columns, with what is bound to it.
class Choice {
 public:
  using Value = std::variant<std::string, long long>;

  /// `condition` has a "?" for each value.
  void also(const std::string& condition, std::initializer_list<Value> values = {}) {
    where_ += where_.empty() ? " WHERE " : " AND ";
    auto value = values.begin();
    for (const char c : condition) {
      if (c != '?') {
        where_ += c;
        continue;
      }
      values_.push_back(*value++);
      // A name of its own each: SQLite takes equal names for one parameter.
      where_ += ":p" + std::to_string(values_.size());
    }
  }

  void bind_to(Query& query) const {
    for (const auto& value : values_)
      std::visit([&query](const auto& one) { query.bind(one); }, value);
  }

  std::string tables = "FROM executions", time = "started_at", id = "id";
  std::string text() const { return tables + where_; }
  std::string newest_first() const { return " ORDER BY " + time + " DESC, " + id + " DESC"; }

 private:
  std::string where_;
  std::vector<Value> values_;
};

int64_t count_of(Session& session, const Choice& choice, int64_t most) {
  long long count = 0;
  Query query{session, most > 0 ? "SELECT COUNT(*) FROM (SELECT 1 " + choice.text() + " LIMIT " +
                                      std::to_string(most) + ") AS counted"
                                : "SELECT COUNT(*) " + choice.text()};
  query.out(count);
  choice.bind_to(query);
  while (query.next()) {
  }
  return count;
}

Choice with_label(const std::pair<std::string, std::string>& label) {
  Choice choice;
  choice.tables = "FROM execution_labels";
  choice.time = "run_started_at";
  choice.id = "run_id";
  choice.also("name = ?", {label.first});
  choice.also("value = ?", {label.second});
  return choice;
}

void begun_within(Choice& choice, const ExecutionFilter& filter) {
  if (filter.from) choice.also(choice.time + " >= ?", {static_cast<long long>(*filter.from)});
  if (filter.before) choice.also(choice.time + " < ?", {static_cast<long long>(*filter.before)});
}

/// A run of one label stands in the label's own index with its start. That index leads unless many
/// have the label and something else is asked for as well: then a rare label among many runs would
/// be quick, and a rare status among many with the label slow.
bool labels_lead(Session& session, const ExecutionFilter& filter) {
  if (filter.labels.empty() || !filter.job_id.empty()) return false;
  if (filter.status.empty() && filter.type.empty()) return true;
  return count_of(session, with_label(filter.labels.front()), kFewLabelled) < kFewLabelled;
}

Choice choice_of(Session& session, const ExecutionFilter& filter) {
  Choice choice;
  size_t next_label = 0;
  if (labels_lead(session, filter)) {
    choice = with_label(filter.labels.front());
    // CROSS keeps this order in SQLite, whatever its statistics say.
    choice.tables += " CROSS JOIN executions";
    choice.also("id = run_id");
    next_label = 1;
  }
  if (!filter.job_id.empty()) choice.also("job_id = ?", {filter.job_id});
  if (!filter.type.empty()) choice.also("type = ?", {filter.type});
  if (!filter.status.empty()) choice.also("status = ?", {filter.status});
  begun_within(choice, filter);
  for (size_t i = next_label; i < filter.labels.size(); ++i) {
    choice.also(
        "EXISTS (SELECT 1 FROM execution_labels further WHERE further.run_id = executions.id AND "
        "further.name = ? AND further.value = ?)",
        {filter.labels[i].first, filter.labels[i].second});
  }
  return choice;
}

void go_on_after(Choice& choice, const ExecutionPosition& position) {
  choice.also("(" + choice.time + ", " + choice.id + ") < (?, ?)",
              {static_cast<long long>(position.started_at), position.id});
}

}  // namespace

void ExecutionListStore::list(
    Session& session, const ExecutionFilter& filter, const ExecutionSlice& slice,
    const std::function<void(const Execution&, const std::string& labels)>& body) const {
  Choice choice = choice_of(session, filter);
  if (slice.after) go_on_after(choice, *slice.after);
  if (slice.offset > 0) {
    // The index alone tells where the page begins; whole rows are read from there on.
    long long started_at = 0;
    std::string id;
    bool is_there = false;
    Query skip{session, "SELECT " + choice.time + ", " + choice.id + " " + choice.text() +
                            choice.newest_first() + " LIMIT 1 OFFSET " +
                            std::to_string(slice.offset - 1)};
    skip.out(started_at).out(id);
    choice.bind_to(skip);
    while (skip.next()) is_there = true;
    if (!is_there) return;
    go_on_after(choice, {.started_at = started_at, .id = id});
  }
  ExecutionRow row;
  Query query{session, std::string{"SELECT "} + kExecutionColumns + choice.text() +
                           choice.newest_first() + " LIMIT " + std::to_string(slice.limit)};
  row.bind(query);
  choice.bind_to(query);
  while (query.next()) body(row.plain(), row.labels);
}

void ExecutionListStore::ended_since(
    Session& session, TimeMs time, int64_t most,
    const std::function<void(const Execution&, const std::string& labels)>& body) const {
  const long long since = time;
  std::string last_ones =
      "SELECT id AS ended_id, ended_at AS ended FROM executions WHERE ended_at >= :t";
  last_ones += " ORDER BY ended_at DESC, id DESC LIMIT " + std::to_string(most);
  ExecutionRow row;
  Query query{session,
              std::string{"SELECT "} + kExecutionColumns + "FROM (" + last_ones +
                  ") AS lately CROSS JOIN executions WHERE id = ended_id ORDER BY ended, id"};
  row.bind(query);
  query.bind(since);
  while (query.next()) body(row.plain(), row.labels);
}

int64_t ExecutionListStore::count(Session& session, const ExecutionFilter& filter,
                                  int64_t most) const {
  const bool is_label_alone = filter.labels.size() == 1 && filter.job_id.empty() &&
                              filter.type.empty() && filter.status.empty();
  if (!is_label_alone) return count_of(session, choice_of(session, filter), most);
  Choice label = with_label(filter.labels.front());  // without a look at the runs themselves
  begun_within(label, filter);
  return count_of(session, label, most);
}

}  // namespace dbackup::host
