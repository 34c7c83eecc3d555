// Many clients, and too few descriptors.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cstdlib>
#include <filesystem>

#include "tests/api/http_test_server.hpp"
#include "tests/support/raw_http_client.hpp"

namespace dbackup::test {
namespace {

TEST(HttpLoad, ThreeHundredIdleConnectionsCostNothing) {
  TestServer server;
  std::vector<std::unique_ptr<RawHttpClient>> idle;
  for (int i = 0; i < 300; ++i) {
    idle.push_back(std::make_unique<RawHttpClient>(server.port()));
    if (i % 2 == 0) {
      ASSERT_TRUE(idle.back()->ask(raw_get("/health")));
    }
  }
  ASSERT_TRUE(eventually([&] { return server.server.connections() == 300; }));
  const auto cpu_before = cpu_time();
  for (int i = 0; i < 100; ++i) {
    RawHttpClient client{server.port()};
    ASSERT_TRUE(client.ask(raw_get("/quick?id=1")));
  }
  EXPECT_LT(cpu_time() - cpu_before, std::chrono::milliseconds{1000});
  for (auto& client : idle) ASSERT_TRUE(client->ask(raw_get("/quick?id=2")));
}

TEST(HttpLoad, ConnectionsOverTheLimitAreClosedAndRoomIsFoundAgain) {
  auto options = quick_options();
  options.max_connections = 10;
  TestServer server{options};
  std::vector<std::unique_ptr<RawHttpClient>> clients;
  for (int i = 0; i < 10; ++i) {
    clients.push_back(std::make_unique<RawHttpClient>(server.port()));
    ASSERT_TRUE(clients.back()->ask(raw_get("/health")));
  }
  RawHttpClient refused{server.port()};
  EXPECT_TRUE(refused.closed_by_peer());
  clients.pop_back();
  ASSERT_TRUE(eventually([&] { return server.server.connections() == 9; }));
  RawHttpClient admitted{server.port()};
  EXPECT_TRUE(admitted.ask(raw_get("/health")));
}

TEST(HttpLoad, RecoversFromDescriptorExhaustion) {
  TestServer server;
  RawHttpClient before{server.port()};
  ASSERT_TRUE(before.ask(raw_get("/health")));
  RawHttpClient queued{server.port(), {.patience = std::chrono::milliseconds{20'000}}};
  ASSERT_TRUE(queued.ask(raw_get("/health")));
  // The limit falls to what is open, so that neither accepting nor a copy of the descriptor
  // succeeds.
  rlimit normal{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &normal), 0);
  std::vector<host::UniqueFd> fill;
  const rlimit low{.rlim_cur = 512, .rlim_max = normal.rlim_max};
  std::vector<std::unique_ptr<RawHttpClient>> late;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
  for (;;) {
    host::UniqueFd copy{::fcntl(0, F_DUPFD_CLOEXEC, 3)};
    if (!copy) break;
    fill.push_back(std::move(copy));
  }
  ASSERT_FALSE(fill.empty());
  fill.pop_back();  // for the client's own socket: the server finds none for its side
  late.push_back(std::make_unique<RawHttpClient>(server.port()));
  EXPECT_TRUE(before.ask(raw_get("/quick?id=1"))) << "clients that are in are served";
  late.back()->send(raw_get("/health"));
  fill.clear();
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &normal), 0);
  // The waiting one is taken in, or was refused in between; either way the next one is served.
  const auto answer = late.back()->read_response();
  if (answer) {
    EXPECT_EQ(answer->status, 200);
  }
  RawHttpClient after{server.port()};
  EXPECT_TRUE(after.ask(raw_get("/health")));
}

TEST(HttpLoad, DescriptorsAreNotLeftToChildren) {
  TestServer server;
  RawHttpClient client{server.port()};
  ASSERT_TRUE(client.ask(raw_get("/health")));
  for (const auto& entry : std::filesystem::directory_iterator{"/proc/self/fd"}) {
    std::error_code error;
    const std::string target = std::filesystem::read_symlink(entry.path(), error).string();
    const bool of_ours = target.starts_with("socket:") || target.starts_with("anon_inode:[event") ||
                         target.starts_with("anon_inode:[timer");
    const int fd = std::atoi(entry.path().filename().c_str());
    const int flags = ::fcntl(fd, F_GETFD);
    if (fd > 2 && of_ours && flags >= 0) {
      EXPECT_TRUE(flags & FD_CLOEXEC) << fd << " is " << target;
    }
  }
}

}  // namespace
}  // namespace dbackup::test
