#include <charconv>
#include <span>
#include <vector>

#include "base/error.hpp"
#include "control/cron.hpp"

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
  bool wraps_to_seven = false;  ///< Sunday ends a range as 7
};
constexpr FieldRule kFields[] = {
    {"second", 0, 59},
    {"minute", 0, 59},
    {"hour", 0, 23},
    {"day of month", 1, 31},
    {"month", 1, 12, kMonths, 1},
    {"day of week", 0, 7, kDays, 0, true},
};

constexpr std::pair<std::string_view, std::string_view> kMacros[] = {
    {"@yearly", "0 0 1 1 *"}, {"@annually", "0 0 1 1 *"}, {"@monthly", "0 0 1 * *"},
    {"@weekly", "0 0 * * 0"}, {"@daily", "0 0 * * *"},    {"@midnight", "0 0 * * *"},
    {"@hourly", "0 * * * *"},
};

/// Days of the longest February and so on.
constexpr unsigned kLongest[] = {0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

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

std::string upper(std::string_view text) {
  std::string out{text};
  for (char& c : out) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return out;
}

std::optional<int> number(std::string_view text) {
  int value = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (status != std::errc{} || end != text.data() + text.size() || text.front() == '-')
    return std::nullopt;
  return value;
}

}  // namespace

class CronParser {
 public:
  explicit CronParser(std::string_view field) : field_{field} {}

  CronSchedule read(std::string_view expression) {
    for (const auto& [macro, stands_for] : kMacros) {
      if (expression == macro) expression = stands_for;
    }
    std::vector<std::string_view> fields;
    for (const auto field : split(expression, " \t")) {
      if (!field.empty()) fields.push_back(field);
    }
    if (fields.size() != 5 && fields.size() != 6) {
      bad("must be a cron expression of five fields, or six with seconds first");
    }
    CronSchedule out;
    const bool has_seconds = fields.size() == 6;
    if (!has_seconds) out.seconds_.set(0);
    size_t at = 0;
    if (has_seconds) read_field(out.seconds_, kFields[0], fields[at++]);
    read_field(out.minutes_, kFields[1], fields[at++]);
    read_field(out.hours_, kFields[2], fields[at++]);
    const std::string_view days = fields[at];
    out.any_day_ = read_field(out.days_, kFields[3], fields[at++]);
    const std::string_view months = fields[at];
    read_field(out.months_, kFields[4], fields[at++]);
    out.any_weekday_ = read_field(out.weekdays_, kFields[5], fields[at]);
    if (out.weekdays_.test(7)) out.weekdays_.set(0).reset(7);
    if (!out.any_day_ && out.any_weekday_ && !has_day(out)) {
      bad("never fires: the day of month \"" + std::string{days} + "\" does not occur in the month \"" +
          std::string{months} + "\"");
    }
    return out;
  }

 private:
  [[noreturn]] void bad(const std::string& text) const {
    throw Error(ErrorCode::InvalidArgument, "\"" + std::string{field_} + "\" " + text);
  }
  [[noreturn]] void bad(const FieldRule& rule, std::string_view text) const {
    bad("is no valid schedule: \"" + std::string{text} + "\" is no valid " + std::string{rule.name} +
        " (" + std::to_string(rule.minimum) + "-" + std::to_string(rule.maximum) + ")");
  }

  static bool has_day(const CronSchedule& schedule) {
    for (unsigned month = 1; month <= 12; ++month) {
      for (unsigned day = 1; schedule.months_.test(month) && day <= kLongest[month]; ++day) {
        if (schedule.days_.test(day)) return true;
      }
    }
    return false;
  }

  int value(const FieldRule& rule, std::string_view text, std::string_view whole) const {
    if (text.empty()) bad(rule, whole);
    if (const auto digits = number(text)) {
      if (*digits < rule.minimum || *digits > rule.maximum) bad(rule, whole);
      return *digits;
    }
    // Whole names are as good as their first three letters.
    const std::string key = upper(text.substr(0, 3));
    for (size_t i = 0; i < rule.names.size() && text.size() >= 3 && text.size() <= 9; ++i) {
      if (rule.names[i] == key) return rule.first_name + static_cast<int>(i);
    }
    bad(rule, whole);
  }

  template <size_t kSize>
  void read_item(std::bitset<kSize>& out, const FieldRule& rule, std::string_view item) const {
    const auto parts = split(item, "/");
    if (parts.size() > 2 || parts[0].empty()) bad(rule, item);
    int step = 1;
    if (parts.size() == 2) {
      const auto given = parts[1].empty() ? std::nullopt : number(parts[1]);
      if (!given || *given < 1) bad(rule, item);
      step = *given;
    }
    int first = rule.minimum;
    int last = rule.wraps_to_seven ? 6 : rule.maximum;
    if (parts[0] != "*" && parts[0] != "?") {
      const auto ends = split(parts[0], "-");
      if (ends.size() > 2) bad(rule, item);
      first = value(rule, ends[0], item);
      if (ends.size() == 2) {
        last = value(rule, ends[1], item);
        if (last == 0 && rule.wraps_to_seven && first > 0) last = 7;
        if (last < first) bad(rule, item);
      } else if (parts.size() == 1) {
        last = first;
      }
    }
    last = std::max(first, last);
    // Without this a step beyond the field would overflow.
    step = std::min(step, rule.maximum + 1);
    for (int each = first; each <= last; each += step) out.set(static_cast<size_t>(each));
  }

  /// True when the field does not restrict anything, by how it is written.
  template <size_t kSize>
  bool read_field(std::bitset<kSize>& out, const FieldRule& rule, std::string_view text) const {
    for (const auto item : split(text, ",")) read_item(out, rule, item);
    return text == "*" || text == "?" || text == "*/1";
  }

  std::string_view field_;
};

CronSchedule CronSchedule::parse(std::string_view expression, std::string_view field) {
  return CronParser{field}.read(expression);
}

}  // namespace dbackup::host
