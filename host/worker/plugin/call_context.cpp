#include "worker/plugin/call_context.hpp"

#include <algorithm>
#include <cstring>

#include "worker/plugin/exec_service.hpp"
#include "worker/plugin/plugin_library.hpp"
#include "worker/plugin/reach_service.hpp"
#include "worker/plugin/status.hpp"

namespace dbackup::host {
namespace {

constexpr size_t kMostText = 64 * 1024;     // of a message or its detail
constexpr size_t kMostResult = 512 * 1024;  // of an answer: it must fit a line of the protocol

std::string_view cut(std::string_view text, size_t most) { return text.substr(0, most); }

int32_t call_is_cancelled(void* ctx) noexcept {
  return CallContext::from(ctx).cancel().is_cancelled() ? 1 : 0;
}

void call_log(void* ctx, int32_t level, dbackup_str text) noexcept {
  if (level <= DBACKUP_LOG_DEBUG) return;  // runs have no such level
  const JournalLevel as = level == DBACKUP_LOG_INFO      ? JournalLevel::Info
                          : level == DBACKUP_LOG_WARNING ? JournalLevel::Warning
                                                         : JournalLevel::Error;
  CallContext::from(ctx).journal().log({.level = as, .message = view(text)});
}

void call_progress(void* ctx, uint64_t done, uint64_t total) noexcept {
  CallContext::from(ctx).journal().progress(done, total);
}

void call_fail(void* ctx, dbackup_status code, dbackup_str message, dbackup_str detail) noexcept {
  CallContext::from(ctx).fail(error_code_from(code), view(message), view(detail));
}

const void* call_extension(void*, const char* id) noexcept {
  if (id == nullptr) return nullptr;
  if (std::strcmp(id, DBACKUP_EXT_HOST_EXEC) == 0) return exec_service();
  if (std::strcmp(id, DBACKUP_EXT_HOST_REACH) == 0) return reach_service();
  return nullptr;
}

}  // namespace

CallContext::CallContext(const PluginLibrary& library, Journal& journal, CancelToken cancel,
                         ssh::Session* ssh)
    : table_{sizeof(dbackup_call), this,    &call_is_cancelled, &call_log, &call_progress,
             &call_fail,           nullptr, &call_extension},
      library_{library},
      journal_{journal},
      cancel_{std::move(cancel)},
      ssh_{ssh} {
  table_.result = [](void* ctx, dbackup_str json) noexcept {
    CallContext& self = from(ctx);
    try {
      const std::lock_guard lock{self.mutex_};
      // One byte too many is enough to be refused later.
      self.result_ = cut(view(json), kMostResult + 1);
    } catch (...) {
      self.fail(ErrorCode::ResourceExhausted, "out of memory");
    }
  };
}

CallContext::~CallContext() = default;

dbackup_status CallContext::fail(ErrorCode code, std::string_view message,
                                 std::string_view detail) noexcept {
  try {
    const std::lock_guard lock{mutex_};
    std::string earlier = failed_ && message_ != message ? message_ : std::string{};
    if (failed_ && !detail_.empty()) earlier += (earlier.empty() ? "" : "\n") + detail_;
    failed_ = true;
    code_ = code;
    message_ = cut(message, kMostText);
    detail_ = detail.empty() ? std::move(earlier) : std::string{cut(detail, kMostText)};
  } catch (...) {
    failed_ = true;  // no memory for the words; the code is enough
    code_ = code;
  }
  return to_status(code);
}

void CallContext::remember(const Error& connection) noexcept {
  try {
    const std::lock_guard lock{mutex_};
    if (connection_.empty()) connection_ = connection.what();
  } catch (...) {  // no memory: the plugin's words stand alone
  }
}

Json CallContext::finish(dbackup_status status) {
  std::vector<std::unique_ptr<CallResource>> forgotten;
  {
    const std::lock_guard lock{mutex_};
    forgotten.swap(resources_);
  }
  forgotten.clear();  // outside the lock: ending a program may log

  const std::lock_guard lock{mutex_};
  if (status == DBACKUP_OK) {
    if (result_.empty()) return Json::object();
    if (result_.size() > kMostResult) throw misbehaved("gave an answer that is too long");
    Json answer;
    try {
      answer = parse_json(result_, "answer");
    } catch (const Error& error) {
      throw misbehaved("gave an answer that is not JSON", error.what());
    }
    if (!answer.is_object()) throw misbehaved("gave an answer that is not a JSON object");
    return answer;
  }
  if (cancel_.is_cancelled()) cancel_.throw_if_cancelled();
  if (!connection_.empty() && message_.find(connection_) == std::string::npos) {
    message_ += (message_.empty() ? "" : ": ") + connection_;
  }
  if (!failed_ || message_.empty()) {
    const std::string name{to_string(error_code_from(status))};
    throw Error(error_code_from(status) == ErrorCode::Cancelled ? ErrorCode::Aborted
                                                                : error_code_from(status),
                library_.label() + " failed without saying why (" + name + ", status " +
                    std::to_string(status) + ")",
                detail_);
  }
  // Nobody asked for an end: it gave up by itself.
  if (code_ == ErrorCode::Cancelled) {
    throw Error(ErrorCode::Aborted, library_.label() + " ended the operation: " + message_,
                detail_);
  }
  if (code_ == ErrorCode::Internal) throw misbehaved("failed: " + message_, detail_);
  throw Error(code_, message_, detail_,
              code_ == ErrorCode::ResourceExhausted ? "full" : std::string_view{});
}

Error CallContext::misbehaved(const std::string& what, std::string detail) const {
  return Error{ErrorCode::Internal, library_.label() + " " + what, std::move(detail)};
}

void CallContext::keep(std::unique_ptr<CallResource> resource) {
  const std::lock_guard lock{mutex_};
  resources_.push_back(std::move(resource));
}

void CallContext::release(const CallResource* resource) noexcept {
  std::unique_ptr<CallResource> gone;
  {
    const std::lock_guard lock{mutex_};
    const auto found = std::find_if(resources_.begin(), resources_.end(),
                                    [&](const auto& held) { return held.get() == resource; });
    if (found == resources_.end()) return;
    gone = std::move(*found);
    resources_.erase(found);
  }
}

std::vector<int> CallContext::inherited_descriptors() const {
  std::vector<int> numbers;
  const std::lock_guard lock{mutex_};
  for (const auto& resource : resources_) {
    if (const int fd = resource->inherited_descriptor(); fd >= 0) numbers.push_back(fd);
  }
  return numbers;
}

ItemReceiver::ItemReceiver(CallContext& call, std::function<void(const Json&)> take)
    : table_{sizeof(dbackup_item_sink), this, nullptr}, call_{call}, take_{std::move(take)} {
  table_.item = [](void* ctx, dbackup_str json) noexcept -> dbackup_status {
    auto& self = *static_cast<ItemReceiver*>(ctx);
    if (self.failure_) return to_status(self.failure_->code());
    try {
      self.call_.cancel().throw_if_cancelled();
      Json item;
      try {
        item = parse_json(view(json), "item");
      } catch (const Error& error) {
        throw self.call_.misbehaved("listed an item that is not JSON", error.what());
      }
      if (!item.is_object()) throw self.call_.misbehaved("listed an item that is not an object");
      self.take_(item);
      return DBACKUP_OK;
    } catch (...) {
      self.failure_ = current_cause();
      return to_status(self.failure_->code());
    }
  };
}

void ItemReceiver::rethrow() const {
  if (failure_) throw_cause(failure_);
}

}  // namespace dbackup::host
