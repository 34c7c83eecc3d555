#include "api/render.hpp"
#include "services/services.hpp"

namespace dbackup::host::render {
namespace {

/// One row of a job's lists together with the adapter it names.
class JobParts {
 public:
  explicit JobParts(const JobView& view) : view_{view}, job_{view.job} {}

  Json adapter_or_null(const std::string& id) const {
    const AdapterView* found = view_.adapter(id);
    return found == nullptr ? Json{} : adapter(*found);
  }

  Json destinations() const {
    Json out = Json::array();
    for (const auto& row : job_.destinations) {
      out.push_back({{"id", row.id},
                     {"jobId", job_.id},
                     {"configId", row.config_id},
                     {"priority", row.priority},
                     {"retention", dump_json(row.retention)},
                     {"retentionPolicyId", text_or_null(row.retention_policy_id)},
                     {"createdAt", format_iso8601(row.created_at)},
                     {"updatedAt", format_iso8601(row.updated_at)},
                     {"config", adapter_or_null(row.config_id)}});
    }
    return out;
  }

  Json sources() const {
    Json out = Json::array();
    for (const auto& row : job_.directory_sources) {
      out.push_back({{"id", row.id},
                     {"jobId", job_.id},
                     {"configId", row.config_id},
                     {"priority", row.priority},
                     {"path", row.path},
                     {"excludePatterns", row.exclude_patterns},
                     {"excludePatternPresetIds", row.exclude_preset_ids},
                     {"stopContainers", row.stop_containers},
                     {"useStagingCache", false},
                     {"createdAt", format_iso8601(row.created_at)},
                     {"updatedAt", format_iso8601(row.updated_at)},
                     {"config", adapter_or_null(row.config_id)}});
    }
    return out;
  }

  Json notifications() const {
    Json out = Json::array();
    for (const auto& id : job_.notification_ids) {
      if (const AdapterView* found = view_.adapter(id)) out.push_back(adapter(*found));
    }
    return out;
  }

  Json notification_templates() const {
    Json out = Json::array();
    for (const auto& link : job_.notification_templates) {
      const Template* row = view_.find_template(link.template_id);
      if (row == nullptr) continue;
      out.push_back({{"id", link.id},
                     {"jobId", job_.id},
                     {"templateId", link.template_id},
                     {"priority", link.priority},
                     {"template", notification_template(*row, [this](const std::string& id) {
                        return adapter_or_null(id);
                      })}});
    }
    return out;
  }

  Json profile() const {
    const std::string* name = view_.profile_name();
    return name == nullptr ? Json{} : Json{{"id", job_.encryption_profile_id}, {"name", *name}};
  }

  Json preset() const {
    const Template* row = view_.find_template(job_.schedule_preset_id);
    if (row == nullptr) return {};
    return {{"id", row->id}, {"name", row->name}, {"schedule", row->content.value("schedule", "")}};
  }

  Json executions() const {
    Json out = Json::array();
    if (view_.last_run) {
      out.push_back({{"startedAt", format_iso8601(view_.last_run->started_at)},
                     {"status", view_.last_run->status}});
    }
    return out;
  }

 private:
  const JobView& view_;
  const Job& job_;
};

}  // namespace

Json job(const JobView& view) {
  const Job& job = view.job;
  const JobParts parts{view};
  return {{"id", job.id},
          {"name", job.name},
          {"schedule", job.schedule},
          {"enabled", job.enabled},
          {"sourceId", text_or_null(job.source_id)},
          {"source", parts.adapter_or_null(job.source_id)},
          {"databases", dump_json(job.databases)},
          {"compression", job.compression},
          {"pgCompression", job.pg_compression},
          {"encryptionProfileId", text_or_null(job.encryption_profile_id)},
          {"encryptionProfile", parts.profile()},
          {"namingTemplateId", text_or_null(job.naming_template_id)},
          {"schedulePresetId", text_or_null(job.schedule_preset_id)},
          {"schedulePreset", parts.preset()},
          {"notificationEvents", job.notification_events},
          {"notifications", parts.notifications()},
          {"notificationTemplates", parts.notification_templates()},
          {"skipVerification", job.skip_verification},
          {"backupMode", job.backup_mode},
          {"fullEveryDays", job.full_every_days},
          {"verifyByHash", job.verify_by_hash},
          {"destinations", parts.destinations()},
          {"sources", parts.sources()},
          {"createdAt", format_iso8601(job.created_at)},
          {"updatedAt", format_iso8601(job.updated_at)},
          {"lastRunAt", view.last_run ? Json(format_iso8601(view.last_run->started_at)) : Json{}},
          {"nextRunAt", date_or_null(view.next_run_at)},
          {"executions", parts.executions()}};
}

}  // namespace dbackup::host::render
