#include "worker/request_reader.hpp"

#include <poll.h>
#include <sys/eventfd.h>

#include <array>
#include <cerrno>
#include <vector>

#include "base/error.hpp"
#include "base/secret_string.hpp"

namespace dbackup::host {

RequestReader::RequestReader(UniqueFd input)
    : input_{std::move(input)}, stop_event_{::eventfd(0, EFD_CLOEXEC)} {
  if (!stop_event_) throw_errno(errno, "cannot make an event");
  thread_ = std::thread{[this] { read_lines(); }};
}

RequestReader::~RequestReader() {
  const uint64_t one = 1;
  [[maybe_unused]] const auto n = ::write(stop_event_.get(), &one, sizeof one);
  thread_.join();
}

std::optional<RequestReader::Order> RequestReader::next() {
  std::unique_lock lock{mutex_};
  running_.reset();
  answers_.clear();
  changed_.wait(lock, [this] { return ended_ || !waiting_.empty(); });
  if (!waiting_.empty()) {
    Order order = std::move(waiting_.front());
    waiting_.pop_front();
    running_ = order.cancel;
    return order;
  }
  if (failure_) throw Error(*failure_);
  return std::nullopt;
}

bool RequestReader::await_proceed(const CancelToken& cancel) {
  const std::stop_callback wake{cancel.stop_token(), [this] {
                                  const std::lock_guard lock{mutex_};
                                  changed_.notify_all();
                                }};
  std::unique_lock lock{mutex_};
  changed_.wait(lock, [&] { return ended_ || !answers_.empty() || cancel.is_cancelled(); });
  if (cancel.is_cancelled()) {
    lock.unlock();
    cancel.throw_if_cancelled();
  }
  if (answers_.empty()) {
    throw Error(ErrorCode::Aborted, "the host ended before it had accepted the path");
  }
  const bool accepted = answers_.front();
  answers_.pop_front();
  return accepted;
}

void RequestReader::cancel_all(const Error& cause) {
  std::vector<CancelToken> tokens;
  {
    const std::lock_guard lock{mutex_};
    if (running_) tokens.push_back(*running_);
    for (const Order& order : waiting_) tokens.push_back(order.cancel);
  }
  // Outside the lock: a cancellation runs callbacks, await_proceed()'s among them.
  for (const CancelToken& token : tokens) token.cancel(cause);
}

void RequestReader::read_lines() noexcept {
  std::string line;
  try {
    std::vector<char> buffer(64 * 1024);
    for (;;) {
      std::array<pollfd, 2> wanted{{{input_.get(), POLLIN, 0}, {stop_event_.get(), POLLIN, 0}}};
      if (::poll(wanted.data(), wanted.size(), -1) < 0) {
        if (errno == EINTR) continue;
        throw_errno(errno, "cannot wait for requests");
      }
      if (wanted[1].revents != 0) return;
      const ssize_t n = ::read(input_.get(), buffer.data(), buffer.size());
      if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
      if (n < 0) throw_errno(errno, "cannot read requests");
      if (n == 0) {
        if (!line.empty()) throw Error(ErrorCode::InvalidArgument, "the last request has no end");
        return end(std::nullopt);
      }
      std::string_view rest{buffer.data(), static_cast<size_t>(n)};
      while (!rest.empty()) {
        const size_t at = rest.find('\n');
        line.append(rest.substr(0, at));
        if (line.size() > protocol::kMaxLine) {
          throw Error(ErrorCode::InvalidArgument, "a request is longer than a line may be");
        }
        if (at == std::string_view::npos) break;
        take_line(line);
        wipe(line);  // requests hold secrets
        line.clear();
        rest.remove_prefix(at + 1);
      }
    }
  } catch (const Error& error) {
    wipe(line);
    end(error);
  } catch (const std::exception& error) {
    end(Error(ErrorCode::Internal, "cannot read requests", error.what()));
  }
}

void RequestReader::take_line(std::string_view line) {
  if (line.empty() && greeted_) return;
  const Json value = parse_json(line, "request");
  if (!value.is_object()) throw Error(ErrorCode::InvalidArgument, "a request is not a JSON object");
  if (!greeted_) {
    protocol::check_greeting(value);
    greeted_ = true;
    return;
  }
  const std::string op = require_string(value, "op");
  if (op == "cancel") return cancel_all(Error(ErrorCode::Cancelled, "cancelled"));
  std::optional<Order> order;
  if (op != "proceed") order = Order{protocol::decode_request(line), {}};
  const std::lock_guard lock{mutex_};
  if (order) {
    waiting_.push_back(std::move(*order));
  } else {
    answers_.push_back(get_bool(value, "accept").value_or(false));
  }
  changed_.notify_all();
}

void RequestReader::end(std::optional<Error> failure) noexcept {
  try {
    // What a host that talks garbage wants is not known: nothing goes on.
    if (failure) cancel_all(*failure);
    const std::lock_guard lock{mutex_};
    failure_ = std::move(failure);
    ended_ = true;
    changed_.notify_all();
  } catch (...) {
    std::terminate();  // without memory for the flag the worker would wait for ever
  }
}

}  // namespace dbackup::host
