#include "worker/operations/event_writer.hpp"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/clock.hpp"
#include "base/error.hpp"

namespace dbackup::host {
namespace {

constexpr std::chrono::milliseconds kProgressInterval{250};
constexpr size_t kLongestMessage = 4 * 1024;
constexpr size_t kLongestDetails = 16 * 1024;
constexpr uint64_t kMostLogLines = 20'000;

/// At most `most` bytes, not ending within a UTF-8 sequence.
std::string cut(std::string_view text, size_t most) {
  if (text.size() <= most) return std::string{text};
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0U) == 0x80U) --most;
  return std::string{text.substr(0, most)} + "…";
}

constexpr std::array kLevels{"info", "success", "warning", "error"};
constexpr std::array kTypes{"general", "command", "storage", "security"};

}  // namespace

EventWriter::EventWriter(int fd, std::function<void()> on_broken)
    : fd_{fd}, on_broken_{std::move(on_broken)} {}

void EventWriter::write_line(const Json& line) {
  const std::lock_guard lock{mutex_};
  write_all(dump_json(line) + "\n");
}

void EventWriter::begin(const std::string& request_id) {
  const std::lock_guard lock{mutex_};
  request_id_ = request_id;
  log_lines_ = 0;
  last_progress_ = {};
  progress_held_ = false;
}

void EventWriter::emit(protocol::EventKind kind, Json data) {
  const std::lock_guard lock{mutex_};
  flush_progress();
  emit_locked(kind, std::move(data));
}

void EventWriter::emit_locked(protocol::EventKind kind, Json data) {
  const std::string line = protocol::encode({.request_id = request_id_,
                                             .kind = kind,
                                             .seq = next_seq_,
                                             .at_ms = SystemClock{}.now_ms(),
                                             .data = std::move(data)});
  if (line.size() > protocol::kMaxLine) {
    throw Error(ErrorCode::ResourceExhausted, "an answer of the worker is too long");
  }
  ++next_seq_;
  write_all(line);
}

void EventWriter::log(const LogLine& line) noexcept {
  try {
    const std::lock_guard lock{mutex_};
    if (++log_lines_ > kMostLogLines) return;
    Json data{{"level", kLevels[static_cast<size_t>(line.level)]},
              {"type", kTypes[static_cast<size_t>(line.type)]},
              {"message", cut(line.message, kLongestMessage)}};
    if (!line.details.empty()) data["details"] = cut(line.details, kLongestDetails);
    emit_locked(protocol::EventKind::Log, std::move(data));
    if (log_lines_ == kMostLogLines) {
      emit_locked(protocol::EventKind::Log,
                  {{"level", "warning"},
                   {"type", "general"},
                   {"message", "too many log lines: further ones are dropped"}});
    }
  } catch (...) {  // a line that cannot be told does not end the operation
  }
}

void EventWriter::progress(uint64_t done, uint64_t total) noexcept {
  try {
    const std::lock_guard lock{mutex_};
    held_done_ = done;
    held_total_ = total;
    progress_held_ = true;
    if (SteadyClock::now() - last_progress_ >= kProgressInterval) flush_progress();
  } catch (...) {  // as above
  }
}

void EventWriter::host_key(const AcceptedHostKey& key) noexcept {
  try {
    emit(protocol::EventKind::HostKey, {{"host", key.host},
                                        {"port", key.port},
                                        {"type", key.type},
                                        {"fingerprint", key.fingerprint}});
    const std::string text = "The host key of " + key.host + ":" + std::to_string(key.port) +
                             " was accepted on first use: " + key.type + " " + key.fingerprint;
    log({.level = JournalLevel::Warning, .type = JournalType::Security, .message = text});
  } catch (...) {  // it will be accepted again
  }
}

void EventWriter::flush_progress() {
  if (!progress_held_) return;
  progress_held_ = false;
  last_progress_ = SteadyClock::now();
  emit_locked(protocol::EventKind::Progress, {{"done", held_done_}, {"total", held_total_}});
}

void EventWriter::write_all(std::string_view bytes) noexcept {
  while (!bytes.empty() && !broken_) {
    const ssize_t n = ::write(fd_, bytes.data(), bytes.size());
    if (n > 0) {
      bytes.remove_prefix(static_cast<size_t>(n));
    } else if (n < 0 && errno == EAGAIN) {
      pollfd wanted{fd_, POLLOUT, 0};
      ::poll(&wanted, 1, -1);
    } else if (n < 0 && errno != EINTR) {
      broken_ = true;  // nobody is left to tell
      if (on_broken_) on_broken_();
    }
  }
}

}  // namespace dbackup::host
