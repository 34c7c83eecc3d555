#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "api/http_server.hpp"

namespace dbackup::test {

/// Waits for `condition` to hold, at most ten seconds.
bool eventually(const std::function<bool()>& condition);
/// Descriptors this process has open.
size_t open_descriptors();
/// Resident memory of this process in bytes.
size_t resident_bytes();
/// CPU time of this process so far.
std::chrono::microseconds cpu_time();
/// Bytes of a relay at this place in it.
std::string pattern(uint64_t offset, size_t size);

/// A layer above with one route for each thing a server must be able to do.
///
///   GET  /health             inline           GET /quick?id=, /slow?id=   answers with the id
///   POST /echo               body ≤ 1 MiB     POST /small                 body ≤ 10
///   GET  /big?bytes=         text body        GET /relay?bytes=&length=&end=   relay
///   GET  /hold               slow pool; answers when release() is called
///   GET  /events             event stream, kept in `stream`
///   GET  /inspect/…          what the handler saw
///   GET  /throw, /throw42, /throw-route, /inject
class TestHandler final : public host::RequestHandler {
 public:
  ~TestHandler() override;

  host::RouteInfo route(host::HttpRequest& head) override;
  host::HttpResponse handle(host::HttpRequest& request) override;
  void decorate(const host::HttpRequest* request, host::HttpResponse& response) override;

  void release();
  int held() const;
  int handled() const;
  /// How the relays ended so far: delivered or not, in order.
  std::vector<bool> relay_ends() const;
  std::shared_ptr<host::HttpEventStream> stream() const;
  int stream_ends() const;

 private:
  host::HttpResponse relay(const host::HttpRequest& request);
  host::HttpResponse hold();
  host::HttpResponse events();

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool released_ = false;
  int held_ = 0;
  int handled_ = 0;
  int stream_ends_ = 0;
  std::vector<bool> relay_ends_;
  std::shared_ptr<host::HttpEventStream> stream_;
  std::vector<std::thread> feeders_;
};

/// Options with which tests need not wait long.
host::HttpServerOptions quick_options();

/// A server with a TestHandler, started, stopped at the end of the scope.
struct TestServer {
  explicit TestServer(host::HttpServerOptions options = quick_options());
  ~TestServer();
  uint16_t port() const { return server.port(); }

  TestHandler handler;
  host::HttpServer server;
};

}  // namespace dbackup::test
