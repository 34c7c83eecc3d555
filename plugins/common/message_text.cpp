#include "message_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <ctime>

namespace dbackup::plugins {
namespace {

/// Bytes of the character that begins with `first`; 1 for a byte that begins none.
size_t character_size(char first) noexcept {
  const auto byte = static_cast<unsigned char>(first);
  if (byte >= 0xF0) return 4;
  if (byte >= 0xE0) return 3;
  return byte >= 0xC0 ? 2 : 1;
}

std::string_view next_character(std::string_view text, size_t at) noexcept {
  return text.substr(at, character_size(text[at]));
}

bool is_digits(std::string_view text, std::string_view pattern) {
  if (text.size() < pattern.size()) return false;
  for (size_t i = 0; i < pattern.size(); ++i) {
    const bool is_digit = text[i] >= '0' && text[i] <= '9';
    if (pattern[i] == '0' ? !is_digit : text[i] != pattern[i]) return false;
  }
  return true;
}

int number_at(std::string_view text, size_t at, size_t size) {
  int out = 0;
  std::from_chars(text.data() + at, text.data() + at + size, out);
  return out;
}

}  // namespace

size_t measured(std::string_view text, Unit unit) noexcept {
  if (unit == Unit::Bytes) return text.size();
  size_t units = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xC0) != 0x80) units += byte >= 0xF0 ? 2 : 1;
  }
  return units;
}

std::string unescaped(std::string_view character) { return std::string{character}; }

std::string entity_escaped(std::string_view character) {
  if (character == "&") return "&amp;";
  if (character == "<") return "&lt;";
  if (character == ">") return "&gt;";
  return std::string{character};
}

std::string escaped(std::string_view text, Escape escape) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const std::string_view character = next_character(text, at);
    out += escape(character);
    at += character.size();
  }
  return out;
}

std::string fitted(std::string_view text, size_t limit, Unit unit, Escape escape) {
  const size_t mark = measured(kEllipsis, unit);
  std::string out;
  size_t used = 0;
  size_t cut_at = 0;  // bytes of `out` behind which the mark still has room
  for (size_t at = 0; at < text.size();) {
    const std::string_view character = next_character(text, at);
    at += character.size();
    const std::string piece = escape(character);
    used += measured(piece, unit);
    if (used > limit) {
      if (limit < mark) return {};
      out.resize(cut_at);
      return out.append(kEllipsis);
    }
    out += piece;
    if (used + mark <= limit) cut_at = out.size();
  }
  return out;
}

std::string on_one_line(std::string_view text) {
  std::string out{text};
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  }
  return out;
}

std::string iso8601(std::chrono::system_clock::time_point when) {
  const auto now = std::chrono::floor<std::chrono::milliseconds>(when);
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  std::array<char, 40> text{};
  const size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &utc);
  std::snprintf(text.data() + size, text.size() - size, ".%03dZ",
                static_cast<int>(now.time_since_epoch().count() % 1000));
  return text.data();
}

std::string now_iso8601() { return iso8601(std::chrono::system_clock::now()); }

std::chrono::sys_seconds moment_of(const std::string& iso8601) {
  using namespace std::chrono;
  const auto now = floor<seconds>(system_clock::now());
  if (!is_digits(iso8601, "0000-00-00T00:00:00")) return now;
  const year_month_day date{year{number_at(iso8601, 0, 4)},
                            month{static_cast<unsigned>(number_at(iso8601, 5, 2))},
                            day{static_cast<unsigned>(number_at(iso8601, 8, 2))}};
  if (!date.ok()) return now;
  return sys_days{date} + hours{number_at(iso8601, 11, 2)} + minutes{number_at(iso8601, 14, 2)} +
         seconds{number_at(iso8601, 17, 2)};
}

int32_t colour_number(std::string_view hex) noexcept {
  if (hex.size() != 7 || hex.front() != '#') return -1;
  int32_t out = -1;
  const auto [end, status] = std::from_chars(hex.data() + 1, hex.data() + hex.size(), out, 16);
  return status == std::errc{} && end == hex.data() + hex.size() ? out : -1;
}

Message message_of(const Event& event, const std::string& title, const std::string& empty_value) {
  Message out{.title = event.title.empty() ? title : on_one_line(event.title),
              .text = event.message,
              .success = event.success,
              .color = event.color,
              .timestamp = event.timestamp.empty() ? now_iso8601() : event.timestamp,
              .fields = event.fields};
  if (colour_number(out.color) < 0)
    out.color = event.success.value_or(false) ? "#00ff00" : "#ff0000";
  for (EventField& field : out.fields) {
    if (field.value.empty()) field.value = empty_value;
  }
  out.is_plain = event.title.empty() && event.type.empty() && event.color.empty() &&
                 event.badge.empty() && !event.success && event.fields.empty();
  return out;
}

std::string assembled(const TextParts& parts, size_t limit, Unit unit, Escape escape) {
  const size_t line_break = 1;
  size_t room = limit - std::min(limit, measured(parts.head, unit));
  if (!parts.lines.empty()) room -= std::min(room, measured(parts.separator, unit));
  const std::string body = escaped(parts.body, escape);
  size_t lines_size = 0;
  for (const std::string& line : parts.lines) lines_size += measured(line, unit) + line_break;
  const size_t body_size = measured(body, unit);
  if (body_size + lines_size <= room) {
    std::string out = parts.head + body;
    for (size_t i = 0; i < parts.lines.size(); ++i)
      out += (i == 0 ? parts.separator : "\n") + parts.lines[i];
    return out;
  }
  // What one part does not need of its half is the other's.
  const size_t lines_room =
      std::min(lines_size, std::max(room / 2, room - std::min(room, body_size)));
  std::string shown;
  size_t used = 0;
  for (size_t i = 0; i < parts.lines.size(); ++i) {
    const bool is_last = i + 1 == parts.lines.size();
    const size_t mark = is_last ? 0 : measured(kEllipsis, unit) + line_break;
    const size_t size = measured(parts.lines[i], unit) + line_break;
    if (used + size + mark > lines_room) {
      shown += (shown.empty() ? "" : "\n") + std::string{kEllipsis};
      used += measured(kEllipsis, unit) + line_break;
      break;
    }
    shown += (shown.empty() ? "" : "\n") + parts.lines[i];
    used += size;
  }
  std::string out = parts.head + fitted(parts.body, room - std::min(room, used), unit, escape);
  if (!shown.empty()) out += parts.separator + shown;
  return out;
}

}  // namespace dbackup::plugins
