#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "base/id.hpp"
#include "control/scheduler.hpp"
#include "control/system_tasks.hpp"
#include "store/execution_store.hpp"
#include "store/job_store.hpp"
#include "store/schedule_store.hpp"
#include "tests/unit/services/test_database.hpp"

namespace dbackup::host {

inline constexpr TimeMs kSecond = 1000, kMinuteMs = 60 * kSecond, kHour = 60 * kMinuteMs;

/// What one process schedules with; several may share a database and its clock.
struct ScheduleHost {
  ScheduleHost(Database& database, const SecretBox& box, const Clock& clock)
      : context{.database = database,
                .box = box,
                .clock = clock,
                .host_id = new_uuid(),
                .program_version = "test",
                .data_dir = "/nowhere",
                .live = live} {}

  LiveSettings live{Settings::load({})};
  ControlContext context;
  std::atomic<int> kicks = 0;
  SystemTasks tasks{context};
  Scheduler scheduler{context, tasks, [this] { ++kicks; }};
};

/// The clock stands at 2026-03-09T02:00:04.117Z.
struct ScheduleWorld : testing::TestDatabase {
  std::string add_job(const std::string& schedule, bool enabled = true) {
    Job job{.id = new_uuid(), .name = "Job " + std::to_string(++count)};
    job.schedule = schedule;
    job.enabled = enabled;
    job.created_at = job.updated_at = clock.now_ms();
    database->write([&](Session& session) { JobStore{}.insert(session, job); });
    return job.id;
  }
  void change_job(const std::string& id, const std::function<void(Job&)>& change) {
    database->write([&](Session& session) {
      Job job = JobStore{}.find(session, id).value();
      change(job);
      job.updated_at = clock.now_ms();
      JobStore{}.update(session, job);
    });
  }
  std::vector<Execution> runs() {
    std::vector<Execution> out;
    database->read([&](Session& session) { out = ExecutionStore{}.newest(session, 1000); });
    return out;
  }
  void advance_to(const std::string& time) {
    clock.advance(parse_iso8601(time, "time") - clock.now_ms());
  }
  static bool wait_for(const std::function<bool()>& condition) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{20};
    while (!condition() && std::chrono::steady_clock::now() < until)
      std::this_thread::sleep_for(std::chrono::milliseconds{2});
    return condition();
  }

  int count = 0;
};

}  // namespace dbackup::host
