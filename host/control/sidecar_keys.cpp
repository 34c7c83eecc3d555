#include "control/sidecar_keys.hpp"

#include "base/error.hpp"
#include "crypto/hash.hpp"
#include "crypto/secret_box.hpp"
#include "model/sidecar.hpp"

namespace dbackup::host {

SidecarKeys::SidecarKeys(const SecretString& master_key)
    : master_key_{master_key}, key_id_{master_key_id(master_key)} {}

SecretString SidecarKeys::key(const std::string& execution_id) const {
  constexpr size_t kKeyBytes = 32;
  return hkdf_sha256(master_key_.reveal(), "", "sidecar/1" + execution_id, kKeyBytes);
}

std::string SidecarKeys::signature_of(const std::string& sidecar_text) const {
  try {
    const Sidecar sidecar = parse_sidecar(sidecar_text);
    const SecretString own = key(sidecar.execution_id);
    switch (check_sidecar(sidecar_text, key_id_, own.reveal())) {
      case SidecarTrust::Signed: return "signed";
      case SidecarTrust::Tampered: return "tampered";
      case SidecarTrust::Unsigned: break;
    }
  } catch (const Error&) {
    // No JSON object: nobody's signature.
  }
  return "unsigned";
}

}  // namespace dbackup::host
