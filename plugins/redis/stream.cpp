#include "stream.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>

namespace dbackup::redis {
namespace {

constexpr int64_t kConnectMs = 15'000;
constexpr int kTickMs = 50;  // how often a wait asks for cancellation

int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

using Addresses = std::unique_ptr<addrinfo, Deleter<&freeaddrinfo>>;

Addresses resolve(const std::string& host, int port, const std::string& where) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int status = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (status != 0) {
    throw Error{ErrorCode::Unavailable, "cannot connect to " + where + ": " + gai_strerror(status)};
  }
  return Addresses{found};
}

}  // namespace

Stream Stream::open(const Call& call, const Address& address, const TlsSettings& tls) {
  call.check_cancelled();
  Stream out{call, address.text(), reach(call, address.host, address.port)};
  out.dial();
  if (tls.enabled) {
    out.tls_ = make_tls_session(tls, address.host);
    out.shake_hands();
  }
  return out;
}

Error Stream::lost(int number) const {
  // A server that wants a certificate says so only after the handshake, and what it says is lost
  // when something is being sent to it at that moment.
  if (tls_ != nullptr && !has_spoken_) {
    return Error{ErrorCode::FailedPrecondition,
                 where_ +
                     " ended the connection right after the TLS handshake: it may require a "
                     "client certificate (\"tlsClientCert\")"};
  }
  const std::string reason = number == 0 ? "" : ": " + std::generic_category().message(number);
  return Error{ErrorCode::Unavailable, "the connection to " + where_ + " was lost" + reason};
}

void Stream::wait_for(short events, int64_t deadline_ms, const char* doing) const {
  while (true) {
    call_.check_cancelled();
    const int64_t left = deadline_ms - now_ms();
    if (left <= 0) {
      throw Error{ErrorCode::Unavailable, where_ + " did not answer in time while " + doing};
    }
    pollfd item{fd_.get(), events, 0};
    const int ready = poll(&item, 1, static_cast<int>(std::min<int64_t>(left, kTickMs)));
    if (ready > 0) return;
    if (ready < 0 && errno != EINTR) throw system_error(errno, "cannot wait for " + where_);
  }
}

void Stream::dial() {
  const Addresses found = resolve(endpoint_.host(), endpoint_.port(), where_);
  const int64_t deadline = now_ms() + kConnectMs;
  int reason = ECONNREFUSED;
  for (const addrinfo* one = found.get(); one != nullptr; one = one->ai_next) {
    fd_.reset(socket(one->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd_) {
      reason = errno;
      continue;
    }
    if (connect(fd_.get(), one->ai_addr, one->ai_addrlen) == 0 || errno == EINPROGRESS) {
      wait_for(POLLOUT, deadline, "connecting");
      socklen_t size = sizeof(reason);
      getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &reason, &size);
      if (reason == 0) {
        const int on = 1;
        setsockopt(fd_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        setsockopt(fd_.get(), SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
        return;
      }
    } else {
      reason = errno;
    }
  }
  throw Error{ErrorCode::Unavailable,
              "cannot connect to " + where_ + ": " + std::generic_category().message(reason)};
}

bool Stream::wait_for_tls(int result, int64_t deadline_ms, const char* doing) {
  switch (SSL_get_error(tls_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      wait_for(POLLIN, deadline_ms, doing);
      return true;
    case SSL_ERROR_WANT_WRITE:
      wait_for(POLLOUT, deadline_ms, doing);
      return true;
    default:
      return false;
  }
}

void Stream::shake_hands() {
  if (SSL_set_fd(tls_.get(), fd_.get()) != 1) throw std::bad_alloc{};
  const int64_t deadline = now_ms() + kConnectMs;
  while (true) {
    const int result = SSL_connect(tls_.get());
    if (result == 1) return;
    if (!wait_for_tls(result, deadline, "setting up TLS")) {
      throw tls_handshake_error(tls_.get(), where_);
    }
  }
}

size_t Stream::read(std::span<char> buffer, int64_t idle_ms) {
  const int64_t deadline = now_ms() + idle_ms;
  call_.check_cancelled();
  while (true) {
    if (tls_ != nullptr) {
      size_t taken = 0;
      ERR_clear_error();  // SSL_get_error() looks at the whole queue
      const int result = SSL_read_ex(tls_.get(), buffer.data(), buffer.size(), &taken);
      if (result == 1) {
        has_spoken_ = true;
        return taken;
      }
      if (wait_for_tls(result, deadline, "reading")) continue;
      const int kind = SSL_get_error(tls_.get(), result);
      if (kind == SSL_ERROR_ZERO_RETURN && has_spoken_) return 0;
      if (kind == SSL_ERROR_SSL) {  // for example: a client certificate is required
        throw Error{ErrorCode::FailedPrecondition,
                    where_ + " ended the TLS connection: " + tls_reason()};
      }
      throw lost(kind == SSL_ERROR_ZERO_RETURN ? 0 : errno);
    }
    const ssize_t n = recv(fd_.get(), buffer.data(), buffer.size(), 0);
    if (n >= 0) return static_cast<size_t>(n);
    if (errno == EINTR) continue;
    if (errno != EAGAIN) throw lost(errno);
    wait_for(POLLIN, deadline, "reading");
  }
}

void Stream::write(std::string_view bytes) {
  int64_t deadline = now_ms() + kIdleMs;
  while (!bytes.empty()) {
    call_.check_cancelled();
    size_t taken = 0;
    if (tls_ != nullptr) {
      ERR_clear_error();
      const int result = SSL_write_ex(tls_.get(), bytes.data(), bytes.size(), &taken);
      if (result != 1) {
        if (wait_for_tls(result, deadline, "writing")) continue;
        if (SSL_get_error(tls_.get(), result) == SSL_ERROR_SSL) {
          throw Error{ErrorCode::FailedPrecondition,
                      where_ + " ended the TLS connection: " + tls_reason()};
        }
        throw lost(errno);
      }
    } else {
      const ssize_t n = send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n < 0) {
        if (errno == EINTR) continue;
        if (errno != EAGAIN) throw lost(errno);
        wait_for(POLLOUT, deadline, "writing");
        continue;
      }
      taken = static_cast<size_t>(n);
    }
    bytes.remove_prefix(taken);
    deadline = now_ms() + kIdleMs;
  }
}

}  // namespace dbackup::redis
