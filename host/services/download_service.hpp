#pragma once

#include <optional>
#include <string>

#include "control/worker_client.hpp"
#include "model/nouns.hpp"
#include "services/download_tokens.hpp"

namespace dbackup::host {

class AuditLog;
class ControlPlane;

/// A download that can begin: the file is known, and so is how to read it.
struct DownloadPlan {
  StoredBackup backup;
  std::string file_name;  ///< as the client shall call it
  std::string sha256;     ///< of the stored bytes; "": not known
  bool unseal = false;    ///< decrypted on the way, still compressed
  protocol::StoredFile file;
  std::string profile_id;
};

/// Stored backups as byte streams, sealed or opened on the way. [any-thread]
class DownloadService {
 public:
  DownloadService(ControlPlane& control, AuditLog& audit);

  /// Throws Error: NotFound, InvalidArgument for a bad path, FailedPrecondition
  /// "encryption_key_required" when it shall be opened and there is no key.
  DownloadPlan plan(const DownloadGrant& grant);
  /// Size of what the plan delivers. For opened bytes this asks a worker: it follows from the
  /// header.
  uint64_t total(const DownloadPlan& plan);
  /// The bytes from `offset`, `length` -1: to the end. Blocks until they begin to flow.
  WorkerClient::Fetch open(const DownloadPlan& plan, uint64_t offset, int64_t length);

  /// A link for one download. `decrypt` nullopt: opened when there is a key for it. Throws as
  /// plan().
  SecretString make_link(const Principal& who, DownloadGrant grant, std::optional<bool> decrypt);
  /// The same for a later request of the same caller. Throws as plan().
  SecretString prepare(const Principal& who, DownloadGrant grant);
  /// Uses a prepared download up. Throws Error{NotFound, "expired"} for one that is used, expired or
  /// somebody else's.
  DownloadGrant claim_prepared(const Principal& who, const std::string& destination_id,
                               const std::string& token);
  /// That bytes left the server, for the audit log.
  void note(const Principal& who, const DownloadGrant& grant);
  DownloadTokens& tokens() noexcept { return tokens_; }

 private:
  bool can_open(const StoredBackup& backup, const std::string& profile_override);
  StoredBackup find(const DownloadGrant& grant);

  ControlPlane& control_;
  AuditLog& audit_;
  DownloadTokens tokens_;
};

}  // namespace dbackup::host
