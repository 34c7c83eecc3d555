#pragma once

#include <dbackup/abi.h>

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/json.hpp"
#include "worker/pipeline/cancel_token.hpp"
#include "worker/plugin/journal.hpp"

namespace dbackup::host {

class PluginLibrary;
namespace ssh {
class Session;
}

/// Something a plugin holds during one call (a program, a side file, an endpoint). What it forgets
/// to give back is freed when the call returns.
class CallResource {
 public:
  virtual ~CallResource() = default;
  /// The descriptor that programs started by this call inherit under the same number; -1: none.
  virtual int inherited_descriptor() const noexcept { return -1; }
};

/// The host's side of one call into a plugin: what `dbackup_call` points to. Lives on the caller's
/// stack for the duration of the call; its functions may be called by any thread of the plugin.
class CallContext {
 public:
  /// `ssh`: where its programs and connections are, nullptr: on this machine.
  CallContext(const PluginLibrary& library, Journal& journal, CancelToken cancel,
              ssh::Session* ssh = nullptr);
  ~CallContext();
  CallContext(const CallContext&) = delete;
  CallContext& operator=(const CallContext&) = delete;

  const dbackup_call* raw() const noexcept { return &table_; }
  static CallContext& from(void* ctx) noexcept { return *static_cast<CallContext*>(ctx); }

  /// What the call came to: its answer, or the error it failed with. Frees what the plugin forgot.
  /// A failure without words, an answer that is no JSON object and codes outside the list become
  /// Error{Internal} naming the plugin. After a cancellation every failure is that cancellation.
  Json finish(dbackup_status status);

  Journal& journal() noexcept { return journal_; }
  const CancelToken& cancel() const noexcept { return cancel_; }
  const PluginLibrary& library() const noexcept { return library_; }
  ssh::Session* ssh() const noexcept { return ssh_; }

  /// What went wrong with the connection: a plugin sees only that its program or its server is
  /// gone, so this is added to its words when the call fails. The first one counts.
  void remember(const Error& connection) noexcept;

  /// As the plugin's own fail(): the last one counts, what was said before becomes its detail.
  dbackup_status fail(ErrorCode code, std::string_view message,
                      std::string_view detail = {}) noexcept;
  dbackup_status fail(const Error& error) noexcept {
    return fail(error.code(), error.what(), error.detail());
  }

  /// Keeps `resource` until release() or the end of the call.
  template <class T>
  T* adopt(std::unique_ptr<T> resource) {
    T* raw = resource.get();
    keep(std::move(resource));
    return raw;
  }
  void release(const CallResource* resource) noexcept;
  /// Of all resources held now.
  std::vector<int> inherited_descriptors() const;

  /// An Error that names the plugin as the culprit.
  Error misbehaved(const std::string& what, std::string detail = {}) const;

 private:
  void keep(std::unique_ptr<CallResource> resource);

  dbackup_call table_;
  const PluginLibrary& library_;
  Journal& journal_;
  CancelToken cancel_;
  ssh::Session* ssh_;
  mutable std::mutex mutex_;
  bool failed_ = false;
  ErrorCode code_ = ErrorCode::Internal;
  std::string message_, detail_;
  std::string result_, connection_;
  std::vector<std::unique_ptr<CallResource>> resources_;
};

/// A list's receiver for one call: hands each item on as JSON and keeps what the receiver threw.
class ItemReceiver {
 public:
  ItemReceiver(CallContext& call, std::function<void(const Json&)> take);
  const dbackup_item_sink* raw() const noexcept { return &table_; }
  /// Throws what the receiver threw or the item was refused for.
  void rethrow() const;

 private:
  dbackup_item_sink table_;
  CallContext& call_;
  std::function<void(const Json&)> take_;
  Cause failure_;
};

}  // namespace dbackup::host
