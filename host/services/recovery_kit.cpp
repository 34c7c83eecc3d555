#include "services/recovery_kit.hpp"

#include <algorithm>
#include <set>

#include "base/json.hpp"
#include "base/logging.hpp"
#include "services/audit_log.hpp"
#include "services/zip_archive.hpp"
#include "store/profile_store.hpp"

namespace dbackup::host {
namespace {

/// ASCII letters and digits in lower case, "_" for the rest.
std::string safe_name(const std::string& name) {
  std::string out;
  for (const char c : name) {
    const bool upper = c >= 'A' && c <= 'Z';
    const bool keep = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    out += upper ? static_cast<char>(c - 'A' + 'a') : keep ? c : '_';
  }
  return out;
}

std::string unused_name(const std::string& wanted, std::set<std::string>& taken) {
  std::string name = wanted;
  for (int n = 2; !taken.insert(name).second; ++n) name = wanted + "-" + std::to_string(n);
  return name;
}

}  // namespace

std::string RecoveryKitService::identity_file(const EncryptionProfile& profile) const {
  std::string text = "# encryption profile: " + profile.name + "\n";
  std::ranges::replace(text, '\r', ' ');
  for (const auto& identity : profile.identities) {
    if (identity.sealed_identity.empty()) continue;
    text += "# created: " + format_iso8601(identity.created_at) +
            "\n# public key: " + identity.recipient + "\n";
    text += std::string{profiles_.open_identity(identity).reveal()} + "\n";
  }
  return text;
}

std::string RecoveryKitService::hex_file(const EncryptionProfile& profile) const {
  std::string text;
  for (const auto& identity : profile.identities) {
    if (!identity.sealed_identity.empty())
      text = std::string{profiles_.open_identity(identity).reveal()} + "\n";
  }
  return text;
}

RecoveryKit RecoveryKitService::make(const Principal& who,
                                     const std::vector<std::string>& profile_ids) {
  if (profile_ids.empty())
    throw Error(ErrorCode::InvalidArgument, "\"ids\" names no encryption profile");
  if (profile_ids.size() > 200)
    throw Error(ErrorCode::InvalidArgument, "\"ids\" names more than 200 profiles");
  audit_.write(who, AuditAction::Export, AuditResource::Vault,
               profile_ids.size() == 1 ? profile_ids[0] : "",
               {{"action", "recovery-kit"}, {"profiles", profile_ids}});
  std::vector<EncryptionProfile> profiles;
  database_.read([&](Session& session) {
    for (const std::string& id : profile_ids) {
      if (std::ranges::find(profiles, id, &EncryptionProfile::id) != profiles.end()) continue;
      auto profile = EncryptionProfileStore{}.find(session, id);
      if (!profile)
        throw Error(ErrorCode::NotFound, "encryption profile not found: \"" + id + "\"");
      if (is_write_only(*profile)) {
        throw Error(ErrorCode::FailedPrecondition,
                    "\"" + profile->name + "\" is write-only: this server does not have its key");
      }
      profiles.push_back(std::move(*profile));
    }
  });

  const TimeMs now = clock_.now_ms();
  std::vector<std::string> names;
  for (const auto& profile : profiles) names.push_back(profile.name);
  ZipArchive zip{now};
  zip.add("README.txt", recovery_readme(names, now), 0644);
  zip.add("recover.sh", recovery_script(), 0755);
  RecoveryKit kit;
  if (profiles.size() == 1) {
    const bool is_imported = is_read_only(profiles.front());
    zip.add(is_imported ? "master.key" : "identity.txt",
            is_imported ? hex_file(profiles.front()) : identity_file(profiles.front()), 0600);
    kit.file_name = "recovery_kit_" + safe_name(names.front()) + ".zip";
  } else {
    Json keys = Json::array();
    std::set<std::string> taken;
    for (const auto& profile : profiles) {
      const bool is_imported = is_read_only(profile);
      const std::string file =
          unused_name(safe_name(profile.name), taken) + (is_imported ? ".key" : ".txt");
      zip.add("keys/" + file, is_imported ? hex_file(profile) : identity_file(profile), 0600);
      keys.push_back({{"profileId", profile.id}, {"name", profile.name}, {"file", file}});
    }
    zip.add("keys/keys.json", dump_json({{"version", 1}, {"keys", keys}}) + "\n", 0644);
    kit.file_name = "recovery_kit_" + std::to_string(profiles.size()) + "_profiles.zip";
  }
  kit.zip = zip.finish();
  log_info("a recovery kit of " + std::to_string(profiles.size()) +
           " encryption profiles was made for " + who.name);
  return kit;
}

}  // namespace dbackup::host
