#include "control/naming.hpp"

#include <fmt/format.h>

#include <array>
#include <ctime>
#include <optional>
#include <string_view>

#include "base/encoding.hpp"
#include "control/time_zone.hpp"
#include "model/backup_name.hpp"

namespace dbackup::host {
namespace {

constexpr const char* kStandardPattern = "{job_name}_yyyy-MM-dd_HH-mm-ss";
constexpr std::array kMonths{"January", "February", "March",     "April",   "May",      "June",
                             "July",    "August",   "September", "October", "November", "December"};

struct DateToken {
  std::string_view token;
  std::string (*text)(const std::tm&);
};
// Longer tokens first: MMMM is not MM twice.
constexpr std::array kDateTokens{
    DateToken{"yyyy", [](const std::tm& t) { return fmt::format("{:04}", t.tm_year + 1900); }},
    DateToken{"MMMM", [](const std::tm& t) { return std::string(kMonths[static_cast<size_t>(t.tm_mon)]); }},
    DateToken{"MMM", [](const std::tm& t) { return std::string(kMonths[static_cast<size_t>(t.tm_mon)], 3); }},
    DateToken{"MM", [](const std::tm& t) { return fmt::format("{:02}", t.tm_mon + 1); }},
    DateToken{"dd", [](const std::tm& t) { return fmt::format("{:02}", t.tm_mday); }},
    DateToken{"HH", [](const std::tm& t) { return fmt::format("{:02}", t.tm_hour); }},
    DateToken{"mm", [](const std::tm& t) { return fmt::format("{:02}", t.tm_min); }},
    DateToken{"ss", [](const std::tm& t) { return fmt::format("{:02}", t.tm_sec); }},
};

bool is_separator(char c) { return c == '_' || c == '-'; }

std::string expand(std::string_view pattern, const NameValues& values, const std::tm& time) {
  const std::string database = values.database.empty() ? "all" : values.database;
  std::string out;
  while (!pattern.empty()) {
    size_t taken = 0;
    if (pattern.starts_with("{job_name}")) {
      out += values.job_name;
      taken = 10;
    } else if (pattern.starts_with("{db_name}")) {
      out += database;
      taken = 9;
    } else if (pattern.starts_with("{chain}")) {
      taken = 7;
      const bool separated_after = pattern.size() > taken && is_separator(pattern[taken]);
      if (!out.empty() && is_separator(out.back())) {
        out.pop_back();
      } else if (separated_after) {
        ++taken;
      }
    } else {
      for (const auto& row : kDateTokens) {
        if (!pattern.starts_with(row.token)) continue;
        out += row.text(time);
        taken = row.token.size();
        break;
      }
    }
    if (taken == 0) {
      out += pattern.front();
      taken = 1;
    }
    pattern.remove_prefix(taken);
  }
  return out;
}

}  // namespace

std::string expand_pattern(const std::string& pattern, const NameValues& given) {
  const std::tm time = local_time(given.at, given.time_zone);
  NameValues values = given;
  for (;;) {
    std::string out = expand(pattern, values, time);
    if (out.empty()) out = expand(kStandardPattern, values, time);
    if (encode_path_component(out).size() <= kMostStemBytes) return out;
    // Names give way, so that the time is never what is cut off.
    std::string& longer =
        values.database.size() > values.job_name.size() ? values.database : values.job_name;
    if (longer.size() < 2) return out;
    do longer.pop_back();
    while (longer.size() > 1 && !is_text(longer));  // whole characters only
  }
}

}  // namespace dbackup::host
