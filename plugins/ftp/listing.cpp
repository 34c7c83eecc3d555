#include "listing.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

namespace dbackup::ftp {
namespace {

using plugins::RemoteEntry;
using Kind = RemoteEntry::Kind;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::optional<uint64_t> number(std::string_view text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<int64_t> to_ms(uint64_t year, uint64_t month, uint64_t day, uint64_t hour,
                             uint64_t minute, uint64_t second) {
  using namespace std::chrono;
  const year_month_day date{std::chrono::year{static_cast<int>(year)},
                            std::chrono::month{static_cast<unsigned>(month)},
                            std::chrono::day{static_cast<unsigned>(day)}};
  if (year > 9999 || month > 12 || day > 31 || !date.ok() || hour > 23 || minute > 59 ||
      second > 60) {
    return std::nullopt;
  }
  const auto time = sys_days{date} + hours{hour} + minutes{minute} + seconds{second};
  return duration_cast<milliseconds>(time.time_since_epoch()).count();
}

std::string lower(std::string_view text) {
  std::string out{text};
  std::ranges::transform(out, out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return out;
}

/// Takes words off the front of a line; what is left keeps its blanks.
class Words {
 public:
  explicit Words(std::string_view line) : left_{line} {}
  std::string_view next() {
    left_.remove_prefix(std::min(left_.find_first_not_of(' '), left_.size()));
    const std::string_view word = left_.substr(0, left_.find(' '));
    left_.remove_prefix(word.size());
    return word;
  }
  std::string_view left() const { return left_; }

 private:
  std::string_view left_;
};

std::optional<uint64_t> month_number(std::string_view word) {
  static constexpr std::array<std::string_view, 12> kMonths{
      "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"};
  const auto found = std::ranges::find(kMonths, lower(word));
  if (found == kMonths.end()) return std::nullopt;
  return static_cast<uint64_t>(found - kMonths.begin()) + 1;
}

/// "22:10", taken to be of the last twelve months, or "2025".
std::optional<int64_t> unix_time(uint64_t month, uint64_t day, std::string_view last, int64_t now) {
  const size_t colon = last.find(':');
  if (colon == std::string_view::npos) {
    const auto year = number(last);
    return year ? to_ms(*year, month, day, 0, 0, 0) : std::nullopt;
  }
  const auto hour = number(last.substr(0, colon));
  const auto minute = number(last.substr(colon + 1));
  if (!hour || !minute) return std::nullopt;
  const std::chrono::sys_days today{
      std::chrono::floor<std::chrono::days>(std::chrono::sys_seconds{std::chrono::seconds{now}})};
  const auto year =
      static_cast<uint64_t>(static_cast<int>(std::chrono::year_month_day{today}.year()));
  const auto time = to_ms(year, month, day, *hour, *minute, 0);
  constexpr int64_t kDayMs = 86'400'000;
  if (time && *time > now * 1000 + kDayMs) return to_ms(year - 1, month, day, *hour, *minute, 0);
  return time;
}

/// "2026-11-27", as ls prints it where no language is set.
bool is_iso_date(std::string_view word) {
  return word.size() == 10 && word[4] == '-' && word[7] == '-' && number(word.substr(0, 4)) &&
         number(word.substr(5, 2)) && number(word.substr(8, 2));
}

/// … and "22:10", perhaps with seconds.
std::optional<int64_t> iso_time(std::string_view date, std::string_view time) {
  if (time.size() < 5 || time[2] != ':') return std::nullopt;
  const auto hour = number(time.substr(0, 2));
  const auto minute = number(time.substr(3, 2));
  if (!hour || !minute) return std::nullopt;
  return to_ms(*number(date.substr(0, 4)), *number(date.substr(5, 2)), *number(date.substr(8, 2)),
               *hour, *minute, 0);
}

/// drwxr-xr-x   2 owner group     4096 Nov 27 22:10 name
/// drwxr-xr-x   2 owner group     4096 2026-11-27 22:10 name
std::optional<RemoteEntry> parse_unix(std::string_view line, int64_t now) {
  if (line.size() < 10 || std::string_view{"-dlbcps"}.find(line[0]) == std::string_view::npos) {
    return std::nullopt;
  }
  RemoteEntry out{.kind = line[0] == '-'   ? Kind::File
                          : line[0] == 'd' ? Kind::Folder
                          : line[0] == 'l' ? Kind::Link
                                           : Kind::Other};
  // Owner, group and the number of links may be missing: the size is what stands before a month.
  Words words{line};
  words.next();
  std::string_view before;
  for (int i = 0; i < 7; ++i) {
    const std::string_view word = words.next();
    const auto month = month_number(word);
    const bool is_date = month || is_iso_date(word);
    const auto size = is_date ? number(before) : std::nullopt;
    if (!size) {
      before = word;
      continue;
    }
    const auto day = month ? number(words.next()) : std::nullopt;
    const auto time = day     ? unix_time(*month, *day, words.next(), now)
                      : month ? std::nullopt
                              : iso_time(word, words.next());
    if (!time || words.left().size() < 2) return std::nullopt;
    out.size = *size;
    out.modified_ms = *time;
    std::string_view name = words.left().substr(1);  // one blank: more belong to the name
    if (out.kind == Kind::Link) name = name.substr(0, name.find(" -> "));
    out.name = name;
    return out;
  }
  return std::nullopt;
}

/// 11-27-26  10:10PM       <DIR>          name
/// 11-27-2026  22:10             1234 name
std::optional<RemoteEntry> parse_dos(std::string_view line) {
  Words words{line};
  const std::string_view date = words.next();
  if (date.size() < 8 || date[2] != '-' || date[5] != '-') return std::nullopt;
  const auto month = number(date.substr(0, 2));
  const auto day = number(date.substr(3, 2));
  auto year = number(date.substr(6));
  std::string time = lower(words.next());
  const std::string_view size = words.next();
  if (!month || !day || !year || time.size() < 5 || time[2] != ':') return std::nullopt;
  if (*year < 100) *year += *year < 70 ? 2000U : 1900U;
  auto hour = number(std::string_view{time}.substr(0, 2));
  const auto minute = number(std::string_view{time}.substr(3, 2));
  if (!hour || !minute) return std::nullopt;
  if (time.ends_with("pm") && *hour < 12) *hour += 12;
  if (time.ends_with("am") && *hour == 12) *hour = 0;
  const auto when = to_ms(*year, *month, *day, *hour, *minute, 0);
  RemoteEntry out{.kind = size == "<DIR>" ? Kind::Folder : Kind::File};
  const auto bytes = number(size);
  if (!when || (out.kind == Kind::File && !bytes)) return std::nullopt;
  out.size = bytes.value_or(0);
  out.modified_ms = *when;
  // Names begin in one column after a file's size; a folder's mark is padded to it.
  std::string_view name = words.left();
  name.remove_prefix(out.kind == Kind::Folder ? std::min(name.find_first_not_of(' '), name.size())
                                              : std::min<size_t>(1, name.size()));
  out.name = name;
  if (out.name.empty()) return std::nullopt;
  return out;
}

std::string_view without_line_end(std::string_view line) {
  while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

}  // namespace

std::optional<int64_t> parse_time_val(std::string_view text) {
  if (text.size() < 14 || !std::ranges::all_of(text.substr(0, 14), is_digit)) return std::nullopt;
  const auto part = [&](size_t at, size_t size) { return *number(text.substr(at, size)); };
  return to_ms(part(0, 4), part(4, 2), part(6, 2), part(8, 2), part(10, 2), part(12, 2));
}

std::optional<int64_t> time_in_name(std::string_view name) {
  constexpr std::string_view kDate = "0000-00-00";
  constexpr std::string_view kTime = "0000-00-00_00-00-00";
  const auto fits = [&](size_t at, std::string_view pattern) {
    const std::string_view part = name.substr(at, pattern.size());
    return part.size() == pattern.size() && std::ranges::equal(part, pattern, [](char c, char p) {
             return p == '0' ? is_digit(c) : c == p;
           });
  };
  const auto part = [&](size_t at, size_t size) { return *number(name.substr(at, size)); };
  std::optional<int64_t> date_only;
  for (size_t i = 0; i + kDate.size() <= name.size(); ++i) {
    if (!fits(i, kDate)) continue;
    if (fits(i, kTime)) {
      const auto time = to_ms(part(i, 4), part(i + 5, 2), part(i + 8, 2), part(i + 11, 2),
                              part(i + 14, 2), part(i + 17, 2));
      if (time) return time;
    }
    if (!date_only) date_only = to_ms(part(i, 4), part(i + 5, 2), part(i + 8, 2), 12, 0, 0);
  }
  return date_only;
}

std::optional<RemoteEntry> parse_facts(std::string_view line) {
  line = without_line_end(line);
  if (line.starts_with(' ')) line.remove_prefix(1);  // a line of MLST
  const size_t blank = line.find(' ');
  if (blank == std::string_view::npos) return std::nullopt;
  RemoteEntry out{.name = std::string{line.substr(blank + 1)}, .kind = Kind::Other};
  bool has_type = false;
  std::string_view facts = line.substr(0, blank);
  while (!facts.empty()) {
    const std::string_view fact = facts.substr(0, facts.find(';'));
    facts.remove_prefix(std::min(fact.size() + 1, facts.size()));
    const size_t equals = fact.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string name = lower(fact.substr(0, equals));
    const std::string_view value = fact.substr(equals + 1);
    if (name == "type") {
      has_type = true;
      const std::string type = lower(value);
      if (type == "cdir" || type == "pdir") return std::nullopt;
      out.kind = type == "file"  ? Kind::File
                 : type == "dir" ? Kind::Folder
                 : type.starts_with("os.unix=slink") || type.starts_with("os.unix=symlink")
                     ? Kind::Link
                     : Kind::Other;
    } else if (name == "size") {
      out.size = number(value).value_or(0);
      if (!has_type) out.kind = Kind::File;  // unless its type says otherwise
    } else if (name == "modify") {
      out.modified_ms = parse_time_val(value).value_or(0);
    }
  }
  return out;
}

bool says_nothing(std::string_view line) {
  Words words{without_line_end(line)};
  const std::string_view first = words.next();
  const std::string_view second = words.next();
  return first.empty() || (number(second) && words.next().empty());
}

std::optional<RemoteEntry> parse_list_line(std::string_view line, int64_t now) {
  line = without_line_end(line);
  auto out = parse_unix(line, now);
  if (!out) out = parse_dos(line);
  if (!out) return std::nullopt;
  if (const auto named = time_in_name(out->name)) out->modified_ms = *named;
  return out;
}

}  // namespace dbackup::ftp
