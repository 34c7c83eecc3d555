#pragma once

#include <map>
#include <string>
#include <vector>

#include "crypto/secret_box.hpp"
#include "model/nouns.hpp"
#include "store/database.hpp"

namespace dbackup::host {

struct NewProfileFields {
  std::string name;  ///< 1-100 characters, unique
  std::string description;
  /// age1…. With `write_only` alone they can open what the profile seals; else they are escrow keys
  /// beside the identity that is made here.
  std::vector<std::string> recipients;
  bool write_only = false;
};

struct DeleteProfile {
  bool force = false;          ///< retire a profile that is in use
  bool purge = false;          ///< erase its identities for good
  std::string confirmed_name;  ///< must be its name for a purge
};

struct ProfileView {
  EncryptionProfile profile;
  int64_t job_count = 0;
};

/// Encryption profiles: age identities sealed with the master key, or recipients alone.
/// [any-thread]
class EncryptionProfileService {
 public:
  EncryptionProfileService(Database& database, const Clock& clock, const SecretBox& box)
      : database_{database}, clock_{clock}, box_{box} {}

  std::vector<ProfileView> list();
  ProfileView get(const std::string& id);  ///< NotFound
  /// Throws Error: InvalidArgument for a bad recipient, AlreadyExists for a taken name.
  ProfileView create(const NewProfileFields& fields);
  /// Hides it; its identities stay to read old backups unless purged. Throws
  /// Error{FailedPrecondition} while jobs or stored backups need it and neither force nor purge is
  /// given, {InvalidArgument} when the name for a purge is another.
  void remove(const std::string& id, const DeleteProfile& how);

  /// The identity in clear; the caller has the right to see it.
  SecretString open_identity(const EncryptionIdentity& identity) const;

 private:
  Database& database_;
  const Clock& clock_;
  const SecretBox& box_;
};

/// True when the server holds no identity of the profile: it seals, and can never open.
bool is_write_only(const EncryptionProfile& profile);

}  // namespace dbackup::host
