#pragma once

#include <string>
#include <string_view>

namespace dbackup::host {

/// The program's own log, on standard error: one line each with time, level and text, or one JSON object.
/// Before set_up_logging() the level is Warning. Never given a secret. [any-thread]
enum class LogLevel { Debug, Info, Warning, Error };

struct LogOptions {
  LogLevel level = LogLevel::Info;
  bool json = false;
};
void set_up_logging(const LogOptions& options);

/// While it lives, every line of this thread names the request that is being handled. A thread that
/// goes on with the work of a request makes one with what current() said where it was started.
class LogContext {
 public:
  explicit LogContext(std::string request_id);
  ~LogContext();
  LogContext(const LogContext&) = delete;
  LogContext& operator=(const LogContext&) = delete;

  static const std::string& current() noexcept;  ///< "" outside

 private:
  std::string outer_;
};

void log(LogLevel level, std::string_view text) noexcept;
inline void log_debug(std::string_view text) noexcept { log(LogLevel::Debug, text); }
inline void log_info(std::string_view text) noexcept { log(LogLevel::Info, text); }
inline void log_warning(std::string_view text) noexcept { log(LogLevel::Warning, text); }
inline void log_error(std::string_view text) noexcept { log(LogLevel::Error, text); }

}  // namespace dbackup::host
