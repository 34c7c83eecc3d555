#include "worker/ssh/socket_dial.hpp"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "base/error.hpp"

namespace dbackup::host::ssh {
namespace {

constexpr int kSlice = 200;                      // ms between looks at the cancellation
constexpr int kUnacknowledged = 30'000;          // ms
constexpr std::chrono::seconds kEachAddress{8};  // another address may answer

struct FreeAddresses {
  void operator()(addrinfo* list) const noexcept { ::freeaddrinfo(list); }
};

void set(int fd, int level, int option, int value) {
  ::setsockopt(fd, level, option, &value, sizeof value);  // wishes: the connection works without
}

/// 0, or why not.
int connect_to(int fd, const addrinfo& address, const Patience& patience) {
  if (::connect(fd, address.ai_addr, address.ai_addrlen) == 0) return 0;
  if (errno != EINPROGRESS) return errno;
  const auto until = Patience::Clock::now() + kEachAddress;
  for (;;) {
    patience.wait(fd, POLLOUT);
    pollfd now{fd, POLLOUT, 0};
    if (::poll(&now, 1, 0) > 0) break;
    if (address.ai_next != nullptr && Patience::Clock::now() > until) return ETIMEDOUT;
  }
  int failure = 0;
  socklen_t size = sizeof failure;
  if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &size) != 0) return errno;
  return failure;
}

}  // namespace

void Patience::wait(int fd, short events) const {
  pollfd wanted{fd, events, 0};
  if (::poll(&wanted, 1, kSlice) < 0 && errno != EINTR) throw_errno(errno, what_);
  cancel_.throw_if_cancelled();
  if (Clock::now() > until_) throw Error(ErrorCode::Unavailable, what_ + ": no answer in time");
}

UniqueFd dial(const std::string& host, int port, const Patience& patience) {
  addrinfo wanted{};
  wanted.ai_family = AF_UNSPEC;
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_NUMERICSERV | AI_ADDRCONFIG;
  addrinfo* raw = nullptr;
  const int found = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &wanted, &raw);
  if (found != 0) {
    throw Error(ErrorCode::Unavailable, patience.what() + ": " + ::gai_strerror(found));
  }
  const std::unique_ptr<addrinfo, FreeAddresses> list{raw};
  int failure = EADDRNOTAVAIL;
  for (const addrinfo* address = list.get(); address != nullptr; address = address->ai_next) {
    UniqueFd fd{::socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    if (!fd) {
      failure = errno;
      continue;
    }
    failure = connect_to(fd.get(), *address, patience);
    if (failure != 0) continue;
    set(fd.get(), IPPROTO_TCP, TCP_NODELAY, 1);
    set(fd.get(), SOL_SOCKET, SO_KEEPALIVE, 1);
    set(fd.get(), IPPROTO_TCP, TCP_USER_TIMEOUT, kUnacknowledged);
    return fd;
  }
  throw Error(ErrorCode::Unavailable, patience.what() + ": " + errno_text(failure));
}

Listener listen_on_loopback() {
  Listener out{.socket =
                   UniqueFd{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)}};
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* plain = reinterpret_cast<sockaddr*>(&address);
  if (!out.socket || ::bind(out.socket.get(), plain, size) != 0 ||
      ::listen(out.socket.get(), SOMAXCONN) != 0 ||
      ::getsockname(out.socket.get(), plain, &size) != 0) {
    throw_errno(errno, "cannot listen for a forwarded connection");
  }
  out.port = ntohs(address.sin_port);
  return out;
}

}  // namespace dbackup::host::ssh
