#include "api/resources/source_tables_resource.hpp"

#include <charconv>

#include "api/field_error.hpp"
#include "api/schemas_probes.hpp"
#include "services/adapter_fields.hpp"
#include "services/services.hpp"

namespace dbackup::host {
namespace {

SourceTarget parse_target(const Json& body) {
  SourceTarget out{.source_id = get_string(body, "sourceId").value_or(""),
                   .adapter_id = get_string(body, "adapterId").value_or(""),
                   .config = {}};
  if (body.contains("config") && !body.at("config").is_null()) out.config = config_field(body);
  return out;
}

/// An integer, sent as one or as text.
int64_t number(const Json& body, const char* key, int64_t fallback, int64_t most) {
  const auto found = body.find(key);
  if (found == body.end() || found->is_null()) return fallback;
  int64_t value = 0;
  if (found->is_string()) {
    const auto& text = found->get_ref<const std::string&>();
    const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (status != std::errc{} || end != text.data() + text.size())
      throw FieldError(key, std::string{"\""} + key + "\" must be an integer");
  } else {
    value = found->get<int64_t>();
  }
  if (value < 1 || value > most) {
    throw FieldError(key, std::string{"\""} + key + "\" must be 1 to " + std::to_string(most));
  }
  return value;
}

Json parse_query(const Json& body) {
  Json query{{"database", require_string(body, "database")},
             {"table", require_string(body, "table")},
             {"page", number(body, "page", 1, 1'000'000'000)},
             {"pageSize", number(body, "pageSize", 50, 200)}};
  for (const char* key : {"search", "searchColumn", "matchMode", "sortBy", "sortDir"}) {
    if (const auto value = get_string(body, key); value && !value->empty()) query[key] = *value;
  }
  return query;
}

}  // namespace

const Route<SourceTablesResource> SourceTablesResource::kRoutes[] = {
    {.method = Method::Post,
     .path = "/api/adapters/database-stats",
     .access = Permission::SourcesView,
     .handler = &SourceTablesResource::stats,
     .summary = "Databases of a source with their sizes, and its server's version",
     .section = "Adapters",
     .run = HttpRun::Slow,
     .body = BodyRule::Required,
     .request = schemas::source_target,
     .response = schemas::database_stats,
     .failures = kWorkerFailures,
     .connection_test = true},
    {.method = Method::Post,
     .path = "/api/adapters/database-tables",
     .access = Permission::SourcesRead,
     .handler = &SourceTablesResource::tables,
     .summary = "Tables and views of a database",
     .section = "Adapters",
     .run = HttpRun::Slow,
     .body = BodyRule::Required,
     .request = schemas::database_tables,
     .response = schemas::database_tables_answer,
     .failures = kWorkerFailures,
     .connection_test = true},
    {.method = Method::Post,
     .path = "/api/adapters/database-table-data",
     .access = Permission::SourcesRead,
     .handler = &SourceTablesResource::rows,
     .summary = "A page of a table's rows",
     .section = "Adapters",
     .run = HttpRun::Slow,
     .body = BodyRule::Required,
     .request = schemas::table_data,
     .response = schemas::table_data_answer,
     .failures = kWorkerFailures,
     .connection_test = true,
     .field_errors = true},
};

void SourceTablesResource::mount(RouteTable& table) {
  table.mount<SourceTablesResource>(*this, kRoutes);
}

HttpResponse SourceTablesResource::stats(const ApiRequest& request, const Principal&) {
  const DatabaseStats stats = services_.source_tables.stats(parse_target(request.body));
  Json out{{"success", true}, {"databases", stats.databases}};
  if (!stats.version.empty()) out["serverVersion"] = stats.version;
  if (!stats.edition.empty()) out["serverEdition"] = stats.edition;
  return json_answer(200, out);
}

HttpResponse SourceTablesResource::tables(const ApiRequest& request, const Principal&) {
  return json_answer(
      200, {{"success", true},
            {"tables", services_.source_tables.tables(parse_target(request.body),
                                                      require_string(request.body, "database"))}});
}

HttpResponse SourceTablesResource::rows(const ApiRequest& request, const Principal&) {
  const TableRows page =
      services_.source_tables.rows(parse_target(request.body), parse_query(request.body));
  return json_answer(200, {{"success", true},
                           {"rows", page.rows},
                           {"totalCount", page.total_count},
                           {"columns", page.columns}});
}

}  // namespace dbackup::host
