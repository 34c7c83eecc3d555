#include "api/http_transport.hpp"

#include <sys/socket.h>

#include <cerrno>

namespace dbackup::host {
namespace {

class PlainTransport final : public HttpTransport {
 public:
  explicit PlainTransport(int socket) : socket_{socket} {}

  std::optional<std::string_view> receive(std::string_view wire) override { return wire; }

  Step send(std::string_view plain, size_t& taken, bool more) override {
    while (!plain.empty()) {
      const int flags = MSG_NOSIGNAL | MSG_DONTWAIT | (more ? MSG_MORE : 0);
      const ssize_t sent = ::send(socket_, plain.data(), plain.size(), flags);
      if (sent > 0) {
        taken += static_cast<size_t>(sent);
        plain.remove_prefix(static_cast<size_t>(sent));
      } else if (sent < 0 && errno == EINTR) {
        continue;
      } else {
        // Out of kernel memory is as passing as a full buffer.
        const bool passing =
            sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS);
        return passing ? Step::Blocked : Step::Broken;
      }
    }
    return Step::Done;
  }

  void end_sending() override { ::shutdown(socket_, SHUT_WR); }

 private:
  int socket_;
};

}  // namespace

std::unique_ptr<HttpTransport> make_plain_transport(int socket) {
  return std::make_unique<PlainTransport>(socket);
}

}  // namespace dbackup::host
