#include "tests/api/http_test_server.hpp"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace dbackup::test {
namespace {

using host::HttpRequest;
using host::HttpResponse;
using host::HttpRun;
using host::RouteInfo;

uint64_t number(const HttpRequest& request, std::string_view key, uint64_t fallback) {
  const std::string* text = request.query_value(key);
  return text ? std::strtoull(text->c_str(), nullptr, 10) : fallback;
}

/// Ends a pipe's feeder with EPIPE instead of a signal, as the real server does first thing.
const bool kPipeIgnored = [] {
  std::signal(SIGPIPE, SIG_IGN);
  return true;
}();

}  // namespace

bool eventually(const std::function<bool()>& condition) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{10};
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  }
  return true;
}

size_t open_descriptors() {
  const auto all = std::filesystem::directory_iterator{"/proc/self/fd"};
  return static_cast<size_t>(std::distance(begin(all), end(all)));
}

size_t resident_bytes() {
  std::ifstream file{"/proc/self/statm"};
  size_t total = 0;
  size_t resident = 0;
  file >> total >> resident;
  return resident * static_cast<size_t>(::sysconf(_SC_PAGESIZE));
}

std::chrono::microseconds cpu_time() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return std::chrono::seconds{usage.ru_utime.tv_sec + usage.ru_stime.tv_sec} +
         std::chrono::microseconds{usage.ru_utime.tv_usec + usage.ru_stime.tv_usec};
}

std::string pattern(uint64_t offset, size_t size) {
  static const std::string once = [] {
    std::string text;
    for (int i = 0; i < 4096; ++i) text += fmt::format("{:08}.......", i) + "\n";
    return text;
  }();
  std::string out;
  while (out.size() < size)
    out += once.substr((offset + out.size()) % once.size(), size - out.size());
  return out;
}

TestHandler::~TestHandler() {
  release();
  for (auto& feeder : feeders_) feeder.join();
}

RouteInfo TestHandler::route(HttpRequest& head) {
  const std::string name = head.segments.empty() ? "" : head.segments[0];
  if (name == "health" || name == "inspect") return {.run = HttpRun::Inline};
  if (name == "hold" || name == "slow") return {.run = HttpRun::Slow};
  if (name == "small") return {.body_limit = 10};
  if (name == "throw-route") throw 42;
  const bool known = name == "quick" || name == "echo" || name == "big" || name == "relay" ||
                     name == "events" || name == "throw" || name == "throw42" || name == "inject";
  RouteInfo info{.body_limit = uint64_t{1} << 20};
  if (!known) info.answer = HttpResponse::error(404, "no such route");
  return info;
}

HttpResponse TestHandler::handle(HttpRequest& request) {
  {
    const std::lock_guard lock{mutex_};
    ++handled_;
  }
  const std::string& name = request.segments[0];
  if (name == "health") return HttpResponse::json(200, R"({"success":true})");
  if (name == "quick" || name == "slow") {
    const std::string* id = request.query_value("id");
    return HttpResponse::json(200, fmt::format(R"({{"id":"{}"}})", id ? *id : ""));
  }
  if (name == "echo" || name == "small") return HttpResponse::text(200, std::move(request.body));
  if (name == "big") return HttpResponse::text(200, pattern(0, number(request, "bytes", 0)));
  if (name == "relay") return relay(request);
  if (name == "hold") return hold();
  if (name == "events") return events();
  if (name == "throw") throw std::runtime_error{"secret-of-the-house"};
  if (name == "throw42") throw 42;
  if (name == "inject") {
    HttpResponse response = HttpResponse::text(200, "");
    response.headers.add("X-Name", "a\r\nX-Injected: 1");
    return response;
  }
  std::string seen = request.method_text + " " + request.client_address;
  for (const auto& segment : request.segments) seen += "|" + segment;
  for (const auto& [key, value] : request.query) seen += "&" + key + "=" + value;
  return HttpResponse::text(200, seen);
}

void TestHandler::decorate(const HttpRequest* request, HttpResponse& response) {
  response.headers.set("X-Content-Type-Options", "nosniff");
  if (request) response.headers.set("X-Request-Id", request->id);
}

HttpResponse TestHandler::relay(const HttpRequest& request) {
  const uint64_t bytes = number(request, "bytes", 0);
  auto pipe = host::make_pipe();
  host::HttpRelay relay{std::move(pipe.read_end)};
  if (request.query_value("length")) relay.length = number(request, "length", bytes);
  const std::string* end = request.query_value("end");
  if (end && *end == "failed") relay.verdict = [] { return host::RelayEnd::Failed; };
  if (end && *end == "late") {
    relay.verdict = [asked = 0]() mutable {
      return ++asked < 5 ? host::RelayEnd::Pending : host::RelayEnd::Complete;
    };
  }
  if (end && *end == "never") relay.verdict = [] { return host::RelayEnd::Pending; };
  relay.on_end = [this](bool delivered) {
    const std::lock_guard lock{mutex_};
    relay_ends_.push_back(delivered);
  };
  const std::lock_guard lock{mutex_};
  feeders_.emplace_back([bytes, out = std::move(pipe.write_end)] {
    const std::string block = pattern(0, size_t{1} << 20);  // a multiple of the pattern's period
    for (uint64_t done = 0; done < bytes;) {
      const size_t at = done % block.size();
      const ssize_t n = ::write(out.get(), block.data() + at,
                                std::min<uint64_t>(bytes - done, block.size() - at));
      if (n <= 0) return;
      done += static_cast<uint64_t>(n);
    }
  });
  return HttpResponse::relay(std::move(relay), "application/octet-stream");
}

HttpResponse TestHandler::hold() {
  std::unique_lock lock{mutex_};
  ++held_;
  changed_.wait(lock, [this] { return released_; });
  return HttpResponse::json(200, R"({"held":true})");
}

HttpResponse TestHandler::events() {
  auto stream = std::make_shared<host::HttpEventStream>([this] {
    const std::lock_guard lock{mutex_};
    ++stream_ends_;
  });
  const std::lock_guard lock{mutex_};
  stream_ = stream;
  return HttpResponse::events(stream);
}

void TestHandler::release() {
  const std::lock_guard lock{mutex_};
  released_ = true;
  changed_.notify_all();
}

int TestHandler::held() const {
  const std::lock_guard lock{mutex_};
  return held_;
}

int TestHandler::handled() const {
  const std::lock_guard lock{mutex_};
  return handled_;
}

std::vector<bool> TestHandler::relay_ends() const {
  const std::lock_guard lock{mutex_};
  return relay_ends_;
}

std::shared_ptr<host::HttpEventStream> TestHandler::stream() const {
  const std::lock_guard lock{mutex_};
  return stream_;
}

int TestHandler::stream_ends() const {
  const std::lock_guard lock{mutex_};
  return stream_ends_;
}

host::HttpServerOptions quick_options() {
  host::HttpServerOptions options;
  options.quick = {.threads = 2, .queue = 256};
  options.slow = {.threads = 4, .queue = 4};
  return options;
}

TestServer::TestServer(host::HttpServerOptions options) : server{std::move(options), handler} {
  server.start();
}

TestServer::~TestServer() {
  handler.release();
  server.drain_and_stop(std::chrono::milliseconds{0});
}

}  // namespace dbackup::test
