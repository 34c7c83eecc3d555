#include "services/health_monitor.hpp"

#include <unistd.h>

#include <fstream>

namespace dbackup::host {
namespace {

using SteadyClock = std::chrono::steady_clock;
constexpr auto kInterval = std::chrono::milliseconds{500};
/// A look that hangs longer than this counts as a database that does not answer.
constexpr auto kStale = std::chrono::seconds{5};

void read_memory(HealthState& state) {
  // size resident shared text lib data dt, in pages
  std::ifstream statm{"/proc/self/statm"};
  int64_t size = 0, resident = 0, shared = 0, text = 0, lib = 0, data = 0;
  if (!(statm >> size >> resident >> shared >> text >> lib >> data)) return;
  const int64_t page = ::sysconf(_SC_PAGESIZE);
  constexpr int64_t kMib = int64_t{1} << 20;
  state.rss_mib = resident * page / kMib;
  state.data_mib = (resident - shared) * page / kMib;
  state.total_mib = data * page / kMib;
}

}  // namespace

HealthMonitor::HealthMonitor(Database& database, const Clock& clock)
    : database_{database},
      clock_{clock},
      state_{look()},
      looked_at_{SteadyClock::now()},
      thread_{[this] { watch(); }} {}

HealthMonitor::~HealthMonitor() {
  {
    const std::lock_guard lock{mutex_};
    is_stopping_ = true;
  }
  stopped_.notify_all();
  thread_.join();
}

HealthState HealthMonitor::look() const {
  HealthState state;
  const auto begun = SteadyClock::now();
  state.database_connected = database_.is_alive();
  state.response_ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(SteadyClock::now() - begun).count();
  state.checked_at = clock_.now_ms();
  read_memory(state);
  return state;
}

void HealthMonitor::watch() {
  std::unique_lock lock{mutex_};
  while (!stopped_.wait_for(lock, kInterval, [this] { return is_stopping_; })) {
    lock.unlock();
    const HealthState fresh = look();
    lock.lock();
    state_ = fresh;
    looked_at_ = SteadyClock::now();
  }
}

HealthState HealthMonitor::state() const {
  HealthState state;
  const auto now = SteadyClock::now();
  {
    const std::lock_guard lock{mutex_};
    state = state_;
    if (now - looked_at_ > kStale) state.database_connected = false;
  }
  state.uptime_seconds = std::chrono::duration_cast<std::chrono::seconds>(now - started_).count();
  return state;
}

}  // namespace dbackup::host
