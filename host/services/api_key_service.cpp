#include "services/api_key_service.hpp"

#include "base/id.hpp"
#include "crypto/token.hpp"
#include "services/audit_log.hpp"
#include "services/rights.hpp"
#include "store/profile_store.hpp"

namespace dbackup::host {
namespace {

constexpr std::string_view kKey = "a key";

PermissionSet checked_permissions(const std::vector<std::string>& names) {
  if (names.empty()) throw Error(ErrorCode::InvalidArgument, "\"permissions\" must not be empty");
  return parse_permissions(names, "permissions");
}

void check_expiry(const std::optional<TimeMs>& expires_at, TimeMs now) {
  if (expires_at && *expires_at <= now)
    throw Error(ErrorCode::InvalidArgument, "\"expiresAt\" must lie in the future");
}

ApiKey found(Session& session, const std::string& id) {
  auto key = ApiKeyStore{}.find(session, id);
  if (!key) throw Error(ErrorCode::NotFound, "API key not found");
  return std::move(*key);
}

}  // namespace

std::vector<ApiKey> ApiKeyService::list() {
  std::vector<ApiKey> keys;
  database_.read([&](Session& session) { keys = ApiKeyStore{}.list(session); });
  return keys;
}

ApiKey ApiKeyService::get(const std::string& id) {
  ApiKey key;
  database_.read([&](Session& session) { key = found(session, id); });
  return key;
}

CreatedApiKey ApiKeyService::create(const Principal& who, const NewKeyFields& fields) {
  const TimeMs now = clock_.now_ms();
  check_expiry(fields.expires_at, now);
  NewApiKey fresh = generate_api_key();
  CreatedApiKey created;
  created.raw = std::move(fresh.raw);
  created.key.id = new_uuid();
  created.key.name = fields.name;
  created.key.prefix = fresh.prefix;
  created.key.hash = fresh.hash;
  created.key.permissions = checked_permissions(fields.permissions);
  require_may_give(who, created.key.permissions, kKey);
  created.key.user_id = who.user_id;
  created.key.expires_at = fields.expires_at;
  created.key.created_at = now;
  database_.write([&](Session& session) {
    ApiKeyStore{}.insert(session, created.key);
    // Read back for the owner's name.
    created.key = found(session, created.key.id);
    audit_.write(session, who, AuditAction::Create, AuditResource::ApiKey, created.key.id,
                 {{"name", fields.name}, {"permissions", fields.permissions}});
  });
  return created;
}

ApiKey ApiKeyService::update(const Principal& who, const std::string& id,
                             const KeyChanges& changes) {
  if (changes.expires_at) check_expiry(*changes.expires_at, clock_.now_ms());
  ApiKey key;
  database_.write([&](Session& session) {
    key = found(session, id);
    Json details{{"name", key.name}};
    if (changes.name) details["name"] = key.name = *changes.name;
    if (changes.permissions) {
      const PermissionSet next = checked_permissions(*changes.permissions);
      require_may_give(who, next & ~key.permissions, kKey);
      details["permissions"] = *changes.permissions;
      key.permissions = next;
    }
    // A key that lives longer, or again, is given anew.
    if (changes.expires_at && key.expires_at != *changes.expires_at) {
      require_may_give(who, key.permissions, kKey);
      key.expires_at = *changes.expires_at;
      details["expiresAt"] = key.expires_at ? Json(format_iso8601(*key.expires_at)) : Json{};
    }
    if (changes.enabled && *changes.enabled != key.enabled) {
      if (*changes.enabled) require_may_give(who, key.permissions, kKey);
      details["enabled"] = key.enabled = *changes.enabled;
    }
    ApiKeyStore{}.update(session, key);
    audit_.write(session, who, AuditAction::Update, AuditResource::ApiKey, id, details);
  });
  verifier_.forget_all();
  return key;
}

CreatedApiKey ApiKeyService::rotate(const Principal& who, const std::string& id) {
  NewApiKey fresh = generate_api_key();
  CreatedApiKey rotated;
  rotated.raw = std::move(fresh.raw);
  database_.write([&](Session& session) {
    rotated.key = found(session, id);
    require_may_give(who, rotated.key.permissions, kKey);
    rotated.key.hash = fresh.hash;
    rotated.key.prefix = fresh.prefix;
    ApiKeyStore{}.update(session, rotated.key);
    audit_.write(session, who, AuditAction::Update, AuditResource::ApiKey, id,
                 {{"name", rotated.key.name}, {"rotated", true}});
  });
  verifier_.forget_all();
  return rotated;
}

void ApiKeyService::remove(const Principal& who, const std::string& id) {
  database_.write([&](Session& session) {
    const ApiKey key = found(session, id);
    ApiKeyStore{}.remove(session, id);
    audit_.write(session, who, AuditAction::Delete, AuditResource::ApiKey, id,
                 {{"name", key.name}});
  });
  verifier_.forget_all();
}

BulkOutcome ApiKeyService::apply_to_all(const Principal& who, const std::string& action,
                                        const std::vector<std::string>& ids) {
  const auto one = [&](const std::string& id) {
    if (action == "delete") {
      remove(who, id);
    } else {
      update(who, id, {.enabled = action == "enable"});
    }
  };
  const BulkOutcome outcome =
      run_bulk(ids, one, [&](const std::string& id) { return get(id).name; });
  audit_.write(who, action == "delete" ? AuditAction::Delete : AuditAction::Update,
               AuditResource::ApiKey, "", bulk_audit(action, outcome));
  return outcome;
}

}  // namespace dbackup::host
