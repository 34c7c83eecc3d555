#include "services/encryption_profile_service.hpp"

#include <algorithm>

#include "base/id.hpp"
#include "crypto/age_keys.hpp"
#include "store/adapter_store.hpp"
#include "store/backup_store.hpp"
#include "store/job_store.hpp"
#include "store/profile_store.hpp"

namespace dbackup::host {
namespace {

std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "\"" : ", \"") + name + "\"";
  return out;
}

EncryptionProfile found(Session& session, const std::string& id) {
  auto profile = EncryptionProfileStore{}.find(session, id);
  if (!profile) throw Error(ErrorCode::NotFound, "encryption profile not found");
  return *profile;
}

std::string checked_recipient(const std::string& text) {
  try {
    return AgeRecipient::parse(text).to_string();
  } catch (const Error&) {
    throw Error(ErrorCode::InvalidArgument,
                "\"recipients\": \"" + text + "\" is no age recipient (age1…)");
  }
}

int64_t job_count(Session& session, const std::string& profile_id) {
  return static_cast<int64_t>(JobStore{}.names_using_profile(session, profile_id).size());
}

}  // namespace

bool is_write_only(const EncryptionProfile& profile) {
  return std::ranges::all_of(profile.identities,
                             [](const auto& i) { return i.sealed_identity.empty(); });
}

std::vector<ProfileView> EncryptionProfileService::list() {
  std::vector<ProfileView> views;
  database_.read([&](Session& session) {
    for (EncryptionProfile& profile :
         EncryptionProfileStore{}.list(session, /*with_retired=*/false)) {
      const int64_t jobs = job_count(session, profile.id);
      views.push_back({.profile = std::move(profile), .job_count = jobs});
    }
  });
  return views;
}

ProfileView EncryptionProfileService::get(const std::string& id) {
  ProfileView view;
  database_.read([&](Session& session) {
    view.profile = found(session, id);
    view.job_count = job_count(session, id);
  });
  return view;
}

ProfileView EncryptionProfileService::create(const NewProfileFields& fields) {
  const TimeMs now = clock_.now_ms();
  EncryptionProfile profile{
      .id = new_uuid(), .name = fields.name, .description = fields.description};
  profile.created_at = profile.updated_at = now;
  if (fields.write_only && fields.recipients.empty()) {
    throw Error(ErrorCode::InvalidArgument, "a write-only profile needs \"recipients\"");
  }
  for (const std::string& text : fields.recipients) {
    const std::string recipient = checked_recipient(text);
    if (!fields.write_only) {
      profile.extra_recipients.push_back(recipient);
      continue;
    }
    profile.identities.push_back({.id = new_uuid(),
                                  .sealed_identity = "",
                                  .recipient = recipient,
                                  .active = true,
                                  .created_at = now});
  }
  if (!fields.write_only) {
    const AgeIdentity identity = AgeIdentity::generate();
    EncryptionIdentity row{
        .id = new_uuid(), .recipient = identity.recipient().to_string(), .created_at = now};
    row.sealed_identity = box_.seal(identity.to_string().reveal(), "identity/" + row.id);
    profile.identities.push_back(std::move(row));
  }
  database_.write([&](Session& session) {
    for (const auto& other : EncryptionProfileStore{}.list(session, /*with_retired=*/true)) {
      if (other.name == profile.name) {
        throw Error(ErrorCode::AlreadyExists,
                    "an encryption profile named \"" + profile.name + "\" already exists" +
                        (other.retired ? ", retired; purge it first if nothing needs it" : ""));
      }
    }
    EncryptionProfileStore{}.insert(session, profile);
  });
  return {.profile = std::move(profile)};
}

void EncryptionProfileService::remove(const std::string& id, const DeleteProfile& how) {
  database_.write([&](Session& session) {
    EncryptionProfile profile = found(session, id);
    const auto jobs = JobStore{}.names_using_profile(session, id);
    const bool has_backups = !BackupStore{}.using_profile(session, id, 1).empty();
    if (how.purge && how.confirmed_name != profile.name) {
      throw Error(ErrorCode::InvalidArgument,
                  "to erase the profile's keys, \"name\" must be its name");
    }
    // A job without its profile would store backups in clear: not even a purge does that.
    if (!jobs.empty() && (how.purge || !how.force)) {
      throw Error(ErrorCode::FailedPrecondition,
                  "the encryption profile is used by the jobs " + joined(jobs));
    }
    if (how.purge) return EncryptionProfileStore{}.remove(session, id);
    if (has_backups && !how.force) {
      throw Error(
          ErrorCode::FailedPrecondition,
          "stored backups need this encryption profile; force=true retires it and keeps its keys");
    }
    // An identity is never erased in passing: a destination that was not listed may hold backups
    // that need it. Without one there is nothing to lose.
    if (is_write_only(profile) && !has_backups && jobs.empty())
      return EncryptionProfileStore{}.remove(session, id);
    profile.retired = true;
    profile.updated_at = clock_.now_ms();
    EncryptionProfileStore{}.update(session, profile);
  });
}

SecretString EncryptionProfileService::open_identity(const EncryptionIdentity& identity) const {
  return box_.open(identity.sealed_identity, "identity/" + identity.id);
}

}  // namespace dbackup::host
