#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/nouns.hpp"
#include "services/encryption_profile_service.hpp"

namespace dbackup::host {

class AuditLog;

struct RecoveryKit {
  std::string file_name;  ///< recovery_kit_<name>.zip
  std::string zip;        ///< holds identities in clear
};

/// ZIP files with which backups are opened without this server. [any-thread]
class RecoveryKitService {
 public:
  RecoveryKitService(Database& database, const Clock& clock,
                     const EncryptionProfileService& profiles, AuditLog& audit)
      : database_{database}, clock_{clock}, profiles_{profiles}, audit_{audit} {}

  /// One kit for all these profiles, retired ones included. Throws Error{NotFound} for an unknown
  /// id, {InvalidArgument} without ids, {FailedPrecondition} for a write-only profile: its keys are
  /// elsewhere.
  RecoveryKit make(const Principal& who, const std::vector<std::string>& profile_ids);

 private:
  std::string hex_file(const EncryptionProfile& profile) const;
  std::string identity_file(const EncryptionProfile& profile) const;

  Database& database_;
  const Clock& clock_;
  const EncryptionProfileService& profiles_;
  AuditLog& audit_;
};

/// The shell program of every kit: needs age and the codec, nothing else.
std::string_view recovery_script() noexcept;
std::string recovery_readme(const std::vector<std::string>& profile_names, TimeMs made_at);

}  // namespace dbackup::host
