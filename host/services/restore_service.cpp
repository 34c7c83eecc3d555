#include "services/restore_service.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <set>

#include "base/id.hpp"
#include "control/control_plane.hpp"
#include "control/reading_keys.hpp"
#include "crypto/age_keys.hpp"
#include "model/backup_name.hpp"
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

const std::string& target_of(const protocol::DatabaseMapping& mapping) {
  return mapping.target_name.empty() ? mapping.original_name : mapping.target_name;
}

void check_names(const std::vector<protocol::DatabaseMapping>& mappings, const Sidecar& sidecar) {
  const auto& known = sidecar.database_names;
  std::set<std::string> targets;
  for (const auto& mapping : mappings) {
    if (!known.empty() &&
        std::find(known.begin(), known.end(), mapping.original_name) == known.end() &&
        !mapping.original_name.empty()) {
      bad("\"databaseMapping\": the backup has no database \"" + mapping.original_name + "\"");
    }
    if (mapping.target_name.find('\0') != std::string::npos) {
      bad("\"targetDatabaseName\" must not contain NUL");
    }
    if (!targets.insert(target_of(mapping)).second) {
      bad("\"databaseMapping\": two databases are to be restored as \"" + target_of(mapping) +
          "\"");
    }
  }
}

/// Which database goes where; a plain backup holds one. Of an archive whose sidecar is lost nothing
/// is known: an empty list stands for all of it.
std::vector<protocol::DatabaseMapping> choices_of(const RestoreCommand& command,
                                                  const Sidecar& sidecar) {
  const auto& known = sidecar.database_names;
  if (command.databases && command.databases->empty())
    bad("\"databaseMapping\" selects no database");
  std::vector<protocol::DatabaseMapping> choices;
  if (command.databases) {
    choices = *command.databases;
  } else if (is_archive_path(command.path)) {
    for (const std::string& name : known) choices.push_back({name, ""});
  } else {
    choices.push_back({known.size() == 1 ? known.front() : "", ""});
  }
  if (!is_archive_path(command.path) && choices.size() > 1) {
    bad("\"databaseMapping\": the backup holds one database");
  }
  if (!command.target_database.empty()) {
    if (choices.size() != 1) {
      bad("\"targetDatabaseName\" is for one database; choose by \"databaseMapping\" what goes "
          "where");
    }
    choices.front().target_name = command.target_database;
  }
  check_names(choices, sidecar);
  return choices;
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
    // A database that was lost is what a restore is for: whether it may be made, prepare() finds
    // out.
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
                             const std::vector<std::string>& databases) {
  const auto plugin = control_.plugins().find(target.adapter_id);
  if (!plugin || !plugin->descriptor.can("prepareRestore")) return;
  if (databases.empty() && !plugin->descriptor.can("wholeInstance")) return;
  const protocol::PrepareRestoreRequest request{
      .adapter = control_.resolver().resolve(target),
      .databases = databases,
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
  const auto choices = choices_of(command, view.sidecar);
  check_keys(backup, command);
  check_engine(backup, into);
  std::vector<std::string> targets;
  for (const auto& choice : choices) {
    if (!target_of(choice).empty()) targets.push_back(target_of(choice));
  }
  prepare(into, command, targets);

  Execution execution{.id = new_uuid(), .type = "Restore", .path = command.path};
  execution.started_at = control_.context().clock.now_ms();
  execution.trigger_type = trigger_type(who);
  execution.trigger_label = who.name;
  RestoreOptions options{.destination_id = command.destination_id,
                         .path = command.path,
                         .target_source_id = command.target_source_id,
                         .profile_override = command.profile_override};
  if (is_archive_path(command.path)) {
    options.databases = choices;
  } else {
    options.database = choices.front().target_name;
    options.original_name = choices.front().original_name;
  }
  options.needs_identity = !command.identity.empty();
  if (!command.user.empty()) {
    options.sealed_login =
        seal_login(control_.context().box, execution.id,
                   {.user = command.user, .password = std::string{command.password.reveal()}});
  }
  execution.options = to_json(options);
  if (options.needs_identity) control_.secrets().put(execution.id, command.identity);
  try {
    control_.context().database.write([&](Session& session) {
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
