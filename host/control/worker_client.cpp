#include "control/worker_client.hpp"

#include <thread>

#include "base/error.hpp"
#include "base/logging.hpp"
#include "control/worker_conversation.hpp"
#include "protocol/message_json.hpp"

namespace dbackup::host {

struct WorkerClient::Shared {
  std::mutex mutex;
  std::condition_variable changed;
  size_t requests = 0;  ///< slots of the Request lane in use
  size_t fetches = 0;   ///< threads that look after fetches
  std::stop_source stop_fetches;
};

/// A place among the workers that callers wait for.
class WorkerClient::Slot {
 public:
  Slot(std::shared_ptr<Shared> shared, WorkerLane lane, const Limits& limits) {
    if (lane == WorkerLane::Run) return;
    std::unique_lock lock{shared->mutex};
    const auto is_free = [&] { return shared->requests < limits.max_requests; };
    if (lane == WorkerLane::Background) {
      shared->changed.wait(lock, is_free);
    } else if (!shared->changed.wait_for(lock, limits.max_wait, is_free)) {
      throw Error(ErrorCode::Unavailable, "the server is busy with other adapters; try again later", {},
                  "busy");
    }
    ++shared->requests;
    shared_ = std::move(shared);
  }
  Slot(Slot&&) noexcept = default;
  Slot& operator=(Slot&&) = delete;
  ~Slot() {
    if (!shared_) return;
    const std::lock_guard lock{shared_->mutex};
    --shared_->requests;
    shared_->changed.notify_all();
  }

 private:
  std::shared_ptr<Shared> shared_;
};

std::string FetchEnd::wait() {
  std::unique_lock lock{mutex_};
  changed_.wait(lock, [this] { return is_done_; });
  return failure_;
}

void FetchEnd::set(std::string failure) {
  const std::lock_guard lock{mutex_};
  failure_ = std::move(failure);
  is_done_ = true;
  changed_.notify_all();
}

WorkerClient::WorkerClient(WorkerLauncher& launcher, std::string program_version, Limits limits)
    : launcher_{launcher},
      program_version_{std::move(program_version)},
      limits_{limits},
      shared_{std::make_shared<Shared>()} {}

WorkerClient::~WorkerClient() {
  shared_->stop_fetches.request_stop();
  std::unique_lock lock{shared_->mutex};
  shared_->changed.wait(lock, [this] { return shared_->fetches == 0; });
}

WorkerCall WorkerClient::watched(WorkerCall call) const {
  if (!on_host_key_ || !call.keeps_host_keys) return call;
  call.on_event = [seen = on_host_key_, next = std::move(call.on_event)](const protocol::Event& event) {
    if (event.kind == protocol::EventKind::HostKey) seen(event.data);
    if (next) next(event);
  };
  return call;
}

Json WorkerClient::run(protocol::Operation op, const Json& body, const WorkerCall& call) {
  const Slot slot{shared_, call.lane, limits_};
  WorkerConversation conversation{
      launcher_, op, body, watched(call),
      {.program_version = program_version_, .greeting = limits_.greeting, .cancel_grace = limits_.cancel_grace}};
  return conversation.wait_result();
}

std::vector<Json> WorkerClient::items(protocol::Operation op, const Json& body, WorkerCall call) {
  std::vector<Json> out;
  call.on_event = [&out, next = std::move(call.on_event)](const protocol::Event& event) {
    if (event.kind == protocol::EventKind::Item) out.push_back(event.data);
    if (next) next(event);
  };
  run(op, body, call);
  return out;
}

WorkerClient::Fetch WorkerClient::fetch(const protocol::FetchRequest& request, std::stop_token stop) {
  auto end = std::make_shared<FetchEnd>();
  // What ends it before its time: the caller's token until it has begun, abandon(), our destructor.
  auto relay = [end] { end->abandon(); };
  auto on_shutdown = std::make_shared<std::stop_callback<std::function<void()>>>(
      shared_->stop_fetches.get_token(), relay);
  const std::stop_callback on_stop{stop, relay};

  auto slot = std::make_shared<Slot>(shared_, WorkerLane::Request, limits_);
  WorkerCall call;
  call.stop = end->stop_.get_token();
  auto conversation = std::make_shared<WorkerConversation>(
      launcher_, protocol::Operation::Fetch, Json(request), watched(std::move(call)),
      WorkerConversation::Setup{.program_version = program_version_,
                                .greeting = limits_.greeting,
                                .cancel_grace = limits_.cancel_grace,
                                .with_bulk = true});
  const Json start = conversation->wait_start(limits_.fetch_start);
  Fetch out;
  out.total = static_cast<uint64_t>(get_int(start, "total", 0).value_or(0));
  out.offset = static_cast<uint64_t>(get_int(start, "offset", 0).value_or(0));
  out.length = static_cast<uint64_t>(get_int(start, "length", 0).value_or(0));
  out.bytes = conversation->take_bulk();
  out.end = end;
  {
    const std::lock_guard lock{shared_->mutex};
    ++shared_->fetches;
  }
  try {
    std::thread{[shared = shared_, end, on_shutdown, slot, conversation,
                 request = LogContext::current()]() mutable noexcept {
      const LogContext context{std::move(request)};
      std::string failure;
      try {
        conversation->wait_result();
      } catch (const std::exception& error) {
        failure = *error.what() == '\0' ? "failed" : error.what();
      } catch (...) {
        failure = "failed";
      }
      conversation.reset();
      on_shutdown.reset();
      slot.reset();
      end->set(std::move(failure));
      const std::lock_guard lock{shared->mutex};
      --shared->fetches;
      shared->changed.notify_all();
    }}.detach();
  } catch (const std::system_error&) {
    const std::lock_guard lock{shared_->mutex};
    --shared_->fetches;
    throw Error(ErrorCode::Unavailable, "the server has no room for another download", {}, "busy");
  }
  return out;
}

}  // namespace dbackup::host
