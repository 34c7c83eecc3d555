#include "services/profile_recovery.hpp"

#include "base/encoding.hpp"
#include "control/control_plane.hpp"
#include "control/reading_keys.hpp"
#include "crypto/age_keys.hpp"
#include "services/adapter_failure.hpp"
#include "services/backup_path_rules.hpp"
#include "services/encryption_profile_service.hpp"
#include "services/storage_service.hpp"

namespace dbackup::host {
namespace {

AgeIdentity identity_of(const RecoverProfile& wanted) {
  try {
    if (!wanted.identity.empty()) return AgeIdentity::parse(wanted.identity.reveal());
    std::string key = from_hex(wanted.key_hex.reveal()).value_or("");
    AgeIdentity identity = AgeIdentity::from_bytes(key);
    wipe(key);
    return identity;
  } catch (const Error&) {
    throw Error(ErrorCode::InvalidArgument,
                wanted.identity.empty() ? "\"keyHex\" must be 64 hexadecimal digits"
                                        : "\"identity\" is no age identity (AGE-SECRET-KEY-1…)");
  }
}

}  // namespace

RecoveredProfile ProfileRecovery::recover(const Principal& who, const RecoverProfile& wanted) {
  const AgeIdentity identity = identity_of(wanted);
  check_backup_path(wanted.file);
  require_storage(control_, wanted.storage_id);
  StoredBackup backup;
  as_adapter_failure([&] { backup = control_.catalog().find(wanted.storage_id, wanted.file); });
  if (!is_sealed(backup))
    throw Error(ErrorCode::FailedPrecondition, "this backup is not encrypted: it needs no key");
  const protocol::FetchRequest request{
      .file = stored_file(backup, control_.resolver().resolve(wanted.storage_id),
                          {std::string{identity.to_string().reveal()}}),
      .unseal = true,
      .offset = 0,
      .length = 0};
  try {
    as_adapter_failure([&] { control_.workers().fetch(request).end->abandon(); });
  } catch (const Error& error) {
    if (error.reason() != "encryption_key_required") throw;
    throw Error(ErrorCode::InvalidArgument, "this key does not open the backup", {}, "wrong_key");
  }
  const std::string recipient = identity.recipient().to_string();
  if (const auto known = profiles_.find_by_recipient(recipient))
    return {.is_new = false, .id = known->id, .name = known->name};
  const std::string name =
      wanted.name.empty() ? "Recovered " + recipient.substr(0, 12) : wanted.name;
  const ProfileView made = profiles_.import(
      who, {.name = name, .description = "", .key_hex = {}, .identity = identity.to_string()});
  return {.is_new = true, .id = made.profile.id, .name = made.profile.name};
}

}  // namespace dbackup::host
