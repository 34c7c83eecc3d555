#include "services/cron_syntax.hpp"

#include <charconv>
#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"

namespace dbackup::host {
namespace {

constexpr std::string_view kMonths[] = {"JAN", "FEB", "MAR", "APR", "MAY", "JUN",
                                        "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"};
constexpr std::string_view kDays[] = {"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"};

struct FieldRule {
  std::string_view name;
  int minimum, maximum;
  std::span<const std::string_view> names = {};
  int first_name = 0;
};
constexpr FieldRule kFields[] = {
    {"second", 0, 59},
    {"minute", 0, 59},
    {"hour", 0, 23},
    {"day of month", 1, 31},
    {"month", 1, 12, kMonths, 1},
    {"day of week", 0, 7, kDays, 0},
};

[[noreturn]] void bad(const FieldRule& rule, std::string_view text) {
  throw Error(ErrorCode::InvalidArgument,
              "\"schedule\": \"" + std::string{text} + "\" is no valid " + std::string{rule.name});
}

std::vector<std::string_view> split(std::string_view text, std::string_view separators) {
  std::vector<std::string_view> out;
  size_t start = 0;
  while (start <= text.size()) {
    const size_t end = std::min(text.find_first_of(separators, start), text.size());
    out.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  return out;
}

int number(const FieldRule& rule, std::string_view text, std::string_view whole) {
  int value = -1;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (status == std::errc{} && end == text.data() + text.size() && text.front() != '-')
    return value;
  std::string upper{text};
  for (char& c : upper) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  // Whole names are as good as their first three letters.
  const std::string_view key = std::string_view{upper}.substr(0, 3);
  for (size_t i = 0; i < rule.names.size() && text.size() >= 3 && text.size() <= 9; ++i) {
    if (rule.names[i] == key) return rule.first_name + static_cast<int>(i);
  }
  bad(rule, whole);
}

int value(const FieldRule& rule, std::string_view text, std::string_view whole) {
  if (text.empty()) bad(rule, whole);
  const int found = number(rule, text, whole);
  if (found < rule.minimum || found > rule.maximum) bad(rule, whole);
  return found;
}

void check_item(const FieldRule& rule, std::string_view item) {
  const auto parts = split(item, "/");
  if (parts.size() > 2 || parts[0].empty()) bad(rule, item);
  if (parts.size() == 2) {
    int step = 0;
    const auto& text = parts[1];
    const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), step);
    if (status != std::errc{} || end != text.data() + text.size() || step < 1) bad(rule, item);
  }
  if (parts[0] == "*" || parts[0] == "?") return;
  const auto ends = split(parts[0], "-");
  if (ends.size() > 2) bad(rule, item);
  const int first = value(rule, ends[0], item);
  if (ends.size() == 2 && value(rule, ends[1], item) < first) bad(rule, item);
}

}  // namespace

void check_cron_syntax(std::string_view expression) {
  std::vector<std::string_view> fields;
  for (const auto field : split(expression, " \t")) {
    if (!field.empty()) fields.push_back(field);
  }
  if (fields.size() != 5 && fields.size() != 6) {
    throw Error(ErrorCode::InvalidArgument,
                "\"schedule\" must be a cron expression of five fields, or six with seconds first");
  }
  const size_t skipped = 6 - fields.size();
  for (size_t i = 0; i < fields.size(); ++i) {
    for (const auto item : split(fields[i], ",")) check_item(kFields[i + skipped], item);
  }
}

}  // namespace dbackup::host
