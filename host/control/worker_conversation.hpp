#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "base/error.hpp"
#include "control/line_reader.hpp"
#include "control/worker_client.hpp"
#include "protocol/message.hpp"

namespace dbackup::host {

/// One operation with one worker, driven by the calling thread: a single poll over its pipes, its pidfd,
/// the stop request and the deadline. The worker is gone when this is.
class WorkerConversation {
 public:
  struct Setup {
    std::string program_version;
    std::chrono::milliseconds greeting, cancel_grace;
    bool with_bulk = false;
  };
  WorkerConversation(WorkerLauncher& launcher, protocol::Operation op, const Json& body, WorkerCall call,
                     const Setup& setup);
  ~WorkerConversation();

  /// Until the "start" event; its data. Throws as WorkerClient::run(); a worker that ends before is one
  /// of its errors.
  Json wait_start(std::chrono::milliseconds limit);
  /// Until the result.
  Json wait_result();
  UniqueFd take_bulk() { return process_->take_bulk(); }

 private:
  using Steady = std::chrono::steady_clock;

  void pump(const bool& is_done);
  int next_timeout() const;
  void check_times();
  void write_requests();
  void take_line(std::string_view line);
  void take_event(protocol::Event event);
  void take_output(std::string_view line);
  void on_stop();
  void on_exit();
  void let_go();
  [[noreturn]] void fail_protocol(const std::string& what);
  [[noreturn]] void fail_ended(const std::string& how);

  WorkerCall call_;
  Setup setup_;
  std::string subject_;  ///< `plugin "x"`
  std::unique_ptr<WorkerProcess> process_;
  UniqueFd stop_event_;
  std::optional<std::stop_callback<std::function<void()>>> on_stop_requested_;
  std::string outgoing_;
  LineReader events_{protocol::kMaxLine};
  LineReader output_{4096, LineReader::Overlong::Cut};
  std::string output_tail_;  ///< the last lines, for the error of a crash
  bool is_greeted_ = false, is_started_ = false, has_answer_ = false, is_cancelling_ = false;
  Json start_, result_;
  std::optional<Error> error_;
  Steady::time_point greeting_limit_, kill_at_;
  std::optional<Steady::time_point> deadline_, start_limit_;
};

/// `plugin "postgres"`, `plugins "postgres" and "local-filesystem"`: whose code an operation runs.
std::string plugins_of(const Json& body);

}  // namespace dbackup::host
