// A worker that does what its script says: crashes, hangs and talks garbage on demand.
//
//   fake_worker SCRIPT worker --events-fd 3 [--bulk-fd 4]
//
// SCRIPT: {"greeting": true, "record": "file", "ops": {"ping": [step, …], …}}. Each request's line is
// appended to `record`. Steps, in order:
//   {"event": "log", "data": {…}}   {"result": {…}}   {"error": {…}}   {"raw": "text"}   {"print": "text"}
//   {"reserve": "path"}: waits for the answer; repeats with "path-2", … until accepted
//   {"fill": n}: n bytes without a line end   {"bulk": "text"}   {"exit": n}   {"signal": n}
//   {"hang": true}   {"await_cancel": true}   {"await_file": "path"}   {"close_events": true}
//   {"child": true}: a process of the same group that keeps the pipes and never ends

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

#include "base/json.hpp"
#include "protocol/message.hpp"

namespace {

using dbackup::host::dump_json;
using dbackup::host::Json;

constexpr int kEvents = 3;
constexpr int kBulk = 4;

void write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(fd, text.data(), text.size());
    if (count < 0) ::_exit(9);
    text.remove_prefix(static_cast<size_t>(count));
  }
}

[[noreturn]] void hang() {
  for (;;) ::pause();
}

class FakeWorker {
 public:
  explicit FakeWorker(Json script) : script_(std::move(script)) {}

  int run() {
    if (script_.value("greeting", Json(true)) == true) {
      write_all(kEvents, dump_json(dbackup::host::protocol::greeting("0")) + '\n');
    }
    std::string line;
    while (std::getline(std::cin, line)) {
      const Json request = Json::parse(line);
      if (request.contains("protocol") || request.at("op") == "cancel") continue;
      if (script_.contains("record")) {
        // In one write: several workers record at once.
        std::ofstream{script_.at("record").get<std::string>(), std::ios::app} << line + '\n' << std::flush;
      }
      id_ = request.at("id").get<std::string>();
      const auto steps = script_.at("ops").find(request.at("op").get<std::string>());
      if (steps == script_.at("ops").end()) {
        emit("error", {{"code", 12}, {"message", "the script has no such operation"}});
        continue;
      }
      for (const Json& step : *steps) take(step);
    }
    return 0;
  }

 private:
  void emit(const std::string& event, const Json& data) {
    write_all(kEvents, dump_json({{"id", id_}, {"event", event}, {"seq", ++seq_}, {"at", 1}, {"data", data}}) + '\n');
  }

  static Json next_line() {
    std::string line;
    if (!std::getline(std::cin, line)) ::_exit(0);
    return Json::parse(line);
  }

  void reserve(const std::string& path) {
    for (int n = 1;; ++n) {
      emit("reserve", {{"path", n == 1 ? path : path + "-" + std::to_string(n)}});
      if (next_line().at("accept") == true) return;
    }
  }

  void take(const Json& step) {
    const std::string what = step.begin().key();
    const Json& value = step.begin().value();
    if (step.contains("event")) {
      emit(step.at("event").get<std::string>(), step.at("data"));
    } else if (what == "result" || what == "error") {
      emit(what, value);
    } else if (what == "raw") {
      write_all(kEvents, value.get<std::string>());
    } else if (what == "print") {
      write_all(1, value.get<std::string>());
    } else if (what == "fill") {
      write_all(kEvents, std::string(value.get<size_t>(), 'x'));
    } else if (what == "bulk") {
      write_all(kBulk, value.get<std::string>());
    } else if (what == "reserve") {
      reserve(value.get<std::string>());
    } else if (what == "exit") {
      ::_exit(value.get<int>());
    } else if (what == "signal") {
      ::signal(value.get<int>(), SIG_DFL);
      ::raise(value.get<int>());
    } else if (what == "hang") {
      hang();
    } else if (what == "await_cancel") {
      while (next_line().value("op", "") != "cancel") {
      }
    } else if (what == "await_file") {
      while (::access(value.get<std::string>().c_str(), F_OK) != 0) ::poll(nullptr, 0, 2);
    } else if (what == "close_events") {
      ::close(kEvents);
    } else if (what == "child") {
      if (::fork() == 0) hang();
    }
  }

  Json script_;
  std::string id_;
  int seq_ = 0;
};

}  // namespace

int main(int count, char** words) {
  if (count < 2) return 2;
  std::ifstream in{words[1]};
  const std::string text{std::istreambuf_iterator<char>{in}, {}};
  return FakeWorker{Json::parse(text)}.run();
}
