#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "base/unique_fd.hpp"

namespace dbackup::host {

/// One thread with its own epoll that carries every answer a socket did not take at once, however
/// many there are, and looks at the clock. It knows connections by number only.
class HttpWriter {
 public:
  struct Calls {
    std::function<void(uint64_t id)>
        ready;                    ///< Something armed or scheduled for this connection happened.
    std::function<void()> sweep;  ///< Every `sweep_every`.
    std::chrono::milliseconds sweep_every{500};
  };

  /// Throws Error when the system has no descriptors left.
  HttpWriter();
  ~HttpWriter() { stop(); }
  HttpWriter(const HttpWriter&) = delete;
  HttpWriter& operator=(const HttpWriter&) = delete;

  void start(Calls calls);
  /// Joins the thread; later calls do nothing.
  void stop();

  /// Asks for one ready() when `fd` can be written or read. False when the descriptor cannot be
  /// watched.
  bool when_writable(int fd, uint64_t id) { return arm(fd, id, true); }
  bool when_readable(int fd, uint64_t id) { return arm(fd, id, false); }
  /// Must be called before a watched socket is closed: another descriptor of it lives on in the
  /// reactor.
  void forget(int fd) noexcept;

  /// Asks for one ready() as soon as possible, or within some 20 ms. [any-thread]
  void schedule(uint64_t id);
  void schedule_soon(uint64_t id);

 private:
  bool arm(int fd, uint64_t id, bool write);
  void run();
  void call_ready(uint64_t id);
  std::vector<uint64_t> take(std::vector<uint64_t>& list);

  UniqueFd epoll_;
  UniqueFd event_;
  Calls calls_;
  std::thread thread_;
  std::mutex mutex_;
  std::vector<uint64_t> scheduled_;
  std::vector<uint64_t> soon_;
  bool stopped_ = false;
};

}  // namespace dbackup::host
