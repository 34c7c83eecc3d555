#include "api/http_hub.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>

#include "api/http_connection.hpp"
#include "base/encoding.hpp"
#include "base/id.hpp"

namespace dbackup::host {
namespace {

using SteadyClock = std::chrono::steady_clock;

/// Often enough for the shortest deadline, at most ten times and at least twice a second… of the
/// usual ones.
std::chrono::milliseconds sweep_interval(const HttpDeadlines& deadlines) {
  const auto shortest = std::min({deadlines.head, deadlines.body, deadlines.write, deadlines.idle,
                                  deadlines.linger, deadlines.comment, deadlines.verdict});
  return std::clamp(shortest / 4, std::chrono::milliseconds{5}, std::chrono::milliseconds{500});
}

}  // namespace

HttpHub::HttpHub(HttpServerOptions server_options, RequestHandler& request_handler)
    : options{std::move(server_options)},
      handler{request_handler},
      writer{std::make_shared<HttpWriter>()},
      quick_{options.quick},
      slow_{options.slow},
      id_prefix_{to_hex(random_bytes(6))} {}

HttpHub::~HttpHub() { stop(); }

void HttpHub::start() {
  rlimit descriptors{};
  size_t process_limit = 1024;
  if (::getrlimit(RLIMIT_NOFILE, &descriptors) == 0) {
    process_limit = static_cast<size_t>(std::min<rlim_t>(descriptors.rlim_cur, 1U << 20));
  }
  // Two descriptors a client: the reactor's and ours.
  const size_t room = process_limit > options.reserved_descriptors
                          ? process_limit - options.reserved_descriptors
                          : 2;
  limit_ = std::max<size_t>(1, std::min(options.max_connections, room / 2));
  descriptor_floor_ =
      static_cast<int>(std::min(limit_ + options.reserved_descriptors, process_limit / 2));
  writer->start({.ready =
                     [this](uint64_t id) {
                       try {
                         if (const auto connection = find(id)) connection->pump();
                       } catch (...) {
                         abort(id);
                       }
                     },
                 .sweep =
                     [this] {
                       const auto now = SteadyClock::now();
                       for (const auto& connection : snapshot()) connection->sweep(now);
                     },
                 .sweep_every = sweep_interval(options.deadlines)});
}

uint64_t HttpHub::admit(UniqueFd socket) noexcept {
  if (!socket || draining()) return 0;
  try {
    uint64_t id = 0;
    {
      const std::lock_guard lock{mutex_};
      if (connections_.size() >= limit_) return 0;
      id = next_id_++;
    }
    auto connection = std::make_shared<HttpConnection>(*this, id, std::move(socket));
    const std::lock_guard lock{mutex_};
    connections_.emplace(id, std::move(connection));
    return id;
  } catch (...) {
    return 0;
  }
}

void HttpHub::input(uint64_t id, std::string_view bytes) noexcept {
  try {
    if (const auto connection = find(id)) connection->input(bytes);
  } catch (...) {
    abort(id);
  }
}

void HttpHub::hangup(uint64_t id) noexcept {
  try {
    if (const auto connection = find(id)) connection->hangup();
  } catch (...) {
    abort(id);
  }
}

void HttpHub::abort(uint64_t id) noexcept {
  try {
    if (const auto connection = find(id)) connection->cut();
  } catch (...) {  // the sweep ends it at its deadline
  }
}

size_t HttpHub::size() const {
  const std::lock_guard lock{mutex_};
  return connections_.size();
}

void HttpHub::remove(uint64_t id) {
  std::shared_ptr<HttpConnection> gone;  // destroyed after the lock is free
  const std::lock_guard lock{mutex_};
  const auto found = connections_.find(id);
  if (found == connections_.end()) return;
  gone = std::move(found->second);
  connections_.erase(found);
  changed_.notify_all();
}

std::shared_ptr<HttpConnection> HttpHub::find(uint64_t id) const {
  const std::lock_guard lock{mutex_};
  const auto found = connections_.find(id);
  return found == connections_.end() ? nullptr : found->second;
}

std::vector<std::shared_ptr<HttpConnection>> HttpHub::snapshot() const {
  std::vector<std::shared_ptr<HttpConnection>> all;
  const std::lock_guard lock{mutex_};
  all.reserve(connections_.size());
  for (const auto& [id, connection] : connections_) all.push_back(connection);
  return all;
}

std::string HttpHub::next_request_id() {
  return fmt::format("{}-{:x}", id_prefix_, requests_.fetch_add(1, std::memory_order_relaxed) + 1);
}

bool HttpHub::drain(std::chrono::milliseconds deadline) {
  draining_.store(true, std::memory_order_relaxed);
  const auto until = SteadyClock::now() + deadline;
  for (;;) {
    bool busy = false;
    for (const auto& connection : snapshot()) busy = connection->drain() || busy;
    if (!busy) return true;
    std::unique_lock lock{mutex_};
    const auto now = SteadyClock::now();
    if (now >= until) return false;
    // Woken by connections that go; an answer whose client lingers is seen at the next look.
    changed_.wait_until(lock, std::min(until, now + std::chrono::milliseconds{10}));
  }
}

void HttpHub::cut_all() {
  draining_.store(true, std::memory_order_relaxed);
  for (const auto& connection : snapshot()) connection->cut();
  std::unique_lock lock{mutex_};
  changed_.wait_for(lock, std::chrono::seconds{1}, [this] { return connections_.empty(); });
}

void HttpHub::stop() {
  quick_.stop();
  slow_.stop();
  writer->stop();
  for (const auto& connection : snapshot()) connection->cut();
  std::unordered_map<uint64_t, std::shared_ptr<HttpConnection>> left;
  const std::lock_guard lock{mutex_};
  left.swap(connections_);
}

}  // namespace dbackup::host
