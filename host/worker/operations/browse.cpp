#include "worker/operations/operations.hpp"
#include "worker/plugin/source_proxy.hpp"
#include "worker/plugin/storage_proxy.hpp"

/// What can be looked through: databases, tables, rows, folders.
namespace dbackup::host {

Json list_databases(const protocol::AdapterRequest& request, OperationContext& context) {
  SourceProxy source{request.adapter, context.events, context.cancel};
  source.list_databases([&](const Json& database) { context.item(database); });
  return Json::object();
}

Json database_stats(const protocol::AdapterRequest& request, OperationContext& context) {
  SourceProxy source{request.adapter, context.events, context.cancel};
  source.list_databases([&](const Json& database) { context.item(database); });
  Json out = Json::object();
  try {
    const Json tested = source.test();
    for (const char* key : {"version", "edition"}) {
      if (const auto value = get_string(tested, key)) out[key] = *value;
    }
  } catch (const Error& error) {
    // A test may ask for more than listing needs, such as the dump tool; the list stands.
    context.cancel.throw_if_cancelled();
    context.warning(std::string{"the server's version is not known: "} + error.what(),
                    JournalType::General, error.detail());
  }
  return out;
}

Json list_tables(const protocol::TablesRequest& request, OperationContext& context) {
  SourceProxy source{request.adapter, context.events, context.cancel};
  source.tables(request.database, [&](const Json& table) { context.item(table); });
  return Json::object();
}

Json read_rows(const protocol::RowsRequest& request, OperationContext& context) {
  SourceProxy source{request.adapter, context.events, context.cancel};
  source.rows(request.query, [&](const Json& row) { context.item(row); });
  return Json::object();
}

Json browse(const protocol::BrowseRequest& request, OperationContext& context) {
  StorageProxy storage{request.adapter, context.events, context.cancel};
  storage.browse(request.path, [&](const std::string& name, const std::string& path) {
    context.item({{"name", name}, {"path", path}});
  });
  return Json::object();
}

}  // namespace dbackup::host
