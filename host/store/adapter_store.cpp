#include "store/adapter_store.hpp"

#include <soci/soci.h>

#include "store/columns.hpp"
#include "store/query.hpp"

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
  const std::string metadata = dump_json(adapter.metadata);
  const long long last_health_check = columns::time_or_zero(adapter.last_health_check);
  const long long failures = adapter.consecutive_failures;
  const long long created_at = adapter.created_at;
  const long long updated_at = adapter.updated_at;
  Query query{
      session,
      "INSERT INTO adapter_configs (id, name, type, adapter_id, sealed_config, metadata, "
      "primary_credential_id, ssh_credential_id, default_retention_policy_id, storage_role, "
      "last_health_check, last_status, last_error, consecutive_failures, created_at, "
      "updated_at) VALUES (:a, :b, :c, :d, :e, :f, NULLIF(:g, ''), NULLIF(:h, ''), "
      "NULLIF(:i, ''), :j, :k, :l, :m, :n, :o, :p)"};
  query.bind(adapter.id).bind(adapter.name).bind(adapter.type).bind(adapter.adapter_id);
  query.bind(adapter.sealed_config).bind(metadata).bind(adapter.primary_credential_id);
  query.bind(adapter.ssh_credential_id).bind(adapter.default_retention_policy_id);
  query.bind(adapter.storage_role).bind(last_health_check).bind(adapter.last_status);
  query.bind(adapter.last_error).bind(failures).bind(created_at).bind(updated_at).run();
}

void AdapterStore::update(Session& session, const AdapterConfig& adapter) const {
  const std::string metadata = dump_json(adapter.metadata);
  const long long updated_at = adapter.updated_at;
  Query query{session,
              "UPDATE adapter_configs SET name = :a, type = :b, adapter_id = :c, "
              "sealed_config = :d, metadata = :e, primary_credential_id = NULLIF(:f, ''), "
              "ssh_credential_id = NULLIF(:g, ''), default_retention_policy_id = NULLIF(:h, ''), "
              "storage_role = :i, updated_at = :j WHERE id = :k"};
  query.bind(adapter.name).bind(adapter.type).bind(adapter.adapter_id).bind(adapter.sealed_config);
  query.bind(metadata).bind(adapter.primary_credential_id).bind(adapter.ssh_credential_id);
  query.bind(adapter.default_retention_policy_id).bind(adapter.storage_role).bind(updated_at);
  query.bind(adapter.id).run();
}

bool AdapterStore::replace_metadata(Session& session, const AdapterConfig& seen,
                                    const Json& metadata) const {
  const std::string before = dump_json(seen.metadata);
  const std::string after = dump_json(metadata);
  return Query{session, "UPDATE adapter_configs SET metadata = :a WHERE id = :b AND metadata = :c"}
             .bind(after)
             .bind(seen.id)
             .bind(before)
             .run() > 0;
}

void AdapterStore::record_health(Session& session, const HealthCheck& check,
                                 int64_t failures) const {
  const long long at = check.created_at;
  const long long count = failures;
  Query query{session,
              "UPDATE adapter_configs SET last_health_check = :a, last_status = :b, "
              "last_error = :c, consecutive_failures = :d WHERE id = :e"};
  query.bind(at).bind(check.status).bind(check.error).bind(count).bind(check.adapter_id).run();
}

bool AdapterStore::remove(Session& session, const std::string& id) const {
  soci::statement statement =
      (session.raw().prepare << "DELETE FROM adapter_configs WHERE id = :id", soci::use(id));
  statement.execute(true);
  return statement.get_affected_rows() > 0;
}

}  // namespace dbackup::host
