#include "store/adapter_store.hpp"

#include <soci/soci.h>

#include "store/columns.hpp"

namespace dbackup::host {
namespace {

constexpr const char* kSelect =
    "SELECT id, name, type, adapter_id, sealed_config, metadata, COALESCE(primary_credential_id, ''), "
    "COALESCE(ssh_credential_id, ''), COALESCE(default_retention_policy_id, ''), storage_role, "
    "last_health_check, last_status, last_error, consecutive_failures, created_at, updated_at "
    "FROM adapter_configs ";

/// Binds the columns of kSelect; take() builds the struct of the current row.
struct AdapterRow {
  AdapterConfig value;
  std::string metadata;
  long long last_health_check = 0, failures = 0, created_at = 0, updated_at = 0;

  void bind(soci::statement& statement) {
    using soci::into;
    for (std::string* column :
         {&value.id, &value.name, &value.type, &value.adapter_id, &value.sealed_config, &metadata,
          &value.primary_credential_id, &value.ssh_credential_id, &value.default_retention_policy_id,
          &value.storage_role}) {
      statement.exchange(into(*column));
    }
    statement.exchange(into(last_health_check));
    statement.exchange(into(value.last_status));
    statement.exchange(into(value.last_error));
    statement.exchange(into(failures));
    statement.exchange(into(created_at));
    statement.exchange(into(updated_at));
  }
  AdapterConfig take() {
    AdapterConfig out = value;
    out.metadata = columns::json_column(metadata);
    out.last_health_check = columns::optional_time(last_health_check);
    out.consecutive_failures = failures;
    out.created_at = created_at;
    out.updated_at = updated_at;
    return out;
  }
};

std::vector<AdapterConfig> select(Session& session, const std::string& where,
                                  const std::vector<std::string>& values) {
  AdapterRow row;
  soci::statement statement{session.raw()};
  row.bind(statement);
  for (const auto& value : values) statement.exchange(soci::use(value));
  statement.alloc();
  statement.prepare(kSelect + where);
  statement.define_and_bind();
  statement.execute(false);
  std::vector<AdapterConfig> out;
  while (statement.fetch()) out.push_back(row.take());
  return out;
}

std::optional<AdapterConfig> only(std::vector<AdapterConfig> rows) {
  if (rows.empty()) return std::nullopt;
  return std::move(rows.front());
}

void execute(Session& session, const std::string& sql, const AdapterConfig& adapter) {
  using soci::use;
  const std::string metadata = dump_json(adapter.metadata);
  const long long last_health_check = columns::time_or_zero(adapter.last_health_check);
  const long long failures = adapter.consecutive_failures;
  const long long created_at = adapter.created_at;
  const long long updated_at = adapter.updated_at;
  session.raw() << sql, use(adapter.name, "name"), use(adapter.type, "type"),
      use(adapter.adapter_id, "adapter_id"), use(adapter.sealed_config, "sealed_config"),
      use(metadata, "metadata"), use(adapter.primary_credential_id, "primary_credential"),
      use(adapter.ssh_credential_id, "ssh_credential"),
      use(adapter.default_retention_policy_id, "retention"), use(adapter.storage_role, "storage_role"),
      use(last_health_check, "last_health_check"), use(adapter.last_status, "last_status"),
      use(adapter.last_error, "last_error"), use(failures, "failures"), use(created_at, "created_at"),
      use(updated_at, "updated_at"), use(adapter.id, "id");
}

}  // namespace

std::vector<AdapterConfig> AdapterStore::list(Session& session, const std::string& type) const {
  if (type.empty()) return select(session, "ORDER BY created_at DESC, id DESC", {});
  return select(session, "WHERE type = :type ORDER BY created_at DESC, id DESC", {type});
}

std::optional<AdapterConfig> AdapterStore::find(Session& session, const std::string& id) const {
  return only(select(session, "WHERE id = :id", {id}));
}

std::optional<AdapterConfig> AdapterStore::find_by_name(Session& session, const std::string& type,
                                                        const std::string& name) const {
  return only(select(session, "WHERE type = :type AND name = :name", {type, name}));
}

void AdapterStore::insert(Session& session, const AdapterConfig& adapter) const {
  execute(session,
          "INSERT INTO adapter_configs (name, type, adapter_id, sealed_config, metadata, "
          "primary_credential_id, ssh_credential_id, default_retention_policy_id, storage_role, "
          "last_health_check, last_status, last_error, consecutive_failures, created_at, updated_at, id) "
          "VALUES (:name, :type, :adapter_id, :sealed_config, :metadata, "
          "NULLIF(:primary_credential, ''), NULLIF(:ssh_credential, ''), NULLIF(:retention, ''), "
          ":storage_role, :last_health_check, :last_status, :last_error, :failures, :created_at, "
          ":updated_at, :id)",
          adapter);
}

void AdapterStore::update(Session& session, const AdapterConfig& adapter) const {
  execute(session,
          "UPDATE adapter_configs SET name = :name, type = :type, adapter_id = :adapter_id, "
          "sealed_config = :sealed_config, metadata = :metadata, "
          "primary_credential_id = NULLIF(:primary_credential, ''), "
          "ssh_credential_id = NULLIF(:ssh_credential, ''), "
          "default_retention_policy_id = NULLIF(:retention, ''), storage_role = :storage_role, "
          "last_health_check = :last_health_check, last_status = :last_status, "
          "last_error = :last_error, consecutive_failures = :failures, created_at = :created_at, "
          "updated_at = :updated_at WHERE id = :id",
          adapter);
}

bool AdapterStore::remove(Session& session, const std::string& id) const {
  soci::statement statement =
      (session.raw().prepare << "DELETE FROM adapter_configs WHERE id = :id", soci::use(id));
  statement.execute(true);
  return statement.get_affected_rows() > 0;
}

}  // namespace dbackup::host
