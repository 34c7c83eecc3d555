#include "api/http_writer.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/error.hpp"

namespace dbackup::host {
namespace {

constexpr uint64_t kEventId = 0;  // connections count from 1
constexpr std::chrono::milliseconds kSoon{20};

}  // namespace

HttpWriter::HttpWriter()
    : epoll_{::epoll_create1(EPOLL_CLOEXEC)}, event_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)} {
  if (!epoll_ || !event_) throw_errno(errno, "cannot make the writer's descriptors");
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = kEventId;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, event_.get(), &event) != 0)
    throw_errno(errno, "cannot watch the writer's wake-up");
}

void HttpWriter::start(Calls calls) {
  calls_ = std::move(calls);
  thread_ = std::thread{[this] { run(); }};
}

void HttpWriter::stop() {
  {
    const std::lock_guard lock{mutex_};
    stopped_ = true;
  }
  schedule(kEventId);
  if (thread_.joinable()) thread_.join();
}

bool HttpWriter::arm(int fd, uint64_t id, bool write) {
  epoll_event event{};
  event.events = (write ? EPOLLOUT : EPOLLIN) | EPOLLONESHOT;
  event.data.u64 = id;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event) == 0) return true;
  return errno == ENOENT && ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0;
}

void HttpWriter::forget(int fd) noexcept { ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr); }

void HttpWriter::schedule(uint64_t id) {
  bool first = false;
  {
    const std::lock_guard lock{mutex_};
    first = scheduled_.empty();
    scheduled_.push_back(id);
  }
  const uint64_t one = 1;
  // Fails only when the counter is full, and then the thread is awake anyhow.
  if (first && ::write(event_.get(), &one, sizeof one) < 0) return;
}

void HttpWriter::schedule_soon(uint64_t id) {
  const std::lock_guard lock{mutex_};
  soon_.push_back(id);
  // The verdict is asked for on this very thread, which looks at the list before it waits again.
}

std::vector<uint64_t> HttpWriter::take(std::vector<uint64_t>& list) {
  const std::lock_guard lock{mutex_};
  return std::exchange(list, {});
}

void HttpWriter::call_ready(uint64_t id) {
  if (id == kEventId) return;
  try {
    calls_.ready(id);
  } catch (...) {  // one connection's failure must not end the others' writer
  }
}

void HttpWriter::run() {
  using SteadyClock = std::chrono::steady_clock;
  auto next_sweep = SteadyClock::now() + calls_.sweep_every;
  auto next_soon = SteadyClock::now();
  std::array<epoll_event, 64> events{};
  for (;;) {
    bool waiting = false;
    {
      const std::lock_guard lock{mutex_};
      if (stopped_) return;
      waiting = !soon_.empty();
    }
    const auto until = waiting ? std::min(next_sweep, next_soon) : next_sweep;
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(until - SteadyClock::now()).count();
    const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()),
                                   static_cast<int>(std::clamp<decltype(left)>(left, 0, 1000)));
    for (int i = 0; i < count; ++i) {
      const uint64_t id = events[static_cast<size_t>(i)].data.u64;
      if (id != kEventId) {
        call_ready(id);
        continue;
      }
      uint64_t ignored = 0;
      if (::read(event_.get(), &ignored, sizeof ignored) < 0) continue;
    }
    for (const uint64_t id : take(scheduled_)) call_ready(id);
    const auto now = SteadyClock::now();
    if (now >= next_soon) {
      next_soon = now + kSoon;
      for (const uint64_t id : take(soon_)) call_ready(id);
    }
    if (now >= next_sweep) {
      next_sweep = now + calls_.sweep_every;
      try {
        calls_.sweep();
      } catch (...) {  // the next sweep tries again
      }
    }
  }
}

}  // namespace dbackup::host
