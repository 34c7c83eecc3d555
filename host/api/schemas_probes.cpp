#include "api/schemas_probes.hpp"

#include "api/schemas.hpp"

namespace dbackup::host::schemas {

using namespace schema;

Json databases() {
  return object({required("success", flag()), required("databases", list_of(text()))});
}
Json test_connection() {
  return object(
      {required("adapterId", text(1, 100)), required("config", config()),
       optional("configId", described(nullable(text()),
                                      "stored adapter of the same kind whose secrets stand in for "
                                      "missing ones; needs its write permission")),
       optional("primaryCredentialId", nullable(text())),
       optional("sshCredentialId", nullable(text()))});
}
Json test_result() {
  return object({required("success", flag()), required("message", text()),
                 optional("version", text()), optional("edition", text())});
}
Json access_check_result() {
  return object({required("success", flag()), optional("message", text()),
                 optional("databases", list_of(text()))});
}
Json snapshot_result() {
  return object({required("supported", flag()), required("message", text())});
}

Json browse_query() {
  return object({optional("path", described(text(), "relative folder; the root without it"))});
}
Json browse_answer() {
  const Json folder = object({required("name", text()), required("path", text())});
  return object(
      {required("success", flag()),
       required("supported", described(flag(), "false: the kind cannot list folders")),
       required("data", object({required("path", text()), required("entries", list_of(folder))}))});
}
Json test_ssh() {
  return object({required("config", config()), optional("adapterId", nullable(text())),
                 optional("sshCredentialId", nullable(text()))});
}
namespace {
Json folder_fields() {
  const Json entry =
      object({required("name", text()), required("type", one_of({"directory", "file"})),
              required("path", text())});
  return object({required("currentPath", text()), required("parentPath", nullable(text())),
                 required("entries", list_of(entry)), optional("currentName", text()),
                 optional("truncated", described(flag(), "there is more than is shown"))});
}
}  // namespace
Json server_folder_query() {
  return object({optional("path", described(text(0, 4096), "absolute; /"))});
}
Json server_folder() { return wrapped(described(folder_fields(), "folders first, by name")); }
Json remote_folder() {
  return object({required("config", described(any_object(),
                                              "host, port, username, authType, password, "
                                              "privateKey, passphrase, hostKey")),
                 optional("path", described(text(0, 4096), "absolute; /")),
                 optional("adapterId", nullable(text())),
                 optional("sshCredentialId", nullable(text()))});
}
Json cloud_folder() {
  return object({required("credentialId", text(1, 100)), optional("folderPath", nullable(text())),
                 optional("folderId", nullable(text()))});
}
Json oauth_start() { return object({required("credentialId", text(1, 100))}); }
Json oauth_start_answer() { return wrapped(object({required("authUrl", text())})); }
Json oauth_return() {
  return object({optional("code", text()), optional("state", text()), optional("error", text())});
}
Json token_validity() { return object({required("valid", flag()), optional("message", text())}); }
Json source_target() {
  return object(
      {optional("sourceId", described(nullable(text()), "a stored source")),
       optional("adapterId", described(nullable(text()), "kind of config")),
       optional("config", described(either({any_object(), text(), Json{{"type", "null"}}}),
                                    "an object, or the same as JSON text; wins over what is "
                                    "stored, whose secrets it does not get"))});
}
Json database_stats() {
  const Json database = object({required("name", text()), optional("sizeInBytes", integer()),
                                optional("tableCount", integer()), optional("path", text())});
  return object({required("success", flag()), required("databases", list_of(database)),
                 optional("serverVersion", text()), optional("serverEdition", text())});
}
Json database_tables() {
  return merged(source_target(), object({required("database", text(1, 1000))}));
}
Json database_tables_answer() {
  const Json table =
      object({required("name", text()),
              required("type", one_of({"table", "view", "collection", "materialized_view"})),
              optional("rowCount", described(integer(), "may be an estimate")),
              optional("sizeInBytes", integer())});
  return object({required("success", flag()), required("tables", list_of(table))});
}
Json table_data() {
  const auto number = [](int64_t most, std::string_view words) {
    return described(either({integer(1, most), text(), Json{{"type", "null"}}}), words);
  };
  return merged(
      database_tables(),
      object({required("table", described(text(1, 1000), "as listed among the tables")),
              optional("page", number(1'000'000'000, "from 1; 1")),
              optional("pageSize", number(200, "1 to 200; 50")),
              optional("search", nullable(text(0, 1000))),
              optional("searchColumn", described(nullable(text()), "any column without it")),
              optional("matchMode", nullable(one_of({"contains", "equals", "starts", "ends"}))),
              optional("sortBy", described(nullable(text()), "a column")),
              optional("sortDir", nullable(one_of({"asc", "desc"})))}));
}
Json table_data_answer() {
  const Json column =
      object({required("name", text()), required("dataType", text()), optional("nullable", flag()),
              optional("primaryKey", flag()), optional("defaultValue", text())});
  return object({required("success", flag()),
                 required("rows", described(list_of(map_of(nullable(text()))),
                                            "cells by column; bytes as \\x…, long ones cut and "
                                            "ended with …")),
                 required("totalCount", integer()), required("columns", list_of(column))});
}

}  // namespace dbackup::host::schemas
