#pragma once

#include <filesystem>
#include <string>

#include "base/secret_string.hpp"

namespace dbackup::host {

inline constexpr size_t kMasterKeySize = 32;

struct MasterKeyRequest {
  /// 64 hexadecimal digits, as the environment gives it; empty when not given. Wins over the file.
  SecretString explicit_value;
  /// The server's data directory; the key file is `<data_dir>/private/master.key`.
  std::filesystem::path data_dir;
  /// Whether a missing key may be made. The caller knows: only for an empty, embedded store.
  bool may_generate = false;
};

struct MasterKey {
  enum class Origin { Explicit, File, Generated };

  SecretString bytes;  ///< 32 raw bytes
  std::string id;      ///< master_key_id(bytes)
  Origin origin = Origin::File;
};

/// `<data_dir>/private` and the key file inside it.
std::filesystem::path private_folder(const std::filesystem::path& data_dir);
std::filesystem::path master_key_path(const std::filesystem::path& data_dir);

/// Makes `<data_dir>/private` (0700) if it is missing. Throws Error{PermissionDenied} when it is a
/// link, another user's, or open to group or world; other errors of the system as throw_errno gives
/// them.
void ensure_private_folder(const std::filesystem::path& data_dir);

/// The explicit value, else the file, else a new key where allowed (synced to disk before it is
/// returned, never over an existing file). Blocks on the disk. Throws
///   Error{InvalidArgument}                            the value or the file is not 64 hexadecimal
///   digits Error{PermissionDenied}                           folder or file open to others, or
///   another user's Error{FailedPrecondition, "master_key_missing"}   no key anywhere and none may
///   be made
/// each with a hint. No message contains any part of the key.
MasterKey load_master_key(const MasterKeyRequest& request);

}  // namespace dbackup::host
