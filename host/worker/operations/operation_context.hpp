#pragma once

#include <functional>
#include <string>

#include "protocol/message.hpp"
#include "worker/operations/event_writer.hpp"
#include "worker/pipeline/cancel_token.hpp"

namespace dbackup::host {

/// What one request has at hand while it runs.
struct OperationContext {
  EventWriter& events;
  CancelToken cancel;
  /// Where fetch writes; -1: nowhere.
  int bulk_fd = -1;
  /// Waits for the host's answer to a "reserve" event. Throws when the operation is cancelled or
  /// the host is gone.
  std::function<bool()> await_proceed;

  void stage(std::string_view name) const {
    events.emit(protocol::EventKind::Stage, {{"name", name}});
  }
  void info(std::string_view message, JournalType type = JournalType::General) const {
    events.log({.type = type, .message = message});
  }
  void warning(std::string_view message, JournalType type = JournalType::General,
               std::string_view details = {}) const {
    events.log({.level = JournalLevel::Warning, .type = type, .message = message, .details = details});
  }
  void item(Json data) const { events.emit(protocol::EventKind::Item, std::move(data)); }
};

/// Runs one request to its end and returns the data of its "result" event; throws Error for an
/// "error" event.
Json run_operation(const protocol::Request& request, OperationContext& context);

}  // namespace dbackup::host
