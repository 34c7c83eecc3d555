#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "base/unique_fd.hpp"
#include "worker/plugin/error_output.hpp"
#include "worker/plugin/program.hpp"
#include "worker/plugin/spawner.hpp"

namespace dbackup::host {

/// A program on this machine.
class ToolProcess final : public Program {
 public:
  /// Throws Error{NotFound} when there is no such program.
  ToolProcess(CallContext& call, const ToolOrder& order);
  /// Kills and reaps what still runs.
  ~ToolProcess() override;

  size_t read(std::span<std::byte> buffer) override;
  size_t write(std::span<const std::byte> bytes) override;
  void close_input() noexcept override { input_.reset(); }
  Json wait() override;

 private:
  void watch() noexcept;
  void stop_watching() noexcept;
  void signal(int number) noexcept;
  /// Waits for `events` on `fd`; throws the cause when the call is cancelled meanwhile.
  void await(int fd, short events) const;

  ToolOrder::Output output_mode_;
  UniqueFd input_, output_, errors_;
  UniqueFd cancel_event_, stop_event_;
  SpawnedProgram program_;
  std::optional<Json> ending_;

  // The watcher's own until it has stopped.
  std::string collected_;
  ErrorOutput error_output_;

  std::thread watcher_;
  std::optional<std::stop_callback<std::function<void()>>> on_cancel_;
};

/// The value of PATH that programs get when the request names none.
std::string default_search_path();

}  // namespace dbackup::host
