#include "services/principal_cache.hpp"

#include <algorithm>
#include <mutex>

namespace dbackup::host {
namespace {

constexpr TimeMs kRemembered = 3'000;
constexpr size_t kMostRemembered = 1024;

}  // namespace

PrincipalCache::Found PrincipalCache::find(const std::string& hash, TimeMs now) const {
  const std::shared_lock lock{mutex_};
  const auto found = known_.find(hash);
  if (found != known_.end() && now < found->second.valid_until) {
    return {.principal = found->second.principal, .generation = generation_};
  }
  return {.principal = nullptr, .generation = generation_};
}

void PrincipalCache::remember(const std::string& hash, std::shared_ptr<const Principal> principal,
                              TimeMs now, TimeMs expires_at, uint64_t generation) {
  const std::unique_lock lock{mutex_};
  if (generation != generation_) return;
  if (known_.size() >= kMostRemembered) known_.clear();
  known_[hash] = {.principal = std::move(principal),
                  .valid_until = std::min(expires_at, now + kRemembered)};
}

void PrincipalCache::forget_all() {
  const std::unique_lock lock{mutex_};
  known_.clear();
  ++generation_;
}

}  // namespace dbackup::host
