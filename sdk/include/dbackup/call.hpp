#pragma once

#include <dbackup/abi.h>
#include <dbackup/error.hpp>

#include <cstddef>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace dbackup {

using Json = nlohmann::json;

inline std::string_view view(dbackup_str text) noexcept { return {text.data, text.size}; }
inline dbackup_str borrow(std::string_view text) noexcept { return {text.data(), text.size()}; }
/// Compact JSON text; invalid UTF-8 (file names, tool output) is replaced instead of thrown at.
inline std::string to_text(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

enum class LogLevel : int32_t {
  Debug = DBACKUP_LOG_DEBUG,
  Info = DBACKUP_LOG_INFO,
  Warning = DBACKUP_LOG_WARNING,
  Error = DBACKUP_LOG_ERROR,
};

/// One operation, as the plugin sees it. Valid until the operation returns; cheap to copy.
class Call {
 public:
  explicit Call(const dbackup_call* raw) noexcept : raw_{raw} {}

  bool is_cancelled() const noexcept { return raw_->is_cancelled(raw_->ctx) != 0; }
  /// Throws Error{Cancelled} once the operation shall end. Call at least once per block.
  void check_cancelled() const {
    if (is_cancelled()) throw Error{ErrorCode::Cancelled, "cancelled"};
  }
  void log(LogLevel level, std::string_view text) const noexcept {
    raw_->log(raw_->ctx, static_cast<int32_t>(level), borrow(text));
  }
  void info(std::string_view text) const noexcept { log(LogLevel::Info, text); }
  void warning(std::string_view text) const noexcept { log(LogLevel::Warning, text); }
  /// `total` 0 = unknown.
  void progress(uint64_t done_bytes, uint64_t total_bytes) const noexcept {
    raw_->progress(raw_->ctx, done_bytes, total_bytes);
  }
  const void* host_extension(const char* id) const noexcept {
    return raw_->host_extension(raw_->ctx, id);
  }
  const dbackup_call* raw() const noexcept { return raw_; }

 private:
  const dbackup_call* raw_;
};

/// Where a dump or a download goes.
class Writer {
 public:
  explicit Writer(const dbackup_writer* raw) noexcept : raw_{raw} {}

  /// Writes all of `block`; blocks while the consumer is slower. Throws Error when the consumer is gone
  /// (the host knows why; the plugin just lets it pass).
  void write(std::span<const std::byte> block) {
    while (!block.empty()) {
      const int64_t taken = raw_->write(raw_->ctx, block.data(), block.size());
      if (taken <= 0) {
        const auto code = taken == 0 ? ErrorCode::Internal : static_cast<ErrorCode>(-taken);
        throw Error{code, "the consumer of the stream ended it"};
      }
      block = block.subspan(static_cast<size_t>(taken));
    }
  }
  void write(std::string_view text) { write(std::as_bytes(std::span{text.data(), text.size()})); }

 private:
  const dbackup_writer* raw_;
};

/// Where a restore or an upload comes from.
class Reader {
 public:
  explicit Reader(const dbackup_reader* raw) noexcept : raw_{raw} {}

  /// The number of bytes read; 0 at the end, which is the permission to commit. Throws Error when the
  /// stream failed: then nothing may become visible.
  size_t read(std::span<std::byte> buffer) {
    const int64_t n = raw_->read(raw_->ctx, buffer.data(), buffer.size());
    if (n < 0) throw Error{static_cast<ErrorCode>(-n), "the stream ended with an error"};
    return static_cast<size_t>(n);
  }
  /// Reads until `buffer` is full or the end; the number of bytes read.
  size_t read_full(std::span<std::byte> buffer) {
    size_t filled = 0;
    while (filled < buffer.size()) {
      const size_t n = read(buffer.subspan(filled));
      if (n == 0) break;
      filled += n;
    }
    return filled;
  }

 private:
  const dbackup_reader* raw_;
};

/// Takes the items of a list one by one.
class ItemSink {
 public:
  explicit ItemSink(const dbackup_item_sink* raw) noexcept : raw_{raw} {}

  void item(const Json& value) {
    const std::string text = to_text(value);
    const dbackup_status status = raw_->item(raw_->ctx, borrow(text));
    if (status != DBACKUP_OK) {
      throw Error{static_cast<ErrorCode>(status), "the consumer of the list ended it"};
    }
  }

 private:
  const dbackup_item_sink* raw_;
};

}  // namespace dbackup
