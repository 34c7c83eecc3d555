#include "services/adapter_probes.hpp"

#include <algorithm>

#include "control/control_plane.hpp"
#include "control/ssh_trust.hpp"
#include "model/adapter_metadata.hpp"
#include "protocol/message_json.hpp"
#include "services/adapter_failure.hpp"
#include "services/adapter_service.hpp"
#include "services/backup_path_rules.hpp"
#include "services/redaction.hpp"
#include "services/rights.hpp"
#include "services/ssh_settings.hpp"
#include "store/adapter_store.hpp"

namespace dbackup::host {
namespace {

std::string text_of(const Json& object, std::string_view key) {
  return get_string(object, key).value_or("");
}

constexpr const char* kAgent = "agent";

/// A login of the server's own, sent to an address of the caller's choice.
[[noreturn]] void refuse_login(const char* what) {
  throw Error(
      ErrorCode::PermissionDenied,
      std::string{what} + " may be used by those alone who may change adapters of that type");
}

/// Says so where a kind can do without; before a full stop.
std::string by_ssh(std::string message) {
  message.insert(message.size() - (message.ends_with('.') ? 1 : 0), " (via SSH)");
  return message;
}

/// The server's own state is no outcome of a test.
void rethrow_if_busy(const Error& error) {
  if (error.code() == ErrorCode::Unavailable && error.reason() == "busy") throw;
}

}  // namespace

std::shared_ptr<const RegisteredAdapter> AdapterProbes::kind(const Principal& who,
                                                             const std::string& adapter_id,
                                                             ErrorCode unknown) const {
  auto found = control_.plugins().find(adapter_id);
  if (!found) throw Error(unknown, "unsupported adapter \"" + adapter_id + "\"");
  require(who, read_permission(adapter_type_of(*found)));
  return found;
}

protocol::AdapterRef AdapterProbes::target(const Principal& who, const RegisteredAdapter& kind,
                                           const ConnectionTest& test) const {
  const CredentialSlots slots{.primary = test.primary_credential_id, .ssh = test.ssh_credential_id};
  if (!slots.empty()) require(who, write_permission(adapter_type_of(kind)));
  Json config = test.config;
  if (!test.config_id.empty() && who.may(write_permission(adapter_type_of(kind)))) {
    std::optional<AdapterConfig> stored;
    control_.context().database.read(
        [&](Session& session) { stored = AdapterStore{}.find(session, test.config_id); });
    // Another kind would send one server's password to another.
    if (stored && stored->adapter_id == test.adapter_id) {
      config =
          with_kept_secrets(config, control_.resolver().open_config(*stored), &kind.descriptor);
    }
  }
  protocol::AdapterRef ref = control_.resolver().resolve_plain(test.adapter_id, config, slots);
  const auto& ssh = kind.descriptor.ssh;
  if (ssh && ssh->asked(ref.config) && text_of(ref.config, ssh->member("authType")) == kAgent &&
      !who.may(write_permission(adapter_type_of(kind)))) {
    refuse_login("the server's SSH agent");
  }
  return ref;
}

ConnectionTestResult AdapterProbes::test(const Principal& who, const ConnectionTest& test) {
  const auto registered = kind(who, test.adapter_id, ErrorCode::InvalidArgument);
  const protocol::AdapterRequest request{.adapter = target(who, *registered, test)};
  ConnectionTestResult result;
  WorkerCall call;
  call.deadline = limits_.test;
  call.keeps_host_keys = who.may(write_permission(adapter_type_of(*registered)));
  try {
    const Json answer = control_.workers().run(protocol::Operation::Test, request, call);
    result = {.success = true,
              .message = text_of(answer, "message"),
              .version = text_of(answer, "version"),
              .edition = text_of(answer, "edition")};
    if (result.message.empty()) result.message = "connection successful";
    if (registered->descriptor.ssh && !registered->descriptor.ssh->option.empty() &&
        registered->descriptor.ssh->asked(request.adapter.config)) {
      result.message = by_ssh(std::move(result.message));
    }
  } catch (const Error& error) {
    rethrow_if_busy(error);
    result.message = error.what();
    if (error.code() == ErrorCode::DeadlineExceeded) {
      result.message +=
          ": no answer within " + std::to_string(limits_.test.count() / 1000) +
          " s; are address and port those of a server of this kind, and does it expect TLS as set?";
    }
  }
  note_version(who, test, *registered, result);
  return result;
}

void AdapterProbes::note_version(const Principal& who, const ConnectionTest& test,
                                 const RegisteredAdapter& kind,
                                 const ConnectionTestResult& result) {
  if (!result.success || result.version.empty() || test.config_id.empty()) return;
  if (!who.may(write_permission(adapter_type_of(kind)))) return;
  const TimeMs now = control_.context().clock.now_ms();
  control_.context().database.write([&](Session& session) {
    const auto row = AdapterStore{}.find(session, test.config_id);
    if (!row || row->adapter_id != test.adapter_id) return;
    AdapterStore{}.replace_metadata(
        session, *row, with_version(row->metadata, result.version, result.edition, now));
  });
}

AccessCheck AdapterProbes::access_check(const Principal& who, const ConnectionTest& test) {
  const auto registered = kind(who, test.adapter_id, ErrorCode::InvalidArgument);
  if (!registered->descriptor.can("listDatabases")) {
    return {.message = registered->descriptor.name + " cannot list databases"};
  }
  const protocol::AdapterRef adapter = target(who, *registered, test);
  try {
    return {.success = true,
            .databases = list(adapter, limits_.access,
                              who.may(write_permission(adapter_type_of(*registered))))};
  } catch (const Error& error) {
    rethrow_if_busy(error);
    return {.message = error.what()};
  }
}

SnapshotCheck AdapterProbes::check_snapshot(const Principal& who, const ConnectionTest& test) {
  const auto registered = kind(who, test.adapter_id, ErrorCode::NotFound);
  const auto& descriptor = registered->descriptor;
  // Plugins have no function to ask, so that what a configuration says cannot matter.
  return {.message = descriptor.name + (descriptor.can("snapshot")
                                            ? ": this server cannot ask it for snapshots"
                                            : " takes no snapshots")};
}

std::vector<std::string> AdapterProbes::list(const protocol::AdapterRef& adapter,
                                             std::chrono::milliseconds deadline,
                                             bool keeps_host_keys) {
  std::vector<std::string> names;
  WorkerCall call;
  call.deadline = deadline;
  call.keeps_host_keys = keeps_host_keys;
  const protocol::AdapterRequest request{.adapter = adapter};
  for (const Json& item :
       control_.workers().items(protocol::Operation::ListDatabases, request, call)) {
    names.push_back(text_of(item, "name"));
  }
  return names;
}

std::vector<std::string> AdapterProbes::databases(const std::string& id) {
  AdapterConfig row;
  control_.context().database.read([&](Session& session) { row = require_adapter(session, id); });
  if (row.type != kDatabaseType) throw Error(ErrorCode::NotFound, "database adapter not found");
  const auto plugin = control_.plugins().find(row.adapter_id);
  if (plugin && !plugin->descriptor.can("listDatabases")) return {};
  const protocol::AdapterRef adapter = control_.resolver().resolve(row);
  std::vector<std::string> names;
  as_adapter_failure([&] { names = list(adapter, limits_.list, /*keeps_host_keys=*/true); });
  return names;
}

FolderListing AdapterProbes::browse(const std::string& id, const std::string& path) {
  AdapterConfig row;
  control_.context().database.read([&](Session& session) { row = require_adapter(session, id); });
  if (row.type != kStorageType) throw Error(ErrorCode::NotFound, "storage adapter not found");
  if (!path.empty()) check_backup_path(path);
  FolderListing out{.path = path, .folders = {}};
  const auto plugin = control_.plugins().find(row.adapter_id);
  if (plugin && !plugin->descriptor.can("browse")) return out;
  out.supported = true;
  const protocol::BrowseRequest request{.adapter = control_.resolver().resolve(row), .path = path};
  as_adapter_failure([&] {
    WorkerCall call;
    call.deadline = limits_.list;
    for (const Json& item : control_.workers().items(protocol::Operation::Browse, request, call)) {
      out.folders.push_back({text_of(item, "name"), text_of(item, "path")});
    }
  });
  std::ranges::sort(out.folders, {}, &FolderListing::Folder::name);
  return out;
}

protocol::SshRequest AdapterProbes::ssh_request(const Json& config,
                                                const std::string& credential_id, SshNames names,
                                                bool may_use_logins) const {
  if (!credential_id.empty() && !may_use_logins) refuse_login("a credential profile");
  const ControlContext& context = control_.context();
  protocol::SshRequest request{.prefix = names == SshNames::Bare ? "" : "ssh",
                               .config = with_ssh_credential(context, config, credential_id, names),
                               .ssh = {},
                               .path = {}};
  check_ssh_settings(request.config, names);
  const protocol::SshUse use{.prefix = request.prefix, .option = ""};
  if (text_of(request.config, use.member("authType")) == kAgent && !may_use_logins) {
    refuse_login("the server's SSH agent");
  }
  // Forms send numbers as text.
  Json& port = request.config[use.member("port")];
  if (port.is_string()) port = std::stoll(port.get<std::string>());
  request.ssh = ssh_trust(context, use, request.config);
  return request;
}

ConnectionTestResult AdapterProbes::test_ssh(const Principal& who, const std::string& adapter_id,
                                             const Json& config, const std::string& credential_id) {
  // Kinds that know SSH alone call its settings by their bare names.
  bool is_bare = !config.contains("sshHost") && config.contains("host");
  Permission write = Permission::SourcesWrite;
  if (!adapter_id.empty()) {
    const auto plugin = control_.plugins().find(adapter_id);
    if (!plugin)
      throw Error(ErrorCode::InvalidArgument, "unsupported adapter \"" + adapter_id + "\"");
    is_bare = plugin->descriptor.option("sshHost") == nullptr;
    write = write_permission(adapter_type_of(*plugin));
  }
  protocol::SshRequest request = ssh_request(
      config, credential_id, is_bare ? SshNames::Bare : SshNames::Prefixed, who.may(write));
  request.path = text_of(config, "backupPath");
  WorkerCall call;
  call.deadline = limits_.test;
  call.keeps_host_keys = who.may(write);
  ConnectionTestResult result;
  try {
    const Json answer = control_.workers().run(protocol::Operation::TestSsh, request, call);
    result = {.success = true, .message = text_of(answer, "message")};
  } catch (const Error& error) {
    rethrow_if_busy(error);
    result.message = error.what();
  }
  return result;
}

ServerFolder AdapterProbes::browse_ssh(const Principal& who, const Json& config,
                                       const std::string& credential_id, const std::string& path) {
  const bool may_write =
      who.may(Permission::SourcesWrite) || who.may(Permission::DestinationsWrite);
  protocol::SshRequest request = ssh_request(config, credential_id, SshNames::Bare, may_write);
  request.path = checked_server_path(path);
  ServerFolder out{.path = request.path, .parent = {}, .entries = {}};
  if (out.path != "/") {
    const size_t slash = out.path.rfind('/');
    out.parent = slash == 0 ? "/" : out.path.substr(0, slash);
  }
  const std::string base = out.path == "/" ? "/" : out.path + "/";
  as_adapter_failure([&] {
    WorkerCall call;
    call.deadline = limits_.test;
    call.keeps_host_keys = may_write;
    for (const Json& item :
         control_.workers().items(protocol::Operation::ListRemote, request, call)) {
      const std::string name = text_of(item, "name");
      out.entries.push_back(
          {.name = name, .path = base + name, .is_folder = text_of(item, "type") == "directory"});
    }
  });
  std::ranges::sort(out.entries, [](const ServerFile& a, const ServerFile& b) {
    return a.is_folder != b.is_folder ? a.is_folder : a.name < b.name;
  });
  return out;
}

}  // namespace dbackup::host
