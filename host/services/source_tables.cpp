#include "services/source_tables.hpp"

#include "control/control_plane.hpp"
#include "protocol/message_json.hpp"
#include "services/adapter_failure.hpp"
#include "services/adapter_service.hpp"
#include "services/rights.hpp"

namespace dbackup::host {
namespace {

constexpr std::chrono::seconds kDeadline{60};

}  // namespace

protocol::AdapterRef SourceTables::resolve(const SourceTarget& target, const char* capability,
                                           const char* what) const {
  std::optional<AdapterConfig> stored;
  if (!target.source_id.empty()) {
    control_.context().database.read(
        [&](Session& session) { stored = require_adapter(session, target.source_id); });
    if (stored->type != kDatabaseType) throw Error(ErrorCode::NotFound, "source not found");
  }
  if (!stored && (target.adapter_id.empty() || !target.config)) {
    throw Error(ErrorCode::InvalidArgument,
                "\"sourceId\" is required, or \"adapterId\" together with \"config\"");
  }
  const std::string kind =
      target.config && !target.adapter_id.empty() ? target.adapter_id : stored->adapter_id;
  const auto plugin = control_.plugins().find(kind, protocol::AdapterKind::Source);
  if (!plugin) throw Error(ErrorCode::NotFound, "unsupported adapter \"" + kind + "\"");
  if (!plugin->descriptor.can(capability)) {
    throw Error(ErrorCode::InvalidArgument, plugin->descriptor.name + " cannot show " + what);
  }
  if (target.config) return control_.resolver().resolve_plain(kind, *target.config);
  return control_.resolver().resolve(*stored);
}

std::vector<Json> SourceTables::ask(protocol::Operation operation, const Json& request,
                                    Json* result) {
  std::vector<Json> items;
  as_adapter_failure([&] {
    WorkerCall call;
    call.deadline = kDeadline;
    call.on_event = [&items](const protocol::Event& event) {
      if (event.kind == protocol::EventKind::Item) items.push_back(event.data);
    };
    Json answer = control_.workers().run(operation, request, call);
    if (result != nullptr) *result = std::move(answer);
  });
  return items;
}

DatabaseStats SourceTables::stats(const SourceTarget& target) {
  const protocol::AdapterRequest request{.adapter =
                                             resolve(target, "listDatabases", "its databases")};
  DatabaseStats out;
  Json answer;
  for (const Json& item : ask(protocol::Operation::DatabaseStats, request, &answer)) {
    Json database{{"name", get_string(item, "name").value_or("")}};
    for (const char* key : {"sizeInBytes", "tableCount"}) {
      if (const auto value = get_int(item, key)) database[key] = *value;
    }
    if (const auto path = get_string(item, "path")) database["path"] = *path;
    out.databases.push_back(std::move(database));
  }
  out.version = get_string(answer, "version").value_or("");
  out.edition = get_string(answer, "edition").value_or("");
  return out;
}

std::vector<Json> SourceTables::tables(const SourceTarget& target, const std::string& database) {
  const protocol::TablesRequest request{.adapter = resolve(target, "tables", "its tables"),
                                        .database = database};
  return ask(protocol::Operation::Tables, request);
}

TableRows SourceTables::rows(const SourceTarget& target, const Json& query) {
  const protocol::RowsRequest request{.adapter = resolve(target, "rows", "rows of its tables"),
                                      .query = query};
  std::vector<Json> items = ask(protocol::Operation::Rows, request);
  if (items.empty()) throw Error(ErrorCode::Internal, "the adapter gave no columns");
  TableRows out;
  for (const Json& column : items.front().at("columns")) out.columns.push_back(column);
  out.total_count = get_int(items.front(), "totalCount").value_or(0);
  out.rows.assign(std::make_move_iterator(items.begin() + 1), std::make_move_iterator(items.end()));
  return out;
}

}  // namespace dbackup::host
