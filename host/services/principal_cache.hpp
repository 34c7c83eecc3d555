#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <shared_mutex>
#include <string>

#include "base/clock.hpp"
#include "model/principal.hpp"

namespace dbackup::host {

/// Callers found valid lately, by the hash of what they showed, so that polling costs no query. They are
/// remembered for a few seconds and never past their own expiry. [any-thread]
class PrincipalCache {
 public:
  struct Found {
    std::shared_ptr<const Principal> principal;  ///< nullptr: look it up
    uint64_t generation = 0;                     ///< give it to remember()
  };
  Found find(const std::string& hash, TimeMs now) const;
  /// Does nothing when forget_all() was called since find(): what was looked up may be out of date.
  void remember(const std::string& hash, std::shared_ptr<const Principal> principal, TimeMs now,
                TimeMs expires_at, uint64_t generation);
  void forget_all();

 private:
  struct Known {
    std::shared_ptr<const Principal> principal;
    TimeMs valid_until = 0;
  };
  mutable std::shared_mutex mutex_;
  std::map<std::string, Known> known_;
  uint64_t generation_ = 0;
};

}  // namespace dbackup::host
