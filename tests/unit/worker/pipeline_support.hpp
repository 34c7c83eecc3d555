#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "worker/pipeline/fan_out.hpp"
#include "worker/pipeline/stage.hpp"

extern char** environ;

namespace dbackup::host::test {

inline Bytes bytes_of(const std::string& text) { return std::as_bytes(std::span{text}); }

/// What a sink received, and how its stream ended.
struct Received {
  std::string bytes;
  std::atomic<bool> finished{false};
  Cause aborted;
};

class CollectSink final : public ByteSink {
 public:
  explicit CollectSink(Received& received) : received_{received} {}
  void write(Bytes bytes) override {
    received_.bytes.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  void finish() override { received_.finished = true; }
  void abort(const Cause& cause) noexcept override {
    const std::lock_guard lock{mutex_};
    if (!received_.aborted) received_.aborted = cause;
  }

 private:
  std::mutex mutex_;  // abort() may come from any thread
  Received& received_;
};

/// A consumer's thread, reading until the end or an error.
class ReadingThread {
 public:
  explicit ReadingThread(PipeReader& reader) : thread_{[this, &reader] { run(reader); }} {}
  ~ReadingThread() { join(); }
  void join() {
    if (thread_.joinable()) thread_.join();
  }

  std::string bytes;  // these four after join()
  bool reached_end = false;
  Cause cause;

 private:
  void run(PipeReader& reader) {
    try {
      for (Bytes at_hand = reader.peek(); !at_hand.empty(); at_hand = reader.peek()) {
        bytes.append(reinterpret_cast<const char*>(at_hand.data()), at_hand.size());
        reader.consume(at_hand.size());
      }
      reached_end = true;
    } catch (...) {
      cause = current_cause();
      reader.fail(cause);
    }
  }
  std::thread thread_;
};

/// Text that compresses about as well as a dump does; the same for the same seed.
inline std::string dump_like(size_t size, unsigned seed = 1) {
  std::mt19937 random{seed};
  std::string text;
  while (text.size() < size) {
    text += std::to_string(random() % 100000) + "\tcustomer " + std::to_string(random() % 500) +
            "\t2024-05-" + std::to_string(random() % 28 + 1) + "\tpending\n";
  }
  text.resize(size);
  return text;
}

inline std::string random_text(size_t size, unsigned seed = 1) {
  std::mt19937 random{seed};
  std::string text(size, '\0');
  for (char& c : text) c = static_cast<char>(random());
  return text;
}

/// Writes `text` in pieces of 1 to `largest` bytes.
inline void write_split(ByteSink& sink, const std::string& text, size_t largest,
                        unsigned seed = 1) {
  std::mt19937 random{seed};
  Bytes left = bytes_of(text);
  while (!left.empty()) {
    const size_t count = std::min<size_t>(left.size(), random() % largest + 1);
    sink.write(left.first(count));
    left = left.subspan(count);
  }
}

/// Runs a program over files: its exit status and what it wrote.
struct ProgramResult {
  int status = -1;
  std::string output;
};

inline ProgramResult run_program(const std::vector<std::string>& argv, const std::string& input) {
  std::string folder =
      (std::filesystem::temp_directory_path() / "dbackup-pipeline-XXXXXX").string();
  if (!::mkdtemp(folder.data())) return {};
  const std::string in = folder + "/in";
  const std::string out = folder + "/out";
  std::ofstream{in, std::ios::binary} << input;
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, 0, in.c_str(), O_RDONLY, 0);
  ::posix_spawn_file_actions_addopen(&actions, 1, out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  std::vector<char*> raw;
  for (const std::string& argument : argv) raw.push_back(const_cast<char*>(argument.c_str()));
  raw.push_back(nullptr);
  pid_t pid = 0;
  ProgramResult result;
  if (::posix_spawnp(&pid, raw[0], &actions, nullptr, raw.data(), environ) == 0) {
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    result.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
    std::ifstream file{out, std::ios::binary};
    result.output.assign(std::istreambuf_iterator<char>{file}, {});
  }
  ::posix_spawn_file_actions_destroy(&actions);
  std::filesystem::remove_all(folder);
  return result;
}

/// The code of the Error that `body` throws; nullopt when it throws none.
template <class Body>
std::optional<ErrorCode> error_of(Body&& body) {
  try {
    body();
    return std::nullopt;
  } catch (const Error& error) {
    return error.code();
  }
}

}  // namespace dbackup::host::test
