#include "api/run_events.hpp"

#include <charconv>

#include "api/http_event_stream.hpp"
#include "api/render.hpp"
#include "base/json_writer.hpp"
#include "services/execution_service.hpp"

namespace dbackup::host {
namespace {

std::string progress_event(const RunState& run) {
  JsonWriter out;
  out.begin_object();
  out.key("progress").number(run.progress).key("stage").text_or_null(run.stage);
  if (!run.detail.empty()) out.key("detail").text(run.detail);
  out.end_object();
  return format_event(std::nullopt, "progress", out.take());
}

std::string stage_event(const RunState& run) {
  JsonWriter out;
  out.begin_object().key("stage").text_or_null(run.stage).key("progress").number(run.progress);
  out.end_object();
  return format_event(std::nullopt, "stage", out.take());
}

}  // namespace

RunState run_state(const Execution& run, const std::string& labels, TimeMs now) {
  return {.status = run.status,
          .stage = run.stage,
          .detail = run.detail,
          .progress = run.progress,
          .has_ended = run.ended_at.has_value(),
          .json = render::execution_text(run, labels, nullptr, now)};
}

std::shared_ptr<const std::vector<LogPages::Line>> LogPages::after(int64_t seq) {
  if (const auto known = pages_.find(seq); known != pages_.end()) return known->second;
  auto lines = std::make_shared<std::vector<Line>>();
  for (const LogEntry& entry : executions_.logs(id_, seq, kLines)) {
    lines->push_back({.seq = entry.seq,
                      .event = format_event(static_cast<uint64_t>(entry.seq), "log",
                                            render::log_entry_text(entry))});
  }
  if (pages_.size() >= kMost) pages_.clear();
  return pages_[seq] = std::move(lines);
}

bool push_news(HttpEventStream& out, RunCursor& at, const RunState& run, LogPages& pages,
               size_t least, const std::function<void()>& on_room) {
  at.has_more = false;
  const auto has_room = [&] {
    at.has_more = out.room(on_room) < least;
    return !at.has_more;
  };
  for (bool is_last = false; !is_last;) {
    const auto lines = pages.after(at.after);
    is_last = static_cast<int64_t>(lines->size()) < LogPages::kLines;
    for (const auto& line : *lines) {
      if (!has_room()) return false;
      if (!out.push(line.event)) return true;
      at.after = line.seq;
    }
  }
  if (!has_room()) return false;
  std::string text;
  if (std::exchange(at.status, run.status) != run.status)
    text += format_event(std::nullopt, "status", run.json);
  if (std::exchange(at.stage, run.stage) != run.stage) text += stage_event(run);
  const bool is_same_detail = std::exchange(at.detail, run.detail) == run.detail;
  if (std::exchange(at.progress, run.progress) != run.progress || !is_same_detail)
    text += progress_event(run);
  if (run.has_ended)
    text +=
        "id: " + std::to_string(at.after) + ".end\n" + format_event(std::nullopt, "end", run.json);
  if (!text.empty() && !out.push(text)) return true;
  if (run.has_ended) out.close();
  return run.has_ended;
}

std::string status_event(const Execution& run, const std::string& labels, TimeMs now, TimeMs id) {
  return format_event(static_cast<uint64_t>(id), "status",
                      render::execution_text(run, labels, nullptr, now));
}

std::optional<LastEvent> parse_last_event(std::string_view text) {
  LastEvent out;
  const char* const last = text.data() + text.size();
  const auto [end, status] = std::from_chars(text.data(), last, out.seq);
  if (status != std::errc{} || out.seq < 0) return std::nullopt;
  const std::string_view rest{end, static_cast<size_t>(last - end)};
  out.is_end = rest == ".end";
  return rest.empty() || out.is_end ? std::optional{out} : std::nullopt;
}

}  // namespace dbackup::host
