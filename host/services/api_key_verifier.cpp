#include "services/api_key_verifier.hpp"

#include <limits>

#include "base/logging.hpp"
#include "crypto/token.hpp"
#include "store/profile_store.hpp"
#include "store/user_store.hpp"

namespace dbackup::host {
namespace {

constexpr TimeMs kUseStampInterval = 60'000;

[[noreturn]] void refuse(const char* why) { throw Error(ErrorCode::Unauthenticated, why); }

}  // namespace

std::shared_ptr<const Principal> ApiKeyVerifier::verify(std::string_view raw_key) {
  if (!is_api_key_shape(raw_key)) refuse("Unauthorized");
  const std::string hash = hash_token(raw_key);
  const TimeMs now = clock_.now_ms();
  PrincipalCache::Found found = known_.find(hash, now);
  return found.principal ? std::move(found.principal) : look_up(hash, now, found.generation);
}

std::shared_ptr<const Principal> ApiKeyVerifier::look_up(const std::string& hash, TimeMs now,
                                                         uint64_t generation) {
  std::optional<ApiKey> key;
  std::optional<PermissionSet> of_owner;
  const bool follows_owner = live_.now()->flag("auth.keys_follow_owner");
  database_.read([&](Session& session) {
    key = ApiKeyStore{}.find_by_hash(session, hash);
    // Keys made on the server's console have no owner.
    if (!key || !follows_owner || key->user_id.empty()) return;
    of_owner.emplace();
    const auto owner = UserStore{}.find(session, key->user_id);
    if (!owner || owner->group_id.empty()) return;
    if (const auto group = GroupStore{}.find(session, owner->group_id))
      of_owner = group->permissions;
  });
  if (!key) refuse("Unauthorized");
  if (!key->enabled) refuse("API key is disabled");
  if (key->expires_at && *key->expires_at <= now) refuse("API key has expired");

  auto principal = std::make_shared<Principal>();
  principal->kind = PrincipalKind::ApiKey;
  principal->id = key->id;
  principal->name = key->name;
  principal->user_id = key->user_id;
  principal->permissions = key->permissions;
  if (of_owner) principal->permissions &= *of_owner;
  note_use(key->id, key->last_used_at.value_or(0), now);

  constexpr TimeMs kNever = std::numeric_limits<TimeMs>::max();
  known_.remember(hash, principal, now, key->expires_at.value_or(kNever), generation);
  return principal;
}

void ApiKeyVerifier::note_use(const std::string& key_id, TimeMs last_used_at, TimeMs now) noexcept {
  if (now - last_used_at < kUseStampInterval) return;
  try {
    database_.write([&](Session& session) { ApiKeyStore{}.touch(session, key_id, now); });
  } catch (const std::exception& error) {
    // A stamp is no reason to refuse a valid key.
    log_warning(std::string{"the use of an API key could not be noted: "} + error.what());
  }
}

}  // namespace dbackup::host
