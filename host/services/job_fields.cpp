#include "services/job_fields.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "base/error.hpp"
#include "base/id.hpp"
#include "model/compression.hpp"
#include "services/adapter_fields.hpp"
#include "control/cron.hpp"

namespace dbackup::host {
namespace {

[[noreturn]] void bad(const std::string& text) { throw Error(ErrorCode::InvalidArgument, text); }

const Json* member(const Json& fields, const char* key) {
  const auto found = fields.find(key);
  return found == fields.end() ? nullptr : &*found;
}

/// A member that may be null; nullopt when it is missing, "" when it is null.
std::optional<std::string> clearable(const Json& fields, const char* key) {
  if (!fields.contains(key)) return std::nullopt;
  return get_string(fields, key).value_or("");
}

const Json& array_member(const Json& value, const std::string& where) {
  if (!value.is_array()) bad("\"" + where + "\" must be an array");
  if (value.size() > 200) bad("\"" + where + "\" must have at most 200 entries");
  return value;
}

std::string config_id_of(const Json& item, const std::string& where) {
  if (!item.is_object()) bad("\"" + where + "\" must be an object");
  const auto id = get_string(item, "configId");
  if (!id || id->empty()) bad("\"" + where + ".configId\" is required");
  return *id;
}

void apply_destinations(Job& job, const Json& value, TimeMs now) {
  std::set<std::string> seen;
  std::vector<JobDestination> out;
  for (const Json& item : array_member(value, "destinations")) {
    const std::string where = "destinations[" + std::to_string(out.size()) + "]";
    JobDestination destination{
        .id = new_uuid(), .job_id = job.id, .config_id = config_id_of(item, where)};
    if (!seen.insert(destination.config_id).second) {
      bad("\"" + where + ".configId\": the destination \"" + destination.config_id +
          "\" is listed twice");
    }
    destination.priority =
        get_int(item, "priority", 0, 10'000).value_or(static_cast<int64_t>(out.size()));
    if (const Json* retention = member(item, "retention");
        retention != nullptr && !retention->is_null()) {
      check_retention(*retention, where + ".retention");
      destination.retention = *retention;
    }
    destination.retention_policy_id = get_string(item, "retentionPolicyId").value_or("");
    destination.created_at = destination.updated_at = now;
    out.push_back(std::move(destination));
  }
  if (out.empty()) bad("\"destinations\" must not be empty");
  std::ranges::stable_sort(out, {}, &JobDestination::priority);
  job.destinations = std::move(out);
}

/// The row that this folder of this storage had before: archives refer to its id.
JobSource kept_source(const std::vector<JobSource>& before, const std::string& config_id,
                      const std::string& path, TimeMs now) {
  for (const JobSource& old : before) {
    if (old.config_id == config_id && old.path == path) return old;
  }
  return {.id = new_uuid(), .config_id = config_id, .path = path, .created_at = now};
}

std::vector<std::string> each_once(const std::vector<std::string>& texts) {
  std::vector<std::string> out;
  for (const auto& text : texts) {
    if (std::ranges::find(out, text) == out.end()) out.push_back(text);
  }
  return out;
}

void apply_directory_sources(Job& job, const Json& value, TimeMs now) {
  std::vector<JobSource> out;
  for (const Json& item : array_member(value, "sources")) {
    const std::string where = "sources[" + std::to_string(out.size()) + "]";
    const std::string config_id = config_id_of(item, where);
    const auto path = get_string(item, "path");
    if (!path || path->empty() || path->find("..") != std::string::npos) {
      bad("\"" + where + ".path\" must be a path below the storage's root, or \"/\"");
    }
    const auto is_same = [&](const JobSource& other) {
      return other.config_id == config_id && other.path == *path;
    };
    if (std::ranges::any_of(out, is_same)) bad("\"" + where + "\" is listed twice");
    JobSource source = kept_source(job.directory_sources, config_id, *path, now);
    source.priority = get_int(item, "priority", 0, 10'000).value_or(static_cast<int64_t>(out.size()));
    source.exclude_patterns =
        get_strings(item, "excludePatterns").value_or(std::vector<std::string>{});
    source.exclude_preset_ids = each_once(
        get_strings(item, "excludePatternPresetIds").value_or(std::vector<std::string>{}));
    const Json* stop = member(item, "stopContainers");
    source.stop_containers = stop == nullptr || !stop->is_boolean() || stop->get<bool>();
    source.updated_at = std::max(now, source.updated_at);
    out.push_back(std::move(source));
  }
  std::ranges::stable_sort(out, {}, &JobSource::priority);
  job.directory_sources = std::move(out);
}

void apply_notification_templates(Job& job, const std::vector<std::string>& ids) {
  std::vector<JobNotificationTemplate> out;
  for (const auto& id : each_once(ids)) {
    JobNotificationTemplate link{.id = new_uuid(), .template_id = id};
    for (const auto& old : job.notification_templates) {
      if (old.template_id == id) link.id = old.id;
    }
    link.priority = static_cast<int64_t>(out.size());
    out.push_back(std::move(link));
  }
  job.notification_templates = std::move(out);
}

void apply_choices(Job& job, const Json& fields) {
  if (const auto text = get_string(fields, "compression")) {
    if (!compression_from(*text)) bad("\"compression\" must be one of: NONE, GZIP, BROTLI, ZSTD");
    job.compression = *text;
  }
  if (const auto text = clearable(fields, "pgCompression")) {
    if (!is_pg_compression(*text))
      bad("\"pgCompression\" must be empty, NONE, or GZIP:n, LZ4:n or ZSTD:n with n up to 22");
    job.pg_compression = *text;
  }
  if (const auto text = get_string(fields, "notificationEvents")) {
    if (!is_notification_events(*text)) {
      bad("\"notificationEvents\" must be ALWAYS, FAILURE_ONLY, SUCCESS_ONLY, or SUCCESS, PARTIAL, "
          "FAILED joined by |");
    }
    job.notification_events = *text;
  }
  if (const auto text = get_string(fields, "backupMode")) {
    if (*text != "FULL" && *text != "INCREMENTAL")
      bad("\"backupMode\" must be one of: FULL, INCREMENTAL");
    job.backup_mode = *text;
  }
  job.full_every_days = get_int(fields, "fullEveryDays", 1, 365).value_or(job.full_every_days);
}

void apply_lists(Job& job, const Json& fields) {
  if (const Json* databases = member(fields, "databases")) {
    job.databases =
        databases->is_array() ? *get_strings(fields, "databases") : std::vector<std::string>{};
    for (const auto& name : job.databases) {
      if (name.empty() || name.find('\0') != std::string::npos)
        bad("\"databases\" must not hold empty names");
    }
    if (each_once(job.databases).size() != job.databases.size())
      bad("\"databases\" names one twice");
  }
  if (const auto ids = get_strings(fields, "notificationIds")) {
    job.notification_ids = each_once(*ids);
  }
  if (const auto ids = get_strings(fields, "notificationTemplateIds"))
    apply_notification_templates(job, *ids);
}

}  // namespace

bool is_notification_events(std::string_view text) noexcept {
  if (text == "ALWAYS" || text == "FAILURE_ONLY" || text == "SUCCESS_ONLY") return true;
  if (text.empty()) return false;
  while (true) {
    const size_t bar = text.find('|');
    const auto word = text.substr(0, bar);
    if (word != "SUCCESS" && word != "PARTIAL" && word != "FAILED") return false;
    if (bar == std::string_view::npos) return true;
    text.remove_prefix(bar + 1);
  }
}

bool is_pg_compression(std::string_view text) noexcept {
  if (text.empty() || text == "NONE") return true;
  for (const std::string_view start : {"GZIP:", "LZ4:", "ZSTD:"}) {
    if (!text.starts_with(start)) continue;
    const auto level = text.substr(start.size());
    const bool digits = !level.empty() && level.size() <= 2 &&
                        std::ranges::all_of(level, [](char c) { return c >= '0' && c <= '9'; });
    return digits && std::stoi(std::string{level}) <= 22;
  }
  return false;
}

void check_retention(const Json& retention, const std::string& where) {
  if (!retention.is_object()) bad("\"" + where + "\" must be an object");
  if (retention.empty()) return;
  const auto mode = get_string(retention, "mode").value_or("");
  if (mode == "NONE") return;
  const Json* simple = member(retention, "simple");
  if (mode == "SIMPLE" && simple != nullptr && simple->is_object()) {
    if (get_int(*simple, "keepCount", 1, 1'000'000)) return;
    bad("\"" + where + ".simple.keepCount\" is required");
  }
  const Json* smart = member(retention, "smart");
  if (mode == "SMART" && smart != nullptr && smart->is_object()) {
    for (const char* key : {"daily", "weekly", "monthly", "yearly"})
      get_int(*smart, key, 0, 1'000'000);
    return;
  }
  bad("\"" + where + ".mode\" must be NONE, SIMPLE with \"simple\", or SMART with \"smart\"");
}

void apply_job_fields(Job& job, const Json& fields, TimeMs now) {
  if (fields.contains("name")) job.name = checked_name(fields);
  if (const auto schedule = get_string(fields, "schedule")) {
    CronSchedule::parse(*schedule);
    job.schedule = *schedule;
  }
  job.enabled = get_bool(fields, "enabled").value_or(job.enabled);
  job.skip_verification = get_bool(fields, "skipVerification").value_or(job.skip_verification);
  job.verify_by_hash = get_bool(fields, "verifyByHash").value_or(job.verify_by_hash);
  if (const auto id = clearable(fields, "sourceId")) job.source_id = *id;
  if (const auto id = clearable(fields, "encryptionProfileId")) job.encryption_profile_id = *id;
  if (const auto id = clearable(fields, "namingTemplateId")) job.naming_template_id = *id;
  if (const auto id = clearable(fields, "schedulePresetId")) job.schedule_preset_id = *id;
  if (const Json* value = member(fields, "sources"); value != nullptr && !value->is_null()) {
    apply_directory_sources(job, *value, now);
  }
  if (const Json* value = member(fields, "destinations")) apply_destinations(job, *value, now);
  apply_lists(job, fields);
  apply_choices(job, fields);
}

}  // namespace dbackup::host
