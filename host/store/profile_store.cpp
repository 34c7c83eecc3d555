#include "store/profile_store.hpp"

#include <map>

#include "store/columns.hpp"
#include "store/query.hpp"

namespace dbackup::host {
namespace {

std::vector<EncryptionProfile> select_profiles(Session& session, const std::string& where,
                                               const std::string* value) {
  EncryptionProfile row;
  std::string recipients;
  long long retired = 0;
  long long created_at = 0;
  long long updated_at = 0;
  std::vector<EncryptionProfile> out;
  {
    Query query{session,
                "SELECT id, name, description, extra_recipients, retired, created_at, updated_at "
                "FROM encryption_profiles " +
                    where + " ORDER BY name"};
    query.out(row.id).out(row.name).out(row.description).out(recipients).out(retired);
    query.out(created_at).out(updated_at);
    if (value != nullptr) query.bind(*value);
    while (query.next()) {
      EncryptionProfile profile = row;
      profile.extra_recipients = columns::strings_column(recipients);
      profile.retired = retired != 0;
      profile.created_at = created_at;
      profile.updated_at = updated_at;
      out.push_back(std::move(profile));
    }
  }
  std::map<std::string, EncryptionProfile*> by_id;
  for (auto& profile : out) by_id[profile.id] = &profile;
  EncryptionIdentity identity;
  std::string profile_id;
  long long active = 0;
  Query query{session,
              "SELECT id, profile_id, sealed_identity, recipient, active, created_at "
              "FROM encryption_identities ORDER BY created_at, id"};
  query.out(identity.id).out(profile_id).out(identity.sealed_identity).out(identity.recipient);
  query.out(active).out(created_at);
  while (query.next()) {
    const auto found = by_id.find(profile_id);
    if (found == by_id.end()) continue;
    EncryptionIdentity copy = identity;
    copy.active = active != 0;
    copy.created_at = created_at;
    found->second->identities.push_back(std::move(copy));
  }
  return out;
}

void insert_identities(Session& session, const EncryptionProfile& profile) {
  for (const auto& identity : profile.identities) {
    const long long active = columns::flag(identity.active);
    const long long created_at = identity.created_at;
    Query query{
        session,
        "INSERT INTO encryption_identities (id, profile_id, sealed_identity, recipient, active, "
        "created_at) VALUES (:a, :b, :c, :d, :e, :f)"};
    query.bind(identity.id)
        .bind(profile.id)
        .bind(identity.sealed_identity)
        .bind(identity.recipient);
    query.bind(active).bind(created_at).run();
  }
}

std::vector<ApiKey> select_keys(Session& session, const std::string& rest,
                                const std::string* value) {
  ApiKey row;
  std::string permissions;
  long long expires_at = 0;
  long long last_used_at = 0;
  long long enabled = 0;
  long long created_at = 0;
  Query query{
      session,
      "SELECT k.id, k.name, k.prefix, k.hash, k.permissions, COALESCE(k.user_id, ''), "
      "COALESCE(u.name, ''), COALESCE(u.email, ''), k.expires_at, k.last_used_at, k.enabled, "
      "k.created_at FROM api_keys k LEFT JOIN users u ON u.id = k.user_id " +
          rest};
  query.out(row.id).out(row.name).out(row.prefix).out(row.hash).out(permissions).out(row.user_id);
  query.out(row.user_name)
      .out(row.user_email)
      .out(expires_at)
      .out(last_used_at)
      .out(enabled)
      .out(created_at);
  if (value != nullptr) query.bind(*value);
  std::vector<ApiKey> out;
  while (query.next()) {
    ApiKey key = row;
    key.permissions = columns::permissions_column(permissions);
    key.expires_at = columns::optional_time(expires_at);
    key.last_used_at = columns::optional_time(last_used_at);
    key.enabled = enabled != 0;
    key.created_at = created_at;
    out.push_back(std::move(key));
  }
  return out;
}

template <class T>
std::optional<T> only(std::vector<T> rows) {
  if (rows.empty()) return std::nullopt;
  return std::move(rows.front());
}

}  // namespace

std::vector<EncryptionProfile> EncryptionProfileStore::list(Session& session,
                                                            bool with_retired) const {
  return select_profiles(session, with_retired ? "" : "WHERE retired = 0", nullptr);
}

std::optional<EncryptionProfile> EncryptionProfileStore::find(Session& session,
                                                              const std::string& id) const {
  return only(select_profiles(session, "WHERE id = :id", &id));
}

void EncryptionProfileStore::insert(Session& session, const EncryptionProfile& profile) const {
  const std::string recipients = dump_json(profile.extra_recipients);
  const long long retired = columns::flag(profile.retired);
  const long long created_at = profile.created_at;
  const long long updated_at = profile.updated_at;
  Query query{session,
              "INSERT INTO encryption_profiles (id, name, description, extra_recipients, retired, "
              "created_at, updated_at) VALUES (:a, :b, :c, :d, :e, :f, :g)"};
  query.bind(profile.id)
      .bind(profile.name)
      .bind(profile.description)
      .bind(recipients)
      .bind(retired);
  query.bind(created_at).bind(updated_at).run();
  insert_identities(session, profile);
}

void EncryptionProfileStore::update(Session& session, const EncryptionProfile& profile) const {
  const std::string recipients = dump_json(profile.extra_recipients);
  const long long retired = columns::flag(profile.retired);
  const long long updated_at = profile.updated_at;
  Query query{session,
              "UPDATE encryption_profiles SET name = :a, description = :b, extra_recipients = :c, "
              "retired = :d, updated_at = :e WHERE id = :f"};
  query.bind(profile.name)
      .bind(profile.description)
      .bind(recipients)
      .bind(retired)
      .bind(updated_at);
  query.bind(profile.id).run();
  Query{session, "DELETE FROM encryption_identities WHERE profile_id = :id"}.bind(profile.id).run();
  insert_identities(session, profile);
}

void EncryptionProfileStore::remove(Session& session, const std::string& id) const {
  Query{session, "DELETE FROM encryption_profiles WHERE id = :id"}.bind(id).run();
}

std::vector<ApiKey> ApiKeyStore::list(Session& session) const {
  return select_keys(session, "ORDER BY k.created_at DESC, k.id DESC", nullptr);
}

std::optional<ApiKey> ApiKeyStore::find(Session& session, const std::string& id) const {
  return only(select_keys(session, "WHERE k.id = :id", &id));
}

std::optional<ApiKey> ApiKeyStore::find_by_hash(Session& session, const std::string& hash) const {
  return only(select_keys(session, "WHERE k.hash = :hash", &hash));
}

namespace {

void write_key(Session& session, const std::string& sql, const ApiKey& key) {
  using soci::use;
  const std::string permissions = columns::permissions_text(key.permissions);
  const long long expires_at = columns::time_or_zero(key.expires_at);
  const long long last_used_at = columns::time_or_zero(key.last_used_at);
  const long long enabled = columns::flag(key.enabled);
  const long long created_at = key.created_at;
  Query query{session, sql};
  query.bind(key.name).bind(key.prefix).bind(key.hash).bind(permissions).bind(key.user_id);
  query.bind(expires_at).bind(last_used_at).bind(enabled).bind(created_at).bind(key.id).run();
}

}  // namespace

void ApiKeyStore::insert(Session& session, const ApiKey& key) const {
  write_key(
      session,
      "INSERT INTO api_keys (name, prefix, hash, permissions, user_id, expires_at, last_used_at, "
      "enabled, created_at, id) VALUES (:a, :b, :c, :d, NULLIF(:e, ''), :f, :g, :h, :i, :j)",
      key);
}

void ApiKeyStore::update(Session& session, const ApiKey& key) const {
  write_key(session,
            "UPDATE api_keys SET name = :a, prefix = :b, hash = :c, permissions = :d, "
            "user_id = NULLIF(:e, ''), expires_at = :f, last_used_at = :g, enabled = :h, "
            "created_at = :i WHERE id = :j",
            key);
}

bool ApiKeyStore::remove(Session& session, const std::string& id) const {
  return Query{session, "DELETE FROM api_keys WHERE id = :id"}.bind(id).run() > 0;
}

int64_t ApiKeyStore::remove_of_user(Session& session, const std::string& user_id) const {
  return Query{session, "DELETE FROM api_keys WHERE user_id = :id"}.bind(user_id).run();
}

void ApiKeyStore::touch(Session& session, const std::string& id, TimeMs used_at) const {
  const long long at = used_at;
  Query{session, "UPDATE api_keys SET last_used_at = :at WHERE id = :id"}.bind(at).bind(id).run();
}

std::optional<std::string> SettingStore::get(Session& session, const std::string& key) const {
  std::string value;
  Query query{session, "SELECT value FROM settings WHERE key = :key"};
  query.out(value).bind(key);
  if (!query.next()) return std::nullopt;
  std::string found = value;
  return found;
}

std::vector<std::pair<std::string, std::string>> SettingStore::list(Session& session) const {
  std::string key;
  std::string value;
  Query query{session, "SELECT key, value FROM settings ORDER BY key"};
  query.out(key).out(value);
  std::vector<std::pair<std::string, std::string>> out;
  while (query.next()) out.emplace_back(key, value);
  return out;
}

void SettingStore::set(Session& session, const std::string& key, const std::string& value) const {
  Query query{session,
              "INSERT INTO settings (key, value) VALUES (:k, :v) "
              "ON CONFLICT (key) DO UPDATE SET value = excluded.value"};
  query.bind(key).bind(value).run();
}

void SettingStore::remove(Session& session, const std::string& key) const {
  Query{session, "DELETE FROM settings WHERE key = :key"}.bind(key).run();
}

bool IdempotencyStore::begin(Session& session, const IdempotentAnswer& request,
                             IdempotentAnswer& existing) const {
  const long long created_at = request.created_at;
  Query insert{
      session,
      "INSERT INTO idempotency_keys (principal, route, idempotency_key, body_hash, status, "
      "answer, created_at) VALUES (:a, :b, :c, :d, 0, :f, :e) "
      "ON CONFLICT (principal, route, idempotency_key) DO NOTHING"};
  insert.bind(request.principal).bind(request.route).bind(request.key).bind(request.body_hash);
  if (insert.bind(request.answer).bind(created_at).run() > 0) return true;
  existing = request;
  long long status = 0;
  long long existing_created_at = 0;
  Query query{
      session,
      "SELECT body_hash, status, answer, created_at FROM idempotency_keys WHERE principal = :a "
      "AND route = :b AND idempotency_key = :c"};
  query.out(existing.body_hash).out(status).out(existing.answer).out(existing_created_at);
  query.bind(request.principal).bind(request.route).bind(request.key);
  query.next();
  existing.status = status;
  existing.created_at = existing_created_at;
  return false;
}

bool IdempotencyStore::change(Session& session, const IdempotentAnswer& from,
                              const IdempotentAnswer& to) const {
  const long long status = to.status;
  const long long created_at = to.created_at;
  const long long from_status = from.status;
  Query query{
      session,
      "UPDATE idempotency_keys SET status = :s, answer = :a, created_at = :c WHERE "
      "principal = :p AND route = :r AND idempotency_key = :k AND status = :fs AND answer = :fa"};
  query.bind(status).bind(to.answer).bind(created_at);
  query.bind(from.principal).bind(from.route).bind(from.key).bind(from_status).bind(from.answer);
  return query.run() > 0;
}

bool IdempotencyStore::forget(Session& session, const IdempotentAnswer& request) const {
  const long long status = request.status;
  Query query{
      session,
      "DELETE FROM idempotency_keys WHERE principal = :p AND route = :r AND idempotency_key = :k "
      "AND status = :s AND answer = :a"};
  query.bind(request.principal)
      .bind(request.route)
      .bind(request.key)
      .bind(status)
      .bind(request.answer);
  return query.run() > 0;
}

void IdempotencyStore::remove_older_than(Session& session, TimeMs limit) const {
  const long long at = limit;
  Query{session, "DELETE FROM idempotency_keys WHERE created_at < :at"}.bind(at).run();
}

}  // namespace dbackup::host
