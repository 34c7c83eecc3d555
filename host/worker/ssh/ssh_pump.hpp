#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "worker/ssh/socket_dial.hpp"
#include "worker/ssh/ssh_connect.hpp"
#include "worker/ssh/ssh_stream.hpp"

namespace dbackup::host::ssh {

/// Owns a connection and the one thread that uses it: libssh's sessions belong to one thread. Moves
/// bytes between channels and the descriptors their users hold. At most kMostChannels programs and
/// forwards at a time, further ones wait. Memory: a block per direction and channel, and what the
/// windows allow. [any thread]
class Pump {
 public:
  static constexpr size_t kMostChannels = 4;

  Pump(Connected connection, std::string server);
  /// Closes what is open and disconnects.
  ~Pump();

  void add(std::shared_ptr<Channel> channel);
  /// SIGTERM, and after 200 ms SIGKILL, for a program without input.
  void terminate(const std::shared_ptr<Channel>& channel);
  void end_input(const std::shared_ptr<Channel>& channel);
  /// After it has returned, nothing of the channel is called any more.
  void close(const std::shared_ptr<Channel>& channel);

  /// Every connection to `listener` becomes a forward to `host`:`port`, or to the socket `host`
  /// when `port` is 0. The number is for unlisten(). `failed`: called with the reason of the first
  /// connection that could not be made.
  int listen(Listener listener, std::string host, int port,
             std::function<void(const Error&)> failed);
  void unlisten(int number);

  bool is_lost() const noexcept { return lost_; }
  const std::string& server() const noexcept { return server_; }

 private:
  using Clock = std::chrono::steady_clock;
  struct Door {
    int number;
    Listener listener;
    std::string host;
    int port;
    std::function<void(const Error&)> failed;
  };
  struct Visitor {
    int door;
    std::shared_ptr<Channel> channel;
  };

  void post(std::function<void()> task);
  void run() noexcept;
  void take_tasks();
  void take_visitors();
  void start_waiting();
  bool step_all();
  void drive();
  void stay_alive();
  void lose(const std::string& why);
  void wait(bool is_busy);
  void report_visitors();
  Stream* find(const std::shared_ptr<Channel>& channel);

  Connected connection_;
  const std::string server_;
  EventHandle event_;
  ssh_counter_struct counted_{};
  UniqueFd wake_;
  std::atomic<bool> lost_ = false;

  std::mutex mutex_;
  std::vector<std::function<void()>> tasks_;
  bool stopping_ = false;

  // The thread's own.
  std::deque<std::shared_ptr<Channel>> waiting_;
  std::list<Stream> streams_;
  std::list<Door> doors_;
  std::vector<Visitor> visitors_;
  std::vector<std::pair<Clock::time_point, std::weak_ptr<Channel>>> kills_;
  std::vector<pollfd> polled_;
  std::atomic<int> next_door_ = 1;
  Clock::time_point next_sign_;
  uint64_t bytes_at_sign_ = 0;
  int unanswered_ = 0;

  std::thread thread_;
};

}  // namespace dbackup::host::ssh
