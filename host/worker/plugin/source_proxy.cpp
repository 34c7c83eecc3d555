#include "worker/plugin/source_proxy.hpp"

#include <algorithm>
#include <array>

namespace dbackup::host {
namespace {

constexpr std::array<std::string_view, 4> kTableTypes{"table", "view", "materialized_view",
                                                      "collection"};

void add_login(Json& request, const protocol::PrivilegedLogin& login) {
  if (login.user.empty() && login.password.empty()) return;
  request["privileged"] = {{"user", login.user}, {"password", login.password}};
}

}  // namespace

SourceProxy::SourceProxy(const protocol::AdapterRef& ref, Journal& journal, CancelToken cancel)
    : AdapterInstance{ref, DBACKUP_EXT_SOURCE, DBACKUP_SIZE_UP_TO(dbackup_source, restore), journal,
                      std::move(cancel)} {}

DumpAnswer SourceProxy::dump(const DumpOrder& order, ByteSink& out) {
  CallContext call = new_call();
  WriterBridge writer{call, out};
  const dbackup_status status = run(call, table().dump,
                                    {{"database", order.database},
                                     {"compressedByHost", order.compressed_by_host},
                                     {"options", order.options}},
                                    writer.raw());
  writer.rethrow();
  const Json answer = call.finish(status);
  try {
    return {.engine_version = get_string(answer, "engineVersion").value_or(""),
            .already_compressed = get_bool(answer, "alreadyCompressed").value_or(false)};
  } catch (const Error& error) {
    throw call.misbehaved("described its dump wrongly", error.what());
  }
}

void SourceProxy::restore(const RestoreOrder& order, ByteSource& in) {
  CallContext call = new_call();
  ReaderBridge reader{in};
  Json request{{"database", order.database},
               {"originalName", order.original_name},
               {"token", order.token},
               {"options", order.options}};
  add_login(request, order.privileged);
  const dbackup_status status = run(call, table().restore, request, reader.raw());
  reader.rethrow();
  call.finish(status);
}

void SourceProxy::list_databases(const std::function<void(const Json&)>& found) {
  const auto function =
      DBACKUP_HAS(dbackup_source, &table(), list_databases) ? table().list_databases : nullptr;
  ask_list(function, Json::object(), [&](const Json& item) {
    if (get_string(item, "name").value_or("").empty()) {
      throw Error(ErrorCode::Internal, library().label() + " listed a database without a name");
    }
    found(item);
  });
}

void SourceProxy::tables(const std::string& database,
                         const std::function<void(const Json&)>& found) {
  const auto function = DBACKUP_HAS(dbackup_source, &table(), tables) ? table().tables : nullptr;
  ask_list(function, {{"database", database}},
           [&](const Json& item) { found(checked([&] { return table_item(item); })); });
}

void SourceProxy::rows(const Json& query, const std::function<void(const Json&)>& found) {
  const auto function = DBACKUP_HAS(dbackup_source, &table(), rows) ? table().rows : nullptr;
  std::set<std::string> names;
  int64_t left = get_int(query, "pageSize").value_or(0);
  bool is_head = true;
  ask_list(function, query, [&](const Json& item) {
    if (is_head) {
      is_head = false;
      found(checked([&] { return rows_head(item, names); }));
      return;
    }
    if (--left < 0) throw described_wrongly("more rows than were asked for");
    for (const auto& [name, value] : item.items()) {
      if (!names.contains(name)) throw described_wrongly("a cell of no column");
      if (!value.is_null() && !value.is_string()) throw described_wrongly("a cell that is no text");
    }
    found(item);
  });
  if (is_head) throw described_wrongly("rows without their columns");
}

Json SourceProxy::table_item(const Json& item) const {
  const std::string type = get_string(item, "type").value_or("table");
  if (std::ranges::find(kTableTypes, type) == kTableTypes.end()) {
    throw described_wrongly("a table of the type \"" + type + "\"");
  }
  Json clean{{"name", item_text(item, "name")}, {"type", type}};
  for (const char* key : {"rowCount", "sizeInBytes"}) {
    if (const auto value = get_int(item, key, 0)) clean[key] = *value;
  }
  return clean;
}

/// What a reader of members objects to is the plugin's fault, not the client's.
Json SourceProxy::checked(const std::function<Json()>& read) const {
  try {
    return read();
  } catch (const Error& error) {
    if (error.code() != ErrorCode::InvalidArgument) throw;
    throw described_wrongly(std::string{"something of another shape: "} + error.what());
  }
}

Json SourceProxy::rows_head(const Json& item, std::set<std::string>& names) const {
  const auto total = get_int(item, "totalCount", 0);
  const auto columns = item.find("columns");
  if (!total || columns == item.end() || !columns->is_array()) {
    throw described_wrongly("rows without columns or count");
  }
  Json clean = Json::array();
  for (const Json& column : *columns) {
    if (!column.is_object()) throw described_wrongly("a column");
    Json out{{"name", item_text(column, "name")},
             {"dataType", get_string(column, "dataType").value_or("")}};
    for (const char* key : {"nullable", "primaryKey"}) {
      if (const auto value = get_bool(column, key)) out[key] = *value;
    }
    if (const auto value = get_string(column, "defaultValue")) out["defaultValue"] = *value;
    names.insert(out["name"].get<std::string>());
    clean.push_back(std::move(out));
  }
  return {{"columns", std::move(clean)}, {"totalCount", *total}};
}

std::string SourceProxy::item_text(const Json& item, const char* key) const {
  std::string value = get_string(item, key).value_or("");
  if (value.empty()) throw described_wrongly(std::string{"something without \""} + key + "\"");
  return value;
}

Error SourceProxy::described_wrongly(const std::string& what) const {
  return Error(ErrorCode::Internal, library().label() + " listed " + what);
}

void SourceProxy::prepare_restore(const std::vector<std::string>& databases,
                                  const protocol::PrivilegedLogin& privileged) {
  if (!DBACKUP_HAS(dbackup_source, &table(), prepare_restore)) return;
  Json request{{"databases", databases}};
  add_login(request, privileged);
  ask(table().prepare_restore, request);
}

void SourceProxy::cleanup_restore(const std::string& database, const std::string& token,
                                  const protocol::PrivilegedLogin& privileged) {
  if (!DBACKUP_HAS(dbackup_source, &table(), cleanup_restore)) return;
  Json request{{"database", database}, {"token", token}};
  add_login(request, privileged);
  ask(table().cleanup_restore, request);
}

}  // namespace dbackup::host
