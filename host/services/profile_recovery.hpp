#pragma once

#include <string>

#include "base/secret_string.hpp"
#include "model/principal.hpp"

namespace dbackup::host {

class ControlPlane;
class EncryptionProfileService;

struct RecoverProfile {
  std::string storage_id, file;
  SecretString key_hex;   ///< the 32 bytes of an age key, 64 hexadecimal digits
  SecretString identity;  ///< or the same as AGE-SECRET-KEY-1…
  std::string name;       ///< of the profile, when one is made; "": a name that says so
};
struct RecoveredProfile {
  bool is_new = false;
  std::string id, name;
};

/// Takes a key back in after it has shown that it opens a stored backup. [any-thread]
class ProfileRecovery {
 public:
  ProfileRecovery(ControlPlane& control, EncryptionProfileService& profiles)
      : control_{control}, profiles_{profiles} {}

  /// Blocks on a worker. Throws Error: InvalidArgument "wrong_key" when the key does not open the
  /// backup, NotFound for storage or backup, FailedPrecondition when the backup is not encrypted.
  RecoveredProfile recover(const Principal& who, const RecoverProfile& wanted);

 private:
  ControlPlane& control_;
  EncryptionProfileService& profiles_;
};

}  // namespace dbackup::host
