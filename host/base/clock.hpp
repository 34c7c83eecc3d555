#pragma once

#include <cstdint>
#include <string>

namespace dbackup::host {

/// Milliseconds since 1970-01-01 UTC: the form in which every time is stored.
using TimeMs = int64_t;

/// The time of day. A test hands in its own. [any-thread]
class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimeMs now_ms() const = 0;
};

class SystemClock final : public Clock {
 public:
  TimeMs now_ms() const override;
};

/// "2026-03-09T02:00:04.117Z", the only form in which a time leaves the server.
std::string format_iso8601(TimeMs time);

/// Reads "2026-03-09T02:00:04.117Z", with fewer or no fraction digits, or an offset "+02:00".
/// Throws Error{InvalidArgument} naming `field`.
TimeMs parse_iso8601(const std::string& text, const std::string& field);

}  // namespace dbackup::host
