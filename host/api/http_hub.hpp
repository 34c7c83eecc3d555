#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "api/http_handler.hpp"
#include "api/http_options.hpp"
#include "api/http_pool.hpp"
#include "api/http_writer.hpp"
#include "base/unique_fd.hpp"

namespace dbackup::host {

class HttpConnection;

/// What the connections of one server share: the table that owns them, the pools, the writer. The
/// reactor knows a connection by its number in this table and nothing else. [any-thread]
class HttpHub {
 public:
  HttpHub(HttpServerOptions server_options, RequestHandler& request_handler);
  ~HttpHub();
  HttpHub(const HttpHub&) = delete;
  HttpHub& operator=(const HttpHub&) = delete;

  void start();

  /// Takes a new connection with a descriptor of our own. Returns its number, or 0 when there are
  /// too many, the server is stopping or `socket` is none; the descriptor is closed then.
  uint64_t admit(UniqueFd socket) noexcept;
  void input(uint64_t id, std::string_view bytes) noexcept;
  void hangup(uint64_t id) noexcept;

  size_t size() const;
  void remove(uint64_t id);
  HttpPool& pool(HttpRun run) { return run == HttpRun::Slow ? slow_ : quick_; }
  std::string next_request_id();
  bool draining() const noexcept { return draining_.load(std::memory_order_relaxed); }
  /// Lowest number for our own socket descriptors. The reactor spreads connections by the number it
  /// got itself, so ours must not take every second one.
  int descriptor_floor() const noexcept { return descriptor_floor_; }

  /// Refuses new connections, ends idle ones and event streams, waits for answers in flight until
  /// `deadline`. True when none was left.
  bool drain(std::chrono::milliseconds deadline);
  /// Ends every connection, then waits a moment for the reactor to have noticed.
  void cut_all();
  /// Stops pools and writer. The reactor must be gone.
  void stop();

  const HttpServerOptions options;
  RequestHandler& handler;
  /// Shared, because event streams of the layer above may outlive the server.
  const std::shared_ptr<HttpWriter> writer;

 private:
  std::shared_ptr<HttpConnection> find(uint64_t id) const;
  std::vector<std::shared_ptr<HttpConnection>> snapshot() const;
  void abort(uint64_t id) noexcept;

  HttpPool quick_;
  HttpPool slow_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::unordered_map<uint64_t, std::shared_ptr<HttpConnection>> connections_;
  uint64_t next_id_ = 1;
  size_t limit_ = 0;
  int descriptor_floor_ = 3;
  std::string id_prefix_;
  std::atomic<uint64_t> requests_{0};
  std::atomic<bool> draining_{false};
};

}  // namespace dbackup::host
