#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "base/unique_fd.hpp"
#include "worker/plugin/error_output.hpp"
#include "worker/plugin/program.hpp"

namespace dbackup::host {

namespace ssh {
class Channel;
class Keeper;
class Pump;
class Session;
}  // namespace ssh

/// A program, or a subsystem, on the machine behind an SSH session. Looks like one on this machine:
/// its pipes are pipes, which the session's pump fills and empties. What differs: reading from it
/// throws Error{Unavailable} when the connection was lost, never ends; and the end of its input
/// reaches the program only when all of it has.
class RemoteProcess final : public Program {
 public:
  /// Returns when the program runs. Throws Error{NotFound} when it is not there.
  RemoteProcess(CallContext& call, ssh::Session& session, const ToolOrder& order);
  RemoteProcess(CallContext& call, ssh::Session& session, const std::string& subsystem);
  ~RemoteProcess() override;

  size_t read(std::span<std::byte> buffer) override;
  size_t write(std::span<const std::byte> bytes) override;
  void close_input() noexcept override;
  Json wait() override;

 private:
  struct Plan;
  RemoteProcess(CallContext& call, std::shared_ptr<ssh::Pump> pump,
                std::shared_ptr<ssh::Keeper> keeper, Plan plan);
  static Plan plan_program(CallContext& call, ssh::Session& session, const ToolOrder& order);
  void await(int fd, short events);
  void check_cancelled();
  void end() noexcept;
  void stop() noexcept;
  Error lost_end() const;

  std::shared_ptr<ssh::Pump> pump_;
  std::shared_ptr<ssh::Keeper> keeper_;  // of a program with input
  std::string name_;                     // there
  ToolOrder::Output output_mode_;
  bool is_subsystem_ = false;
  std::atomic<std::chrono::steady_clock::rep> cancelled_at_ = 0;  // a subsystem's; 0: not yet
  UniqueFd input_, output_, cancel_event_;
  uint64_t written_ = 0;
  bool forgotten_ = false;
  std::string collected_;  // the pump's until the channel is closed
  ErrorOutput error_output_;
  std::shared_ptr<ssh::Channel> channel_;
  std::optional<Json> ending_;
  std::optional<std::stop_callback<std::function<void()>>> on_cancel_;
};

/// The first of `names` that can be run there. Throws Error{NotFound} naming them.
std::string find_remote_program(CallContext& call, ssh::Session& session,
                                const std::vector<std::string>& names);

}  // namespace dbackup::host
