#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <utility>

namespace dbackup::host {

/// Tells whoever follows runs that the store has something new of one: whoever wrote it says so, after
/// the transaction. Only a hint to look earlier, since other hosts write too. [any-thread]
class RunNews {
 public:
  enum class What {
    Progress,  ///< lines, stage, progress
    Status,    ///< it waits, runs or has ended
  };
  /// Must not block, nor call this.
  using Listener = std::function<void(const std::string& execution_id, What)>;

  /// One listener; {} for none. No call is under way any more when this returns.
  void listen(Listener listener) {
    const std::lock_guard lock{mutex_};
    listener_ = std::move(listener);
  }
  void tell(const std::string& execution_id, What what) noexcept {
    try {
      const std::lock_guard lock{mutex_};
      if (listener_) listener_(execution_id, what);
    } catch (...) {  // out of memory: followers look by themselves a moment later
    }
  }

 private:
  std::mutex mutex_;
  Listener listener_;
};

}  // namespace dbackup::host
