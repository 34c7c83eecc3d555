#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/secret_string.hpp"
#include "crypto/secret_box.hpp"
#include "model/nouns.hpp"
#include "services/bulk.hpp"
#include "store/database.hpp"

namespace dbackup::host {

class AuditLog;

struct NewProfileFields {
  std::string name;  ///< 1-100 characters, unique
  std::string description;
  /// age1…. With `write_only` alone they can open what the profile seals; else they are escrow keys
  /// beside the identity that is made here.
  std::vector<std::string> recipients;
  bool write_only = false;
};

/// A key that another program made.
struct ImportProfileFields {
  std::string name, description;
  SecretString
      key_hex;  ///< 64 hexadecimal digits of the reference implementation: reads, never writes
  SecretString identity;  ///< or AGE-SECRET-KEY-1…: a whole profile
};

struct RevealedKey {
  SecretString key_hex;   ///< the 32 bytes of the key
  SecretString identity;  ///< "" for an imported key
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
  EncryptionProfileService(Database& database, const Clock& clock, const SecretBox& box,
                           AuditLog& audit)
      : database_{database}, clock_{clock}, box_{box}, audit_{audit} {}

  std::vector<ProfileView> list();
  ProfileView get(const std::string& id);  ///< NotFound
  /// Throws Error: InvalidArgument for a bad recipient, AlreadyExists for a taken name.
  ProfileView create(const Principal& who, const NewProfileFields& fields);
  /// Throws Error{InvalidArgument} naming the field, {AlreadyExists} for a taken name or a known
  /// key.
  ProfileView import(const Principal& who, const ImportProfileFields& fields);
  ProfileView update(const Principal& who, const std::string& id,
                     const std::optional<std::string>& name,
                     const std::optional<std::string>& description);
  /// A new identity for new backups; the old ones stay to read old backups. Throws
  /// Error{FailedPrecondition} for a profile whose keys are elsewhere, or only read.
  ProfileView rotate(const Principal& who, const std::string& id);
  /// The newest key in clear. Written to the audit log before it is looked up.
  RevealedKey reveal(const Principal& who, const std::string& id);
  /// The profile that holds this identity, retired ones included.
  std::optional<EncryptionProfile> find_by_recipient(const std::string& recipient);
  /// Hides it; its identities stay to read old backups unless purged. Throws
  /// Error{FailedPrecondition} while jobs or stored backups need it and neither force nor purge is
  /// given, {InvalidArgument} when the name for a purge is another.
  void remove(const Principal& who, const std::string& id, const DeleteProfile& how);
  BulkOutcome remove_all(const Principal& who, const std::vector<std::string>& ids);

  /// The identity in clear; the caller has the right to see it.
  SecretString open_identity(const EncryptionIdentity& identity) const;

 private:
  void insert(const Principal& who, const EncryptionProfile& profile, const char* how);

  Database& database_;
  const Clock& clock_;
  const SecretBox& box_;
  AuditLog& audit_;
};

/// True for a key of the reference implementation: it reads old backups and seals none.
bool is_read_only(const EncryptionProfile& profile);
/// True when the server holds no identity of the profile: it seals, and can never open.
bool is_write_only(const EncryptionProfile& profile);

}  // namespace dbackup::host
