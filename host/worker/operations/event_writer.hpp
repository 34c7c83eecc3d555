#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <string>

#include "protocol/message.hpp"
#include "worker/plugin/journal.hpp"

namespace dbackup::host {

/// Writes the events of one worker to a descriptor, in order, each a whole line. Log lines are cut
/// to 4 KiB and to 20,000 per request, progress is thinned to one event in 250 ms. [any thread]
class EventWriter final : public Journal {
 public:
  /// `fd` stays the caller's. `on_broken` is called once, when nobody reads any more.
  EventWriter(int fd, std::function<void()> on_broken);

  /// Writes a line that is no event: the greeting.
  void write_line(const Json& line);
  /// Events from now on belong to this request.
  void begin(const std::string& request_id);
  /// Throws Error{ResourceExhausted} when the event does not fit a line.
  void emit(protocol::EventKind kind, Json data);

  void log(const LogLine& line) noexcept override;
  void progress(uint64_t done, uint64_t total) noexcept override;
  void host_key(const AcceptedHostKey& key) noexcept override;

 private:
  using SteadyClock = std::chrono::steady_clock;

  void emit_locked(protocol::EventKind kind, Json data);
  void flush_progress();
  void write_all(std::string_view bytes) noexcept;

  std::mutex mutex_;
  int fd_;
  std::function<void()> on_broken_;
  bool broken_ = false;
  std::string request_id_;
  uint64_t next_seq_ = 1;
  uint64_t log_lines_ = 0;
  SteadyClock::time_point last_progress_{};
  uint64_t held_done_ = 0, held_total_ = 0;
  bool progress_held_ = false;
};

}  // namespace dbackup::host
