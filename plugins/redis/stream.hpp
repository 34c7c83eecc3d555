#pragma once

#include <dbackup/exec.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "common/unique_fd.hpp"
#include "settings.hpp"
#include "tls.hpp"

namespace dbackup::redis {

/// How long nothing may come, or nothing be taken, before a connection counts as dead. The server
/// sends a newline every few seconds while it prepares a dump.
inline constexpr int64_t kIdleMs = 120'000;

/// One connection to a server, with or without TLS. Never blocks for longer than 50 ms without
/// asking for cancellation. Not thread-safe; `call` outlives it.
class Stream {
 public:
  /// Dials `address` the way the host says (perhaps through SSH). Throws Error: Unavailable,
  /// FailedPrecondition (TLS), Cancelled.
  static Stream open(const Call& call, const Address& address, const TlsSettings& tls);

  /// Bytes that came; 0: the server has ended the connection. Throws Error{Unavailable} when
  /// nothing came for `idle_ms`.
  size_t read(std::span<char> buffer, int64_t idle_ms = kIdleMs);
  /// Sends everything. Throws Error{Unavailable}.
  void write(std::string_view bytes);

  const std::string& where() const noexcept { return where_; }

 private:
  Stream(const Call& call, std::string where, Endpoint endpoint)
      : call_{call}, where_{std::move(where)}, endpoint_{std::move(endpoint)} {}
  void dial();
  void shake_hands();
  void wait_for(short events, int64_t deadline_ms, const char* doing) const;
  Error lost(int number) const;
  /// Waits as OpenSSL asks after `result`; false: the far side is gone.
  bool wait_for_tls(int result, int64_t deadline_ms, const char* doing);

  Call call_;
  std::string where_;
  Endpoint endpoint_;  // before fd_: the way to the server goes last
  plugins::UniqueFd fd_;
  TlsSession tls_;
  bool has_spoken_ = false;  ///< the far side, since the handshake
};

}  // namespace dbackup::redis
