#include "api/run_follower.hpp"

#include "api/run_follower_state.hpp"

namespace dbackup::host {

RunFollower::RunFollower(ExecutionService& executions, RunNews& news, const Clock& clock,
                         RunFollowerOptions options)
    : state_{std::make_shared<State>(executions, news, clock, options)} {
  news.listen([state = state_.get()](const std::string& id, RunNews::What what) {
    const std::lock_guard lock{state->mutex};
    if (!state->has_followers) return;
    state->told.insert(id);
    state->is_status_told = state->is_status_told || what == RunNews::What::Status;
    state->changed.notify_all();
  });
  state_->thread = std::thread{[state = state_.get()]() noexcept { state->serve(); }};
}

RunFollower::~RunFollower() { stop(); }

void RunFollower::check_with(May may) { state_->may = std::move(may); }

void RunFollower::stop() noexcept {
  state_->news.listen({});
  {
    const std::lock_guard lock{state_->mutex};
    state_->is_stopping = true;
    state_->changed.notify_all();
  }
  if (state_->thread.joinable()) state_->thread.join();
}

HttpResponse RunFollower::follow(const std::string& id, int64_t after, const Asker& asker) {
  state_->executions.has_ended(id);  // throws when there is none
  auto out = std::make_shared<HttpEventStream>(state_->waker(), following::kBuffer);
  if (asker.request.method != Method::Head) {
    const std::lock_guard lock{state_->mutex};
    state_->take_place();
    following::RunStream stream;
    stream.out = out;
    stream.head = following::credentials_of(asker.request);
    stream.access = asker.access;
    stream.next_check = following::Steady::now() + state_->options.check;
    stream.cursor.after = after;
    state_->arrived[id].streams.push_back(std::move(stream));
    state_->changed.notify_all();
  }
  return HttpResponse::events(std::move(out));
}

HttpResponse RunFollower::follow_all(std::optional<TimeMs> since, const Asker& asker) {
  auto out = std::make_shared<HttpEventStream>(state_->waker(), following::kBufferOfAll);
  if (asker.request.method != Method::Head) {
    const std::lock_guard lock{state_->mutex};
    state_->take_place();
    following::AllStream stream;
    stream.out = out;
    stream.head = following::credentials_of(asker.request);
    stream.access = asker.access;
    stream.next_check = following::Steady::now() + state_->options.check;
    stream.since = since;
    state_->arrived_all.push_back(std::move(stream));
    state_->changed.notify_all();
  }
  return HttpResponse::events(std::move(out));
}

HttpResponse RunFollower::wait(const std::string& id, std::chrono::seconds at_most,
                               std::function<HttpResponse()> answer) {
  const auto is_hurried = std::make_shared<std::atomic<bool>>(false);
  HttpResponse response;
  response.later = std::make_shared<HttpLater>([is_hurried, wake = state_->waker()] {
    is_hurried->store(true);
    wake();
  });
  const std::lock_guard lock{state_->mutex};
  state_->take_place();
  state_->arrived[id].waiters.push_back({.until = following::Steady::now() + at_most,
                                         .later = response.later,
                                         .answer = std::move(answer),
                                         .is_hurried = is_hurried});
  state_->changed.notify_all();
  return response;
}

}  // namespace dbackup::host
