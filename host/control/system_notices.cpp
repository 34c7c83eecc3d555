#include "control/system_notices.hpp"

#include "base/logging.hpp"
#include "control/notification.hpp"

namespace dbackup::host {
namespace {

constexpr size_t kMostWaiting = 500;

}  // namespace

SystemNotices::SystemNotices(NotificationRouter& router)
    : router_{router}, worker_{[this](const std::stop_token& stop) { work(stop); }} {}

SystemNotices::~SystemNotices() = default;  // the thread is asked to stop and waited for

void SystemNotices::tell(Json event, std::string user_email) noexcept {
  try {
    {
      const std::lock_guard lock{mutex_};
      if (waiting_.size() < kMostWaiting) {
        waiting_.push_back({std::move(event), std::move(user_email)});
        news_.notify_one();
        return;
      }
    }
    log_warning("too many notifications wait to be sent: one is dropped");
  } catch (const std::exception& error) {
    log_warning(std::string("a notification is dropped: ") + error.what());
  }
}

void SystemNotices::work(const std::stop_token& stop) {
  for (;;) {
    Notice next;
    {
      std::unique_lock lock{mutex_};
      if (!news_.wait(lock, stop, [this] { return !waiting_.empty(); })) return;
      if (stop.stop_requested()) return;
      next = std::move(waiting_.front());
      waiting_.pop_front();
    }
    router_.system_event(next.event, next.user_email, stop);
  }
}

}  // namespace dbackup::host
