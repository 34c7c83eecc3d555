#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/settings.hpp"
#include "model/principal.hpp"
#include "services/principal_cache.hpp"
#include "store/database.hpp"

namespace dbackup::host {

/// Tells who holds an API key. Keys found valid are remembered for a few seconds, so that polling
/// costs no query; every change of a key drops them all. [any-thread]
class ApiKeyVerifier {
 public:
  /// With the setting auth.keys_follow_owner a key has no more permissions than its owner has now.
  ApiKeyVerifier(Database& database, const Clock& clock, const LiveSettings& live)
      : database_{database}, clock_{clock}, live_{live} {}

  /// Throws Error{Unauthenticated} for a text that is no key, an unknown, a disabled or an expired
  /// one; the message tells the last two apart. Notes the use of a key at most once a minute.
  std::shared_ptr<const Principal> verify(std::string_view raw_key);
  /// After every change of a key, a user or a group.
  void forget_all() { known_.forget_all(); }

 private:
  std::shared_ptr<const Principal> look_up(const std::string& hash, TimeMs now,
                                           uint64_t generation);
  void note_use(const std::string& key_id, TimeMs last_used_at, TimeMs now) noexcept;

  Database& database_;
  const Clock& clock_;
  const LiveSettings& live_;
  PrincipalCache known_;
};

}  // namespace dbackup::host
