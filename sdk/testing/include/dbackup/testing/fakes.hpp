#pragma once

/// Stand-ins for the host's side of an operation: the call, streams and lists. No test framework
/// needed.

#include <algorithm>
#include <atomic>
#include <cstring>
#include <dbackup/call.hpp>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace dbackup::testing {

struct LogLine {
  LogLevel level;
  std::string text;
};

/// One operation as a host would give it to a plugin; remembers what the plugin did with it. One
/// object per operation. All members may be used from any thread.
class FakeCall {
 public:
  FakeCall() noexcept
      : raw_{sizeof(dbackup_call),
             this,
             &is_cancelled,
             &log,
             &progress,
             &fail,
             &result,
             &extension} {}
  FakeCall(const FakeCall&) = delete;
  FakeCall& operator=(const FakeCall&) = delete;

  const dbackup_call* raw() const noexcept { return &raw_; }
  Call call() const noexcept { return Call{&raw_}; }

  /// From now on the plugin is told that the operation shall end.
  void cancel() noexcept {
    if (!cancelled_.exchange(true) && on_cancel_) on_cancel_();
  }
  /// Called once, in the thread that cancels. To be set before the plugin gets the call.
  void on_cancel(std::function<void()> hook) { on_cancel_ = std::move(hook); }
  /// The same at the plugin's `nth` question (1 = the first).
  void cancel_at_question(uint64_t nth) noexcept { cancel_at_ = nth; }
  bool cancelled() const noexcept { return cancelled_; }
  /// Has the plugin asked and been told so?
  bool told_cancelled() const noexcept { return told_; }
  uint64_t questions() const noexcept { return questions_; }

  /// Offers a table of the host. `table` must outlive the call; its functions get this object as
  /// ctx.
  void offer(const std::string& id, const void* table) { tables_[id] = table; }
  /// What the offered tables work with; goes with the call.
  void keep(std::shared_ptr<void> services) { services_ = std::move(services); }
  void* services() const noexcept { return services_.get(); }

  uint64_t done_bytes() const noexcept { return done_bytes_; }
  uint64_t total_bytes() const noexcept { return total_bytes_; }
  std::vector<LogLine> log_lines() const { return copy_of(log_); }
  int failures() const { return copy_of(failures_); }
  dbackup_status failure_code() const { return copy_of(failure_code_); }
  std::string failure_message() const { return copy_of(message_); }
  std::string failure_detail() const { return copy_of(detail_); }
  int results() const { return copy_of(results_); }
  std::string result_text() const { return copy_of(result_); }

 private:
  template <class T>
  T copy_of(const T& member) const {
    const std::scoped_lock lock{mutex_};
    return member;
  }
  static FakeCall& self(void* ctx) noexcept { return *static_cast<FakeCall*>(ctx); }

  static int32_t is_cancelled(void* ctx) noexcept {
    FakeCall& me = self(ctx);
    if (++me.questions_ == me.cancel_at_) me.cancel();
    if (!me.cancelled_) return 0;
    me.told_ = true;
    return 1;
  }
  static void log(void* ctx, int32_t level, dbackup_str text) noexcept {
    FakeCall& me = self(ctx);
    const std::scoped_lock lock{me.mutex_};
    me.log_.push_back({static_cast<LogLevel>(level), std::string{view(text)}});
  }
  static void progress(void* ctx, uint64_t done, uint64_t total) noexcept {
    self(ctx).done_bytes_ = done;
    self(ctx).total_bytes_ = total;
  }
  static void fail(void* ctx, dbackup_status code, dbackup_str message,
                   dbackup_str detail) noexcept {
    FakeCall& me = self(ctx);
    const std::scoped_lock lock{me.mutex_};
    ++me.failures_;
    me.failure_code_ = code;
    me.message_ = view(message);
    me.detail_ = view(detail);
  }
  static void result(void* ctx, dbackup_str json) noexcept {
    FakeCall& me = self(ctx);
    const std::scoped_lock lock{me.mutex_};
    ++me.results_;
    me.result_ = view(json);
  }
  static const void* extension(void* ctx, const char* id) noexcept {
    const auto& tables = self(ctx).tables_;
    const auto found = tables.find(id);
    return found == tables.end() ? nullptr : found->second;
  }

  dbackup_call raw_;
  std::atomic<bool> cancelled_ = false;
  std::atomic<bool> told_ = false;
  std::atomic<uint64_t> questions_ = 0;
  std::atomic<uint64_t> cancel_at_ = 0;
  std::atomic<uint64_t> done_bytes_ = 0;
  std::atomic<uint64_t> total_bytes_ = 0;
  std::map<std::string, const void*> tables_;
  std::shared_ptr<void> services_;
  std::function<void()> on_cancel_;
  mutable std::mutex mutex_;
  std::vector<LogLine> log_;
  int failures_ = 0;
  dbackup_status failure_code_ = DBACKUP_OK;
  std::string message_;
  std::string detail_;
  int results_ = 0;
  std::string result_;
};

/// What a stand-in stream does wrong. Calls count from 1; 0 = never.
struct StreamFaults {
  uint64_t fail_at_call = 0;
  dbackup_status status = DBACKUP_UNAVAILABLE;
  /// Most bytes taken or given at once; small numbers find code that ignores partial transfers.
  uint64_t most_bytes = std::numeric_limits<uint64_t>::max();
};

/// A stream of bytes in memory for a plugin to read.
class MemoryReader {
 public:
  explicit MemoryReader(std::string content, StreamFaults faults = {})
      : raw_{sizeof(dbackup_reader), this, &read}, content_{std::move(content)}, faults_{faults} {}
  MemoryReader(const MemoryReader&) = delete;
  MemoryReader& operator=(const MemoryReader&) = delete;

  const dbackup_reader* raw() const noexcept { return &raw_; }
  /// Called before each read, with its number.
  void before_read(std::function<void(uint64_t)> hook) { before_ = std::move(hook); }
  uint64_t calls() const noexcept { return calls_; }
  bool reached_end() const noexcept { return ended_; }

 private:
  static int64_t read(void* ctx, void* buffer, uint64_t size) noexcept {
    auto& me = *static_cast<MemoryReader*>(ctx);
    ++me.calls_;
    if (me.before_) me.before_(me.calls_);
    if (me.faults_.fail_at_call != 0 && me.calls_ >= me.faults_.fail_at_call) {
      return -static_cast<int64_t>(me.faults_.status);
    }
    const uint64_t n = std::min({size, me.faults_.most_bytes, me.content_.size() - me.at_});
    std::memcpy(buffer, me.content_.data() + me.at_, n);
    me.at_ += n;
    me.ended_ = n == 0 && size > 0;
    return static_cast<int64_t>(n);
  }

  dbackup_reader raw_;
  std::string content_;
  StreamFaults faults_;
  std::function<void(uint64_t)> before_;
  uint64_t at_ = 0;
  uint64_t calls_ = 0;
  bool ended_ = false;
};

/// Takes what a plugin writes. Keeps the first `keep_bytes` of it and counts the rest.
class MemoryWriter {
 public:
  explicit MemoryWriter(StreamFaults faults = {},
                        uint64_t keep_bytes = std::numeric_limits<uint64_t>::max())
      : raw_{sizeof(dbackup_writer), this, &write}, faults_{faults}, keep_bytes_{keep_bytes} {}
  MemoryWriter(const MemoryWriter&) = delete;
  MemoryWriter& operator=(const MemoryWriter&) = delete;

  const dbackup_writer* raw() const noexcept { return &raw_; }
  /// Called before each write, with its number.
  void before_write(std::function<void(uint64_t)> hook) { before_ = std::move(hook); }
  const std::string& content() const noexcept { return content_; }
  uint64_t size() const noexcept { return size_; }
  uint64_t calls() const noexcept { return calls_; }

 private:
  static int64_t write(void* ctx, const void* data, uint64_t size) noexcept {
    auto& me = *static_cast<MemoryWriter*>(ctx);
    ++me.calls_;
    if (me.before_) me.before_(me.calls_);
    if (me.faults_.fail_at_call != 0 && me.calls_ >= me.faults_.fail_at_call) {
      return -static_cast<int64_t>(me.faults_.status);
    }
    const uint64_t n = std::min(size, me.faults_.most_bytes);
    const uint64_t kept = std::min(n, me.keep_bytes_ - std::min(me.keep_bytes_, me.size_));
    me.content_.append(static_cast<const char*>(data), kept);
    me.size_ += n;
    return static_cast<int64_t>(n);
  }

  dbackup_writer raw_;
  StreamFaults faults_;
  uint64_t keep_bytes_;
  std::function<void(uint64_t)> before_;
  std::string content_;
  uint64_t size_ = 0;
  uint64_t calls_ = 0;
};

/// Takes the items of a list. Items that are no JSON object are kept as null.
class ItemList {
 public:
  /// Ends the listing with DBACKUP_CANCELLED once it has `most` items.
  explicit ItemList(size_t most = std::numeric_limits<size_t>::max())
      : raw_{sizeof(dbackup_item_sink), this, &item}, most_{most} {}
  ItemList(const ItemList&) = delete;
  ItemList& operator=(const ItemList&) = delete;

  const dbackup_item_sink* raw() const noexcept { return &raw_; }
  const std::vector<Json>& items() const noexcept { return items_; }

 private:
  static dbackup_status item(void* ctx, dbackup_str json) noexcept {
    auto& me = *static_cast<ItemList*>(ctx);
    if (me.items_.size() >= me.most_) return DBACKUP_CANCELLED;
    Json value = Json::parse(view(json), nullptr, /*allow_exceptions=*/false);
    me.items_.push_back(value.is_object() ? std::move(value) : Json{});
    return DBACKUP_OK;
  }

  dbackup_item_sink raw_;
  size_t most_;
  std::vector<Json> items_;
};

}  // namespace dbackup::testing
