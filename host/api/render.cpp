#include "api/render.hpp"

#include "base/json_writer.hpp"
#include "model/adapter_metadata.hpp"
#include "model/permission.hpp"
#include "services/services.hpp"

namespace dbackup::host::render {

Json text_or_null(const std::string& text) { return text.empty() ? Json{} : Json(text); }

Json date_or_null(const std::optional<TimeMs>& time) {
  return time ? Json(format_iso8601(*time)) : Json{};
}

Json wrapped(Json data) { return {{"success", true}, {"data", std::move(data)}}; }

Json adapter(const AdapterView& view) {
  const AdapterConfig& row = view.row;
  return {{"id", row.id},
          {"name", row.name},
          {"type", row.type},
          {"adapterId", row.adapter_id},
          {"config", dump_json(view.config)},
          {"secretStatus", view.secret_status},
          {"metadata", row.metadata.is_object() ? Json(dump_json(row.metadata)) : Json{}},
          {"createdAt", format_iso8601(row.created_at)},
          {"updatedAt", format_iso8601(row.updated_at)},
          {"primaryCredentialId", text_or_null(row.primary_credential_id)},
          {"sshCredentialId", text_or_null(row.ssh_credential_id)},
          {"defaultRetentionPolicyId", text_or_null(row.default_retention_policy_id)},
          {"lastHealthCheck", date_or_null(row.last_health_check)},
          {"lastStatus", row.last_status},
          {"lastError", text_or_null(row.last_error)},
          {"consecutiveFailures", row.consecutive_failures},
          {"storageRole", row.storage_role},
          {"supportsBrowse", view.supports_browse}};
}

Json adapter_without_observations(const AdapterView& view) {
  Json out = adapter(view);
  for (const char* key : {"lastHealthCheck", "lastStatus", "lastError", "consecutiveFailures"})
    out.erase(key);
  out["metadata"] = without_observations(view.row.metadata);
  return out;
}

Json adapter_type(const RegisteredAdapter& adapter) {
  const auto& descriptor = adapter.descriptor;
  Json fields = Json::array();
  for (const auto& option : descriptor.options) {
    Json field{{"name", option.name},         {"type", option.type},
               {"required", option.required}, {"default", option.fallback},
               {"secret", option.secret},     {"help", option.help}};
    if (!option.choices.empty()) field["values"] = option.choices;
    fields.push_back(std::move(field));
  }
  Json credentials = Json::object();
  if (!descriptor.primary_credential.empty())
    credentials["primary"] = descriptor.primary_credential;
  if (!descriptor.ssh_credential.empty()) credentials["ssh"] = descriptor.ssh_credential;
  if (!descriptor.primary_credential.empty() && descriptor.primary_optional)
    credentials["primaryOptional"] = true;
  const bool is_storage = descriptor.kind == protocol::AdapterKind::Storage;
  Json out{
      {"id", descriptor.id},
      {"type", adapter_type_of(adapter)},
      {"name", descriptor.name},
      {"group", descriptor.group},
      {"beta", descriptor.beta},
      {"roles", is_storage ? descriptor.capabilities.value("roles", Json::array()) : Json::array()},
      {"credentials", std::move(credentials)},
      {"fields", std::move(fields)},
      {"supportsSnapshot", descriptor.can("snapshot")},
      {"supportsBrowse", descriptor.can("browse")},
      {"combinable", descriptor.can("combinable")},
      {"plugin", {{"id", adapter.plugin_id}, {"version", adapter.plugin_version}}}};
  if (is_storage) {
    out["transferConcurrency"] = {{"default", descriptor.capabilities.value("transfersDefault", 4)},
                                  {"max", descriptor.capabilities.value("transfersMaximum", 16)}};
  }
  return out;
}

Json encryption_profile(const ProfileView& view) {
  const EncryptionProfile& profile = view.profile;
  Json recipients = Json::array();
  for (const auto& identity : profile.identities) {
    if (identity.active && !identity.recipient.empty()) recipients.push_back(identity.recipient);
  }
  for (const auto& recipient : profile.extra_recipients) recipients.push_back(recipient);
  return {{"id", profile.id},
          {"name", profile.name},
          {"description", text_or_null(profile.description)},
          {"createdAt", format_iso8601(profile.created_at)},
          {"updatedAt", format_iso8601(profile.updated_at)},
          {"recipients", std::move(recipients)},
          {"writeOnly", is_write_only(profile)},
          {"readOnly", is_read_only(profile)},
          {"jobCount", view.job_count}};
}

std::string health_text(const HealthState& state) {
  JsonWriter out;
  out.begin_object();
  out.key("status").text(state.database_connected ? "healthy" : "unhealthy");
  out.key("timestamp").text(format_iso8601(state.checked_at));
  out.key("database").text(state.database_connected ? "connected" : "disconnected");
  out.key("responseTime").number(state.response_ms);
  if (state.database_connected) {
    out.key("uptime").number(state.uptime_seconds);
    out.key("memory").begin_object();
    out.key("rss").number(state.rss_mib).key("heapUsed").number(state.data_mib);
    out.key("heapTotal").number(state.total_mib).end_object();
  }
  out.end_object();
  return out.take();
}

}  // namespace dbackup::host::render
