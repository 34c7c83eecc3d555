#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "base/secret_string.hpp"
#include "crypto/secret_box.hpp"
#include "protocol/message.hpp"

/// What Execution::options holds for each type of run. Made by services, read by the queue.
namespace dbackup::host {

/// Type "Backup".
struct BackupOptions {
  bool lock = false;
};
Json to_json(const BackupOptions& options);
BackupOptions backup_options(const Json& json);

/// Type "Restore". Execution::path is the backup's path.
struct RestoreOptions {
  std::string destination_id, path;
  std::string target_source_id;
  std::string database;          ///< target's name; "": as the backup says
  std::string original_name;     ///< "": as the backup says
  /// Of an archive: what is restored, and as what; empty: all of it.
  std::vector<protocol::DatabaseMapping> databases;
  std::string profile_override;  ///< encryption profile to try first
  std::string sealed_login;      ///< see seal_login(); "": none
  bool needs_identity = false;   ///< an identity given with the request waits in SecretsInMemory
};
Json to_json(const RestoreOptions& options);
RestoreOptions restore_options(const Json& json);

/// A privileged login at rest, sealed with context "execution/<id>".
std::string seal_login(const SecretBox& box, const std::string& execution_id,
                       const protocol::PrivilegedLogin& login);
protocol::PrivilegedLogin open_login(const SecretBox& box, const std::string& execution_id,
                                     const std::string& sealed);

/// Type "Verification". Execution::path is the backup's path.
struct VerificationOptions {
  std::string destination_id, path;
  std::string trigger = "manual";
};
Json to_json(const VerificationOptions& options);
VerificationOptions verification_options(const Json& json);

/// Identities that came with a request and must never be stored: kept until their run takes them, or
/// until this process ends. [any-thread]
class SecretsInMemory {
 public:
  void put(const std::string& execution_id, SecretString identity);
  /// nullopt: this process does not have it (any more).
  std::optional<SecretString> take(const std::string& execution_id);
  void forget(const std::string& execution_id);

 private:
  std::mutex mutex_;
  std::map<std::string, SecretString> identities_;
};

}  // namespace dbackup::host
