#include "store/credential_store.hpp"

#include "store/query.hpp"

namespace dbackup::host {
namespace {

std::vector<Credential> select(Session& session, const std::string& where,
                               const std::string* value) {
  Credential row;
  long long created_at = 0;
  long long updated_at = 0;
  Query query{
      session,
      "SELECT id, name, type, description, sealed_data, public_key, fingerprint, created_at, "
      "updated_at FROM credentials " +
          where + " ORDER BY created_at DESC, id DESC"};
  query.out(row.id).out(row.name).out(row.type).out(row.description).out(row.sealed_data);
  query.out(row.public_key).out(row.fingerprint).out(created_at).out(updated_at);
  if (value != nullptr) query.bind(*value);
  std::vector<Credential> out;
  while (query.next()) {
    Credential found = row;
    found.created_at = created_at;
    found.updated_at = updated_at;
    out.push_back(std::move(found));
  }
  return out;
}

std::optional<Credential> only(std::vector<Credential> rows) {
  if (rows.empty()) return std::nullopt;
  return std::move(rows.front());
}

void write(Session& session, const std::string& sql, const Credential& row) {
  const long long created_at = row.created_at;
  const long long updated_at = row.updated_at;
  Query query{session, sql};
  query.bind(row.name).bind(row.type).bind(row.description).bind(row.sealed_data);
  query.bind(row.public_key).bind(row.fingerprint).bind(created_at).bind(updated_at);
  query.bind(row.id).run();
}

void add_uses(Session& session, const std::string& column, const std::string& id, bool is_ssh_slot,
              std::vector<CredentialUse>& out) {
  CredentialUse use{.is_ssh_slot = is_ssh_slot};
  Query query{session, "SELECT id, name, adapter_id FROM adapter_configs WHERE " + column +
                           " = :id ORDER BY name, id"};
  query.out(use.config_id).out(use.name).out(use.adapter_id).bind(id);
  while (query.next()) out.push_back(use);
}

}  // namespace

std::vector<Credential> CredentialStore::list(Session& session, const std::string& type) const {
  return type.empty() ? select(session, "", nullptr) : select(session, "WHERE type = :type", &type);
}

std::optional<Credential> CredentialStore::find(Session& session, const std::string& id) const {
  return only(select(session, "WHERE id = :id", &id));
}

std::optional<Credential> CredentialStore::find_by_name(Session& session,
                                                        const std::string& name) const {
  return only(select(session, "WHERE name = :name", &name));
}

void CredentialStore::insert(Session& session, const Credential& row) const {
  write(session,
        "INSERT INTO credentials (name, type, description, sealed_data, public_key, fingerprint, "
        "created_at, updated_at, id) VALUES (:a, :b, :c, :d, :e, :f, :g, :h, :i)",
        row);
}

void CredentialStore::update(Session& session, const Credential& row) const {
  write(session,
        "UPDATE credentials SET name = :a, type = :b, description = :c, sealed_data = :d, "
        "public_key = "
        ":e, fingerprint = :f, created_at = :g, updated_at = :h WHERE id = :i",
        row);
}

bool CredentialStore::remove(Session& session, const std::string& id) const {
  return Query{session, "DELETE FROM credentials WHERE id = :id"}.bind(id).run() > 0;
}

std::vector<CredentialUse> CredentialStore::uses(Session& session, const std::string& id) const {
  std::vector<CredentialUse> out;
  add_uses(session, "primary_credential_id", id, false, out);
  add_uses(session, "ssh_credential_id", id, true, out);
  return out;
}

}  // namespace dbackup::host
