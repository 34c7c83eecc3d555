#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "s3_test_base.hpp"

namespace dbackup::tests {
namespace {

using testing::FakeCall;
using testing::MemoryReader;
using testing::Outcome;

/// A put in a process of its own, killed as a crash would once `reached`.
class S3Crash : public S3Test {
 protected:
  void crash_put(const std::string& path, const std::string& token, size_t size,
                 const std::function<bool()>& reached) {
    (void)server();
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      const auto storage = open();
      FakeCall call;
      MemoryReader in{pseudo_random(size), {.most_bytes = 1 << 16}};
      in.before_read([&](uint64_t nth) {
        if (nth == size / (1 << 16)) ::pause();  // the stream never ends
      });
      (void)storage.run(storage.table().put, call, {{"path", path}, {"token", token}}, in);
      ::_exit(1);
    }
    EXPECT_TRUE(server().wait_until(reached));
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status)) << "the put ended before it was killed";
    server().clear();
  }
};

TEST_F(S3Crash, IsFoundByTheTokenAlone) {
  crash_put("jobs/a/big", "token-1", 30 * kMiB, [&] { return parts_stored() >= 3; });
  crash_put("jobs/b/big", "token-2", 30 * kMiB, [&] { return parts_stored() >= 6; });
  server().restart();
  const auto storage = open();
  EXPECT_TRUE(list(storage).empty());
  EXPECT_EQ(cleanup(storage, "token"), 0u) << "another token's begin";
  EXPECT_EQ(cleanup(storage, "token-1"), 1u);
  const Json state = server().state();
  ASSERT_EQ(state.at("uploads").size(), 1u) << "an upload of another token was aborted";
  EXPECT_EQ(state.at("uploads").begin()->at("key"), "some/prefix/jobs/b/big");
  EXPECT_EQ(cleanup(storage, "token-1"), 0u);
  EXPECT_EQ(cleanup(storage, "token-2"), 1u);
  expect_nothing_stored("after both clean-ups");
}

TEST_F(S3Crash, BetweenBeginAndNoteIsFoundToo) {
  server().fail({{"method", "PUT"}, {"path", ".dbackup/uploads"}, {"skip", 1}, {"action", "hold"}});
  crash_put("big", "token-1", 30 * kMiB, [&] { return caught("hold"); });
  const auto storage = open();
  ASSERT_EQ(server().state().at("uploads").size(), 1u);
  EXPECT_EQ(cleanup(storage), 1u);
  expect_nothing_stored("after the clean-up");
}

TEST_F(S3Crash, CostsNoForeignUploadOfTheSameKey) {
  // Somebody else's upload: with parts, and without a marker that we could read.
  crash_put("big", "foreign", 30 * kMiB, [&] { return parts_stored() >= 3; });
  const Json state = server().state();
  for (const auto& [key, object] : state.at("objects").items()) server().uproot(key);
  server().fail({{"method", "PUT"}, {"path", ".dbackup/uploads"}, {"skip", 1}, {"action", "hold"}});
  crash_put("big", "token-1", 30 * kMiB, [&] { return caught("hold"); });
  ASSERT_EQ(server().state().at("uploads").size(), 2u);
  EXPECT_EQ(cleanup(open()), 1u);
  ASSERT_EQ(server().state().at("uploads").size(), 1u);
  EXPECT_GE(parts_stored(), 3u) << "the wrong one was aborted";
}

class S3Transport : public S3Test {
 protected:
  testing::ChildServer files_{"s3-tls"};
  const std::string certificate_ = files_.folder() / "certificate.pem";

  void use_tls() {
    const std::string key = files_.folder() / "key.pem";
    files_.run({"/usr/bin/openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out", certificate_,
                "-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"});
    server_config_["certificate"] = certificate_;
    server_config_["key"] = key;
  }
};

TEST_F(S3Transport, TriesAgainWhenAHandshakeIsCutOff) {
  use_tls();
  server_config_["cut_handshakes"] = 2;
  const auto storage = open({{"caFile", certificate_}});
  const Outcome stored = put(storage, "small", "x");
  EXPECT_TRUE(stored.ok()) << stored.text();
  server().configure({{"cut_handshakes", 1000}});
  const Outcome refused = put(open({{"caFile", certificate_}}), "other", "x");
  EXPECT_EQ(refused.status, DBACKUP_FAILED_PRECONDITION) << "it is tried a few times only";
}

TEST_F(S3Transport, TrustsNoUnknownCertificate) {
  use_tls();
  FakeCall call;
  EXPECT_EQ(open().test(call).status, DBACKUP_FAILED_PRECONDITION);
  const auto storage = open({{"caFile", certificate_}});
  const std::string content = pseudo_random(11 * kMiB);
  ASSERT_TRUE(put(storage, "big", content).ok());
  std::string back;
  ASSERT_TRUE(get(storage, "big", back).ok());
  EXPECT_TRUE(back == content);
}

/// The most memory this process has had, in KiB.
size_t peak_kib() {
  std::ifstream status{"/proc/self/status"};
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::stoul(line.substr(6));
  }
  return 0;
}

/// A stream of any length that costs no memory.
struct Endless {
  explicit Endless(uint64_t size) : left{size} {}
  static int64_t read(void* ctx, void* buffer, uint64_t size) noexcept {
    auto& me = *static_cast<Endless*>(ctx);
    const uint64_t n = std::min({size, me.left, uint64_t{1} << 18});
    std::memset(buffer, static_cast<int>(me.left >> 18), n);
    me.left -= n;
    return static_cast<int64_t>(n);
  }
  uint64_t left;
  dbackup_reader raw_{sizeof(dbackup_reader), this, &read};
  const dbackup_reader* raw() const noexcept { return &raw_; }
};

TEST_F(S3Transport, NeedsNoMoreMemoryForALargerObject) {
  if (std::getenv("DBACKUP_TEST_LONG") == nullptr) GTEST_SKIP() << "stores a gigabyte";
  const auto storage = open({{"partSizeMiB", 8}, {"memoryMiB", 64}});
  size_t peaks[2] = {};
  for (const int n : {0, 1}) {
    FakeCall call;
    Endless in{n == 0 ? uint64_t{200'000'000} : uint64_t{1'000'000'000}};
    const Outcome outcome = storage.run(storage.table().put, call,
                                        {{"path", std::to_string(n)}, {"token", "token-1"}}, in);
    ASSERT_TRUE(outcome.ok()) << outcome.text();
    peaks[n] = peak_kib();
  }
  EXPECT_LT(peaks[1], peaks[0] + 4096) << peaks[0] << " KiB for 200 MB";
  EXPECT_LT(peaks[1], 64u * 1024 + 40u * 1024);
  RecordProperty("peak_kib", static_cast<int>(peaks[1]));
}

}  // namespace
}  // namespace dbackup::tests
