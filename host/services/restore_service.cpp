#include "services/restore_service.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>

#include "base/id.hpp"
#include "control/control_plane.hpp"
#include "control/reading_keys.hpp"
#include "crypto/age_keys.hpp"
#include "protocol/message_json.hpp"
#include "services/adapter_failure.hpp"
#include "services/audit_log.hpp"
#include "services/backup_path_rules.hpp"
#include "services/encryption_profile_service.hpp"
#include "services/execution_service.hpp"
#include "services/rights.hpp"
#include "services/storage_service.hpp"
#include "store/adapter_store.hpp"
#include "store/execution_store.hpp"
#include "store/profile_store.hpp"

namespace dbackup::host {
namespace {

constexpr std::chrono::seconds kProbeDeadline{30};

[[noreturn]] void bad(const std::string& text) { throw Error(ErrorCode::InvalidArgument, text); }

/// The parts of "PostgreSQL 16.10 (Debian …)" that are numbers: 16, 10.
std::vector<int64_t> version_parts(std::string_view text) {
  std::vector<int64_t> parts;
  size_t at = text.find_first_of("0123456789");
  while (at < text.size()) {
    int64_t number = 0;
    const auto [end, status] = std::from_chars(text.data() + at, text.data() + text.size(), number);
    if (status != std::errc{}) break;
    parts.push_back(number);
    at = static_cast<size_t>(end - text.data());
    if (at + 1 >= text.size() || text[at] != '.' || text[at + 1] < '0' || text[at + 1] > '9') break;
    ++at;
  }
  return parts;
}

/// Which database goes where; the backup holds one.
DatabaseChoice choice_of(const RestoreCommand& command, const Sidecar& sidecar) {
  DatabaseChoice choice{.original_name = "", .target_name = command.target_database};
  if (sidecar.database_names.size() == 1) choice.original_name = sidecar.database_names.front();
  if (command.databases) {
    if (command.databases->empty()) bad("\"databaseMapping\" selects no database");
    if (command.databases->size() > 1) {
      throw Error(ErrorCode::Unimplemented, "this version restores one database at a time");
    }
    const DatabaseChoice& only = command.databases->front();
    if (!choice.original_name.empty() && only.original_name != choice.original_name) {
      bad("\"databaseMapping\": the backup has no database \"" + only.original_name + "\"");
    }
    choice.original_name = only.original_name;
    if (choice.target_name.empty()) choice.target_name = only.target_name;
  }
  if (choice.target_name.find('\0') != std::string::npos)
    bad("\"targetDatabaseName\" must not contain NUL");
  return choice;
}

}  // namespace

bool is_newer_engine(std::string_view backup, std::string_view target) {
  const auto left = version_parts(backup);
  const auto right = version_parts(target);
  for (size_t i = 0; i < std::min(left.size(), right.size()); ++i) {
    if (left[i] != right[i]) return left[i] > right[i];
  }
  return false;
}

AdapterConfig RestoreService::target(const RestoreCommand& command) {
  if (command.target_source_id.empty()) bad("\"targetSourceId\" is required");
  std::optional<AdapterConfig> row;
  control_.context().database.read(
      [&](Session& session) { row = AdapterStore{}.find(session, command.target_source_id); });
  if (!row) throw Error(ErrorCode::NotFound, "target source not found");
  if (row->type != kDatabaseType) bad("\"targetSourceId\" is no database adapter");
  return std::move(*row);
}

void RestoreService::check_engine(const StoredBackup& backup, const AdapterConfig& target) {
  const Sidecar sidecar = file_view(backup).sidecar;
  if (!sidecar.source_type.empty() && sidecar.source_type != target.adapter_id) {
    bad("a backup of kind \"" + sidecar.source_type + "\" cannot be restored into \"" +
        target.adapter_id + "\"");
  }
  if (sidecar.engine_version.empty()) return;
  WorkerCall call;
  call.deadline = kProbeDeadline;
  const protocol::AdapterRequest request{.adapter = control_.resolver().resolve(target)};
  Json answer;
  try {
    as_adapter_failure(
        [&] { answer = control_.workers().run(protocol::Operation::Test, request, call); });
  } catch (const Error& error) {
    // A database that was lost is what a restore is for: whether it may be made, prepare() finds out.
    if (error.code() == ErrorCode::NotFound) return;
    throw;
  }
  const std::string version = get_string(answer, "version").value_or("");
  if (is_newer_engine(sidecar.engine_version, version)) {
    throw Error(ErrorCode::FailedPrecondition, "the backup comes from engine version " +
                                                   sidecar.engine_version +
                                                   ", which is newer than the target's " + version);
  }
}

void RestoreService::check_keys(const StoredBackup& backup, const RestoreCommand& command) {
  if (!command.identity.empty()) AgeIdentity::parse(command.identity.reveal());
  if (!is_sealed(backup)) return;
  const auto encryption = file_view(backup).sidecar.encryption;
  const std::string profile_id = !command.profile_override.empty() ? command.profile_override
                                 : encryption                      ? encryption->profile_id
                                                                   : "";
  std::optional<EncryptionProfile> profile;
  control_.context().database.read(
      [&](Session& session) { profile = EncryptionProfileStore{}.find(session, profile_id); });
  if (command.identity.empty() && profile && is_write_only(*profile)) {
    throw Error(
        ErrorCode::FailedPrecondition,
        "the backup was sealed with a write-only profile: give its \"identity\" with the request",
        profile_id, "encryption_key_required");
  }
  as_key_failure(profile_id, [&] {
    identities_for(control_.context(), backup, command.profile_override,
                   std::string{command.identity.reveal()});
  });
}

void RestoreService::prepare(const AdapterConfig& target, const RestoreCommand& command,
                             const std::string& database) {
  const auto plugin = control_.plugins().find(target.adapter_id);
  if (!plugin || !plugin->descriptor.can("prepareRestore")) return;
  if (database.empty() && !plugin->descriptor.can("wholeInstance")) return;
  const protocol::PrepareRestoreRequest request{
      .adapter = control_.resolver().resolve(target),
      .databases = database.empty() ? std::vector<std::string>{} : std::vector{database},
      .privileged = {.user = command.user, .password = std::string{command.password.reveal()}}};
  WorkerCall call;
  call.deadline = kProbeDeadline;
  try {
    as_adapter_failure(
        [&] { control_.workers().run(protocol::Operation::PrepareRestore, request, call); });
  } catch (const Error& error) {
    // The target refuses: a state of the target, neither a missing permission here nor our fault.
    if (error.reason() != "adapter") throw;
    throw Error(ErrorCode::FailedPrecondition, error.what(), error.detail(), "target_refuses");
  }
}

std::string RestoreService::restore(const Principal& who, const RestoreCommand& command) {
  check_backup_path(command.path);
  require_storage(control_, command.destination_id);
  if (command.wants_files) {
    throw Error(ErrorCode::Unimplemented, "this version cannot restore files of directory backups");
  }
  const AdapterConfig into = target(command);
  StoredBackup backup;
  as_adapter_failure(
      [&] { backup = control_.catalog().find(command.destination_id, command.path); });
  const StoredFileView view = file_view(backup);
  if (view.sidecar.multi_database) {
    throw Error(ErrorCode::Unimplemented,
                "this version cannot restore archives of several databases");
  }
  const DatabaseChoice choice = choice_of(command, view.sidecar);
  check_keys(backup, command);
  check_engine(backup, into);
  prepare(into, command, choice.target_name.empty() ? choice.original_name : choice.target_name);

  Execution execution{.id = new_uuid(), .type = "Restore", .path = command.path};
  execution.started_at = control_.context().clock.now_ms();
  execution.trigger_type = trigger_type(who);
  execution.trigger_label = who.name;
  RestoreOptions options{.destination_id = command.destination_id,
                         .path = command.path,
                         .target_source_id = command.target_source_id,
                         .database = choice.target_name,
                         .original_name = choice.original_name,
                         .profile_override = command.profile_override};
  options.needs_identity = !command.identity.empty();
  if (!command.user.empty()) {
    options.sealed_login =
        seal_login(control_.context().box, execution.id,
                   {.user = command.user, .password = std::string{command.password.reveal()}});
  }
  execution.options = to_json(options);
  if (options.needs_identity) control_.secrets().put(execution.id, command.identity);
  try {
    control_.context().database.write(
        [&](Session& session) {
          ExecutionStore{}.insert(session, execution);
          audit_.write(session, who, AuditAction::Execute, AuditResource::Destination,
                       command.destination_id,
                       {{"action", "restore"},
                        {"path", command.path},
                        {"targetSourceId", command.target_source_id},
                        {"executionId", execution.id}});
        });
  } catch (...) {
    control_.secrets().forget(execution.id);
    throw;
  }
  control_.context().news->tell(execution.id, RunNews::What::Status);
  control_.queue().kick();
  return execution.id;
}

}  // namespace dbackup::host
