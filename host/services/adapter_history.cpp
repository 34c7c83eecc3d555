#include "services/adapter_history.hpp"

#include <algorithm>
#include <cmath>

#include "control/control_plane.hpp"
#include "services/adapter_service.hpp"
#include "services/storage_service.hpp"
#include "store/observation_store.hpp"

namespace dbackup::host {
namespace {

constexpr int64_t kMostChecks = 1000;
constexpr int64_t kMostVersions = 500;
constexpr int64_t kMostDays = 365;
constexpr TimeMs kDay = 24LL * 60 * 60 * 1000;

}  // namespace

HealthHistory AdapterHistory::health(const std::string& id, TimeMs from, int64_t limit) {
  HealthHistory out;
  control_.context().database.read([&](Session& session) {
    require_adapter(session, id);
    out.checks = ObservationStore{}.health(session, id, from, std::min(limit, kMostChecks));
  });
  int64_t answered = 0;
  int64_t latency = 0;
  for (const HealthCheck& check : out.checks) {
    if (check.status != "ONLINE") continue;
    ++answered;
    latency += check.latency_ms;
  }
  if (answered == 0) return out;
  const auto share = static_cast<double>(answered) / static_cast<double>(out.checks.size());
  out.uptime_percent = std::round(share * 10'000) / 100;
  out.average_latency_ms = (latency + answered / 2) / answered;
  return out;
}

std::vector<VersionChange> AdapterHistory::versions(const std::string& id, int64_t limit) {
  std::vector<VersionChange> out;
  control_.context().database.read([&](Session& session) {
    require_adapter(session, id);
    out = ObservationStore{}.versions(session, id, std::clamp<int64_t>(limit, 1, kMostVersions));
  });
  return out;
}

std::vector<StorageSnapshot> AdapterHistory::storage(const std::string& id, int64_t days) {
  require_storage(control_, id);
  const TimeMs from =
      control_.context().clock.now_ms() - std::clamp<int64_t>(days, 1, kMostDays) * kDay;
  std::vector<StorageSnapshot> out;
  control_.context().database.read(
      [&](Session& session) { out = ObservationStore{}.snapshots(session, id, from); });
  std::ranges::reverse(out);
  return out;
}

}  // namespace dbackup::host
