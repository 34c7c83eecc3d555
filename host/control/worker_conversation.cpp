#include "control/worker_conversation.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/error.hpp"
#include "base/logging.hpp"
#include "base/secret_string.hpp"

namespace dbackup::host {
namespace {

constexpr const char* kRequestId = "1";
constexpr size_t kOutputTail = 4096;
// After the answer and the end of its input a worker has nothing left to do.
constexpr std::chrono::milliseconds kExitGrace{500};

void find_adapters(const Json& value, std::vector<std::string>& names) {
  if (!value.is_structured()) return;
  if (value.is_object()) {
    if (const auto id = value.find("adapter_id"); id != value.end() && id->is_string()) {
      const auto& name = id->get_ref<const std::string&>();
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
      return;  // below is its configuration, which is the plugin's own
    }
  }
  for (const Json& child : value) find_adapters(child, names);
}

int64_t milliseconds_until(std::chrono::steady_clock::time_point at) {
  const auto left = at - std::chrono::steady_clock::now();
  // Rounded up: waking a moment too early would mean a busy loop.
  return std::max<int64_t>(0, std::chrono::ceil<std::chrono::milliseconds>(left).count());
}

}  // namespace

std::string plugins_of(const Json& body) {
  std::vector<std::string> names;
  find_adapters(body, names);
  if (names.empty() && body.is_object()) {
    const auto path = body.find("plugin_path");
    if (path != body.end() && path->is_string()) names.push_back(path->get<std::string>());
  }
  if (names.empty()) return "the plugin";
  std::string out = names.size() == 1 ? "plugin " : "plugins ";
  for (size_t i = 0; i < names.size(); ++i) {
    if (i > 0) out += i + 1 == names.size() ? " and " : ", ";
    out += '"' + names[i] + '"';
  }
  return out;
}

WorkerConversation::WorkerConversation(WorkerLauncher& launcher, protocol::Operation op, const Json& body,
                                       WorkerCall call, const Setup& setup)
    : call_{std::move(call)}, setup_{setup}, subject_{plugins_of(body)} {
  if (call_.stop.stop_requested()) throw Error(ErrorCode::Cancelled, "cancelled");
  outgoing_ = dump_json(protocol::greeting(setup_.program_version)) + '\n';
  std::string request = protocol::encode({.id = kRequestId, .op = op, .body = body});
  if (request.size() > protocol::kMaxLine) {
    wipe(request);
    throw Error(ErrorCode::InvalidArgument, "the request to the worker is too long");
  }
  outgoing_ += request;
  wipe(request);
  stop_event_.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!stop_event_) throw_errno(errno, "cannot make an event");
  process_ = launcher.start(setup_.with_bulk);
  const auto now = Steady::now();
  greeting_limit_ = now + setup_.greeting;
  if (call_.deadline.count() > 0) deadline_ = now + call_.deadline;
  on_stop_requested_.emplace(call_.stop, [fd = stop_event_.get()] {
    const uint64_t one = 1;
    [[maybe_unused]] const auto count = ::write(fd, &one, sizeof one);
  });
}

WorkerConversation::~WorkerConversation() {
  on_stop_requested_.reset();  // before the event that it writes to
  wipe(outgoing_);
}

Json WorkerConversation::wait_start(std::chrono::milliseconds limit) {
  start_limit_ = Steady::now() + limit;
  pump(is_started_);
  start_limit_.reset();
  // What stopped it before the first byte is its answer: a file that is gone, a key that does not fit.
  if (!is_started_ && error_) throw Error(*error_);
  if (!is_started_) fail_protocol("it ended a fetch without having begun it");
  return std::move(start_);
}

Json WorkerConversation::wait_result() {
  pump(has_answer_);
  let_go();
  if (error_) throw Error(*error_);
  return std::move(result_);
}

void WorkerConversation::pump(const bool& is_done) {
  while (!is_done && !has_answer_) {
    std::array<pollfd, 5> wanted{{{process_->events().get(), POLLIN, 0},
                                  {process_->output().get(), POLLIN, 0},
                                  {stop_event_.get(), POLLIN, 0},
                                  {process_->pidfd(), POLLIN, 0},
                                  {outgoing_.empty() ? -1 : process_->requests().get(), POLLOUT, 0}}};
    if (is_cancelling_) wanted[2].fd = -1;
    if (::poll(wanted.data(), wanted.size(), next_timeout()) < 0 && errno != EINTR) {
      throw_errno(errno, "cannot wait for a worker");
    }
    if (wanted[4].revents != 0) write_requests();
    if (wanted[1].revents != 0 &&
        output_.read(process_->output().get(), [this](std::string_view line) { take_output(line); }) ==
            LineReader::State::Closed) {
      process_->output().reset();
    }
    if (wanted[0].revents != 0) {
      LineReader::State state{};
      try {
        state = events_.read(process_->events().get(), [this](std::string_view line) { take_line(line); });
      } catch (const Error& error) {
        if (error.reason() != "line") throw;
        fail_protocol(error.what());
      }
      if (state == LineReader::State::Closed) on_exit();
    } else if (wanted[3].revents != 0) {
      on_exit();
    }
    if (wanted[2].revents != 0) on_stop();
    if (!has_answer_) check_times();
  }
}

int WorkerConversation::next_timeout() const {
  int64_t timeout = -1;
  const auto at_most = [&](Steady::time_point at) {
    const int64_t left = std::min<int64_t>(milliseconds_until(at), 60'000);
    if (timeout < 0 || left < timeout) timeout = left;
  };
  if (!is_greeted_) at_most(greeting_limit_);
  if (is_cancelling_) at_most(kill_at_);
  if (deadline_) at_most(*deadline_);
  if (start_limit_) at_most(*start_limit_);
  return static_cast<int>(timeout);
}

void WorkerConversation::check_times() {
  const auto now = Steady::now();
  if (is_cancelling_) {
    if (now < kill_at_) return;
    process_->finish();
    throw Error(ErrorCode::Cancelled, "cancelled", "the worker was killed");
  }
  if ((deadline_ && now >= *deadline_) || (start_limit_ && now >= *start_limit_)) {
    process_->finish();
    throw Error(ErrorCode::DeadlineExceeded, "the adapter took too long", subject_ + " was ended");
  }
  if (!is_greeted_ && now >= greeting_limit_) fail_protocol("it sent no greeting");
}

void WorkerConversation::write_requests() {
  while (!outgoing_.empty()) {
    const ssize_t count = ::write(process_->requests().get(), outgoing_.data(), outgoing_.size());
    if (count < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN) return;
      wipe(outgoing_);  // nobody reads any more: its exit tells why
      outgoing_.clear();
      return;
    }
    // Overwritten before it goes: requests carry secrets.
    std::string rest = outgoing_.substr(static_cast<size_t>(count));
    wipe(outgoing_);
    outgoing_ = std::move(rest);
  }
}

void WorkerConversation::take_line(std::string_view line) {
  if (has_answer_) return;
  protocol::Event event;
  try {
    if (!is_greeted_) {
      protocol::check_greeting(parse_json(line, "greeting"));
      is_greeted_ = true;
      return;
    }
    event = protocol::decode_event(line);
  } catch (const Error& error) {
    fail_protocol(error.what());
  } catch (const Json::exception&) {
    fail_protocol("a line is not as expected");
  }
  const bool is_general_error = event.request_id.empty() && event.kind == protocol::EventKind::Error;
  if (event.request_id == kRequestId || is_general_error) take_event(std::move(event));
}

void WorkerConversation::take_event(protocol::Event event) {
  using protocol::EventKind;
  if (event.kind == EventKind::Result) {
    result_ = std::move(event.data);
    has_answer_ = true;
  } else if (event.kind == EventKind::Error) {
    std::string message, detail, reason;
    int64_t code = 0;
    try {
      code = get_int(event.data, "code", INT32_MIN, INT32_MAX).value_or(0);
      message = get_string(event.data, "message").value_or("the adapter failed without a reason");
      detail = get_string(event.data, "detail").value_or("");
      reason = get_string(event.data, "reason").value_or("");
    } catch (const Error& error) {
      fail_protocol(error.what());
    }
    // What breaks because of a cancellation is a cancellation.
    if (is_cancelling_) {
      error_.emplace(ErrorCode::Cancelled, "cancelled", message);
    } else {
      error_.emplace(error_code_from(static_cast<int32_t>(code)), message, detail, reason);
    }
    has_answer_ = true;
  } else if (event.kind == EventKind::Reserve) {
    std::string path;
    try {
      path = require_string(event.data, "path");
    } catch (const Error& error) {
      fail_protocol(error.what());
    }
    const bool accept = !is_cancelling_ && (!call_.on_reserve || call_.on_reserve(path));
    outgoing_ += dump_json({{"op", "proceed"}, {"accept", accept}}) + '\n';
  } else {
    if (event.kind == EventKind::Start && setup_.with_bulk) {
      start_ = event.data;
      is_started_ = true;
    }
    if (call_.on_event) call_.on_event(event);
  }
}

void WorkerConversation::take_output(std::string_view line) {
  output_tail_.append(line).push_back('\n');
  if (output_tail_.size() > kOutputTail) output_tail_.erase(0, output_tail_.size() - kOutputTail);
  if (call_.on_output) call_.on_output(std::string(line));
}

void WorkerConversation::on_stop() {
  if (is_cancelling_) return;
  is_cancelling_ = true;
  kill_at_ = Steady::now() + setup_.cancel_grace;
  outgoing_ += "{\"op\":\"cancel\"}\n";
}

/// Its process is gone, or its events are: what it said last may still lie in the pipes.
void WorkerConversation::on_exit() {
  pollfd exited{process_->pidfd(), POLLIN, 0};
  ::poll(&exited, 1, static_cast<int>(kExitGrace.count()));
  const bool ended_itself = process_->has_exited();
  const WorkerExit exit = process_->finish();  // kills what would keep the pipes open
  while (!has_answer_ && process_->events()) {
    try {
      const size_t before = events_.total();
      const auto state =
          events_.read(process_->events().get(), [this](std::string_view line) { take_line(line); });
      if (state == LineReader::State::Closed || events_.total() == before) break;
    } catch (const Error& error) {
      if (error.reason() != "line") throw;
      fail_protocol(error.what());
    }
  }
  if (has_answer_) return;
  if (process_->output()) {
    output_.read(process_->output().get(), [this](std::string_view line) { take_output(line); });
  }
  if (is_cancelling_) throw Error(ErrorCode::Cancelled, "cancelled", exit.text());
  fail_ended(ended_itself ? exit.text() : "closed its events and went on");
}

/// The answer is here: the end of its input ends the worker.
void WorkerConversation::let_go() {
  process_->requests().reset();
  process_->events().reset();
  const auto until = Steady::now() + kExitGrace;
  while (!process_->has_exited() && Steady::now() < until) {
    std::array<pollfd, 2> wanted{
        {{process_->pidfd(), POLLIN, 0}, {process_->output().get(), POLLIN, 0}}};
    if (::poll(wanted.data(), wanted.size(), static_cast<int>(milliseconds_until(until))) < 0) continue;
    if (wanted[1].revents != 0 &&
        output_.read(process_->output().get(), [this](std::string_view line) { take_output(line); }) ==
            LineReader::State::Closed) {
      process_->output().reset();
    }
  }
  const bool ended_itself = process_->has_exited();
  const WorkerExit exit = process_->finish();
  if (!ended_itself || exit.signal != 0) {
    log_warning("the process of " + subject_ + " answered, but then " +
                (ended_itself ? exit.text() : "did not end and was killed"));
  }
}

void WorkerConversation::fail_protocol(const std::string& what) {
  process_->finish();
  throw Error(ErrorCode::Internal, "the process of " + subject_ + " sent something unexpected: " + what,
              output_tail_, "worker_protocol");
}

void WorkerConversation::fail_ended(const std::string& how) {
  throw Error(ErrorCode::Internal, "the process of " + subject_ + " " + how + " before it had answered",
              output_tail_, "worker_crashed");
}

}  // namespace dbackup::host
