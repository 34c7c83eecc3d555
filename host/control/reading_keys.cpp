#include "control/reading_keys.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/logging.hpp"
#include "model/backup_name.hpp"
#include "model/sidecar.hpp"
#include "store/profile_store.hpp"

namespace dbackup::host {
namespace {

std::string profile_in_sidecar(const Json& sidecar) {
  if (!sidecar.is_object()) return "";
  const auto encryption = sidecar.find("encryption");
  if (encryption == sidecar.end() || !encryption->is_object()) return "";
  const auto id = encryption->find("profileId");
  return id != encryption->end() && id->is_string() ? id->get<std::string>() : "";
}

void add(std::vector<std::string>& out, std::string identity) {
  if (!identity.empty() && std::find(out.begin(), out.end(), identity) == out.end()) {
    out.push_back(std::move(identity));
  }
}

void add_profile(const ControlContext& context, const EncryptionProfile& profile,
                 std::vector<std::string>& out) {
  for (const auto& identity : profile.identities) {
    if (identity.sealed_identity.empty()) continue;  // write-only
    if (identity.recipient.empty()) continue;        // of the reference implementation, no age key
    try {
      const SecretString text =
          context.box.open(identity.sealed_identity, "identity/" + identity.id);
      add(out, std::string(text.reveal()));
    } catch (const Error& error) {
      // Another profile may still open the backup.
      log_warning("a key of encryption profile \"" + profile.name +
                  "\" cannot be used: " + error.what());
    }
  }
}

}  // namespace

bool is_sealed(const StoredBackup& backup) {
  if (std::string_view(backup.path).ends_with(kSealedSuffix)) return true;
  if (!backup.sidecar.is_object()) return false;
  const auto encryption = backup.sidecar.find("encryption");
  return encryption != backup.sidecar.end() && encryption->is_object() &&
         encryption->value("enabled", Json(false)) == true;
}

std::vector<std::string> identities_for(const ControlContext& context, const StoredBackup& backup,
                                        const std::string& profile_override,
                                        const std::string& given_identity) {
  std::vector<std::string> out;
  if (!is_sealed(backup)) return out;
  std::vector<EncryptionProfile> profiles;
  context.database.read([&](Session& s) { profiles = EncryptionProfileStore{}.list(s, true); });
  const auto by_id = [&](const std::string& id) {
    return std::find_if(profiles.begin(), profiles.end(),
                        [&](const auto& p) { return p.id == id; });
  };
  add(out, given_identity);
  if (!profile_override.empty()) {
    const auto chosen = by_id(profile_override);
    if (chosen == profiles.end()) {
      throw Error(ErrorCode::NotFound,
                  "there is no encryption profile \"" + profile_override + "\"");
    }
    add_profile(context, *chosen, out);
  }
  if (const auto own = by_id(profile_in_sidecar(backup.sidecar)); own != profiles.end()) {
    add_profile(context, *own, out);
  }
  for (const auto& profile : profiles) add_profile(context, profile, out);
  if (out.empty()) {
    throw Error(ErrorCode::FailedPrecondition,
                "\"" + backup.path + "\" is encrypted and no key for it is at hand", {},
                "encryption_key_required");
  }
  return out;
}

protocol::StoredFile stored_file(const StoredBackup& backup, protocol::AdapterRef storage,
                                 std::vector<std::string> identities) {
  protocol::StoredFile out{.storage = std::move(storage), .path = backup.path};
  out.identities = std::move(identities);
  if (!backup.sidecar.is_object() || backup.signature == "tampered") return out;
  const auto text = [&](const char* key) {
    const auto found = backup.sidecar.find(key);
    return found != backup.sidecar.end() && found->is_string() ? found->get<std::string>() : "";
  };
  if (compression_from(text("compression"))) out.compression = text("compression");
  out.sha256 = text("checksum");
  out.index_sha256 = parse_sidecar(dump_json(backup.sidecar)).index_checksum;
  return out;
}

}  // namespace dbackup::host
