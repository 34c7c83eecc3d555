#include "api/http_event_stream.hpp"

#include <fmt/format.h>

namespace dbackup::host {

bool HttpEventStream::push(std::string_view text) {
  std::function<void()> wake;
  bool accepted = false;
  {
    const std::lock_guard lock{mutex_};
    if (closing_ || overflow_ || ended_) return false;
    // Room is asked for before anything is kept: one huge event must not grow the memory either.
    if (queued_.size() + text.size() > limit_bytes_) {
      overflow_ = true;
      queued_ = std::string{};
    } else {
      queued_.append(text);
      accepted = true;
    }
    wake = wake_;
  }
  if (wake) wake();
  return accepted;
}

void HttpEventStream::close() {
  std::function<void()> wake;
  {
    const std::lock_guard lock{mutex_};
    closing_ = true;
    wake = wake_;
  }
  if (wake) wake();
}

bool HttpEventStream::is_open() const {
  const std::lock_guard lock{mutex_};
  return !closing_ && !overflow_ && !ended_;
}

bool HttpEventStream::overflowed() const {
  const std::lock_guard lock{mutex_};
  return overflow_;
}

void HttpEventStream::attach(std::function<void()> wake) {
  const std::lock_guard lock{mutex_};
  wake_ = std::move(wake);
}

size_t HttpEventStream::room(std::function<void()> on_room) {
  const std::lock_guard lock{mutex_};
  if (closing_ || overflow_ || ended_) return 0;
  if (!queued_.empty()) on_room_ = std::move(on_room);
  return limit_bytes_ - queued_.size();
}

HttpEventStream::Taken HttpEventStream::take() {
  Taken taken;
  std::function<void()> on_room;
  {
    const std::lock_guard lock{mutex_};
    taken = {.text = std::move(queued_), .last = closing_, .overflow = overflow_};
    queued_.clear();
    if (!taken.text.empty()) on_room.swap(on_room_);
  }
  if (on_room) on_room();
  return taken;
}

void HttpEventStream::end() noexcept {
  std::function<void()> call;
  {
    const std::lock_guard lock{mutex_};
    if (ended_) return;
    ended_ = true;
    queued_ = std::string{};
    wake_ = nullptr;
    on_room_ = nullptr;
    call = std::exchange(on_end_, nullptr);
  }
  if (!call) return;
  try {
    call();
  } catch (...) {  // the stream is over, and nobody is left to tell
  }
}

std::string format_event(std::optional<uint64_t> id, std::string_view event,
                         std::string_view data) {
  std::string text;
  if (id) text += fmt::format("id: {}\n", *id);
  if (!event.empty()) text += fmt::format("event: {}\n", event);
  for (;;) {
    const size_t end = data.find('\n');
    text += fmt::format("data: {}\n", data.substr(0, end));
    if (end == std::string_view::npos) break;
    data.remove_prefix(end + 1);
  }
  return text + "\n";
}

}  // namespace dbackup::host
