#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/unique_fd.hpp"
#include "worker/pipeline/cancel_token.hpp"

namespace dbackup::host::ssh {

/// What shall happen on a channel.
struct ChannelOrder {
  enum class Kind { Program, Subsystem, Forward, ForwardPath };

  Kind kind = Kind::Program;
  std::string target;      ///< command line, subsystem, host or path of a socket
  int port = 0;            ///< of a forward
  bool is_keeper = false;  ///< not one of the four
  /// A program announces itself (kReady): what comes before is dropped.
  bool announces = false;
  /// Non-blocking, and the pump's: bytes for the channel; none: its input stays open and empty.
  UniqueFd input;
  /// Non-blocking: where its output goes; none: to `on_output`.
  UniqueFd output;
  /// Called by the pump's thread, until the channel is closed.
  std::function<void(std::string_view)> on_output, on_errors;
};

/// How a program on the other machine ended.
struct ChannelEnd {
  std::optional<int> exit_code;
  std::string signal;  ///< "TERM"
};

/// What the pump tells about a channel, and everybody may ask. [any thread]
class Channel {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Channel(ChannelOrder wanted) : order{std::move(wanted)} {}

  /// Waits until the program runs, the subsystem answers, the forward is connected. Throws the
  /// failure: Error{NotFound} for a program that is not there, {Unavailable} for a lost connection.
  void wait_ready(const CancelToken& cancel);
  /// Waits for the end. False when `until` comes first; a cancellation does not end the waiting.
  bool wait_closed(Clock::time_point until);
  /// Waits for the end or the cancellation, which it does not throw. True: closed.
  bool wait_closed(const CancelToken& cancel);
  /// Throws why the channel ended, when it did not end by itself.
  void throw_if_failed() const;
  ChannelEnd end() const;
  bool is_closed() const;

  // The pump's.
  void become_ready();
  void set_exit(int code);
  void set_signal(std::string_view name);
  /// The first failure counts.
  void fail(const Cause& cause);
  void become_closed();

  ChannelOrder order;  ///< the pump's from add() on

 private:
  enum class Phase { Starting, Ready, Closed };

  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  Phase phase_ = Phase::Starting;
  ChannelEnd end_;
  Cause failure_;
};

}  // namespace dbackup::host::ssh
