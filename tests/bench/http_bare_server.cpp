// The HTTP server with a handler that does nothing: what the listener alone can answer, to measure routes
// against. Usage: dbackup_http_bare_server PORT BYTES; runs until it is ended.

#include <signal.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "api/http_server.hpp"

namespace dbackup::host {
namespace {

class BareHandler final : public RequestHandler {
 public:
  explicit BareHandler(size_t bytes) {
    body_ = R"({"success":true,"data":")";
    const std::string tail = "\"}";
    if (bytes > body_.size() + tail.size()) body_.append(bytes - body_.size() - tail.size(), 'x');
    body_ += tail;
  }

  RouteInfo route(HttpRequest&) override { return {.run = HttpRun::Inline}; }
  HttpResponse handle(HttpRequest&) override { return HttpResponse::json(200, body_); }

 private:
  std::string body_;
};

int run(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: dbackup_http_bare_server PORT BYTES\n");
    return 2;
  }
  sigset_t ends;
  ::sigemptyset(&ends);
  ::sigaddset(&ends, SIGTERM);
  ::sigaddset(&ends, SIGINT);
  ::pthread_sigmask(SIG_BLOCK, &ends, nullptr);
  BareHandler handler{std::strtoul(argv[2], nullptr, 10)};
  HttpServer server{{.port = static_cast<uint16_t>(std::strtoul(argv[1], nullptr, 10))}, handler};
  server.start();
  int received = 0;
  ::sigwait(&ends, &received);
  server.drain_and_stop(std::chrono::milliseconds{1000});
  return 0;
}

}  // namespace
}  // namespace dbackup::host

int main(int argc, char** argv) {
  try {
    return dbackup::host::run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "http_bare_server: %s\n", error.what());
    return 1;
  }
}
