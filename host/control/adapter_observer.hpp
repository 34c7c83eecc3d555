#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "control/context.hpp"
#include "model/nouns.hpp"
#include "model/observation.hpp"

namespace dbackup::host {

class AdapterResolver;
class Catalog;
class PluginRegistry;
class WorkerClient;

struct ObserverLimits {
  size_t at_once = 5;                      ///< adapters asked at the same time
  std::chrono::milliseconds ping{15'000};  ///< after that an adapter has not answered
  std::chrono::milliseconds test{15'000};
};

/// Looks at the adapters and writes down what it sees. Each look asks all that it concerns, a few
/// at a time, blocks until the last has answered, and may be repeated as often as wished; one that
/// is still going on makes another of its kind return at once. What goes wrong with one adapter is
/// that adapter's own. After `stop` nothing more is asked, and what was going on counts as not
/// seen. `tell` gets an event when an adapter counts as offline (again after the hours that the
/// settings name, as long as it lasts), when it answers again, and when a server's version has
/// changed; it must not block. [any-thread]
class AdapterObserver {
 public:
  AdapterObserver(const ControlContext& context, WorkerClient& workers,
                  const PluginRegistry& plugins, const AdapterResolver& resolver, Catalog& catalog,
                  ObserverLimits limits = {}, std::function<void(Json)> tell = {});

  /// Pings sources and storages: status, latency, error, failures in a row.
  void health_check(std::stop_token stop = {});
  /// Asks sources for their server's version: metadata, and a row when it has changed.
  void update_db_versions(std::stop_token stop = {});
  /// Lists destinations and writes down how much lies there.
  void refresh_storage_stats(std::stop_token stop = {});

 private:
  using Look = void (AdapterObserver::*)(const AdapterConfig&, std::stop_token);
  void all(std::mutex& turn, const std::vector<AdapterConfig>& adapters, Look look,
           std::stop_token stop);
  std::vector<AdapterConfig> adapters(const std::string& type) const;

  void ping(const AdapterConfig& adapter, std::stop_token stop);
  void read_version(const AdapterConfig& adapter, std::stop_token stop);
  void measure(const AdapterConfig& adapter, std::stop_token stop);

  const ControlContext& context_;
  WorkerClient& workers_;
  const PluginRegistry& plugins_;
  const AdapterResolver& resolver_;
  Catalog& catalog_;
  /// An adapter that is offline, as far as this process has seen it.
  struct Outage {
    TimeMs since = 0;
    TimeMs told_at = 0;
  };
  /// The event that a check is worth; `before` is the row without it.
  std::optional<Json> news_of(const AdapterConfig& before, const HealthCheck& check,
                              int64_t failures, int64_t reminder_hours);

  const ObserverLimits limits_;
  const std::function<void(Json)> tell_;
  std::mutex outages_mutex_;
  std::map<std::string, Outage> outages_;  // by adapter
  std::mutex pinging_, reading_, measuring_;
};

}  // namespace dbackup::host
