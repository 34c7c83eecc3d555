#include "services/encryption_profile_service.hpp"

#include <algorithm>

#include "base/encoding.hpp"
#include "base/id.hpp"
#include "crypto/age_keys.hpp"
#include "services/audit_log.hpp"
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

void refuse_taken_name(Session& session, const EncryptionProfile& profile) {
  for (const auto& other : EncryptionProfileStore{}.list(session, /*with_retired=*/true)) {
    if (other.name != profile.name || other.id == profile.id) continue;
    throw Error(ErrorCode::AlreadyExists,
                "an encryption profile named \"" + profile.name + "\" already exists" +
                    (other.retired ? ", retired; purge it first if nothing needs it" : ""));
  }
}

AgeIdentity parsed_identity(const SecretString& text) {
  try {
    return AgeIdentity::parse(text.reveal());
  } catch (const Error&) {
    throw Error(ErrorCode::InvalidArgument, "\"identity\" is no age identity (AGE-SECRET-KEY-1…)");
  }
}

int64_t job_count(Session& session, const std::string& profile_id) {
  return static_cast<int64_t>(JobStore{}.names_using_profile(session, profile_id).size());
}

}  // namespace

bool is_read_only(const EncryptionProfile& profile) {
  return std::ranges::any_of(profile.identities, [](const auto& i) { return i.recipient.empty(); });
}

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

ProfileView EncryptionProfileService::create(const Principal& who, const NewProfileFields& fields) {
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
  insert(who, profile, "created");
  return {.profile = std::move(profile)};
}

void EncryptionProfileService::insert(const Principal& who, const EncryptionProfile& profile,
                                      const char* how) {
  database_.write([&](Session& session) {
    refuse_taken_name(session, profile);
    EncryptionProfileStore{}.insert(session, profile);
    audit_.write(session, who, AuditAction::Create, AuditResource::Vault, profile.id,
                 {{"name", profile.name}, {"how", how}});
  });
}

std::optional<EncryptionProfile> EncryptionProfileService::find_by_recipient(
    const std::string& recipient) {
  std::vector<EncryptionProfile> all;
  database_.read([&](Session& session) { all = EncryptionProfileStore{}.list(session, true); });
  for (auto& profile : all) {
    for (const auto& identity : profile.identities) {
      if (!identity.sealed_identity.empty() && identity.recipient == recipient)
        return std::move(profile);
    }
  }
  return std::nullopt;
}

ProfileView EncryptionProfileService::import(const Principal& who,
                                             const ImportProfileFields& fields) {
  if (fields.key_hex.empty() == fields.identity.empty())
    throw Error(ErrorCode::InvalidArgument, "either \"keyHex\" or \"identity\" is required");
  const TimeMs now = clock_.now_ms();
  EncryptionProfile profile{
      .id = new_uuid(), .name = fields.name, .description = fields.description};
  profile.created_at = profile.updated_at = now;
  EncryptionIdentity row{.id = new_uuid(), .created_at = now};
  SecretString text;
  if (!fields.identity.empty()) {
    const AgeIdentity identity = parsed_identity(fields.identity);
    row.recipient = identity.recipient().to_string();
    text = identity.to_string();
    if (const auto known = find_by_recipient(row.recipient)) {
      throw Error(ErrorCode::AlreadyExists,
                  "the encryption profile \"" + known->name + "\" holds this key already");
    }
  } else {
    std::string key = from_hex(fields.key_hex.reveal()).value_or("");
    if (key.size() != 32)
      throw Error(ErrorCode::InvalidArgument, "\"keyHex\" must be 64 hexadecimal digits");
    text = SecretString{to_hex(key)};
    wipe(key);
    row.active = false;
  }
  row.sealed_identity = box_.seal(text.reveal(), "identity/" + row.id);
  profile.identities.push_back(std::move(row));
  insert(who, profile, "imported");
  return {.profile = std::move(profile)};
}

ProfileView EncryptionProfileService::update(const Principal& who, const std::string& id,
                                             const std::optional<std::string>& name,
                                             const std::optional<std::string>& description) {
  database_.write([&](Session& session) {
    EncryptionProfile profile = found(session, id);
    if (name) profile.name = *name;
    if (description) profile.description = *description;
    refuse_taken_name(session, profile);
    profile.updated_at = clock_.now_ms();
    EncryptionProfileStore{}.update(session, profile);
    audit_.write(session, who, AuditAction::Update, AuditResource::Vault, id,
                 {{"name", profile.name}});
  });
  return get(id);
}

ProfileView EncryptionProfileService::rotate(const Principal& who, const std::string& id) {
  const AgeIdentity identity = AgeIdentity::generate();
  database_.write([&](Session& session) {
    EncryptionProfile profile = found(session, id);
    if (is_write_only(profile) || is_read_only(profile)) {
      throw Error(ErrorCode::FailedPrecondition,
                  "\"" + profile.name + "\" holds no key of this server's making");
    }
    for (auto& old : profile.identities) old.active = false;
    EncryptionIdentity row{.id = new_uuid(), .recipient = identity.recipient().to_string()};
    row.created_at = profile.updated_at = clock_.now_ms();
    row.sealed_identity = box_.seal(identity.to_string().reveal(), "identity/" + row.id);
    profile.identities.push_back(std::move(row));
    EncryptionProfileStore{}.update(session, profile);
    audit_.write(session, who, AuditAction::Update, AuditResource::Vault, id,
                 {{"name", profile.name}, {"rotated", true}});
  });
  return get(id);
}

RevealedKey EncryptionProfileService::reveal(const Principal& who, const std::string& id) {
  audit_.write(who, AuditAction::Export, AuditResource::Vault, id, {{"action", "reveal"}});
  EncryptionProfile profile;
  database_.read([&](Session& session) { profile = found(session, id); });
  if (is_write_only(profile)) {
    throw Error(ErrorCode::FailedPrecondition,
                "\"" + profile.name + "\" is write-only: this server does not have its key");
  }
  const EncryptionIdentity* newest = nullptr;
  for (const auto& identity : profile.identities) {
    if (!identity.sealed_identity.empty() &&
        (newest == nullptr || identity.active || !newest->active))
      newest = &identity;
  }
  RevealedKey out;
  if (newest->recipient.empty()) {
    out.key_hex = open_identity(*newest);
    return out;
  }
  out.identity = open_identity(*newest);
  out.key_hex = SecretString{to_hex(AgeIdentity::parse(out.identity.reveal()).bytes())};
  return out;
}

BulkOutcome EncryptionProfileService::remove_all(const Principal& who,
                                                 const std::vector<std::string>& ids) {
  const BulkOutcome outcome = run_bulk(
      ids, [&](const std::string& id) { remove(who, id, {}); },
      [&](const std::string& id) { return get(id).profile.name; });
  audit_.write(who, AuditAction::Delete, AuditResource::Vault, "", bulk_audit("delete", outcome));
  return outcome;
}

void EncryptionProfileService::remove(const Principal& who, const std::string& id,
                                      const DeleteProfile& how) {
  database_.write([&](Session& session) {
    EncryptionProfile profile = found(session, id);
    const auto note = [&](const char* what) {
      audit_.write(session, who, AuditAction::Delete, AuditResource::Vault, id,
                   {{"name", profile.name}, {"how", what}});
    };
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
    if (how.purge) {
      EncryptionProfileStore{}.remove(session, id);
      return note("erased");
    }
    if (has_backups && !how.force) {
      throw Error(
          ErrorCode::FailedPrecondition,
          "stored backups need this encryption profile; force=true retires it and keeps its keys");
    }
    // An identity is never erased in passing: a destination that was not listed may hold backups
    // that need it. Without one there is nothing to lose.
    if (is_write_only(profile) && !has_backups && jobs.empty()) {
      EncryptionProfileStore{}.remove(session, id);
      return note("deleted");
    }
    profile.retired = true;
    profile.updated_at = clock_.now_ms();
    EncryptionProfileStore{}.update(session, profile);
    note("retired");
  });
}

SecretString EncryptionProfileService::open_identity(const EncryptionIdentity& identity) const {
  return box_.open(identity.sealed_identity, "identity/" + identity.id);
}

}  // namespace dbackup::host
