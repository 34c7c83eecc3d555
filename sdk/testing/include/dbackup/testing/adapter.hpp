#pragma once

/// Drives the C tables of an adapter as a host does, without loading anything: give it any
/// `dbackup_adapter`, from a library or linked into the test.

#include <dbackup/config.hpp>
#include <dbackup/testing/fakes.hpp>
#include <memory>
#include <string>
#include <vector>

namespace dbackup::testing {

/// How an operation ended, and where it broke the promises of abi.h (one sentence each).
struct Outcome {
  dbackup_status status = DBACKUP_INTERNAL;
  std::string message;
  std::string detail;
  Json result = Json::object();
  std::vector<std::string> breaches;

  bool ok() const noexcept { return status == DBACKUP_OK; }
  /// "ok", or "code 14 (connection refused)".
  std::string text() const {
    return ok() ? "ok" : "code " + std::to_string(status) + " (" + message + ")";
  }
};

/// Judges an operation that returned `status` on `call`. `answers`: an OK needs a result object.
inline Outcome judge(const FakeCall& call, dbackup_status status, bool answers = true) {
  Outcome out{.status = status, .message = call.failure_message(), .detail = call.failure_detail()};
  const auto breach = [&](std::string sentence) { out.breaches.push_back(std::move(sentence)); };
  if (call.failures() > 1) breach("fail() was called more than once");
  if (call.results() > 1) breach("result() was called more than once");
  if (status == DBACKUP_OK) {
    if (call.failures() > 0) breach("fail() was called, but the operation returned OK");
    if (answers && call.results() == 0) breach("the operation returned OK without a result");
  } else {
    if (call.failures() == 0) {
      breach("the operation failed without saying why: fail() was not called");
    } else if (call.failure_code() != status) {
      breach("fail() was given code " + std::to_string(call.failure_code()) +
             ", but the operation returned " + std::to_string(status));
    } else if (out.message.empty()) {
      breach("fail() was given an empty message");
    }
    if (status < 0 || status > DBACKUP_UNAUTHENTICATED || status == 2 || status == 11) {
      breach("the operation returned " + std::to_string(status) + ", which is no status code");
    }
  }
  if (call.results() > 0) {
    out.result = Json::parse(call.result_text(), nullptr, /*allow_exceptions=*/false);
    if (!out.result.is_object()) {
      breach("the result is not a JSON object: " + call.result_text().substr(0, 100));
      out.result = Json::object();
    }
  }
  return out;
}

/// The table of `extension_id`, or nullptr.
template <class Table>
const Table* table_of(const dbackup_adapter& adapter, const char* extension_id) {
  return static_cast<const Table*>(adapter.get_extension(extension_id));
}

/// One instance of an adapter; closed when it goes.
template <class Table>
class Instance {
 public:
  /// `outcome` says how open() ended; the instance is usable when it is OK.
  static Instance open(const Table& table, const Json& config, Outcome& outcome) {
    FakeCall call;
    const std::string text = to_text(config);
    void* self = nullptr;
    const dbackup_status status = table.open(borrow(text), call.raw(), &self);
    outcome = judge(call, status, /*answers=*/false);
    if (status == DBACKUP_OK && self == nullptr) {
      outcome.breaches.emplace_back("open() returned OK without an instance");
    }
    return Instance{table, status == DBACKUP_OK ? self : nullptr};
  }

  explicit operator bool() const noexcept { return self_ != nullptr; }
  const Table& table() const noexcept { return *table_; }
  void* self() const noexcept { return self_.get(); }

  Outcome test(FakeCall& call) const {
    return judge(call, table_->test(self(), call.raw(), borrow("{}")));
  }
  /// Calls a function of the table that takes a request and perhaps a stream or a sink.
  template <class Function, class... Stream>
  Outcome run(Function function, FakeCall& call, const Json& request, Stream&... stream) const {
    const std::string text = to_text(request);
    return judge(call, function(self(), call.raw(), borrow(text), stream.raw()...));
  }

 private:
  struct Close {
    const Table* table;
    void operator()(void* self) const noexcept { table->close(self); }
  };
  Instance(const Table& table, void* self) : table_{&table}, self_{self, Close{&table}} {}

  const Table* table_;
  std::unique_ptr<void, Close> self_;
};

using SourceInstance = Instance<dbackup_source>;
using StorageInstance = Instance<dbackup_storage>;
using NotifierInstance = Instance<dbackup_notifier>;

/// The descriptor, or null when it is no JSON object.
inline Json descriptor_of(const dbackup_adapter& adapter) {
  if (adapter.descriptor_json == nullptr) return {};
  Json out = Json::parse(adapter.descriptor_json, nullptr, /*allow_exceptions=*/false);
  return out.is_object() ? out : Json{};
}

/// `config` with the descriptor's defaults where it has no value, as the host completes it.
inline Json with_defaults(const dbackup_adapter& adapter, Json config) {
  const Json descriptor = descriptor_of(adapter);
  if (!config.is_object()) config = Json::object();
  if (!descriptor.is_object() || !descriptor.contains("options")) return config;
  for (const Json& option : descriptor.at("options")) {
    if (!option.contains("name") || !option.contains("default")) continue;
    const auto name = option.at("name").get<std::string>();
    if (!config.contains(name)) config[name] = option.at("default");
  }
  return config;
}

}  // namespace dbackup::testing
