#include "base/error.hpp"
#include "control/plugin_registry.hpp"
#include "services/encryption_profile_service.hpp"
#include "services/job_fields.hpp"
#include "services/rights.hpp"
#include "store/adapter_store.hpp"
#include "store/profile_store.hpp"
#include "store/template_store.hpp"

namespace dbackup::host {
namespace {

[[noreturn]] void bad(const std::string& field, const std::string& id, const std::string& why) {
  throw Error(ErrorCode::InvalidArgument, "\"" + field + "\": \"" + id + "\" " + why);
}

AdapterConfig adapter(Session& session, const std::string& field, const std::string& id) {
  auto row = AdapterStore{}.find(session, id);
  if (!row) bad(field, id, "is no known adapter");
  return std::move(*row);
}

void check_storage(Session& session, const std::string& field, const std::string& id,
                   const char* role) {
  const AdapterConfig row = adapter(session, field, id);
  if (row.type != kStorageType || row.storage_role != role) {
    bad(field, id, std::string{"is no storage adapter in the role "} + role);
  }
}

void check_template(Session& session, TemplateKind kind, const std::string& field,
                    const std::string& id) {
  if (!id.empty() && !TemplateStore{}.find(session, kind, id)) {
    bad(field, id, "is no known " + std::string{row_of(kind).one});
  }
}

void check_templates(Session& session, const Job& job) {
  check_template(session, TemplateKind::NamingTemplate, "namingTemplateId", job.naming_template_id);
  check_template(session, TemplateKind::SchedulePreset, "schedulePresetId", job.schedule_preset_id);
  for (const auto& link : job.notification_templates) {
    check_template(session, TemplateKind::NotificationTemplate, "notificationTemplateIds",
                   link.template_id);
  }
  for (size_t i = 0; i < job.destinations.size(); ++i) {
    check_template(session, TemplateKind::RetentionPolicy,
                   "destinations[" + std::to_string(i) + "].retentionPolicyId",
                   job.destinations[i].retention_policy_id);
  }
  for (size_t i = 0; i < job.directory_sources.size(); ++i) {
    for (const std::string& id : job.directory_sources[i].exclude_preset_ids) {
      check_template(session, TemplateKind::ExcludePreset,
                     "sources[" + std::to_string(i) + "].excludePatternPresetIds", id);
    }
  }
}

}  // namespace

void check_job_references(Session& session, const PluginRegistry& plugins, const Job& job) {
  if (job.source_id.empty() && job.directory_sources.empty()) {
    throw Error(ErrorCode::InvalidArgument, "\"sourceId\" or \"sources\" is required");
  }
  if (!job.source_id.empty()) {
    const AdapterConfig source = adapter(session, "sourceId", job.source_id);
    if (source.type != kDatabaseType) bad("sourceId", job.source_id, "is no database adapter");
    const auto plugin = plugins.find(source.adapter_id);
    if (!job.directory_sources.empty() && plugin && !plugin->descriptor.can("combinable")) {
      bad("sourceId", job.source_id, "cannot be combined with directory sources");
    }
  }
  for (size_t i = 0; i < job.destinations.size(); ++i) {
    check_storage(session, "destinations[" + std::to_string(i) + "].configId",
                  job.destinations[i].config_id, "DESTINATION");
  }
  for (size_t i = 0; i < job.directory_sources.size(); ++i) {
    check_storage(session, "sources[" + std::to_string(i) + "].configId",
                  job.directory_sources[i].config_id, "SOURCE");
  }
  for (const std::string& id : job.notification_ids) {
    if (adapter(session, "notificationIds", id).type != kNotificationType) {
      bad("notificationIds", id, "is no notification adapter");
    }
  }
  if (!job.encryption_profile_id.empty()) {
    const auto profile = EncryptionProfileStore{}.find(session, job.encryption_profile_id);
    if (!profile)
      bad("encryptionProfileId", job.encryption_profile_id, "is no known encryption profile");
    if (is_read_only(*profile)) {
      bad("encryptionProfileId", job.encryption_profile_id,
          "is an imported key, which only reads old backups");
    }
  }
  check_templates(session, job);
}

void check_job_can_run(const Job& job) {
  const auto refuse = [](const std::string& what) {
    throw Error(ErrorCode::Unimplemented, "this version cannot run a job with " + what);
  };
  if (!job.directory_sources.empty()) refuse("directory sources");
  if (job.backup_mode == "INCREMENTAL") refuse("backup mode INCREMENTAL");
  if (job.destinations.size() > 1) refuse("more than one destination");
}

}  // namespace dbackup::host
