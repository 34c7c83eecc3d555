#include "base/logging.hpp"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <mutex>
#include <utility>

#include "base/json.hpp"

namespace dbackup::host {
namespace {

spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::Debug:
      return spdlog::level::debug;
    case LogLevel::Info:
      return spdlog::level::info;
    case LogLevel::Warning:
      return spdlog::level::warn;
    case LogLevel::Error:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

struct Log {
  std::shared_ptr<spdlog::logger> logger;
  bool json = false;
};

std::shared_ptr<const Log> make_log(const LogOptions& options) {
  auto out = std::make_shared<Log>();
  out->logger =
      std::make_shared<spdlog::logger>("dbackup", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  out->logger->set_level(to_spdlog(options.level));
  out->logger->flush_on(spdlog::level::debug);
  out->json = options.json;
  // The text of a JSON line is quoted by log(); the pattern adds the rest of the object around it.
  out->logger->set_pattern(
      options.json ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l","message":%v})"
                   : "%Y-%m-%dT%H:%M:%S.%eZ %-7l %v",
      spdlog::pattern_time_type::utc);
  return out;
}

thread_local std::string request_id;

std::mutex log_mutex;
std::shared_ptr<const Log> current_log;

std::shared_ptr<const Log> get_log() {
  const std::lock_guard lock{log_mutex};
  if (!current_log) current_log = make_log({.level = LogLevel::Warning});
  return current_log;
}

}  // namespace

void set_up_logging(const LogOptions& options) {
  auto made = make_log(options);
  const std::lock_guard lock{log_mutex};
  current_log = std::move(made);
}

LogContext::LogContext(std::string id) : outer_{std::exchange(request_id, std::move(id))} {}
LogContext::~LogContext() { request_id = std::move(outer_); }
const std::string& LogContext::current() noexcept { return request_id; }

void log(LogLevel level, std::string_view text) noexcept {
  try {
    const auto log = get_log();
    if (!log->logger->should_log(to_spdlog(level))) return;
    std::string line{text};
    if (!log->json && !request_id.empty()) line = "[" + request_id + "] " + line;
    if (log->json) {
      line = dump_json(line);
      if (!request_id.empty()) line += ",\"request\":" + dump_json(request_id);
    } else {
      // One entry, one line: text from elsewhere must not forge entries.
      for (char& c : line) {
        if (c == '\n' || c == '\r') c = ' ';
      }
    }
    log->logger->log(to_spdlog(level), "{}", line);
  } catch (...) {  // a log line is never worth an operation
  }
}

}  // namespace dbackup::host
