#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>

#include "base/json.hpp"

namespace dbackup::host {

class NotificationRouter;

/// Tells system events behind the back of whoever noticed them: a channel may take 30 s, and
/// neither a person who signs in nor a health check shall wait for it. Events go out in their
/// order, one at a time; what has not gone when it is destroyed is dropped. [any-thread]
class SystemNotices {
 public:
  explicit SystemNotices(NotificationRouter& router);
  ~SystemNotices();

  /// Returns at once. `user_email`: the person the event is about; "": nobody. When hundreds wait,
  /// further ones are dropped with a line in the server's log.
  void tell(Json event, std::string user_email = "") noexcept;

 private:
  struct Notice {
    Json event;
    std::string user_email;
  };
  void work(const std::stop_token& stop);

  NotificationRouter& router_;
  std::mutex mutex_;
  std::condition_variable_any news_;
  std::deque<Notice> waiting_;
  std::jthread worker_;
};

}  // namespace dbackup::host
