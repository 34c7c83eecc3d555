#include "control/job_templates.hpp"

#include <algorithm>

#include "control/notification.hpp"
#include "store/template_store.hpp"

namespace dbackup::host {
namespace {

void add_channels(std::vector<std::string>& out, const Template& row, const std::string& status) {
  for (const TemplateChannel& channel : row.channels) {
    const bool is_new = std::ranges::find(out, channel.config_id) == out.end();
    if (is_new && wants_notification(channel.events, status)) out.push_back(channel.config_id);
  }
}

}  // namespace

std::string name_pattern_of(Session& session, const Job& job, const std::string& fallback) {
  const TemplateStore store;
  auto row = job.naming_template_id.empty()
                 ? std::optional<Template>{}
                 : store.find(session, TemplateKind::NamingTemplate, job.naming_template_id);
  if (!row) row = store.find_default(session, TemplateKind::NamingTemplate);
  return row ? row->content.value("pattern", fallback) : fallback;
}

Json retention_in_force(Session& session, const JobDestination& destination) {
  const TemplateStore store;
  std::optional<Template> policy;
  if (!destination.retention_policy_id.empty()) {
    policy = store.find(session, TemplateKind::RetentionPolicy, destination.retention_policy_id);
  }
  if (!policy && destination.retention.is_object() && !destination.retention.empty())
    return destination.retention;
  if (!policy) policy = store.find_default(session, TemplateKind::RetentionPolicy);
  const Json keep_all{{"mode", "NONE"}};
  return policy ? policy->content.value("config", keep_all) : keep_all;
}

bool removes_backups(const Json& retention) {
  return retention.is_object() && retention.value("mode", "NONE") != "NONE";
}

std::vector<std::string> channels_of(Session& session, const Job& job, const std::string& status) {
  const TemplateStore store;
  std::vector<std::string> out;
  if (!job.notification_templates.empty()) {
    for (const auto& link : job.notification_templates) {
      const auto row = store.find(session, TemplateKind::NotificationTemplate, link.template_id);
      if (row) add_channels(out, *row, status);
    }
  } else if (!job.notification_ids.empty()) {
    if (wants_notification(job.notification_events, status)) out = job.notification_ids;
  } else if (const auto row = store.find_default(session, TemplateKind::NotificationTemplate)) {
    add_channels(out, *row, status);
  }
  return out;
}

}  // namespace dbackup::host
