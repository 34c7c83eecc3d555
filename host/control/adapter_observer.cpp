#include "control/adapter_observer.hpp"

#include <algorithm>
#include <atomic>
#include <thread>

#include "base/error.hpp"
#include "base/id.hpp"
#include "base/logging.hpp"
#include "control/adapter_resolver.hpp"
#include "control/catalog.hpp"
#include "control/notification_settings.hpp"
#include "control/plugin_registry.hpp"
#include "control/system_events.hpp"
#include "control/worker_client.hpp"
#include "model/adapter_metadata.hpp"
#include "model/notification_event.hpp"
#include "protocol/message_json.hpp"
#include "store/adapter_store.hpp"
#include "store/backup_store.hpp"
#include "store/observation_store.hpp"

namespace dbackup::host {
namespace {

constexpr int64_t kOfflineFailures = 3;

std::string_view status_after(int64_t failures) {
  if (failures == 0) return "ONLINE";
  return failures < kOfflineFailures ? "DEGRADED" : "OFFLINE";
}

/// The log tells what has changed, not the same thing every minute.
void tell(const AdapterConfig& before, const HealthCheck& check) {
  if (before.last_status == check.status) return;
  const std::string subject = "adapter \"" + before.name + "\" (" + before.id + ")";
  if (check.status == "ONLINE") {
    log_info(subject + " answers again");
  } else {
    log_warning(subject + " is " + check.status + ": " + check.error);
  }
}

int64_t hours_between_reminders(Session& session) {
  constexpr std::string_view kEvent = "connection_offline";
  const auto settings = notification_settings(session);
  return settings.events.at(std::string{kEvent})
      .reminder_hours.value_or(find_notification_event(kEvent)->reminder_hours);
}

}  // namespace

AdapterObserver::AdapterObserver(const ControlContext& context, WorkerClient& workers,
                                 const PluginRegistry& plugins, const AdapterResolver& resolver,
                                 Catalog& catalog, ObserverLimits limits,
                                 std::function<void(Json)> tell)
    : context_{context},
      workers_{workers},
      plugins_{plugins},
      resolver_{resolver},
      catalog_{catalog},
      limits_{limits},
      tell_{std::move(tell)} {}

std::vector<AdapterConfig> AdapterObserver::adapters(const std::string& type) const {
  std::vector<AdapterConfig> out;
  context_.database.read([&](Session& s) { out = AdapterStore{}.list(s, type); });
  return out;
}

void AdapterObserver::all(std::mutex& turn, const std::vector<AdapterConfig>& adapters, Look look,
                          std::stop_token stop) {
  const std::unique_lock alone{turn, std::try_to_lock};
  if (!alone.owns_lock() || adapters.empty()) return;
  plugins_.wait_ready();
  std::atomic<size_t> next{0};
  const auto work = [&]() noexcept {
    for (size_t i = next++; i < adapters.size() && !stop.stop_requested(); i = next++) {
      const AdapterConfig& adapter = adapters[i];
      std::string failure = "unknown exception";
      try {
        (this->*look)(adapter, stop);
        continue;
      } catch (const std::exception& error) {
        failure = error.what();
      } catch (...) {  // has its text already
      }
      if (!stop.stop_requested()) {
        log_warning("adapter \"" + adapter.name + "\" could not be looked at: " + failure);
      }
    }
  };
  std::vector<std::jthread> helpers;
  const size_t wanted = std::min(limits_.at_once, adapters.size());
  for (size_t i = 1; i < wanted; ++i) {
    try {
      helpers.emplace_back(work);
    } catch (const std::system_error&) {
      break;  // fewer threads take longer
    }
  }
  work();
}

void AdapterObserver::health_check(std::stop_token stop) {
  std::vector<AdapterConfig> asked = adapters("database");
  for (AdapterConfig& storage : adapters("storage")) asked.push_back(std::move(storage));
  all(pinging_, asked, &AdapterObserver::ping, std::move(stop));
}

void AdapterObserver::ping(const AdapterConfig& adapter, std::stop_token stop) {
  HealthCheck check{.id = new_uuid(), .adapter_id = adapter.id};
  const auto began = std::chrono::steady_clock::now();
  std::optional<int64_t> measured;
  try {
    WorkerCall call;
    call.deadline = limits_.ping;
    call.lane = WorkerLane::Background;
    call.stop = stop;
    const protocol::AdapterRequest request{.adapter = resolver_.resolve(adapter)};
    const Json answer = workers_.run(protocol::Operation::Ping, Json(request), call);
    measured = get_int(answer, "latencyMs", 0);
  } catch (const Error& error) {
    if (stop.stop_requested()) return;
    check.error = *error.what() == '\0' ? "no answer" : error.what();
  }
  check.latency_ms = measured.value_or(std::chrono::duration_cast<std::chrono::milliseconds>(
                                           std::chrono::steady_clock::now() - began)
                                           .count());
  check.created_at = context_.clock.now_ms();
  std::optional<AdapterConfig> before;
  int64_t failures = 0;
  int64_t reminder_hours = 0;
  context_.database.write([&](Session& s) {
    const auto current = AdapterStore{}.find(s, adapter.id);
    before = current;
    if (!current) return;
    failures = check.error.empty() ? 0 : current->consecutive_failures + 1;
    check.status = status_after(failures);
    AdapterStore{}.record_health(s, check, failures);
    ObservationStore{}.insert(s, check);
    tell(*current, check);
    if (tell_ && failures > kOfflineFailures) reminder_hours = hours_between_reminders(s);
  });
  if (!tell_ || !before) return;
  if (auto news = news_of(*before, check, failures, reminder_hours)) tell_(std::move(*news));
}

std::optional<Json> AdapterObserver::news_of(const AdapterConfig& before, const HealthCheck& check,
                                             int64_t failures, int64_t reminder_hours) {
  constexpr TimeMs kHour = 3'600'000;
  const TimeMs now = check.created_at;
  const std::lock_guard lock{outages_mutex_};
  const auto known = outages_.find(before.id);
  if (failures == 0) {
    if (before.consecutive_failures < kOfflineFailures) return std::nullopt;
    std::optional<TimeMs> down;
    if (known != outages_.end()) down = now - known->second.since;
    outages_.erase(before.id);
    return connection_online_event(before, down, now);
  }
  if (failures < kOfflineFailures) return std::nullopt;
  if (failures == kOfflineFailures) {
    outages_[before.id] = {.since = now, .told_at = now};
    return connection_offline_event(before, failures, check.error, now);
  }
  // It was offline when this process began: told by the one before.
  if (known == outages_.end()) {
    outages_[before.id] = {.since = before.last_health_check.value_or(now), .told_at = now};
    return std::nullopt;
  }
  if (reminder_hours <= 0 || now - known->second.told_at < reminder_hours * kHour)
    return std::nullopt;
  known->second.told_at = now;
  return connection_offline_event(before, failures, check.error, now);
}

void AdapterObserver::update_db_versions(std::stop_token stop) {
  all(reading_, adapters("database"), &AdapterObserver::read_version, std::move(stop));
}

void AdapterObserver::read_version(const AdapterConfig& adapter, std::stop_token stop) {
  WorkerCall call;
  call.deadline = limits_.test;
  call.lane = WorkerLane::Background;
  call.stop = stop;
  const protocol::AdapterRequest request{.adapter = resolver_.resolve(adapter)};
  const Json answer = workers_.run(protocol::Operation::Test, Json(request), call);
  const std::string version = get_string(answer, "version").value_or("");
  if (version.empty()) return;
  const std::string edition = get_string(answer, "edition").value_or("");
  const TimeMs now = context_.clock.now_ms();
  std::optional<Json> news;
  context_.database.write([&](Session& s) {
    news.reset();
    const auto current = AdapterStore{}.find(s, adapter.id);
    if (!current) return;
    AdapterStore{}.replace_metadata(s, *current,
                                    with_version(current->metadata, version, edition, now));
    // The history is compared with itself: the metadata is also written by connection tests, and
    // can be replaced by anybody who may write the adapter.
    const auto last = ObservationStore{}.versions(s, adapter.id, 1);
    if (!last.empty() && last.front().new_version == version) return;
    ObservationStore{}.insert(
        s, VersionChange{.id = new_uuid(),
                         .adapter_id = adapter.id,
                         .previous_version = last.empty() ? "" : last.front().new_version,
                         .new_version = version,
                         .edition = edition,
                         .detected_at = now});
    if (!last.empty())
      news = db_version_event(*current, last.front().new_version, version, edition, now);
  });
  if (news && tell_) tell_(std::move(*news));
}

void AdapterObserver::refresh_storage_stats(std::stop_token stop) {
  std::vector<AdapterConfig> destinations = adapters("storage");
  std::erase_if(destinations,
                [](const AdapterConfig& row) { return row.storage_role != "DESTINATION"; });
  all(measuring_, destinations, &AdapterObserver::measure, std::move(stop));
}

void AdapterObserver::measure(const AdapterConfig& adapter, std::stop_token stop) {
  catalog_.refresh_quietly(adapter.id, stop);
  context_.database.write([&](Session& s) {
    const auto totals = BackupStore{}.totals(s, adapter.id);
    ObservationStore{}.insert(s, StorageSnapshot{.id = new_uuid(),
                                                 .adapter_id = adapter.id,
                                                 .size_bytes = totals.size_bytes,
                                                 .file_count = totals.count,
                                                 .created_at = context_.clock.now_ms()});
  });
}

}  // namespace dbackup::host
