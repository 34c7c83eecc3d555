#pragma once

#include "worker/plugin/adapter_instance.hpp"

namespace dbackup::host {

/// A notification plugin's instance. One call at a time, on any thread.
class NotifierProxy : public AdapterInstance<dbackup_notifier> {
 public:
  NotifierProxy(const protocol::AdapterRef& ref, Journal& journal, CancelToken cancel)
      : AdapterInstance{ref, DBACKUP_EXT_NOTIFIER, DBACKUP_SIZE_UP_TO(dbackup_notifier, send),
                        journal, std::move(cancel)} {}

  /// Delivers a test message. {message, …}
  Json test() { return ask(table().test, Json::object()); }
  /// Delivers `event`; throws unless the far side accepted it. {rendered?, format?}
  Json send(const Json& event) { return ask(table().send, event); }
};

}  // namespace dbackup::host
