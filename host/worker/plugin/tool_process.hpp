#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "base/unique_fd.hpp"
#include "worker/plugin/call_context.hpp"
#include "worker/plugin/spawner.hpp"

namespace dbackup::host {

struct ToolOrder {
  enum class Output { Pipe, Collect, Discard };

  std::vector<std::string> argv;
  std::map<std::string, std::string> environment;  ///< beside the minimal one
  bool input = false;
  Output output = Output::Pipe;
};

/// A running program of a plugin. A cancelled call ends it (SIGTERM, after 200 ms SIGKILL) whatever
/// the plugin does meanwhile. Reading and writing may happen on two threads; otherwise one at a
/// time.
class ToolProcess final : public CallResource {
 public:
  /// Throws Error{NotFound} when there is no such program.
  ToolProcess(CallContext& call, const ToolOrder& order);
  /// Kills and reaps what still runs.
  ~ToolProcess() override;

  CallContext& call() const noexcept { return call_; }

  /// Bytes of standard output, 0 at its end. Throws the cause of a cancellation.
  size_t read(std::span<std::byte> buffer);
  /// How many bytes standard input took; Error{Aborted} when the program has closed it.
  size_t write(std::span<const std::byte> bytes);
  void close_input() noexcept { input_.reset(); }
  /// {"exit_code","signal","stdout"?,"stderr"}. Closes the pipes first: what has not been read by
  /// now will not be. Throws the cause of a cancellation, after the program has ended.
  Json wait();

 private:
  void watch() noexcept;
  void take_errors(std::string_view text) noexcept;
  void log_line(std::string_view line) noexcept;
  void stop_watching() noexcept;
  void signal(int number) noexcept;
  /// Waits for `events` on `fd`; throws the cause when the call is cancelled meanwhile.
  void await(int fd, short events) const;

  CallContext& call_;
  ToolOrder::Output output_mode_;
  UniqueFd input_, output_, errors_;
  UniqueFd cancel_event_, stop_event_;
  SpawnedProgram program_;
  std::optional<Json> ending_;

  // The watcher's own until it has stopped.
  std::string collected_, error_tail_, error_line_;
  size_t logged_lines_ = 0;

  std::thread watcher_;
  std::optional<std::stop_callback<std::function<void()>>> on_cancel_;
};

/// The value of PATH that programs get when the request names none.
std::string default_search_path();

}  // namespace dbackup::host
