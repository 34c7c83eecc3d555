#include "api/resources/executions_resource.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "api/cursor.hpp"
#include "api/entity_tag.hpp"
#include "api/page.hpp"
#include "api/render.hpp"
#include "api/run_events.hpp"
#include "api/run_follower.hpp"
#include "api/schemas.hpp"
#include "base/json_writer.hpp"
#include "base/log_masking.hpp"
#include "services/services.hpp"

namespace dbackup::host {
namespace {

constexpr std::string_view kPlainText = "text/plain; charset=utf-8";
constexpr int kEventFailures[] = {204, 400, 404};
constexpr int64_t kLines = 500;
/// Of a log as text: lines read in one go, and where an answer ends.
constexpr int64_t kMostLines = 1000;
constexpr size_t kMostText = size_t{16} << 20;

std::string line_text(const LogEntry& entry) {
  std::string out = format_iso8601(entry.at) + " " + entry.level;
  if (!entry.stage.empty()) out += " [" + entry.stage + "]";
  out += " " + masked(entry.message) + "\n";
  for (std::string_view rest = entry.details; !rest.empty();) {
    const size_t end = rest.find('\n');
    out += "    " + masked(rest.substr(0, end)) + "\n";
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  return out;
}

}  // namespace

const Route<ExecutionsResource> ExecutionsResource::kRoutes[] = {
    {.method = Method::Get,
     .path = "/api/executions",
     .access = Permission::HistoryRead,
     .handler = &ExecutionsResource::list,
     .summary = "Runs that fit, newest first; a cursor goes as far back as there are any",
     .section = "Executions",
     .query = schemas::executions_query,
     .response = schemas::execution_page,
     .failures = kBadRequest},
    {.method = Method::Get,
     .path = "/api/executions/{id}",
     .access = Permission::HistoryRead,
     .handler = &ExecutionsResource::get,
     .summary = "State of a run, with its log when asked for",
     .section = "Executions",
     .query = schemas::execution_query,
     .response = schemas::execution,
     .failures = kMissingOrBad,
     .etag = true,
     .finish = &ExecutionsResource::wait},
    {.method = Method::Get,
     .path = "/api/executions/{id}/logs",
     .access = Permission::HistoryRead,
     .handler = &ExecutionsResource::logs,
     .summary = "Lines of a run's log, from where one left off",
     .section = "Executions",
     .query = schemas::logs_query,
     .response = schemas::logs,
     .failures = kMissingOrBad,
     .produces = kPlainText},
    {.method = Method::Get,
     .path = "/api/executions/{id}/events",
     .access = Permission::HistoryRead,
     .handler = &ExecutionsResource::events,
     .summary = "A run as it goes on: log, stage, progress, status, and at last end",
     .section = "Executions",
     .query = schemas::events_query,
     .failures = kEventFailures,
     .produces = "text/event-stream"},
    {.method = Method::Get,
     .path = "/api/events",
     .access = Permission::HistoryRead,
     .handler = &ExecutionsResource::all_events,
     .summary = "Changes of status of all runs, first of those that are under way",
     .section = "Executions",
     .failures = kBadRequest,
     .produces = "text/event-stream"},
    {.method = Method::Post,
     .path = "/api/executions/{id}/cancel",
     .access = Permission::JobsExecute,
     .handler = &ExecutionsResource::cancel,
     .summary = "Cancel a waiting or running execution",
     .section = "Executions",
     .response = schemas::cancel_answer,
     .failures = kMissingOrBad},
    {.method = Method::Get,
     .path = "/api/history",
     .access = Permission::HistoryRead,
     .handler = &ExecutionsResource::history,
     .summary = "The newest 100 runs",
     .section = "Executions",
     .response = schemas::history},
};

void ExecutionsResource::mount(RouteTable& table) {
  table.mount<ExecutionsResource>(*this, kRoutes);
}

HttpResponse ExecutionsResource::list(const ApiRequest& request, const Principal&) {
  ExecutionFilter filter{.job_id = request.query("jobId"),
                         .status = request.query("status"),
                         .type = request.query("type"),
                         .labels = labels_of(request)};
  const auto time = [&](const char* name) -> std::optional<TimeMs> {
    const std::string text = request.query(name);
    return text.empty() ? std::nullopt : std::optional{parse_iso8601(text, name)};
  };
  filter.from = time("from");
  filter.before = time("to");
  if (filter.from && filter.before && *filter.from >= *filter.before)
    throw Error(ErrorCode::InvalidArgument, "query parameter \"from\" must be before \"to\"");
  Page page = page_of(request);
  ExecutionSlice slice{.limit = page.size};
  if (const std::string text = request.query("cursor"); !text.empty()) {
    if (!request.query("page").empty())
      throw Error(ErrorCode::InvalidArgument,
                  "query parameters \"cursor\" and \"page\" cannot be combined");
    Cursor cursor = parse_cursor(text);
    page.number = cursor.page;
    slice.after = std::move(cursor.after);
  } else {
    slice.offset = page.offset();
  }
  const TimeMs now = services_.control.context().clock.now_ms();
  std::string rows;
  const auto next = services_.executions.list(
      filter, slice, [&](const Execution& run, const std::string& labels) {
        rows += (rows.empty() ? "" : ",") + render::execution_text(run, labels, nullptr, now);
      });
  JsonWriter out;
  out.begin_object().key("data").raw("[" + rows + "]");
  out.key("total").number(services_.executions.count(filter));
  out.key("page").number(page.number).key("pageSize").number(page.size);
  out.key("nextCursor")
      .text_or_null(next ? cursor_text({.after = *next, .page = page.number + 1}) : "");
  out.end_object();
  return HttpResponse::json(200, out.take());
}

HttpResponse ExecutionsResource::detail(const std::string& id, bool with_logs) {
  const TimeMs now = services_.control.context().clock.now_ms();
  std::string body = R"({"success":true,"data":)";
  services_.executions.visit(
      id, with_logs,
      [&](const Execution& run, const std::string& labels, const std::vector<LogEntry>& logs) {
        body += render::execution_text(run, labels, with_logs ? &logs : nullptr, now);
      });
  body += '}';
  return HttpResponse::json(200, std::move(body));
}

HttpResponse ExecutionsResource::get(const ApiRequest& request, const Principal&) {
  return detail(request.param(), request.flag("includeLogs"));
}

HttpResponse ExecutionsResource::wait(const ApiRequest& request, HttpResponse now) {
  const std::chrono::seconds at_most{request.query_integer("wait", 0)};
  const std::string& id = request.param();
  if (at_most.count() == 0 || services_.executions.has_ended(id)) return now;
  HttpRequest head;  // of which the entity tag is asked
  head.method = request.http.method;
  head.headers = request.http.headers;
  return follower_.wait(
      id, at_most, [this, id, with_logs = request.flag("includeLogs"), head = std::move(head)] {
        return with_entity_tag(detail(id, with_logs), head);
      });
}

HttpResponse ExecutionsResource::logs(const ApiRequest& request, const Principal&) {
  if (request.query("format") == "text") return log_text(request);
  const std::string& id = request.param();
  int64_t next = request.query_integer("after", 0);
  std::string status;
  // Before the lines: of a run that has ended they are all there.
  services_.executions.visit(
      id, /*with_logs=*/false,
      [&](const Execution& run, const auto&, const auto&) { status = run.status; });
  JsonWriter out;
  out.begin_object().key("success").flag(true).key("data").begin_array();
  for (const LogEntry& entry :
       services_.executions.logs(id, next, request.query_integer("limit", kLines))) {
    out.raw(render::log_entry_text(entry));
    next = entry.seq;
  }
  out.end_array().key("next").number(next).key("status").text(status).end_object();
  return HttpResponse::json(200, out.take());
}

HttpResponse ExecutionsResource::log_text(const ApiRequest& request) {
  const std::string& id = request.param();
  services_.executions.has_ended(id);  // throws when there is none
  int64_t next = request.query_integer("after", 0);
  int64_t left = request.query_integer("limit", INT64_MAX);
  std::string text;
  while (left > 0 && text.size() < kMostText) {
    const auto lines = services_.executions.logs(id, next, std::min(left, kMostLines));
    for (const LogEntry& entry : lines) {
      text += line_text(entry);
      next = entry.seq;
    }
    if (static_cast<int64_t>(lines.size()) < kMostLines) break;
    left -= kMostLines;
  }
  HttpResponse response = HttpResponse::text(200, std::move(text), std::string{kPlainText});
  response.headers.set("X-Next-Index", std::to_string(next));
  return response;
}

HttpResponse ExecutionsResource::events(const ApiRequest& request, const Principal&) {
  LastEvent last{.seq = request.query_integer("after", 0)};
  if (const std::string* sent = request.http.headers.find("Last-Event-ID");
      sent != nullptr && !sent->empty()) {
    const auto known = parse_last_event(*sent);
    if (!known)
      throw Error(ErrorCode::InvalidArgument,
                  "\"Last-Event-ID\" must be the id of an event of this stream");
    last = *known;
  }
  const std::string& id = request.param();
  // A client that had the end comes back because it does not know that nothing follows; 204 tells
  // it.
  if (last.is_end && services_.executions.has_ended(id)) return HttpResponse{.status = 204};
  return follower_.follow(id, last.seq,
                          {.request = request.http, .access = Permission::HistoryRead});
}

HttpResponse ExecutionsResource::all_events(const ApiRequest& request, const Principal&) {
  std::optional<TimeMs> since;
  if (const std::string* sent = request.http.headers.find("Last-Event-ID");
      sent != nullptr && !sent->empty()) {
    const auto known = parse_last_event(*sent);
    if (!known || known->is_end)
      throw Error(ErrorCode::InvalidArgument,
                  "\"Last-Event-ID\" must be the id of an event of this stream");
    since = known->seq;
  }
  return follower_.follow_all(since, {.request = request.http, .access = Permission::HistoryRead});
}

HttpResponse ExecutionsResource::cancel(const ApiRequest& request, const Principal& who) {
  return json_answer(
      200, {{"success", true}, {"message", services_.executions.cancel(who, request.param())}});
}

HttpResponse ExecutionsResource::history(const ApiRequest&, const Principal&) {
  Json executions = Json::array();
  for (const auto& run : services_.executions.history())
    executions.push_back(render::history_item(run));
  return json_answer(200, {{"executions", std::move(executions)},
                           {"systemTimezone", services_.control.context().settings().time_zone}});
}

}  // namespace dbackup::host
