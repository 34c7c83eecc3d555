#include <chrono>

#include "control/control_plane.hpp"
#include "protocol/message_json.hpp"
#include "services/adapter_failure.hpp"
#include "services/adapter_service.hpp"
#include "services/redaction.hpp"
#include "services/rights.hpp"
#include "store/adapter_store.hpp"

/// The part of AdapterService that waits for workers.
namespace dbackup::host {
namespace {

constexpr std::chrono::seconds kTestDeadline{10};
constexpr std::chrono::seconds kListDeadline{60};

std::string text_of(const Json& object, std::string_view key) {
  return get_string(object, key).value_or("");
}

}  // namespace

std::vector<std::string> AdapterService::databases(const std::string& id) {
  AdapterConfig row;
  control_.context().database.read([&](Session& session) { row = require_adapter(session, id); });
  if (row.type != kDatabaseType) throw Error(ErrorCode::NotFound, "database adapter not found");
  const auto plugin = control_.plugins().find(row.adapter_id);
  if (plugin && !plugin->descriptor.can("listDatabases")) return {};
  const protocol::AdapterRequest request{.adapter = control_.resolver().resolve(row)};
  std::vector<std::string> names;
  as_adapter_failure([&] {
    WorkerCall call;
    call.deadline = kListDeadline;
    for (const Json& item :
         control_.workers().items(protocol::Operation::ListDatabases, request, call)) {
      names.push_back(text_of(item, "name"));
    }
  });
  return names;
}

ConnectionTestResult AdapterService::test(const Principal& who, const ConnectionTest& test) {
  const auto plugin = control_.plugins().find(test.adapter_id);
  if (!plugin)
    throw Error(ErrorCode::InvalidArgument, "unsupported adapter \"" + test.adapter_id + "\"");
  const std::string type{adapter_type_of(*plugin)};
  require(who, read_permission(type));

  Json config = test.config;
  if (!test.config_id.empty() && who.may(write_permission(type))) {
    std::optional<AdapterConfig> stored;
    control_.context().database.read(
        [&](Session& session) { stored = AdapterStore{}.find(session, test.config_id); });
    // Another kind would send one server's password to another.
    if (stored && stored->adapter_id == test.adapter_id) {
      config =
          with_kept_secrets(config, control_.resolver().open_config(*stored), &plugin->descriptor);
    }
  }
  const protocol::AdapterRequest request{
      .adapter = control_.resolver().resolve_plain(
          test.adapter_id, config,
          {.primary = test.primary_credential_id, .ssh = test.ssh_credential_id})};

  ConnectionTestResult result;
  WorkerCall call;
  call.deadline = kTestDeadline;
  try {
    const Json answer = control_.workers().run(protocol::Operation::Test, request, call);
    result = {.success = true,
              .message = text_of(answer, "message"),
              .version = text_of(answer, "version"),
              .edition = text_of(answer, "edition")};
    if (result.message.empty()) result.message = "connection successful";
  } catch (const Error& error) {
    if (error.code() == ErrorCode::Unavailable && error.reason() == "busy") throw;
    result.message = error.what();
  }
  note_version(who, test, type, result);
  return result;
}

void AdapterService::note_version(const Principal& who, const ConnectionTest& test,
                                  const std::string& kind, const ConnectionTestResult& result) {
  if (!result.success || result.version.empty() || test.config_id.empty()) return;
  if (!who.may(write_permission(kind))) return;
  const TimeMs now = control_.context().clock.now_ms();
  control_.context().database.write([&](Session& session) {
    auto row = AdapterStore{}.find(session, test.config_id);
    if (!row || row->adapter_id != test.adapter_id) return;
    if (!row->metadata.is_object()) row->metadata = Json::object();
    row->metadata["engineVersion"] = result.version;
    if (!result.edition.empty()) row->metadata["engineEdition"] = result.edition;
    row->metadata["lastCheck"] = format_iso8601(now);
    row->metadata["status"] = "Online";
    AdapterStore{}.update(session, *row);
  });
}

}  // namespace dbackup::host
