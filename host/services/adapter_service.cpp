#include "services/adapter_service.hpp"

#include <limits>
#include <map>

#include "base/id.hpp"
#include "control/control_plane.hpp"
#include "services/adapter_fields.hpp"
#include "services/audit_log.hpp"
#include "services/bulk.hpp"
#include "services/copy_name.hpp"
#include "services/redaction.hpp"
#include "services/rights.hpp"
#include "store/adapter_store.hpp"
#include "store/backup_store.hpp"
#include "store/before_write.hpp"
#include "store/credential_store.hpp"
#include "store/job_store.hpp"
#include "store/profile_store.hpp"
#include "store/template_store.hpp"

namespace dbackup::host {
namespace {

[[noreturn]] void refuse_duplicate(const AdapterConfig& row) {
  throw Error(ErrorCode::AlreadyExists, "an adapter named \"" + row.name + "\" already exists");
}

void refuse_taken_name(Session& session, const AdapterConfig& row) {
  const auto other = AdapterStore{}.find_by_name(session, row.type, row.name);
  if (other && other->id != row.id) refuse_duplicate(row);
}

/// Inside the transaction of the change, so that no credential goes between check and use.
void require_credentials(Session& session, const AdapterConfig& row) {
  lock_name_in_transaction(session, "credentials");
  for (const std::string& id : {row.primary_credential_id, row.ssh_credential_id}) {
    if (id.empty() || CredentialStore{}.find(session, id)) continue;
    throw Error(ErrorCode::NotFound, "credential profile \"" + id + "\" not found");
  }
}

void check_retention_policy(Session& session, const AdapterConfig& row) {
  const std::string& id = row.default_retention_policy_id;
  if (id.empty() || TemplateStore{}.find(session, TemplateKind::RetentionPolicy, id)) return;
  throw Error(ErrorCode::InvalidArgument,
              "\"defaultRetentionPolicyId\": \"" + id + "\" is no known retention policy");
}

/// For the audit log.
Json summary(const AdapterConfig& row) {
  return {{"name", row.name}, {"type", row.type}, {"adapterId", row.adapter_id}};
}

std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "\"" : ", \"") + name + "\"";
  return out;
}

}  // namespace

std::string_view adapter_type_of(const RegisteredAdapter& adapter) noexcept {
  switch (adapter.descriptor.kind) {
    case protocol::AdapterKind::Source:
      return kDatabaseType;
    case protocol::AdapterKind::Storage:
      return kStorageType;
    case protocol::AdapterKind::Notifier:
      return kNotificationType;
  }
  return kNotificationType;
}

AdapterConfig require_adapter(Session& session, const std::string& id) {
  auto row = AdapterStore{}.find(session, id);
  if (!row) throw Error(ErrorCode::NotFound, "adapter not found");
  return std::move(*row);
}

AdapterView AdapterService::view(const AdapterConfig& row) const {
  const auto plugin = control_.plugins().find(row.adapter_id);
  AdapterView out{.row = row, .config = Json::object(), .secret_status = Json::object()};
  out.supports_browse = row.type == kStorageType;
  if (!plugin) return out;  // only its descriptor knows which options are secret
  try {
    const Json config = control_.resolver().open_config(row);
    out.config = redacted(config, &plugin->descriptor);
    out.secret_status = secret_status(config, &plugin->descriptor);
  } catch (const Error& error) {
    // Shown without its configuration, so that it can still be seen, replaced and deleted.
    log_warning("the configuration of adapter \"" + row.id +
                "\" cannot be opened: " + error.what());
  }
  return out;
}

std::vector<AdapterView> AdapterService::list(const Principal& who, const std::string& type,
                                              const std::string& role) {
  require(who, read_permission(type));
  std::vector<AdapterConfig> rows;
  control_.context().database.read(
      [&](Session& session) { rows = AdapterStore{}.list(session, type); });
  std::vector<AdapterView> out;
  for (const AdapterConfig& row : rows) {
    if (type == kStorageType && !role.empty() && row.storage_role != role) continue;
    out.push_back(view(row));
  }
  return out;
}

AdapterView AdapterService::get(const Principal& who, const std::string& id) {
  AdapterConfig row;
  control_.context().database.read([&](Session& session) { row = require_adapter(session, id); });
  require(who, read_permission(row.type));
  return view(row);
}

void AdapterService::apply(AdapterConfig& row, const Json& fields) const {
  if (fields.contains("name")) row.name = checked_name(fields);
  if (fields.contains("metadata")) row.metadata = metadata_field(fields);
  if (fields.contains("defaultRetentionPolicyId")) {
    row.default_retention_policy_id = get_string(fields, "defaultRetentionPolicyId").value_or("");
  }
  if (fields.contains("primaryCredentialId"))
    row.primary_credential_id = get_string(fields, "primaryCredentialId").value_or("");
  if (fields.contains("sshCredentialId"))
    row.ssh_credential_id = get_string(fields, "sshCredentialId").value_or("");
}

void AdapterService::apply_config(AdapterConfig& row, const Json& fields, bool is_new) const {
  const auto plugin = control_.plugins().find(row.adapter_id);
  if (!plugin || adapter_type_of(*plugin) != row.type) {
    throw Error(ErrorCode::InvalidArgument,
                "unsupported adapter \"" + row.adapter_id + "\" for type " + row.type);
  }
  if (const auto role = get_string(fields, "storageRole"); role && row.type == kStorageType) {
    row.storage_role = checked_role(*role, plugin->descriptor);
  }
  // Whether they exist and fit is asked here; the transaction asks again whether they still do.
  with_credentials(control_.context(), plugin->descriptor, Json::object(),
                   {.primary = row.primary_credential_id, .ssh = row.ssh_credential_id});
  if (!is_new && !fields.contains("config")) return;
  Json config = config_field(fields);
  if (!is_new) {
    Json stored = Json::object();
    try {
      stored = control_.resolver().open_config(row);
    } catch (const Error&) {
      // Sealed by a lost key: nothing can be kept, the new configuration stands alone.
    }
    config = with_kept_secrets(config, stored, &plugin->descriptor);
  }
  config = protocol::normalize_config(plugin->descriptor, config, /*complete=*/false);
  const auto snapshot = get_bool(config, "useVss");
  if (snapshot.value_or(false) &&
      (row.storage_role != "SOURCE" || !plugin->descriptor.can("snapshot"))) {
    throw Error(ErrorCode::InvalidArgument, "\"useVss\" is for sources that can take snapshots");
  }
  refuse_private_paths(
      {.plugin_path = plugin->plugin_path, .adapter_id = row.adapter_id, .config = config},
      control_.plugins(), control_.context().data_dir);
  row.sealed_config = control_.resolver().seal_config(row.id, config);
}

AdapterView AdapterService::create(const Principal& who, const Json& fields) {
  const std::string type = require_string(fields, "type");
  require(who, write_permission(type));
  AdapterConfig row{.id = new_uuid(), .name = checked_name(fields), .type = type};
  row.adapter_id = require_string(fields, "adapterId");
  row.created_at = row.updated_at = control_.context().clock.now_ms();
  apply(row, fields);
  apply_config(row, fields, /*is_new=*/true);
  control_.context().database.write([&](Session& session) {
    refuse_taken_name(session, row);
    check_retention_policy(session, row);
    require_credentials(session, row);
    AdapterStore{}.insert(session, row);
    audit_.write(session, who, AuditAction::Create, AuditResource::Adapter, row.id, summary(row));
  });
  return view(row);
}

AdapterView AdapterService::update(const Principal& who, const std::string& id,
                                   const Json& fields) {
  AdapterConfig row;
  control_.context().database.read([&](Session& session) { row = require_adapter(session, id); });
  require(who, write_permission(row.type));
  const std::string old_role = row.storage_role;
  const TimeMs seen = row.updated_at;
  apply(row, fields);
  apply_config(row, fields, /*is_new=*/false);
  row.updated_at = std::max(control_.context().clock.now_ms(), seen + 1);
  control_.context().database.write([&](Session& session) {
    const AdapterConfig current = require_adapter(session, id);
    if (current.updated_at != seen) {
      throw Error(ErrorCode::Aborted, "the adapter was changed by somebody else at the same time");
    }
    // What was observed meanwhile is no change of somebody else's, and stays.
    if (!fields.contains("metadata")) row.metadata = current.metadata;
    refuse_taken_name(session, row);
    check_retention_policy(session, row);
    require_credentials(session, row);
    const auto jobs = JobStore{}.names_using_adapter(session, id);
    if (row.storage_role != old_role && !jobs.empty()) {
      throw Error(ErrorCode::InvalidArgument,
                  "the role cannot change while jobs use the adapter: " + joined(jobs), {},
                  "in_use");
    }
    AdapterStore{}.update(session, row);
    Json details = summary(row);
    for (const auto& [name, value] : fields.items()) details["changed"].push_back(name);
    audit_.write(session, who, AuditAction::Update, AuditResource::Adapter, id, details);
  });
  return view(row);
}

AdapterView AdapterService::clone(const Principal& who, const std::string& id,
                                  const std::string& name, const std::string& role) {
  AdapterConfig copy;
  control_.plugins().wait_ready();
  control_.context().database.write([&](Session& session) {
    copy = require_adapter(session, id);
    require(who, write_permission(copy.type));
    if (!role.empty() && copy.type == kStorageType) {
      const auto plugin = control_.plugins().find(copy.adapter_id);
      if (!plugin) {
        throw Error(ErrorCode::InvalidArgument, "unsupported adapter \"" + copy.adapter_id + "\"");
      }
      copy.storage_role = checked_role(role, plugin->descriptor);
    }
    const auto is_taken = [&](const std::string& wanted) {
      return AdapterStore{}.find_by_name(session, copy.type, wanted).has_value();
    };
    copy.name = name.empty() ? copy_name(copy.name, is_taken) : name;
    // Sealed to its row: opened under the old id, sealed under the new one.
    const Json config = control_.resolver().open_config(copy);
    copy.id = new_uuid();
    copy.sealed_config = control_.resolver().seal_config(copy.id, config);
    copy.last_health_check.reset();
    copy.last_status = "ONLINE";
    copy.last_error.clear();
    copy.consecutive_failures = 0;
    copy.created_at = copy.updated_at = control_.context().clock.now_ms();
    refuse_taken_name(session, copy);
    require_credentials(session, copy);
    AdapterStore{}.insert(session, copy);
    Json details = summary(copy);
    details["clonedFrom"] = id;
    audit_.write(session, who, AuditAction::Create, AuditResource::Adapter, copy.id, details);
  });
  return view(copy);
}

BulkOutcome AdapterService::remove_all(const Principal& who, const std::vector<std::string>& ids) {
  std::map<std::string, std::string> names;
  control_.context().database.read([&](Session& session) {
    for (const std::string& id : ids) {
      const auto row = AdapterStore{}.find(session, id);
      if (!row) continue;
      require(who, write_permission(row->type));
      names[id] = row->name;
    }
  });
  if (names.empty()) throw Error(ErrorCode::NotFound, "none of these adapters exists");
  const BulkOutcome outcome = run_bulk(
      ids, [&](const std::string& id) { erase(who, id); },
      [&](const std::string& id) { return names.contains(id) ? names.at(id) : std::string{}; });
  audit_.write(who, AuditAction::Delete, AuditResource::Adapter, "", bulk_audit("delete", outcome));
  return outcome;
}

void AdapterService::remove(const Principal& who, const std::string& id) {
  erase(who, id);
  audit_.write(who, AuditAction::Delete, AuditResource::Adapter, id);
}

void AdapterService::erase(const Principal& who, const std::string& id) {
  control_.context().database.write([&](Session& session) {
    const AdapterConfig row = require_adapter(session, id);
    require(who, write_permission(row.type));
    const auto jobs = JobStore{}.names_using_adapter(session, id);
    if (!jobs.empty()) {
      throw Error(ErrorCode::InvalidArgument, "the adapter is used by the jobs " + joined(jobs), {},
                  "in_use");
    }
    if (const auto templates = TemplateStore{}.names_using_adapter(session, id);
        !templates.empty()) {
      throw Error(ErrorCode::InvalidArgument,
                  "the adapter is used by the notification templates " + joined(templates), {},
                  "in_use");
    }
    AdapterStore{}.remove(session, id);
    SettingStore{}.remove(session, "storage.alerts." + id);
    // What the last listing showed; the backups themselves stay where they are.
    BackupStore{}.remove_unseen(session, id, std::numeric_limits<TimeMs>::max());
  });
}

std::vector<std::shared_ptr<const RegisteredAdapter>> AdapterService::types() {
  control_.plugins().wait_ready();
  return control_.plugins().list();
}

}  // namespace dbackup::host
