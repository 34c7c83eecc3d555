#include "base/logging.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <thread>

#include "base/json.hpp"

namespace dbackup::host {
namespace {

std::string written(const LogOptions& options, const std::function<void()>& write) {
  set_up_logging(options);
  ::testing::internal::CaptureStderr();
  write();
  std::string lines = ::testing::internal::GetCapturedStderr();
  set_up_logging({.level = LogLevel::Warning});
  return lines;
}

TEST(LogContext, NamesTheRequestUntilItEnds) {
  const std::string lines = written({}, [] {
    {
      const LogContext outer{"r-1"};
      log_info("one");
      {
        const LogContext inner{"r-2"};
        log_info("two");
      }
      log_info("three");
      std::thread{[] { log_info("four"); }}.join();
      std::thread{[request = LogContext::current()] {
        const LogContext context{request};
        log_info("five");
      }}.join();
    }
    log_info("six");
  });
  for (const char* part : {"[r-1] one\n", "[r-2] two\n", "[r-1] three\n", "[r-1] five\n"}) {
    EXPECT_NE(lines.find(part), std::string::npos) << part << lines;
  }
  EXPECT_EQ(lines.find("] four"), std::string::npos);
  EXPECT_EQ(lines.find("] six"), std::string::npos);
}

TEST(LogContext, IsAMemberOfItsOwnInJson) {
  const std::string line = written({.json = true}, [] {
    const LogContext context{"r-1"};
    log_info("a \"quoted\" word\nand more");
  });
  const Json entry = Json::parse(line);
  EXPECT_EQ(entry["request"], "r-1");
  EXPECT_EQ(entry["message"], "a \"quoted\" word\nand more");
}

}  // namespace
}  // namespace dbackup::host
