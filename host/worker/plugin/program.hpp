#pragma once

#include <map>
#include <string>
#include <vector>

#include "worker/plugin/call_context.hpp"

namespace dbackup::host {

struct ToolOrder {
  enum class Output { Pipe, Collect, Discard };

  std::vector<std::string> argv;
  std::map<std::string, std::string> environment;  ///< beside the minimal one
  bool input = false;
  Output output = Output::Pipe;
};

/// A running program of a plugin, here or on another machine. A cancelled call ends it (SIGTERM,
/// after 200 ms SIGKILL) whatever the plugin does meanwhile, and so does its destruction. Reading
/// and writing may happen on two threads; otherwise one at a time.
class Program : public CallResource {
 public:
  explicit Program(CallContext& call) : call_{call} {}
  CallContext& call() const noexcept { return call_; }

  /// Bytes of standard output, 0 at its end. Throws the cause of a cancellation.
  virtual size_t read(std::span<std::byte> buffer) = 0;
  /// How many bytes standard input took; Error{Aborted} when the program has closed it.
  virtual size_t write(std::span<const std::byte> bytes) = 0;
  virtual void close_input() noexcept = 0;
  /// {"exit_code","signal","stdout"?,"stderr"}. Closes the pipes first: what has not been read by
  /// now will not be. Throws the cause of a cancellation, after the program has ended.
  virtual Json wait() = 0;

 private:
  CallContext& call_;
};

}  // namespace dbackup::host
