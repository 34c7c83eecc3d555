#include "services/download_service.hpp"

#include "base/logging.hpp"
#include "control/control_plane.hpp"
#include "control/reading_keys.hpp"
#include "model/backup_name.hpp"
#include "services/adapter_failure.hpp"
#include "services/audit_log.hpp"
#include "services/backup_path_rules.hpp"
#include "services/encryption_profile_service.hpp"
#include "services/storage_service.hpp"
#include "store/profile_store.hpp"

namespace dbackup::host {
namespace {

std::string profile_of(const StoredBackup& backup) {
  const StoredFileView view = file_view(backup);
  return view.sidecar.encryption ? view.sidecar.encryption->profile_id : std::string{};
}

/// A person on every device, or one API key.
std::string owner_of(const Principal& who) {
  return who.kind == PrincipalKind::Session ? "user/" + who.user_id : "key/" + who.id;
}

}  // namespace

DownloadService::DownloadService(ControlPlane& control, AuditLog& audit)
    : control_{control}, audit_{audit}, tokens_{control.context().clock} {}

StoredBackup DownloadService::find(const DownloadGrant& grant) {
  check_backup_path(grant.path);
  require_storage(control_, grant.destination_id);
  StoredBackup backup;
  as_adapter_failure([&] { backup = control_.catalog().find(grant.destination_id, grant.path); });
  return backup;
}

DownloadPlan DownloadService::plan(const DownloadGrant& grant) {
  DownloadPlan plan{.backup = find(grant)};
  const StoredFileView view = file_view(plan.backup);
  plan.unseal = grant.unseal && view.is_sealed;
  plan.profile_id =
      grant.profile_override.empty() ? profile_of(plan.backup) : grant.profile_override;
  std::vector<std::string> identities;
  if (plan.unseal) {
    as_key_failure(plan.profile_id, [&] {
      identities = identities_for(control_.context(), plan.backup, grant.profile_override,
                                  std::string{grant.identity.reveal()});
    });
  }
  const std::string_view name = base_name(plan.backup.path);
  plan.file_name = plan.unseal ? without_sealed_suffix(name) : name;
  plan.sha256 = view.sidecar.checksum;
  plan.file = stored_file(plan.backup, control_.resolver().resolve(grant.destination_id),
                          std::move(identities));
  return plan;
}

uint64_t DownloadService::total(const DownloadPlan& plan) {
  if (!plan.unseal) return static_cast<uint64_t>(plan.backup.size);
  const WorkerClient::Fetch probe = open(plan, 0, 0);
  probe.end->abandon();
  return probe.total;
}

WorkerClient::Fetch DownloadService::open(const DownloadPlan& plan, uint64_t offset,
                                          int64_t length) {
  const protocol::FetchRequest request{.file = plan.file,
                                       .unseal = plan.unseal,
                                       .offset = static_cast<int64_t>(offset),
                                       .length = length};
  WorkerClient::Fetch fetch;
  as_adapter_failure(
      [&] { as_key_failure(plan.profile_id, [&] { fetch = control_.workers().fetch(request); }); });
  return fetch;
}

bool DownloadService::can_open(const StoredBackup& backup, const std::string& profile_override) {
  const std::string id = profile_override.empty() ? profile_of(backup) : profile_override;
  std::vector<EncryptionProfile> profiles;
  control_.context().database.read([&](Session& session) {
    if (id.empty()) {
      profiles = EncryptionProfileStore{}.list(session, /*with_retired=*/true);
    } else if (auto profile = EncryptionProfileStore{}.find(session, id)) {
      profiles.push_back(std::move(*profile));
    }
  });
  for (const auto& profile : profiles) {
    if (!is_write_only(profile)) return true;
  }
  return false;
}

SecretString DownloadService::make_link(const Principal& who, DownloadGrant grant,
                                        std::optional<bool> decrypt) {
  const StoredBackup backup = find(grant);
  grant.unseal = is_sealed(backup) && decrypt.value_or(can_open(backup, grant.profile_override));
  // A link that could only fail later is refused now.
  if (grant.unseal && !can_open(backup, grant.profile_override)) {
    throw Error(ErrorCode::FailedPrecondition,
                "the key that opens this backup is not on this server",
                grant.profile_override.empty() ? profile_of(backup) : grant.profile_override,
                "encryption_key_required");
  }
  grant.issued_by = who.name;
  log_info("download link for \"" + grant.path + "\" of storage " + grant.destination_id +
           " made by " + who.name);
  audit_.write(who, AuditAction::Export, AuditResource::Destination, grant.destination_id,
               {{"path", grant.path}, {"action", "download-url"}, {"decrypt", grant.unseal}});
  return tokens_.issue(std::move(grant));
}

SecretString DownloadService::prepare(const Principal& who, DownloadGrant grant) {
  plan(grant);  // what could only fail later is refused now
  grant.issued_by = who.name;
  grant.owner = owner_of(who);
  return tokens_.issue(std::move(grant));
}

DownloadGrant DownloadService::claim_prepared(const Principal& who,
                                              const std::string& destination_id,
                                              const std::string& token) {
  const auto refuse = [] {
    throw Error(ErrorCode::NotFound, "the prepared download has expired, was used or is not yours",
                {}, "expired");
  };
  // Looked at first: whoever it was not made for must not use it up.
  const auto seen = tokens_.look(token);
  if (!seen || seen->owner != owner_of(who) || seen->destination_id != destination_id) refuse();
  auto grant = tokens_.claim(token);
  if (!grant) refuse();
  return std::move(*grant);
}

void DownloadService::note(const Principal& who, const DownloadGrant& grant) {
  audit_.write(who, AuditAction::Export, AuditResource::Destination, grant.destination_id,
               {{"path", grant.path}, {"action", "download"}, {"decrypt", grant.unseal}});
}

}  // namespace dbackup::host
