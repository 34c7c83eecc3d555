#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/secret_string.hpp"

namespace dbackup::host {

/// Short name of a master key (16 hexadecimal digits), safe to store and to show: derived with
/// HKDF, so it tells nothing about the key. `master_key` is 32 raw bytes, else
/// Error{InvalidArgument}.
std::string master_key_id(const SecretString& master_key);

/// Secrets at rest. A sealed text is self-describing and fits a text column:
///
///   v1:<master key id>:<base64 of nonce (12 bytes) ‖ ciphertext ‖ tag (16 bytes)>
///
/// AES-256-GCM under a key derived for this purpose alone. `context` says where the text lives
/// ("adapter_configs/<id>") and is authenticated with it, so a row cannot pass for another row.
/// Immutable after construction. [any-thread]
class SecretBox {
 public:
  /// `master_key` is 32 raw bytes, else Error{InvalidArgument}.
  explicit SecretBox(const SecretString& master_key);

  /// The id of the key that seals here.
  const std::string& key_id() const noexcept { return key_id_; }

  std::string seal(std::string_view plaintext, std::string_view context) const;

  /// Throws Error{DataLoss} when the text was altered, cut, or belongs to another context, and
  /// Error{FailedPrecondition, reason "master_key_mismatch"} naming both ids when another key
  /// sealed it.
  SecretString open(std::string_view sealed, std::string_view context) const;

  /// The id of the key `sealed` asks for; nullopt when it is no sealed text.
  static std::optional<std::string> key_id_of(std::string_view sealed);

 private:
  std::string key_id_;
  SecretString key_;
};

}  // namespace dbackup::host
