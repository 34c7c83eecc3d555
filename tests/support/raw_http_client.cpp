#include "tests/support/raw_http_client.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <strings.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

namespace dbackup::test {

std::string RawResponse::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (key.size() == name.size() && ::strncasecmp(key.data(), name.data(), name.size()) == 0)
      return value;
  }
  return "";
}

RawHttpClient::RawHttpClient(uint16_t port, Options options)
    : socket_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)}, options_{options} {
  if (!socket_) throw std::runtime_error{std::string{"socket: "} + std::strerror(errno)};
  if (options_.receive_buffer > 0) {
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVBUF, &options_.receive_buffer,
                 sizeof options_.receive_buffer);
  }
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    throw std::runtime_error{std::string{"connect: "} + std::strerror(errno)};
  }
}

bool RawHttpClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

std::string RawHttpClient::read_some(size_t size) {
  if (!buffer_.empty()) {
    std::string taken = buffer_.substr(0, size);
    buffer_.erase(0, taken.size());
    return taken;
  }
  pollfd wait{.fd = socket_.get(), .events = POLLIN, .revents = 0};
  if (::poll(&wait, 1, static_cast<int>(options_.patience.count())) <= 0) return "";
  std::string bytes(size, '\0');
  const ssize_t count = ::recv(socket_.get(), bytes.data(), bytes.size(), 0);
  if (count < 0) reset_ = errno == ECONNRESET;
  bytes.resize(count > 0 ? static_cast<size_t>(count) : 0);
  return bytes;
}

bool RawHttpClient::fill() {
  std::string kept = std::move(buffer_);
  buffer_.clear();
  const std::string more = read_some(65536);
  buffer_ = std::move(kept) + more;
  return !more.empty();
}

std::string RawHttpClient::read_to_end() {
  while (fill()) {
  }
  return std::exchange(buffer_, {});
}

bool RawHttpClient::closed_by_peer() {
  const auto until = std::chrono::steady_clock::now() + options_.patience;
  while (std::chrono::steady_clock::now() < until) {
    buffer_.clear();
    if (!fill()) return std::chrono::steady_clock::now() < until;
  }
  return false;
}

std::optional<RawResponse> RawHttpClient::read_response(bool head_only) {
  size_t end = std::string::npos;
  while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
    if (!fill()) return std::nullopt;
  }
  RawResponse response;
  std::string_view head = std::string_view{buffer_}.substr(0, end + 2);
  if (!head.starts_with("HTTP/1.1 ") || head.size() < 14) return std::nullopt;
  response.status = std::atoi(std::string{head.substr(9, 3)}.c_str());
  head.remove_prefix(head.find("\r\n") + 2);
  while (!head.empty()) {
    const size_t line_end = head.find("\r\n");
    const std::string_view line = head.substr(0, line_end);
    const size_t colon = line.find(": ");
    if (colon == std::string_view::npos) return std::nullopt;
    response.headers.emplace_back(line.substr(0, colon), line.substr(colon + 2));
    head.remove_prefix(line_end + 2);
  }
  buffer_.erase(0, end + 4);
  const bool no_body =
      head_only || response.status < 200 || response.status == 204 || response.status == 304;
  if (no_body) {
    response.complete = true;
  } else if (response.header("Transfer-Encoding") == "chunked") {
    for (;;) {
      size_t line = std::string::npos;
      while ((line = buffer_.find("\r\n")) == std::string::npos) {
        if (!fill()) return response;
      }
      const size_t size = std::strtoul(buffer_.c_str(), nullptr, 16);
      buffer_.erase(0, line + 2);
      while (buffer_.size() < size + 2) {
        if (fill()) continue;
        response.body += buffer_.substr(0, size);
        return response;
      }
      response.body.append(buffer_, 0, size);
      buffer_.erase(0, size + 2);
      if (size == 0) break;
    }
    response.complete = true;
  } else if (const std::string length = response.header("Content-Length"); !length.empty()) {
    const size_t size = std::strtoul(length.c_str(), nullptr, 10);
    while (buffer_.size() < size && fill()) {
    }
    response.body = buffer_.substr(0, size);
    response.complete = response.body.size() == size;
    buffer_.erase(0, response.body.size());
  } else {
    response.body = read_to_end();
    response.complete = !reset_;
  }
  return response;
}

std::optional<RawResponse> RawHttpClient::ask(std::string_view request, bool head_only) {
  send(request);  // a peer that refuses early may be gone and have answered all the same
  return read_response(head_only);
}

void RawHttpClient::finish_sending() { ::shutdown(socket_.get(), SHUT_WR); }

void RawHttpClient::kill() {
  const struct linger reset { .l_onoff = 1, .l_linger = 0 };
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  socket_.reset();
}

std::string raw_get(std::string_view path, std::string_view extra) {
  return fmt::format("GET {} HTTP/1.1\r\nHost: test\r\n{}\r\n", path, extra);
}

std::string raw_post(std::string_view path, std::string_view body, std::string_view extra) {
  return fmt::format("POST {} HTTP/1.1\r\nHost: test\r\nContent-Length: {}\r\n{}\r\n{}", path,
                     body.size(), extra, body);
}

}  // namespace dbackup::test
