#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/secret_string.hpp"
#include "model/nouns.hpp"
#include "protocol/message.hpp"

namespace dbackup::host {

class AuditLog;
class ControlPlane;

struct RestoreCommand {
  std::string destination_id, path;
  std::string target_source_id;
  std::string target_database;  ///< for a backup of one database; "": its own name
  /// The selected databases; nullopt: all, under their own names.
  std::optional<std::vector<protocol::DatabaseMapping>> databases;
  std::string user;  ///< privileged login for this run; "": none
  SecretString password;
  std::string profile_override;
  SecretString identity;     ///< for a write-only profile: memory only
  bool wants_files = false;  ///< of a directory backup
};

/// Accepts restores: checks what can be known beforehand, then queues them. [any-thread]
class RestoreService {
 public:
  RestoreService(ControlPlane& control, AuditLog& audit) : control_{control}, audit_{audit} {}

  /// The id of the execution. Blocks on workers. Throws Error: NotFound (storage, file, target),
  /// InvalidArgument (shape, another kind of engine), FailedPrecondition (a newer engine, the
  /// target refuses; "encryption_key_required"), Unimplemented (files).
  std::string restore(const Principal& who, const RestoreCommand& command);

 private:
  AdapterConfig target(const RestoreCommand& command);
  void check_engine(const StoredBackup& backup, const AdapterConfig& target);
  void check_keys(const StoredBackup& backup, const RestoreCommand& command);
  void prepare(const AdapterConfig& target, const RestoreCommand& command,
               const std::vector<std::string>& databases);

  ControlPlane& control_;
  AuditLog& audit_;
};

/// Compares "16.10" with "16.9" number by number; text after the numbers does not count. Missing
/// parts are equal to anything: "16" is not newer than "16.4", nor the reverse.
bool is_newer_engine(std::string_view backup, std::string_view target);

}  // namespace dbackup::host
