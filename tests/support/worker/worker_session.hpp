#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "base/unique_fd.hpp"
#include "protocol/message.hpp"

namespace dbackup::test {

/// One worker process, spoken to as the host does.
class WorkerSession {
 public:
  /// With `greet` the first line is sent and the worker's is read.
  explicit WorkerSession(bool greet = true);
  ~WorkerSession();

  struct Outcome {
    bool ok = false;
    host::Json data;                            ///< of the "result" or "error"
    std::vector<host::protocol::Event> events;  ///< all before it

    std::vector<host::Json> items() const;
    std::string logs() const;
  };

  void send_text(const std::string& text);
  void send(const std::string& op, const host::Json& body);
  void cancel() { send_text("{\"op\":\"cancel\"}\n"); }
  /// The next line; empty at the end. Fails the test after 20 s of silence.
  std::string read_line();
  /// Reads events until the request's end. `on_event` may answer (reserve is accepted by default).
  Outcome finish(const std::function<void(const host::protocol::Event&)>& on_event = {});
  Outcome run(const std::string& op, const host::Json& body) {
    send(op, body);
    return finish();
  }
  /// A fetch: its outcome and its bytes, read on a thread of their own until the start event's
  /// length.
  Outcome fetch(const host::Json& body, std::string& bytes);

  void close_input() { input_.reset(); }
  void close_bulk() { bulk_.reset(); }
  /// Waits for the end; the exit code, or minus the signal.
  int wait();
  pid_t pid() const { return pid_; }
  bool accept_paths = true;
  int refuse_paths = 0;  ///< so many reservations are refused first

 private:
  host::UniqueFd input_, events_, bulk_;
  pid_t pid_ = -1;
  std::string buffer_;
};

}  // namespace dbackup::test
