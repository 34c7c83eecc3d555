#pragma once

#include <gmock/gmock.h>

#include <csignal>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>

#include "tests/support/paths.hpp"
#include "tests/support/ssh_server.hpp"
#include "tests/unit/worker_ops/plugin_fixture.hpp"
#include "worker/plugin/source_proxy.hpp"

namespace dbackup::test {

class StringSink final : public host::ByteSink {
 public:
  void write(host::Bytes bytes) override {
    text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (on_write) on_write(text.size());
  }
  void finish() override {}
  void abort(const host::Cause&) noexcept override {}

  std::string text;
  std::function<void(size_t)> on_write;
};

/// Hands out a text and calls `in_the_middle` once, after half of it.
class HalfwaySource final : public host::ByteSource {
 public:
  HalfwaySource(std::string_view text, std::function<void()> in_the_middle)
      : first_{text.substr(0, text.size() / 2)},
        second_{text.substr(text.size() / 2)},
        in_the_middle_{std::move(in_the_middle)} {}
  size_t read(std::span<std::byte> buffer) override {
    if (const size_t n = first_.read(buffer)) return n;
    if (in_the_middle_) std::exchange(in_the_middle_, nullptr)();
    return second_.read(buffer);
  }
  bool reached_end() const override { return second_.reached_end(); }

 private:
  host::TextSource first_, second_;
  std::function<void()> in_the_middle_;
};

/// Sources whose machine is a real sshd.
class SshSource : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    ::signal(SIGPIPE, SIG_IGN);  // as the worker does
    ssh_ = new dbackup::testing::SshServer;
  }
  static void TearDownTestSuite() {
    delete ssh_;
    ssh_ = nullptr;
  }

  host::protocol::AdapterRef ref(const std::string& plugin, host::Json config) const {
    return {
        .plugin_path = binary_dir() + "/lib/dbackup/plugins/" + plugin + ".so",
        .adapter_id = plugin,
        .config = std::move(config),
        .ssh = {.policy = "strict", .known = {{.type = "", .fingerprint = ssh_->fingerprint()}}}};
  }
  std::unique_ptr<host::SourceProxy> open(const host::protocol::AdapterRef& ref) {
    return std::make_unique<host::SourceProxy>(ref, journal_, host::CancelToken{});
  }
  /// What a body fails with; InvalidArgument "nothing" when it does not.
  static host::Error failure(const std::function<void()>& body) {
    try {
      body();
    } catch (const host::Error& error) {
      return error;
    }
    return host::Error(host::ErrorCode::InvalidArgument, "nothing");
  }

  inline static dbackup::testing::SshServer* ssh_ = nullptr;
  RecordingJournal journal_;
};

}  // namespace dbackup::test
