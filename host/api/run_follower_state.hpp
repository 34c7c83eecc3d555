#pragma once

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <iterator>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "api/http_error.hpp"
#include "api/http_event_stream.hpp"
#include "api/http_later.hpp"
#include "api/run_events.hpp"
#include "api/run_follower.hpp"
#include "base/logging.hpp"
#include "control/run_news.hpp"
#include "services/execution_service.hpp"

namespace dbackup::host {

/// Inside of RunFollower.
namespace following {

using Steady = std::chrono::steady_clock;

// A line of the log in JSON, however much of it has to be escaped, and every other event fits in.
inline constexpr size_t kRoom = size_t{64} << 10;
inline constexpr size_t kBuffer = size_t{192} << 10;
// What is under way and what ended lately, a thousand runs each.
inline constexpr size_t kBufferOfAll = size_t{2} << 20;
/// News come together a few at a time.
inline constexpr std::chrono::milliseconds kPause{40};
/// Clocks of hosts differ; what ended so long ago is looked at again.
inline constexpr TimeMs kSlack = 60'000;
inline constexpr TimeMs kReconnectSlack = 5'000;

struct Stream {
  std::weak_ptr<HttpEventStream> out;  ///< the connection owns it
  HttpRequest head;                    ///< its credentials
  Access access = Access::authenticated();
  Steady::time_point next_check;
  bool is_new = true;
};

struct RunStream : Stream {
  RunCursor cursor;
};

struct AllStream : Stream {
  std::optional<TimeMs> since;
};

struct Waiter {
  Steady::time_point until;
  std::shared_ptr<HttpLater> later;
  std::function<HttpResponse()> answer;
  std::shared_ptr<std::atomic<bool>> is_hurried;
};

struct Watched {
  std::vector<RunStream> streams;
  std::vector<Waiter> waiters;
};

inline void give(const Waiter& waiter) {
  try {
    waiter.later->answer(waiter.answer());
  } catch (...) {
    Failure failure = failure_from(std::current_exception());
    if (!failure.log_text.empty()) log_error("a request that waited: " + failure.log_text);
    waiter.later->answer(std::move(failure.response));
  }
}

inline HttpRequest credentials_of(const HttpRequest& request) {
  HttpRequest out;
  out.method = request.method;
  out.method_text = request.method_text;
  out.target = request.target;
  out.path = request.path;
  out.segments = request.segments;
  out.headers = request.headers;
  out.client_address = request.client_address;
  out.id = request.id;
  return out;
}

}  // namespace following

struct RunFollower::State : std::enable_shared_from_this<RunFollower::State> {
  using AllStream = following::AllStream;
  using RunStream = following::RunStream;
  using Steady = following::Steady;
  using Waiter = following::Waiter;
  using Watched = following::Watched;

  ExecutionService& executions;
  RunNews& news;
  const Clock& clock;
  RunFollowerOptions options;
  May may;

  std::mutex mutex;
  std::condition_variable changed;
  // Guarded by the mutex.
  std::map<std::string, Watched> arrived;
  std::vector<AllStream> arrived_all;
  std::set<std::string> told;
  bool is_status_told = false, is_woken = false, is_stopping = false, has_followers = false;
  size_t count = 0;
  // Of the thread alone.
  std::map<std::string, Watched> runs;
  std::vector<AllStream> all;
  std::map<std::string, KnownRun> known;
  TimeMs looked_at = 0;
  std::thread thread;

  State(ExecutionService& the_executions, RunNews& the_news, const Clock& the_clock,
        RunFollowerOptions the_options)
      : executions{the_executions}, news{the_news}, clock{the_clock}, options{the_options} {}

  /// For streams that wait for room, and requests in a hurry.
  std::function<void()> waker() {
    return [weak = weak_from_this()] {
      if (const auto self = weak.lock()) {
        const std::lock_guard lock{self->mutex};
        self->is_woken = true;
        self->changed.notify_all();
      }
    };
  }

  void take_place() {
    if (is_stopping || count >= options.most) {
      throw Error(ErrorCode::ResourceExhausted, "too many clients follow runs: try again later", {},
                  "busy");
    }
    ++count;
    has_followers = true;
  }

  void serve() noexcept {
    auto next_look = Steady::now();
    std::unique_lock lock{mutex};
    while (!is_stopping) {
      const auto is_due = [this] {
        return is_stopping || is_woken || !told.empty() || !arrived.empty() || !arrived_all.empty();
      };
      if (runs.empty() && all.empty()) {
        has_followers = false;
        told.clear();
        changed.wait(lock, [&] { return is_stopping || !arrived.empty() || !arrived_all.empty(); });
        has_followers = true;
      } else {
        changed.wait_until(lock, std::min(next_look, next_wait()), is_due);
      }
      if (is_stopping) break;
      for (auto& [id, watched] : arrived) {
        auto& mine = runs[id];
        std::ranges::move(watched.streams, std::back_inserter(mine.streams));
        std::ranges::move(watched.waiters, std::back_inserter(mine.waiters));
      }
      std::ranges::move(arrived_all, std::back_inserter(all));
      arrived.clear();
      arrived_all.clear();
      const auto of_runs = std::exchange(told, {});
      const bool is_of_status = std::exchange(is_status_told, false);
      is_woken = false;
      lock.unlock();
      const bool looks = Steady::now() >= next_look;
      pass(of_runs, is_of_status, looks);
      if (looks) next_look = Steady::now() + options.look;
      const size_t left = followers();
      lock.lock();
      count = left + arrived_all.size();
      for (const auto& [id, watched] : arrived)
        count += watched.streams.size() + watched.waiters.size();
      changed.wait_for(lock, following::kPause, [this] { return is_stopping; });
    }
    lock.unlock();
    end_all();
  }

  size_t followers() const {
    size_t out = all.size();
    for (const auto& [id, watched] : runs) out += watched.streams.size() + watched.waiters.size();
    return out;
  }

  Steady::time_point next_wait() const {
    auto next = Steady::time_point::max();
    for (const auto& [id, watched] : runs) {
      for (const Waiter& waiter : watched.waiters) next = std::min(next, waiter.until);
    }
    return next;
  }

  void pass(const std::set<std::string>& of_runs, bool is_of_status, bool looks) noexcept {
    for (auto at = runs.begin(); at != runs.end();) {
      auto& [id, watched] = *at;
      try {
        drop_refused(watched.streams);
        if (looks || of_runs.contains(id) || is_pressing(watched)) bring_up_to_date(id, watched);
      } catch (const std::exception& error) {
        log_warning("execution " + id + " cannot be followed now: " + error.what());
        answer_waiters(watched, /*all_of_them=*/false);  // a store that is away keeps nobody longer
      } catch (...) {
        log_warning("execution " + id + " cannot be followed now");
      }
      at = watched.streams.empty() && watched.waiters.empty() ? runs.erase(at) : std::next(at);
    }
    try {
      drop_refused(all);
      const bool is_new = std::ranges::any_of(all, [](const AllStream& one) { return one.is_new; });
      if (all.empty()) {
        known.clear();
        looked_at = 0;
      } else if (looks || is_of_status || is_new) {
        tell_all();
      }
    } catch (const std::exception& error) {
      log_warning(std::string{"runs cannot be followed now: "} + error.what());
    } catch (...) {
      log_warning("runs cannot be followed now");
    }
  }

  static bool is_pressing(const Watched& watched) {
    const auto now = Steady::now();
    return std::ranges::any_of(
               watched.streams,
               [](const RunStream& one) { return one.is_new || one.cursor.has_more; }) ||
           std::ranges::any_of(watched.waiters, [&](const Waiter& one) {
             return now >= one.until || one.is_hurried->load();
           });
  }

  /// Streams whose client is gone, or may not see any more.
  template <class List>
  void drop_refused(List& streams) {
    std::erase_if(streams, [this](auto& one) {
      const auto out = one.out.lock();
      if (!out || !out->is_open()) return true;
      const auto now = Steady::now();
      if (now < one.next_check) return false;
      one.next_check = now + options.check;
      if (!may || may(one.head, one.access)) return false;
      out->close();
      return true;
    });
  }

  void bring_up_to_date(const std::string& id, Watched& watched) {
    RunState run;
    bool is_there = true;
    try {
      executions.visit(id, /*with_logs=*/false,
                       [&](const Execution& row, const std::string& labels, const auto&) {
                         run = run_state(row, labels, clock.now_ms());
                       });
    } catch (const Error& error) {
      if (error.code() != ErrorCode::NotFound) throw;
      is_there = false;
    }
    // What the log holds is read after the row: of one that has ended it is all.
    LogPages pages{executions, id};
    std::erase_if(watched.streams, [&](RunStream& one) {
      one.is_new = false;
      const auto out = one.out.lock();
      if (!out) return true;
      if (!is_there) {
        out->close();
        return true;
      }
      return push_news(*out, one.cursor, run, pages, following::kRoom, waker());
    });
    answer_waiters(watched, !is_there || run.has_ended);
  }

  /// Those whose time is over, or all.
  void answer_waiters(Watched& watched, bool all_of_them) {
    const auto now = Steady::now();
    std::erase_if(watched.waiters, [&](const Waiter& one) {
      const bool is_over = all_of_them || now >= one.until || one.is_hurried->load();
      if (is_over) following::give(one);
      return is_over;
    });
  }

  void tell_all() {
    const TimeMs now = clock.now_ms();
    const bool is_first = looked_at == 0;
    std::string changes;
    const auto note = [&](const Execution& run, const std::string& labels) {
      KnownRun& one = known[run.id];
      one.ended_at = run.ended_at;
      if (one.status == run.status) return;
      one.status = run.status;
      changes += status_event(run, labels, now, now);
    };
    executions.active(note);
    executions.ended_since((is_first ? now : looked_at) - following::kSlack, note);
    std::erase_if(known, [&](const auto& entry) {
      return entry.second.ended_at && *entry.second.ended_at < now - 2 * following::kSlack;
    });
    looked_at = now;
    std::erase_if(all, [&](AllStream& one) {
      const auto out = one.out.lock();
      if (!out) return true;
      if (!one.is_new) return !changes.empty() && !out->push(changes);
      one.is_new = false;
      std::string first;
      const auto add = [&](const Execution& run, const std::string& labels) {
        first += status_event(run, labels, now, now);
      };
      if (one.since) executions.ended_since(*one.since - following::kReconnectSlack, add);
      executions.active(add);
      return !first.empty() && !out->push(first);
    });
  }

  void end_all() noexcept {
    try {
      std::map<std::string, Watched> late;
      std::vector<AllStream> late_all;
      {
        const std::lock_guard lock{mutex};
        late.swap(arrived);
        late_all.swap(arrived_all);
      }
      for (auto* list : {&runs, &late}) {
        for (const auto& [id, watched] : *list) {
          for (const RunStream& one : watched.streams) {
            if (const auto out = one.out.lock()) out->close();
          }
          for (const Waiter& one : watched.waiters) following::give(one);
        }
        list->clear();
      }
      for (auto* list : {&all, &late_all}) {
        for (const AllStream& one : *list) {
          if (const auto out = one.out.lock()) out->close();
        }
        list->clear();
      }
    } catch (...) {  // out of memory: they end with the server
    }
  }
};

}  // namespace dbackup::host
