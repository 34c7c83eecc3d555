#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "model/nouns.hpp"

/// What event streams of runs are made of.
namespace dbackup::host {

class ExecutionService;
class HttpEventStream;

/// What a follower of all runs has been told of one.
struct KnownRun {
  std::string status;
  std::optional<TimeMs> ended_at;
};

/// A run as it is now, in the form of events.
struct RunState {
  std::string status, stage, detail;
  int64_t progress = 0;
  bool has_ended = false;
  std::string json;  ///< as GET shows it, without its log
};
RunState run_state(const Execution& run, const std::string& labels, TimeMs now);

/// Where a stream is.
struct RunCursor {
  int64_t after = 0;  ///< number of the last line sent
  std::string status, stage, detail;
  int64_t progress = -1;
  bool has_more = false;  ///< lines wait for room
};

/// The lines of one run, read once for all streams that are at the same place.
class LogPages {
 public:
  struct Line {
    int64_t seq = 0;
    std::string event;
  };
  static constexpr int64_t kLines = 100;

  LogPages(ExecutionService& executions, const std::string& id)
      : executions_{executions}, id_{id} {}
  /// At most kLines lines after that number.
  std::shared_ptr<const std::vector<Line>> after(int64_t seq);

 private:
  static constexpr size_t kMost = 8;  // pages kept

  ExecutionService& executions_;
  const std::string& id_;
  std::map<int64_t, std::shared_ptr<const std::vector<Line>>> pages_;
};

/// Sends what is new while `out` has room for `least` bytes: all lines first, in order, then where
/// the run is. True when the stream has had its end.
bool push_news(HttpEventStream& out, RunCursor& at, const RunState& run, LogPages& pages,
               size_t least, const std::function<void()>& on_room);

/// One event of the stream of all runs; `id` becomes Last-Event-ID.
std::string status_event(const Execution& run, const std::string& labels, TimeMs now, TimeMs id);

/// "<number>" or "<number>.end", as Last-Event-ID of a run's stream has it; nullopt for anything
/// else.
struct LastEvent {
  int64_t seq = 0;
  bool is_end = false;
};
std::optional<LastEvent> parse_last_event(std::string_view text);

}  // namespace dbackup::host
