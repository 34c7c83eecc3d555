#include "worker/ssh/ssh_pump.hpp"

#include <fcntl.h>
#include <libssh/server.h>  // keepalives, for clients too
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <future>

#include "base/error.hpp"
#include "worker/ssh/ssh_wait.hpp"

namespace dbackup::host::ssh {
namespace {

constexpr std::chrono::seconds kSignInterval{10};
constexpr int kMostUnanswered = 3;
constexpr std::chrono::milliseconds kGrace{200};  // between SIGTERM and SIGKILL
constexpr int kReadsAtOnce = 64;                  // libssh reads 4 KiB at a time

}  // namespace

Pump::Pump(Connected connection, std::string server)
    : connection_{std::move(connection)},
      server_{std::move(server)},
      event_{ssh_event_new()},
      wake_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)},
      next_sign_{Clock::now() + kSignInterval} {
  if (!wake_) throw_errno(errno, "cannot make an event");
  if (!event_ || ssh_event_add_session(event_.get(), connection_.session.get()) != SSH_OK) {
    throw Error(ErrorCode::ResourceExhausted, "out of memory");
  }
  ssh_set_counters(connection_.session.get(), &counted_, nullptr);
  thread_ = std::thread{[this] { run(); }};
}

Pump::~Pump() {
  {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
  }
  post([] {});
  thread_.join();
}

void Pump::post(std::function<void()> task) {
  {
    const std::lock_guard lock{mutex_};
    tasks_.push_back(std::move(task));
  }
  const uint64_t one = 1;
  [[maybe_unused]] const auto n = ::write(wake_.get(), &one, sizeof one);
}

void Pump::add(std::shared_ptr<Channel> channel) {
  post([this, channel = std::move(channel)] { waiting_.push_back(channel); });
}

void Pump::terminate(const std::shared_ptr<Channel>& channel) {
  post([this, channel] {
    if (Stream* stream = find(channel)) stream->terminate();
    kills_.emplace_back(Clock::now() + kGrace, channel);
  });
}

void Pump::end_input(const std::shared_ptr<Channel>& channel) {
  post([this, channel] {
    if (Stream* stream = find(channel)) stream->end_input();
  });
}

void Pump::close(const std::shared_ptr<Channel>& channel) {
  std::promise<void> done;
  post([&] {
    if (Stream* stream = find(channel)) stream->close();
    if (std::erase(waiting_, channel) > 0) channel->become_closed();
    done.set_value();
  });
  done.get_future().wait();
}

int Pump::listen(Listener listener, std::string host, int port,
                 std::function<void(const Error&)> failed) {
  const int number = next_door_++;
  auto door = std::make_shared<Door>(
      Door{number, std::move(listener), std::move(host), port, std::move(failed)});
  post([this, door] { doors_.push_back(std::move(*door)); });
  return number;
}

void Pump::unlisten(int number) {
  std::promise<void> done;
  post([&] {
    report_visitors();
    std::erase_if(doors_, [&](const Door& door) { return door.number == number; });
    for (const Visitor& visitor : visitors_) {
      if (visitor.door != number) continue;
      if (Stream* stream = find(visitor.channel)) stream->close();
      std::erase(waiting_, visitor.channel);
    }
    std::erase_if(visitors_, [&](const Visitor& visitor) { return visitor.door == number; });
    done.set_value();
  });
  done.get_future().wait();
}

Stream* Pump::find(const std::shared_ptr<Channel>& channel) {
  const auto found =
      std::ranges::find_if(streams_, [&](const Stream& s) { return s.channel() == channel; });
  return found == streams_.end() ? nullptr : &*found;
}

void Pump::run() noexcept {
  for (;;) {
    try {
      take_tasks();
      {
        const std::lock_guard lock{mutex_};
        if (stopping_ && tasks_.empty()) break;
      }
      bool is_busy = false;
      if (!lost_) {
        stay_alive();
        take_visitors();
        // What libssh reads for one channel may be for another that had its turn already.
        uint64_t before = 0;
        do {
          before = counted_.in_bytes;
          drive();
          is_busy = step_all();
          start_waiting();
        } while (counted_.in_bytes != before && !lost_);
      }
      if (lost_ && (!streams_.empty() || !waiting_.empty())) lose("");
      report_visitors();
      std::erase_if(streams_, [](const Stream& stream) { return stream.is_done(); });
      wait(is_busy);
    } catch (...) {
      lose(current_cause()->what());
    }
  }
  const bool was_lost = lost_;
  lose("closed");
  streams_.clear();  // ssh_disconnect() frees channels: none may be left
  ssh_event_remove_session(event_.get(), connection_.session.get());
  if (!was_lost) ssh_disconnect(connection_.session.get());
}

void Pump::take_tasks() {
  uint64_t count = 0;
  [[maybe_unused]] const auto n = ::read(wake_.get(), &count, sizeof count);
  std::vector<std::function<void()>> tasks;
  {
    const std::lock_guard lock{mutex_};
    tasks.swap(tasks_);
  }
  for (const auto& task : tasks) task();
  const auto now = Clock::now();
  std::erase_if(kills_, [&](const auto& kill) {
    if (kill.first > now) return false;
    const auto channel = kill.second.lock();
    if (Stream* stream = channel ? find(channel) : nullptr) stream->end_input();
    return true;
  });
}

void Pump::take_visitors() {
  for (const Door& door : doors_) {
    for (;;) {
      UniqueFd socket{
          ::accept4(door.listener.socket.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)};
      if (!socket) break;
      ChannelOrder order{
          .kind = door.port > 0 ? ChannelOrder::Kind::Forward : ChannelOrder::Kind::ForwardPath,
          .target = door.host,
          .port = door.port};
      order.input = UniqueFd{::fcntl(socket.get(), F_DUPFD_CLOEXEC, 0)};
      order.output = std::move(socket);
      auto channel = std::make_shared<Channel>(std::move(order));
      visitors_.push_back({door.number, channel});
      waiting_.push_back(std::move(channel));
    }
  }
}

void Pump::report_visitors() {
  std::erase_if(visitors_, [&](const Visitor& visitor) {
    if (!visitor.channel->is_closed()) return false;
    try {
      visitor.channel->throw_if_failed();
    } catch (const Error& error) {
      for (Door& door : doors_) {
        if (door.number == visitor.door && door.failed) std::exchange(door.failed, nullptr)(error);
      }
    }
    return true;
  });
}

void Pump::start_waiting() {
  size_t busy = 0;
  for (const Stream& stream : streams_) {
    busy += !stream.is_done() && !stream.channel()->order.is_keeper;
  }
  for (auto next = waiting_.begin(); next != waiting_.end();) {
    const bool is_keeper = (*next)->order.is_keeper;
    if (!is_keeper && busy >= kMostChannels) {
      ++next;
      continue;
    }
    busy += !is_keeper;
    streams_.emplace_back(connection_.session.get(), std::move(*next), server_).step();
    next = waiting_.erase(next);
  }
}

void Pump::drive() {
  for (int i = 0; i < kReadsAtOnce; ++i) {
    const int rc = ssh_event_dopoll(event_.get(), 0);
    if (rc == SSH_AGAIN) break;
    if (rc == SSH_ERROR) break;  // what it means is asked below
  }
  ssh_session session = connection_.session.get();
  if (ssh_is_connected(session) == 0 || (ssh_get_status(session) & SSH_CLOSED_ERROR) != 0) {
    lose(ssh_get_error(session));
  }
}

bool Pump::step_all() {
  bool is_busy = false;
  for (Stream& stream : streams_) is_busy = stream.step() || is_busy;
  return is_busy;
}

void Pump::stay_alive() {
  const auto now = Clock::now();
  if (now < next_sign_) return;
  next_sign_ = now + kSignInterval;
  unanswered_ = counted_.in_bytes == bytes_at_sign_ ? unanswered_ + 1 : 0;
  bytes_at_sign_ = counted_.in_bytes;
  if (unanswered_ > kMostUnanswered) {
    lose("nothing came from it for half a minute");
    return;
  }
  // The first call takes the answer to the last question, the second one asks.
  ssh_send_keepalive(connection_.session.get());
  ssh_send_keepalive(connection_.session.get());
}

void Pump::lose(const std::string& why) {
  lost_ = true;
  const Cause cause = make_cause(
      Error(ErrorCode::Unavailable, "the SSH connection to " + server_ + " was lost", why));
  for (Stream& stream : streams_) stream.close(cause);
  for (const auto& channel : waiting_) {
    channel->fail(cause);
    channel->order.input.reset();
    channel->order.output.reset();
    channel->become_closed();
  }
  waiting_.clear();
  doors_.clear();
}

void Pump::wait(bool is_busy) {
  polled_.clear();
  polled_.push_back({wake_.get(), POLLIN, 0});
  auto until = next_sign_;
  if (!lost_) {
    ssh_session session = connection_.session.get();
    polled_.push_back({ssh_get_fd(session), wanted_events(session), 0});
    for (const Stream& stream : streams_) stream.add_waits(polled_);
    for (const Door& door : doors_) polled_.push_back({door.listener.socket.get(), POLLIN, 0});
    for (const auto& kill : kills_) until = std::min(until, kill.first);
  }
  int timeout = -1;
  if (!lost_) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
    timeout = is_busy ? 0 : std::max(0, static_cast<int>(left));
  }
  if (::poll(polled_.data(), polled_.size(), timeout) < 0 && errno != EINTR) {
    throw_errno(errno, "cannot wait for the SSH connection");
  }
}

}  // namespace dbackup::host::ssh
