#include "tests/support/worker/worker_session.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>

#include <csignal>
#include <thread>

#include "tests/support/paths.hpp"

extern char** environ;

namespace dbackup::test {

using host::Json;
using host::protocol::Event;
using host::protocol::EventKind;

WorkerSession::WorkerSession(bool greet) {
  ::signal(SIGPIPE, SIG_IGN);
  host::Pipe input = host::make_pipe(), events = host::make_pipe(), bulk = host::make_pipe();
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, input.read_end.get(), 0);
  // At numbers no pipe end of ours has: dup2 onto itself would keep close-on-exec.
  ::posix_spawn_file_actions_adddup2(&actions, events.write_end.get(), 51);
  ::posix_spawn_file_actions_adddup2(&actions, bulk.write_end.get(), 52);
  const std::string tool = binary_dir() + "/bin/dbackup_worker_tool";
  const char* argv[] = {tool.c_str(), "--events-fd", "51", "--bulk-fd", "52", nullptr};
  const int failure =
      ::posix_spawn(&pid_, argv[0], &actions, nullptr, const_cast<char**>(argv), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (failure != 0) throw std::runtime_error("cannot start " + tool);
  input_ = std::move(input.write_end);
  events_ = std::move(events.read_end);
  bulk_ = std::move(bulk.read_end);
  if (greet) {
    send_text("{\"protocol\":1,\"version\":\"test\"}\n");
    read_line();
  }
}

WorkerSession::~WorkerSession() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
}

void WorkerSession::send_text(const std::string& text) {
  size_t done = 0;
  while (done < text.size()) {
    const ssize_t n = ::write(input_.get(), text.data() + done, text.size() - done);
    if (n <= 0) return;  // the worker is gone: its events say why
    done += static_cast<size_t>(n);
  }
}

void WorkerSession::send(const std::string& op, const Json& body) {
  send_text(host::dump_json({{"id", "1"}, {"op", op}, {"body", body}}) + "\n");
}

std::string WorkerSession::read_line() {
  for (;;) {
    if (const size_t end = buffer_.find('\n'); end != std::string::npos) {
      std::string line = buffer_.substr(0, end);
      buffer_.erase(0, end + 1);
      return line;
    }
    pollfd wanted{events_.get(), POLLIN, 0};
    if (::poll(&wanted, 1, 20'000) <= 0) {
      ADD_FAILURE() << "the worker is silent";
      return {};
    }
    char block[65536];
    const ssize_t n = ::read(events_.get(), block, sizeof block);
    if (n <= 0) return {};
    buffer_.append(block, static_cast<size_t>(n));
  }
}

WorkerSession::Outcome WorkerSession::finish(const std::function<void(const Event&)>& on_event) {
  Outcome outcome;
  for (;;) {
    const std::string line = read_line();
    if (line.empty()) {
      outcome.data = {{"message", "the worker ended"}};
      return outcome;
    }
    Event event = host::protocol::decode_event(line);
    if (event.kind == EventKind::Result || event.kind == EventKind::Error) {
      outcome.ok = event.kind == EventKind::Result;
      outcome.data = event.data;
      return outcome;
    }
    if (event.kind == EventKind::Reserve) {
      const bool accept = accept_paths && refuse_paths-- <= 0;
      send_text(accept ? "{\"op\":\"proceed\",\"accept\":true}\n"
                       : "{\"op\":\"proceed\",\"accept\":false}\n");
    }
    if (on_event) on_event(event);
    outcome.events.push_back(std::move(event));
  }
}

WorkerSession::Outcome WorkerSession::fetch(const Json& body, std::string& bytes) {
  bytes.clear();
  std::thread reader;
  send("fetch", body);
  Outcome outcome = finish([&](const Event& event) {
    if (event.kind != EventKind::Start) return;
    const auto length = event.data.at("length").get<size_t>();
    reader = std::thread{[this, length, &bytes] {
      bytes.resize(length);
      size_t done = 0;
      while (done < length) {
        const ssize_t n = ::read(bulk_.get(), bytes.data() + done, length - done);
        if (n <= 0) break;
        done += static_cast<size_t>(n);
      }
      bytes.resize(done);
    }};
  });
  if (reader.joinable()) {
    if (!outcome.ok) {  // fewer bytes than promised: end the reader by ending the writer
      ::kill(pid_, SIGKILL);
    }
    reader.join();
  }
  return outcome;
}

int WorkerSession::wait() {
  int status = 0;
  ::waitpid(pid_, &status, 0);
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

std::vector<Json> WorkerSession::Outcome::items() const {
  std::vector<Json> out;
  for (const Event& event : events) {
    if (event.kind == EventKind::Item) out.push_back(event.data);
  }
  return out;
}

std::string WorkerSession::Outcome::logs() const {
  std::string out;
  for (const Event& event : events) {
    if (event.kind == EventKind::Log) out += event.data.at("message").get<std::string>() + "\n";
  }
  return out;
}

}  // namespace dbackup::test
