#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "api/access.hpp"
#include "api/http_message.hpp"
#include "api/http_response.hpp"
#include "base/clock.hpp"

namespace dbackup::host {

class ExecutionService;
class RunNews;

struct RunFollowerOptions {
  /// How often the store is looked at for what nobody here told of: runs of other hosts.
  std::chrono::milliseconds look{1'000};
  /// How often the credentials of an open stream are checked again.
  std::chrono::milliseconds check{15'000};
  /// Streams and waiting requests at once; further ones are answered 503.
  size_t most = 768;
};

/// Everybody who wants to be told how runs go on: event streams and requests that wait for an end.
/// One thread reads the store for all of them, woken by RunNews, and by the clock while anybody is
/// there; so none of them holds a thread, and what they see is what is stored, whichever host wrote
/// it. [any-thread]
class RunFollower {
 public:
  /// Whether the credentials of a request still admit its sender.
  using May = std::function<bool(const HttpRequest&, const Access&)>;
  struct Asker {
    const HttpRequest& request;
    Access access;
  };

  RunFollower(ExecutionService& executions, RunNews& news, const Clock& clock,
              RunFollowerOptions options = {});
  ~RunFollower();  ///< stop()
  RunFollower(const RunFollower&) = delete;
  RunFollower& operator=(const RunFollower&) = delete;

  /// Before the first request; without it credentials are not looked at again.
  void check_with(May may);

  /// The events of one run, its lines after `after`: log, stage, progress, status, and at last end.
  /// A client that is slow gets its lines when it can, and of the rest the newest state. Throws
  /// Error{NotFound}, Error{ResourceExhausted, "busy"}.
  HttpResponse follow(const std::string& id, int64_t after, const Asker& asker);
  /// Changes of status of all runs: first those that are under way, and the ones that ended since
  /// `since`. What changes is told at least once; a client too slow for that is dropped.
  HttpResponse follow_all(std::optional<TimeMs> since, const Asker& asker);
  /// What `answer` makes once the run has ended, `at_most` later in any case. `answer` may throw.
  HttpResponse wait(const std::string& id, std::chrono::seconds at_most,
                    std::function<HttpResponse()> answer);

  /// Ends all streams and answers everybody who waits. Later calls of the others throw "busy".
  void stop() noexcept;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace dbackup::host
