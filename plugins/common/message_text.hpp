#pragma once

#include <chrono>
#include <dbackup/notifier.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace dbackup::plugins {

/// The mark of a text that was cut.
inline constexpr std::string_view kEllipsis = "…";

/// How a service counts. Utf16 is never less than the number of code points, so it also holds for
/// services that count those.
enum class Unit { Utf16, Bytes };
size_t measured(std::string_view text, Unit unit) noexcept;

/// Gives the text that stands for one character (in UTF-8) in a markup language.
using Escape = std::string (*)(std::string_view character);
std::string unescaped(std::string_view character);
/// `& < >` as entities.
std::string entity_escaped(std::string_view character);
std::string escaped(std::string_view text, Escape escape);

/// `text`, escaped; cut at a whole character and marked with "…" when it is longer than `limit`
/// after escaping. A limit too small for the mark gives "".
std::string fitted(std::string_view text, size_t limit, Unit unit, Escape escape = &unescaped);

/// A text for one line: line breaks, tabs and other control characters become blanks.
std::string on_one_line(std::string_view text);

/// "2026-08-09T02:00:05.000Z"
std::string iso8601(std::chrono::system_clock::time_point when);
/// Now, "2026-08-09T02:00:05.000Z".
std::string now_iso8601();
/// The moment of such a text; now when it is none.
std::chrono::sys_seconds moment_of(const std::string& iso8601);

/// "#22c55e" as a number; -1 when it is none.
int32_t colour_number(std::string_view hex) noexcept;

/// An event with the fall-backs of a service applied.
struct Message {
  std::string title;
  std::string text;
  std::optional<bool> success;
  std::string color;      ///< never empty
  std::string timestamp;  ///< never empty
  std::vector<EventField> fields;
  /// A message alone, without anything that would make it a card.
  bool is_plain = false;
};

/// Empty titles become `title`, empty values `empty_value`; the colour is green for success and red
/// otherwise unless the event brings one.
Message message_of(const Event& event, const std::string& title = "Notification",
                   const std::string& empty_value = "-");

/// The parts of a text message: `head` stands as it is, then `body`, a blank line and `lines`.
struct TextParts {
  std::string head;                ///< with its line break; escaped
  std::string body;                ///< not escaped
  std::vector<std::string> lines;  ///< escaped, each already short
  std::string separator = "\n\n";
};
/// Put together in at most `limit` units. When it is too much, `body` is cut and whole lines are
/// left out from the end, each marked by "…"; neither takes the other's half.
std::string assembled(const TextParts& parts, size_t limit, Unit unit, Escape escape);

}  // namespace dbackup::plugins
