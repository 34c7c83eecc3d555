#include "services/session_verifier.hpp"

#include "base/logging.hpp"
#include "crypto/token.hpp"
#include "store/session_store.hpp"
#include "store/user_store.hpp"

namespace dbackup::host {
namespace {

constexpr TimeMs kProlongInterval = TimeMs{24} * 3600 * 1000;
constexpr size_t kTokenLength = 64;

}  // namespace

Principal principal_of(const User& user, const PermissionSet& group_permissions) {
  Principal who{.kind = PrincipalKind::Session, .name = user.name, .user_id = user.id};
  who.is_groupless = user.group_id.empty();
  who.is_super_admin = user.is_super_admin();
  if (!who.is_groupless) who.permissions = group_permissions;
  return who;
}

std::shared_ptr<const Principal> SessionVerifier::verify(std::string_view token) {
  if (token.size() != kTokenLength) return nullptr;
  const std::string hash = hash_token(token);
  const TimeMs now = clock_.now_ms();
  PrincipalCache::Found found = known_.find(hash, now);
  if (found.principal) return std::move(found.principal);
  std::optional<UserSession> row;
  std::optional<User> user;
  PermissionSet permissions;
  database_.read([&](Session& session) {
    row = SessionStore{}.find_by_hash(session, hash);
    if (row) user = UserStore{}.find(session, row->user_id);
    if (!user || user->group_id.empty()) return;
    if (const auto group = GroupStore{}.find(session, user->group_id))
      permissions = group->permissions;
  });
  if (!user || row->expires_at <= now) return nullptr;
  if (row->remember && now - row->updated_at >= kProlongInterval) {
    row->expires_at = now + live_.now()->integer("auth.session_duration_seconds") * 1000;
    try {
      database_.write(
          [&](Session& session) { SessionStore{}.extend(session, row->id, row->expires_at, now); });
    } catch (const std::exception& error) {
      log_warning(std::string{"a session could not be prolonged: "} + error.what());
    }
  }
  auto principal = std::make_shared<Principal>(principal_of(*user, permissions));
  principal->id = row->id;
  known_.remember(hash, principal, now, row->expires_at, found.generation);
  return principal;
}

}  // namespace dbackup::host
