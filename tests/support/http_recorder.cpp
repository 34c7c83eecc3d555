#include "tests/support/http_recorder.hpp"

#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <stdexcept>

namespace dbackup::test {
namespace {

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

RecordedRequest parse_head(const std::string& head) {
  RecordedRequest request;
  const size_t first = head.find(' ');
  const size_t second = head.find(' ', first + 1);
  request.method = head.substr(0, first);
  request.target = head.substr(first + 1, second - first - 1);
  for (size_t line = head.find("\r\n"); line != head.npos && line + 2 < head.size();) {
    const size_t start = line + 2;
    line = head.find("\r\n", start);
    const std::string text = head.substr(start, line == head.npos ? line : line - start);
    const size_t colon = text.find(':');
    if (colon == text.npos) continue;
    const size_t value = text.find_first_not_of(' ', colon + 1);
    request.headers[lower(text.substr(0, colon))] = value == text.npos ? "" : text.substr(value);
  }
  return request;
}

}  // namespace

HttpRecorder::HttpRecorder() {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  stop_ = ::eventfd(0, EFD_CLOEXEC);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(listener_, reinterpret_cast<const sockaddr*>(&address), size) != 0 ||
      ::listen(listener_, 16) != 0 ||
      ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error{"cannot listen on a loopback port"};
  }
  port_ = ntohs(address.sin_port);
  thread_ = std::thread{[this] { serve(); }};
}

HttpRecorder::~HttpRecorder() {
  (void)::eventfd_write(stop_, 1);
  thread_.join();
  for (const int fd : unanswered_) ::close(fd);
  ::close(listener_);
  ::close(stop_);
}

std::string HttpRecorder::url(const std::string& target) const {
  return "http://127.0.0.1:" + std::to_string(port_) + target;
}

void HttpRecorder::answer(std::string status, std::string body, std::string extra_headers) {
  const std::scoped_lock lock{mutex_};
  answer_ = {std::move(status), std::move(body), std::move(extra_headers)};
}

void HttpRecorder::answer_once(std::string status, std::string body, std::string extra_headers) {
  const std::scoped_lock lock{mutex_};
  once_.push_back({std::move(status), std::move(body), std::move(extra_headers)});
}

void HttpRecorder::stay_silent() {
  const std::scoped_lock lock{mutex_};
  silent_ = true;
}

std::vector<RecordedRequest> HttpRecorder::requests() const {
  const std::scoped_lock lock{mutex_};
  return requests_;
}

void HttpRecorder::serve() {
  for (;;) {
    std::array<pollfd, 2> both{pollfd{listener_, POLLIN, 0}, pollfd{stop_, POLLIN, 0}};
    if (::poll(both.data(), both.size(), -1) < 0) continue;
    if (both[1].revents != 0) return;
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd >= 0) handle(fd);
  }
}

void HttpRecorder::handle(int fd) {
  const timeval patience{.tv_sec = 10, .tv_usec = 0};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  std::string text;
  RecordedRequest request;
  size_t wanted = std::string::npos;  // of the whole request, once its head is here
  size_t head_end = 0;
  std::array<char, 16384> block;
  while (wanted == std::string::npos || text.size() < wanted) {
    const ssize_t n = ::recv(fd, block.data(), block.size(), 0);
    if (n <= 0) break;
    text.append(block.data(), static_cast<size_t>(n));
    if (wanted != std::string::npos || (head_end = text.find("\r\n\r\n")) == text.npos) continue;
    request = parse_head(text.substr(0, head_end));
    head_end += 4;
    const auto length = request.headers.find("content-length");
    wanted =
        head_end +
        (length == request.headers.end() ? 0 : std::strtoul(length->second.c_str(), nullptr, 10));
  }
  const std::scoped_lock lock{mutex_};
  if (wanted != std::string::npos) {
    request.body = text.substr(head_end);
    requests_.push_back(request);
    if (silent_) {
      unanswered_.push_back(fd);
      return;
    }
    Answer chosen = answer_;
    if (!once_.empty()) {
      chosen = std::move(once_.front());
      once_.pop_front();
    }
    const std::string answer = "HTTP/1.1 " + chosen.status +
                               "\r\nContent-Length: " + std::to_string(chosen.body.size()) +
                               "\r\nConnection: close\r\n" + chosen.extra_headers + "\r\n" +
                               (request.method == "HEAD" ? "" : chosen.body);
    for (size_t at = 0; at < answer.size();) {
      const ssize_t n = ::send(fd, answer.data() + at, answer.size() - at, MSG_NOSIGNAL);
      if (n <= 0) break;
      at += static_cast<size_t>(n);
    }
  }
  ::close(fd);
}

}  // namespace dbackup::test
