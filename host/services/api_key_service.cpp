#include "services/api_key_service.hpp"

#include "base/id.hpp"
#include "crypto/token.hpp"
#include "store/profile_store.hpp"

namespace dbackup::host {
namespace {

PermissionSet checked_permissions(const Principal& who, const std::vector<std::string>& names) {
  if (names.empty()) throw Error(ErrorCode::InvalidArgument, "\"permissions\" must not be empty");
  PermissionSet set;
  for (const std::string& name : names) {
    const auto permission = parse_permission(name);
    if (!permission)
      throw Error(ErrorCode::InvalidArgument, "\"permissions\": \"" + name + "\" is unknown");
    if (!who.may(*permission)) {
      throw Error(ErrorCode::PermissionDenied,
                  "a key can only be given permissions that you hold; you lack \"" + name + "\"");
    }
    set.set(static_cast<size_t>(*permission));
  }
  return set;
}

}  // namespace

std::vector<ApiKey> ApiKeyService::list() {
  std::vector<ApiKey> keys;
  database_.read([&](Session& session) { keys = ApiKeyStore{}.list(session); });
  return keys;
}

ApiKey ApiKeyService::get(const std::string& id) {
  std::optional<ApiKey> key;
  database_.read([&](Session& session) { key = ApiKeyStore{}.find(session, id); });
  if (!key) throw Error(ErrorCode::NotFound, "API key not found");
  return *key;
}

CreatedApiKey ApiKeyService::create(const Principal& who, const NewKeyFields& fields) {
  const TimeMs now = clock_.now_ms();
  if (fields.expires_at && *fields.expires_at <= now) {
    throw Error(ErrorCode::InvalidArgument, "\"expiresAt\" must lie in the future");
  }
  NewApiKey fresh = generate_api_key();
  CreatedApiKey created;
  created.raw = std::move(fresh.raw);
  created.key.id = new_uuid();
  created.key.name = fields.name;
  created.key.prefix = fresh.prefix;
  created.key.hash = fresh.hash;
  created.key.permissions = checked_permissions(who, fields.permissions);
  created.key.user_id = who.user_id;
  created.key.expires_at = fields.expires_at;
  created.key.created_at = now;
  database_.write([&](Session& session) { ApiKeyStore{}.insert(session, created.key); });
  return created;
}

void ApiKeyService::remove(const std::string& id) {
  bool removed = false;
  database_.write([&](Session& session) { removed = ApiKeyStore{}.remove(session, id); });
  verifier_.forget_all();
  if (!removed) throw Error(ErrorCode::NotFound, "API key not found");
}

}  // namespace dbackup::host
