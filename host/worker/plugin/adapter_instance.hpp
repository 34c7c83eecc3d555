#pragma once

#include <dbackup/abi.h>

#include <memory>
#include <string>
#include <utility>

#include "base/json.hpp"
#include "base/secret_string.hpp"
#include "protocol/message.hpp"
#include "worker/plugin/byte_source.hpp"
#include "worker/plugin/call_context.hpp"
#include "worker/plugin/plugin_library.hpp"
#include "worker/plugin/status.hpp"

namespace dbackup::host {

/// Where a plugin writes; remembers why the sink refused.
class WriterBridge {
 public:
  WriterBridge(CallContext& call, ByteSink& sink);
  const dbackup_writer* raw() const noexcept { return &table_; }
  uint64_t written() const noexcept { return written_; }
  /// Throws what the sink threw.
  void rethrow() const;

 private:
  dbackup_writer table_;
  CallContext& call_;
  ByteSink& sink_;
  uint64_t written_ = 0;
  Cause failure_;
};

/// Where a plugin reads; remembers why the source failed.
class ReaderBridge {
 public:
  explicit ReaderBridge(ByteSource& source);
  const dbackup_reader* raw() const noexcept { return &table_; }
  /// Throws what the source threw.
  void rethrow() const;

 private:
  dbackup_reader table_;
  ByteSource& source_;
  Cause failure_;
};

/// The SSH side of an adapter whose configuration asks for one; connected when first used. Null
/// when it works from this machine. Throws Error{InvalidArgument} naming what its login lacks.
std::shared_ptr<ssh::Session> open_ssh(const dbackup_adapter& adapter,
                                       const protocol::AdapterRef& ref, Journal& journal);

/// One opened instance of an adapter whose functions are in `Table`: loads the plugin, opens,
/// closes. One call at a time. Everything a plugin does wrong comes out as an Error that names it.
template <class Table>
class AdapterInstance {
 public:
  AdapterInstance(const AdapterInstance&) = delete;
  AdapterInstance& operator=(const AdapterInstance&) = delete;

  const PluginLibrary& library() const noexcept { return library_; }

  /// Later calls are not cancelled any more: for tidying up after a cancellation.
  void ignore_cancellation() { cancel_ = CancelToken{}; }

 protected:
  /// `required_size`: of the table, up to the last function that is not optional.
  AdapterInstance(const protocol::AdapterRef& ref, const char* extension_id, uint32_t required_size,
                  Journal& journal, CancelToken cancel)
      : library_{PluginLibrary::load(ref.plugin_path, journal)},
        adapter_{library_.adapter(ref.adapter_id)},
        table_{static_cast<const Table*>(library_.table(adapter_, extension_id, required_size))},
        journal_{journal},
        cancel_{std::move(cancel)},
        ssh_{open_ssh(adapter_, ref, journal)} {
    CallContext call = new_call();
    if (table_->open == nullptr || table_->close == nullptr) {
      throw call.misbehaved("offers no open() or close()");
    }
    std::string config = dump_json(ref.config);
    const dbackup_status status = table_->open(borrow(config), call.raw(), &self_);
    wipe(config);
    call.finish(status);
    if (self_ == nullptr) throw call.misbehaved("opened an adapter and gave no instance");
  }
  ~AdapterInstance() {
    if (self_ != nullptr) table_->close(self_);
  }

  const Table& table() const noexcept { return *table_; }
  const dbackup_adapter& adapter() const noexcept { return adapter_; }
  const CancelToken& cancel() const noexcept { return cancel_; }
  CallContext new_call() { return CallContext{library_, journal_, cancel_, ssh_.get()}; }

  /// Runs one function of the table; `more` are its arguments after the request.
  template <class Function, class... More>
  dbackup_status run(CallContext& call, Function function, const Json& request, More... more) {
    if (function == nullptr) {
      throw Error(ErrorCode::Unimplemented, "adapter \"" + std::string{adapter_.id} + "\" of " +
                                                library_.label() +
                                                " does not offer this operation");
    }
    std::string text = dump_json(request);
    const dbackup_status status = function(self_, call.raw(), borrow(text), more...);
    wipe(text);
    return status;
  }
  /// The common case: a request and its answer.
  template <class Function>
  Json ask(Function function, const Json& request) {
    CallContext call = new_call();
    return call.finish(run(call, function, request));
  }
  /// A list: each item goes to `take`.
  template <class Function>
  void ask_list(Function function, const Json& request, std::function<void(const Json&)> take) {
    CallContext call = new_call();
    ItemReceiver items{call, std::move(take)};
    const dbackup_status status = run(call, function, request, items.raw());
    items.rethrow();
    call.finish(status);
  }

 private:
  const PluginLibrary& library_;
  const dbackup_adapter& adapter_;
  const Table* table_;
  Journal& journal_;
  CancelToken cancel_;
  std::shared_ptr<ssh::Session> ssh_;  // outlives the plugin's instance
  void* self_ = nullptr;
};

/// Size of a table up to and including `member`.
#define DBACKUP_SIZE_UP_TO(type, member) \
  (static_cast<uint32_t>(offsetof(type, member) + sizeof(type::member)))

}  // namespace dbackup::host
