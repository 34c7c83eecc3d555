#include "protocol/message.hpp"

#include <array>

#include "base/error.hpp"
#include "protocol/message_json.hpp"

namespace dbackup::host::protocol {
namespace {

constexpr std::array<std::string_view, 23> kOperations{
    "describe",        "test",           "ping",    "list_databases", "prepare_restore",
    "backup",          "restore",        "list",    "fetch",          "stat",
    "remove",          "verify",         "cleanup", "write_sidecar",  "notify",
    "cleanup_restore", "database_stats", "tables",  "rows",           "browse",
    "test_ssh",        "list_remote",    "archive_contents"};

constexpr std::array<std::string_view, 9> kEvents{"log",   "progress", "stage",  "item",
                                                  "start", "reserve",  "result", "error",
                                                  "host_key"};

}  // namespace

std::string_view to_string(Operation operation) noexcept {
  return kOperations[static_cast<size_t>(operation)];
}

Operation parse_operation(std::string_view name) {
  for (size_t i = 0; i < kOperations.size(); ++i) {
    if (kOperations[i] == name) return static_cast<Operation>(i);
  }
  throw Error(ErrorCode::InvalidArgument, "unknown operation \"" + std::string(name) + "\"");
}

std::string_view to_string(EventKind kind) noexcept { return kEvents[static_cast<size_t>(kind)]; }

Json greeting(std::string_view program_version) {
  return {{"protocol", kVersion}, {"version", program_version}};
}

void check_greeting(const Json& line) {
  const auto version = get_int(line, "protocol");
  if (!version) throw Error(ErrorCode::FailedPrecondition, "the other side sent no greeting");
  if (*version != kVersion) {
    throw Error(ErrorCode::FailedPrecondition,
                "the other side speaks protocol " + std::to_string(*version) + ", this program " +
                    std::to_string(kVersion));
  }
}

std::string encode(const Request& request) {
  return dump_json({{"id", request.id}, {"op", to_string(request.op)}, {"body", request.body}}) + '\n';
}

std::string encode(const Event& event) {
  return dump_json({{"id", event.request_id},
                    {"event", to_string(event.kind)},
                    {"seq", event.seq},
                    {"at", event.at_ms},
                    {"data", event.data}}) +
         '\n';
}

Request decode_request(std::string_view line) {
  const Json value = parse_json(line, "request");
  Request request{.id = require_string(value, "id"),
                  .op = parse_operation(require_string(value, "op"))};
  if (value.contains("body")) request.body = value.at("body");
  return request;
}

Event decode_event(std::string_view line) {
  const Json value = parse_json(line, "event");
  Event event{.request_id = get_string(value, "id").value_or("")};
  const std::string name = require_string(value, "event");
  size_t kind = 0;
  while (kind < kEvents.size() && kEvents[kind] != name) ++kind;
  if (kind == kEvents.size()) {
    throw Error(ErrorCode::InvalidArgument, "unknown event \"" + name + "\"");
  }
  event.kind = static_cast<EventKind>(kind);
  event.seq = static_cast<uint64_t>(get_int(value, "seq", 0).value_or(0));
  event.at_ms = get_int(value, "at").value_or(0);
  if (value.contains("data")) event.data = value.at("data");
  return event;
}

void throw_bad_body(const char* detail) {
  throw Error(ErrorCode::InvalidArgument, "the body of the request is not as expected", detail);
}

}  // namespace dbackup::host::protocol
