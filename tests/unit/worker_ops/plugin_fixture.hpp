#pragma once

#include <gtest/gtest.h>

#include <mutex>
#include <string>
#include <vector>

#include "tests/support/worker/test_files.hpp"
#include "worker/plugin/call_context.hpp"
#include "worker/plugin/plugin_library.hpp"

namespace dbackup::test {

/// Keeps the lines.
class RecordingJournal final : public host::Journal {
 public:
  void log(const host::LogLine& line) noexcept override {
    const std::lock_guard lock{mutex_};
    lines_.emplace_back(line.message);
  }
  void progress(uint64_t, uint64_t) noexcept override {}
  std::vector<std::string> lines() const {
    const std::lock_guard lock{mutex_};
    return lines_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

}  // namespace dbackup::test
