#include "services/settings_service.hpp"

#include "base/error.hpp"
#include "control/control_plane.hpp"
#include "control/time_zone.hpp"
#include "services/audit_log.hpp"
#include "services/rights.hpp"
#include "services/template_fields.hpp"
#include "store/adapter_store.hpp"
#include "store/profile_store.hpp"

namespace dbackup::host {
namespace {

[[noreturn]] void bad(std::string_view field, const std::string& what) {
  throw Error(ErrorCode::InvalidArgument, "\"" + std::string{field} + "\" " + what);
}

Json value_of(const Settings& settings, const SettingRow& row) {
  switch (row.type) {
    case SettingType::Integer:
      return settings.integer(row.key);
    case SettingType::Boolean:
      return settings.flag(row.key);
    default:
      return settings.text(row.key);
  }
}

/// The value as the store keeps it. Its limits are checked by Settings.
std::string text_of(const SettingField& field, const SettingRow& row, const Json& value) {
  switch (row.type) {
    case SettingType::Integer:
      if (!value.is_number_integer()) bad(field.name, "must be an integer");
      return value.dump();
    case SettingType::Boolean:
      if (!value.is_boolean()) bad(field.name, "must be true or false");
      return value.get<bool>() ? "true" : "false";
    default:
      if (!value.is_string()) bad(field.name, "must be a text");
      return value.get<std::string>();
  }
}

/// What a type alone does not tell.
void check_meaning(const SettingField& field, const std::string& text) {
  if (field.key == "system.timezone" && !is_time_zone(text)) {
    bad(field.name, "\"" + text + "\" is no time zone that this system knows, like Europe/Vienna");
  }
  if (field.key == "system.filename_pattern") check_name_pattern(text, field.name);
}

const char* origin_name(SettingOrigin origin) {
  return origin == SettingOrigin::Environment ? "environment" : "file";
}
bool is_pinned(SettingOrigin origin) {
  return origin == SettingOrigin::Environment || origin == SettingOrigin::File;
}

SettingsView view(const Settings& settings, const SettingGroup& group) {
  SettingsView out;
  for (const auto& field : group.fields) {
    const SettingRow& row = *find_setting(field.key);
    out.values[std::string{field.name}] = value_of(settings, row);
    const SettingOrigin origin = settings.origin(field.key);
    if (is_pinned(origin)) out.pinned[std::string{field.name}] = origin_name(origin);
  }
  return out;
}

void refuse_pinned(const SettingField& field, SettingOrigin origin) {
  throw Error(ErrorCode::FailedPrecondition,
              "\"" + std::string{field.name} + "\" is set by the server's " +
                  (origin == SettingOrigin::Environment ? "environment" : "configuration file") +
                  " (" + std::string{field.key} + "): change it there");
}

Json stored_json(Session& session, const std::string& key, Json fallback) {
  const auto text = SettingStore{}.get(session, key);
  if (!text) return fallback;
  if (fallback.is_boolean()) return *text == "true";
  if (fallback.is_number()) {
    const Json number = Json::parse(*text, nullptr, /*allow_exceptions=*/false);
    return number.is_number_integer() ? number : fallback;
  }
  return text->empty() ? Json{} : Json(*text);
}

constexpr const char* kConfigBackup = "config.backup.";

Json config_backup_of(Session& session) {
  const std::pair<const char*, Json> fields[] = {
      {"enabled", false},        {"storageId", nullptr},       {"profileId", nullptr},
      {"includeSecrets", false}, {"includeStatistics", false}, {"retention", 10}};
  Json out;
  for (const auto& [name, fallback] : fields)
    out[name] = stored_json(session, std::string{kConfigBackup} + name, fallback);
  return out;
}

void check_config_backup(Session& session, const Json& wanted) {
  const auto id_of = [&](const char* name) { return get_string(wanted, name).value_or(""); };
  const std::string storage = id_of("storageId");
  if (wanted["enabled"] == true && storage.empty()) bad("storageId", "is required");
  if (!storage.empty()) {
    const auto row = AdapterStore{}.find(session, storage);
    if (!row || row->type != kStorageType || row->storage_role != "DESTINATION")
      bad("storageId", "\"" + storage + "\" is no known destination");
  }
  const std::string profile = id_of("profileId");
  if (wanted["includeSecrets"] == true && profile.empty()) {
    bad("profileId", "is required: secrets are backed up encrypted alone");
  }
  if (!profile.empty() && !EncryptionProfileStore{}.find(session, profile)) {
    bad("profileId", "\"" + profile + "\" is no known encryption profile");
  }
}

}  // namespace

SettingsView SettingsService::get(const SettingGroup& group) const {
  return view(*control_.context().live.now(), group);
}

SettingsView SettingsService::change(const Principal& who, const SettingGroup& group,
                                     const Json& fields) {
  const std::lock_guard lock{changing_};
  LiveSettings& live = control_.context().live;
  Settings next = *live.now();
  std::vector<std::pair<std::string, std::string>> changes;
  Json told = Json::object();
  for (const auto& field : group.fields) {
    const auto given = fields.find(std::string{field.name});
    if (given == fields.end()) continue;
    const SettingRow& row = *find_setting(field.key);
    const std::string text = text_of(field, row, *given);
    if (*given == value_of(next, row)) continue;  // an answer can be sent back as it is
    if (is_pinned(next.origin(field.key))) refuse_pinned(field, next.origin(field.key));
    check_meaning(field, text);
    const std::string stored_key{row.stored_key};
    try {
      next.set_stored(stored_key, text);
    } catch (const Error& error) {
      const std::string what = error.what();  // names the stored key
      bad(field.name, what.substr(what.find("\" ") + 2));
    }
    changes.emplace_back(stored_key, text);
    told[std::string{field.name}] = *given;
  }
  control_.context().database.write([&](Session& session) {
    for (const auto& [key, text] : changes) SettingStore{}.set(session, key, text);
    audit_.write(session, who, AuditAction::Update, AuditResource::System, std::string{group.id},
                 {{"settings", std::string{group.id}}, {"changed", told}});
  });
  live.update([&](Settings& settings) {
    for (const auto& [key, text] : changes) settings.set_stored(key, text);
  });
  control_.scheduler().refresh();  // the time zone
  control_.queue().kick();         // there may be more places
  return get(group);
}

SettingsView SettingsService::reset(const Principal& who, const SettingGroup& group) {
  const std::lock_guard lock{changing_};
  control_.context().database.write([&](Session& session) {
    for (const auto& field : group.fields)
      SettingStore{}.remove(session, std::string{find_setting(field.key)->stored_key});
    audit_.write(session, who, AuditAction::Update, AuditResource::System, std::string{group.id},
                 {{"settings", std::string{group.id}}, {"reset", true}});
  });
  control_.context().live.update([&](Settings& settings) {
    for (const auto& field : group.fields)
      settings.forget_stored(std::string{find_setting(field.key)->stored_key});
  });
  control_.scheduler().refresh();
  return get(group);
}

Json SettingsService::config_backup() const {
  Json out;
  control_.context().database.read([&](Session& session) { out = config_backup_of(session); });
  return out;
}

Json SettingsService::change_config_backup(const Principal& who, const Json& fields) {
  Json wanted;
  control_.context().database.write([&](Session& session) {
    wanted = config_backup_of(session);
    Json told = Json::object();
    for (auto& [name, value] : wanted.items()) {
      const auto given = fields.find(name);
      if (given == fields.end() || *given == value) continue;
      value = *given;
      told[name] = value;
    }
    check_config_backup(session, wanted);
    for (const auto& [name, value] : told.items()) {
      const std::string text = value.is_string() ? value.get<std::string>()
                               : value.is_null() ? ""
                                                 : value.dump();
      SettingStore{}.set(session, kConfigBackup + name, text);
    }
    audit_.write(session, who, AuditAction::Update, AuditResource::System, "config-backup",
                 {{"settings", "config-backup"}, {"changed", told}});
  });
  control_.scheduler().refresh();
  return config_backup();
}

}  // namespace dbackup::host
