#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace dbackup::host {

/// A stage of a run and the part of its progress that it covers, in percent.
struct StageRow {
  std::string_view type;  ///< Execution::type
  std::string_view stage;
  int64_t first, last;
};

/// nullptr for a stage that the table does not know.
const StageRow* find_stage(std::string_view type, std::string_view stage) noexcept;

/// 1536 → "1.5 KB": base 1024, up to two decimals.
std::string size_text(int64_t bytes);
/// "1.5 KB / 3 KB", or only what is done when the total is not known.
std::string bytes_text(int64_t done, int64_t total);

}  // namespace dbackup::host
