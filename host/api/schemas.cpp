#include "api/schemas.hpp"

#include "model/permission.hpp"

namespace dbackup::host::schemas {

using namespace schema;

Json adapter() {
  return titled(
      "Adapter",
      object({required("id", text()), required("name", text()), required("type", text()),
              required("adapterId", text()),
              required("config", described(text(), "JSON text without secrets")),
              required("secretStatus", map_of(flag())), required("metadata", nullable(text())),
              required("createdAt", date()), required("updatedAt", date()),
              required("primaryCredentialId", nullable(text())),
              required("sshCredentialId", nullable(text())),
              required("defaultRetentionPolicyId", nullable(text())),
              required("lastHealthCheck", nullable(date())), required("lastStatus", text()),
              required("lastError", nullable(text())), required("consecutiveFailures", integer()),
              required("storageRole", text()), required("supportsBrowse", flag())}));
}
Json adapter_list() { return list_of(adapter()); }

namespace {
Json adapter_option() {
  return object({required("name", text()), required("type", text()), required("required", flag()),
                 required("default", described(any(), "of the option's type; null: none")),
                 required("secret", flag()), required("help", text()),
                 optional("values", list_of(text()))});
}
}  // namespace

Json adapter_types() {
  return wrapped(list_of(object(
      {required("id", text()), required("type", text()), required("name", text()),
       required("group", text()), required("beta", flag()), required("roles", list_of(text())),
       required("credentials",
                object({optional("primary", text()), optional("ssh", text()),
                        optional("primaryOptional",
                                 described(flag(), "runs without a profile in that slot"))})),
       required("fields", list_of(adapter_option())), required("supportsSnapshot", flag()),
       required("supportsBrowse", flag()), required("combinable", flag()),
       required("plugin", object({required("id", text()), required("version", text())})),
       optional("transferConcurrency",
                object({required("default", integer()), required("max", integer())}))})));
}

Json config() {
  return described(either({any_object(), text()}), "an object, or the same as JSON text");
}

Json adapter_update() {
  return object({optional("name", text(1, 100)), optional("config", config()),
                 optional("metadata", nullable(any_object())),
                 optional("primaryCredentialId", nullable(text())),
                 optional("sshCredentialId", nullable(text())),
                 optional("defaultRetentionPolicyId", nullable(text())),
                 optional("storageRole", one_of({"DESTINATION", "SOURCE"}))});
}
Json adapter_create() {
  return merged(object({required("name", text(1, 100)),
                        required("type", one_of({"database", "storage", "notification"})),
                        required("adapterId", text(1, 100)), required("config", config())}),
                object({optional("metadata", nullable(any_object())),
                        optional("primaryCredentialId", nullable(text())),
                        optional("sshCredentialId", nullable(text())),
                        optional("defaultRetentionPolicyId", nullable(text())),
                        optional("storageRole", one_of({"DESTINATION", "SOURCE"}))}));
}
Json permissions() {
  return list_of(
      object({required("id", text()), required("category", text()), required("label", text())}));
}
Json adapters_query() {
  return object({required("type", one_of({"database", "storage", "notification"})),
                 optional("role", described(text(), "DESTINATION or SOURCE, in any letter case"))});
}
Json health() {
  return titled("Health", object({required("status", one_of({"healthy", "unhealthy"})),
                                  optional("uptime", integer()), required("timestamp", date()),
                                  required("database", one_of({"connected", "disconnected"})),
                                  optional("memory", map_of(integer())),
                                  required("responseTime", integer())}));
}

}  // namespace dbackup::host::schemas
