#include "control/stage_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "control/execution_recorder.hpp"

namespace dbackup::host {
namespace {

constexpr std::array kStages{
    StageRow{"Backup", "Queued", 0, 0},
    StageRow{"Backup", "Initializing", 0, 5},
    StageRow{"Backup", "Dumping Databases", 5, 25},
    StageRow{"Backup", "Collecting Files", 25, 45},
    StageRow{"Backup", "Processing", 45, 65},
    StageRow{"Backup", "Uploading", 65, 88},
    StageRow{"Backup", "Verifying", 88, 92},
    StageRow{"Backup", "Applying Retention", 92, 97},
    StageRow{"Backup", "Sending Notifications", 97, 100},
    StageRow{"Backup", "Completed", 100, 100},
    StageRow{"Restore", "Queued", 0, 0},
    StageRow{"Restore", "Initializing", 0, 5},
    StageRow{"Restore", "Downloading", 5, 95},
    StageRow{"Restore", "Decrypting", 5, 95},
    StageRow{"Restore", "Decompressing", 5, 95},
    StageRow{"Restore", "Restoring Databases", 5, 100},
    StageRow{"Restore", "Restoring Files", 5, 100},
    StageRow{"Restore", "Completed", 100, 100},
    StageRow{"Verification", "Queued", 0, 0},
    StageRow{"Verification", "Initializing", 0, 5},
    StageRow{"Verification", "Verifying", 5, 95},
    StageRow{"Verification", "Completed", 100, 100},
};

}  // namespace

const StageRow* find_stage(std::string_view type, std::string_view stage) noexcept {
  const auto found = std::find_if(kStages.begin(), kStages.end(), [&](const StageRow& row) {
    return row.type == type && row.stage == stage;
  });
  return found == kStages.end() ? nullptr : &*found;
}

int64_t overall_progress(const std::string& type, const std::string& stage, int64_t done, int64_t total) {
  const StageRow* row = find_stage(type, stage);
  if (row == nullptr) return 0;
  if (total <= 0 || done <= 0) return row->first;
  const double part = std::min(1.0, static_cast<double>(done) / static_cast<double>(total));
  // 100 means that the run has ended.
  return std::min<int64_t>(row->first + static_cast<int64_t>(part * static_cast<double>(row->last - row->first)),
                           row->first == 100 ? 100 : 99);
}

std::string size_text(int64_t bytes) {
  constexpr std::array kUnits{"Bytes", "KB", "MB", "GB", "TB"};
  double value = static_cast<double>(bytes);
  size_t unit = 0;
  while (value >= 1024.0 && unit + 1 < kUnits.size()) {
    value /= 1024.0;
    ++unit;
  }
  std::string number = fmt::format("{:.2f}", value);
  number.erase(number.find_last_not_of('0') + 1);
  if (number.back() == '.') number.pop_back();
  return number + " " + kUnits[unit];
}

std::string bytes_text(int64_t done, int64_t total) {
  return total > 0 ? size_text(done) + " / " + size_text(total) : size_text(done);
}

}  // namespace dbackup::host
