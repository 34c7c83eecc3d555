#pragma once

#include <string>

#include "base/secret_string.hpp"

namespace dbackup::host {

/// The keys that sign sidecars: one for each execution, HKDF(master key, "sidecar/1" ‖ execution id), so
/// a worker gets the key of its own run alone. Immutable. [any-thread]
class SidecarKeys {
 public:
  explicit SidecarKeys(const SecretString& master_key);

  /// Stands in the sidecar as `macKeyId`: the id of the master key.
  const std::string& key_id() const noexcept { return key_id_; }
  /// 32 raw bytes.
  SecretString key(const std::string& execution_id) const;

  /// "signed", "unsigned" or "tampered"; a text that is no sidecar is "unsigned".
  std::string signature_of(const std::string& sidecar_text) const;

 private:
  SecretString master_key_;
  std::string key_id_;
};

}  // namespace dbackup::host
