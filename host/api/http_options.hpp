#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace dbackup::host {

class HttpTransport;

/// A pool's threads, and how many requests may wait for one; a request beyond that is answered 503.
struct HttpPoolSize {
  size_t threads = 2;
  size_t queue = 256;
};

/// How long a client may take. Expiry renews with progress where it says so, so long transfers
/// live.
struct HttpDeadlines {
  std::chrono::milliseconds head{10'000};  ///< From a request's first byte to the end of its head.
  std::chrono::milliseconds body{30'000};  ///< Between two pieces of a body.
  std::chrono::milliseconds write{
      30'000};  ///< Between two pieces of an answer taken by the client.
  std::chrono::milliseconds idle{
      75'000};  ///< Between requests, and from accepting to the first byte.
  std::chrono::milliseconds linger{2'000};    ///< For the client to close after the last answer.
  std::chrono::milliseconds comment{15'000};  ///< Between comment lines on a silent event stream.
  std::chrono::milliseconds verdict{30'000};  ///< From a relay's end of file to its verdict.
};

struct HttpServerOptions {
  std::string address = "127.0.0.1";  ///< Numeric IPv4 or IPv6, brackets optional.
  uint16_t port = 0;                  ///< 0: any free port, see HttpServer::port().
  size_t reactor_threads = 2;
  /// Further connections are closed at once. Also bounded by the process' descriptor limit at
  /// start.
  size_t max_connections = 1024;
  /// Descriptors kept for everything but clients when max_connections meets the process' limit.
  size_t reserved_descriptors = 128;
  HttpPoolSize quick{.threads = 4, .queue = 512};
  HttpPoolSize slow{.threads = 16, .queue = 64};
  HttpDeadlines deadlines;
  size_t header_bytes = size_t{16} << 10;  ///< Limit of a request's head; beyond it 431.
  size_t header_fields = 100;              ///< Limit of its fields; beyond it 431.
  size_t pipeline_bytes =
      size_t{64}
      << 10;  ///< Unread bytes kept while an answer is made; beyond it the client is dropped.
  /// Makes the byte path of one accepted socket, which it does not own. Empty: plain TCP.
  std::function<std::unique_ptr<HttpTransport>(int socket)> transport;
};

}  // namespace dbackup::host
