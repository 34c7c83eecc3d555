#include "api/http_connection.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstring>

#include "api/http_hub.hpp"

namespace dbackup::host {
namespace {

using SteadyClock = std::chrono::steady_clock;

/// A body not wanted by anyone is read up to this size, so that the connection lives on.
constexpr uint64_t kDroppedBodyBytes = uint64_t{64} << 10;
/// Blocks sent in one turn before other connections have theirs.
constexpr int kRounds = 4;

std::string peer_address(int socket) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  if (::getpeername(socket, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return "";
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (storage.ss_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &storage, sizeof v4);
    return ::inet_ntop(AF_INET, &v4.sin_addr, text.data(), text.size()) ? text.data() : "";
  }
  sockaddr_in6 v6{};
  std::memcpy(&v6, &storage, sizeof v6);
  if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
    return ::inet_ntop(AF_INET, &v6.sin6_addr.s6_addr[12], text.data(), text.size()) ? text.data()
                                                                                     : "";
  }
  return ::inet_ntop(AF_INET6, &v6.sin6_addr, text.data(), text.size()) ? text.data() : "";
}

}  // namespace

HttpConnection::HttpConnection(HttpHub& hub, uint64_t id, UniqueFd socket)
    : hub_{hub},
      id_{id},
      client_address_{peer_address(socket.get())},
      socket_{std::move(socket)},
      transport_{hub.options.transport ? hub.options.transport(socket_.get())
                                       : make_plain_transport(socket_.get())},
      framer_{
          {.header_bytes = hub.options.header_bytes, .header_fields = hub.options.header_fields}},
      deadline_{SteadyClock::now() + (transport_->is_ready() ? hub.options.deadlines.idle
                                                             : hub.options.deadlines.head)} {}

void HttpConnection::input(std::string_view wire) {
  Lock lock{mutex_};
  if (phase_ == Phase::Closed || phase_ == Phase::Lingering) return;
  const bool was_ready = transport_->is_ready();
  const auto plain = transport_->receive(wire);
  if (!plain) return close(lock);
  if (!was_ready && transport_->is_ready()) set_read_deadline();
  if (!flush_transport()) return close(lock);
  if (plain->empty()) return;
  framer_.feed(*plain);
  if (phase_ == Phase::Reading) return drive(lock);
  // An answer is under way: what came waits, but not without bound.
  if (framer_.buffered() > hub_.options.pipeline_bytes) close(lock);
}

void HttpConnection::hangup() {
  Lock lock{mutex_};
  hung_up_ = true;
  if (phase_ == Phase::Closed) {
    lock.unlock();
    return hub_.remove(id_);
  }
  // A client may close its direction and still wait for an answer; sending tells whether it is
  // gone. Nobody waits for an event stream or a deferred answer that way, and a silent one would
  // never notice.
  const bool answering = (phase_ == Phase::Working && later_.expired()) ||
                         (phase_ == Phase::Writing && !reply_->events());
  if (!answering) close(lock);
}

void HttpConnection::drive(Lock& lock) {
  while (phase_ == Phase::Reading) {
    switch (framer_.state()) {
      case HttpFramer::State::NeedInput:
        if (hung_up_ || (hub_.draining() && !framer_.mid_request())) return close(lock);
        return set_read_deadline();
      case HttpFramer::State::HeadReady:
        decide(lock);
        break;
      case HttpFramer::State::RequestReady:
        dispatch(lock);
        break;
      case HttpFramer::State::Failed:
        answer_failure(lock, framer_.error().status, framer_.error().message);
        break;
    }
  }
}

void HttpConnection::set_read_deadline() {
  const auto now = SteadyClock::now();
  const auto& deadlines = hub_.options.deadlines;
  if (!framer_.mid_request()) {
    in_head_ = false;
    deadline_ = now + deadlines.idle;
  } else if (framer_.mid_body()) {
    in_head_ = false;
    deadline_ = now + deadlines.body;
  } else if (!in_head_) {  // set once a head: dripping bytes do not prolong it
    in_head_ = true;
    deadline_ = now + deadlines.head;
  }
}

void HttpConnection::decide(Lock& lock) {
  phase_ = Phase::Working;
  deadline_ = TimePoint::max();
  in_head_ = false;
  form_ = {.head_only = framer_.head().method == Method::Head,
           .http_1_0 = framer_.is_http_1_0(),
           .keep_alive = true};
  lock.unlock();
  HttpRequest& head = framer_.head();  // the framer leaves it alone until take()
  head.client_address = client_address_;
  head.id = hub_.next_request_id();
  RouteInfo route;
  try {
    route = hub_.handler.route(head);
  } catch (...) {
    hub_.handler.failed(&head, std::current_exception());
    route.answer = HttpResponse::error(500, "internal error");
  }
  lock.lock();
  if (phase_ != Phase::Working) return;
  routed_ = true;
  run_ = route.run;
  if (route.answer && framer_.has_body() &&
      (framer_.expects_continue() || framer_.content_length().value_or(0) > kDroppedBodyBytes)) {
    lock.unlock();
    return answer(lock, &head, std::move(*route.answer), false);
  }
  decided_ = std::move(route.answer);
  phase_ = Phase::Reading;
  framer_.accept_body(decided_ ? kDroppedBodyBytes : route.body_limit);
  if (framer_.state() == HttpFramer::State::NeedInput && framer_.expects_continue())
    send_continue(lock);
}

void HttpConnection::send_continue(Lock& lock) {
  constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  size_t taken = 0;
  // The socket's buffer is empty here: one that does not take 25 bytes belongs to nobody.
  if (transport_->send(kContinue, taken, false) != HttpTransport::Step::Done) close(lock);
}

void HttpConnection::dispatch(Lock& lock) {
  form_.keep_alive = framer_.keep_alive();
  phase_ = Phase::Working;
  deadline_ = TimePoint::max();
  routed_ = false;
  auto request = framer_.take();
  auto decided = std::exchange(decided_, std::nullopt);
  const HttpRun run = run_;
  const bool keep_alive = form_.keep_alive;
  lock.unlock();
  if (decided) return answer(lock, &request, std::move(*decided), keep_alive);
  if (run == HttpRun::Inline) {
    HttpResponse response = call_handler(request);
    return answer(lock, &request, std::move(response), keep_alive);
  }
  auto waiting = std::make_shared<HttpRequest>(std::move(request));
  HttpPool::Job job = [self = shared_from_this(), waiting] { self->work(waiting); };
  if (!hub_.pool(run).post(std::move(job))) {
    HttpResponse busy = HttpResponse::error(503, "server busy");
    busy.headers.add("Retry-After", "1");
    return answer(lock, waiting.get(), std::move(busy), keep_alive);
  }
  lock.lock();
}

void HttpConnection::work(const std::shared_ptr<HttpRequest>& request) {
  try {
    HttpResponse response = call_handler(*request);
    if (response.later) return defer(request, response.later);
    complete(*request, std::move(response));
  } catch (...) {  // out of memory: nothing waits for this connection any more, so it must not stay
    cut();
  }
}

HttpResponse HttpConnection::call_handler(HttpRequest& request) {
  try {
    return hub_.handler.handle(request);
  } catch (...) {
    hub_.handler.failed(&request, std::current_exception());
    return HttpResponse::error(500, "internal error");
  }
}

void HttpConnection::decorate(const HttpRequest* request, HttpResponse& response) {
  try {
    hub_.handler.decorate(request, response);
  } catch (...) {
    hub_.handler.failed(request, std::current_exception());
    response = HttpResponse::error(500, "internal error");
  }
  // A request without a readable head has no id, but its sender may ask about it all the same.
  if (!response.headers.contains("X-Request-Id"))
    response.headers.set("X-Request-Id", request != nullptr ? request->id : hub_.next_request_id());
}

void HttpConnection::answer_failure(Lock& lock, int status, std::string_view message) {
  phase_ = Phase::Working;
  deadline_ = TimePoint::max();
  const HttpRequest* request = routed_ ? &framer_.head() : nullptr;
  if (!routed_) form_ = {};
  lock.unlock();
  answer(lock, request, HttpResponse::error(status, message), false);
}

void HttpConnection::answer(Lock& lock, const HttpRequest* request, HttpResponse response,
                            bool keep_alive) {
  decorate(request, response);
  HttpReply::Form form = form_;  // written only before Working
  form.keep_alive = keep_alive && !hub_.draining();
  auto* stream = std::get_if<std::shared_ptr<HttpEventStream>>(&response.body);
  const auto events = stream ? *stream : nullptr;
  auto reply = std::make_unique<HttpReply>(std::move(response), form);
  lock.lock();
  if (phase_ != Phase::Working) {  // cut meanwhile
    lock.unlock();
    reply.reset();
    return lock.lock();
  }
  reply_ = std::move(reply);
  phase_ = Phase::Writing;
  waits_for_ = HttpReply::Step::Done;
  last_sent_ = SteadyClock::now();
  if (events) {
    events->attach([writer = std::weak_ptr{hub_.writer}, id = id_] {
      if (const auto alive = writer.lock()) alive->schedule(id);
    });
  }
  push(lock, 1);
}

bool HttpConnection::flush_transport() {
  if (!transport_->wants_flush()) return true;
  const auto step = transport_->flush();
  if (step == HttpTransport::Step::Blocked) return hub_.writer->when_writable(socket_.get(), id_);
  return step != HttpTransport::Step::Broken;
}

void HttpConnection::pump() {
  Lock lock{mutex_};
  if (phase_ == Phase::Closed) return;
  if (!flush_transport()) return close(lock);
  if (phase_ == Phase::Writing) push(lock, kRounds);
  drive(lock);
}

void HttpConnection::push(Lock& lock, int rounds) {
  using Step = HttpReply::Step;
  uint64_t progress = 0;
  const Step step = reply_->push(*transport_, rounds, progress);
  const auto now = SteadyClock::now();
  const auto& deadlines = hub_.options.deadlines;
  if (progress > 0) last_sent_ = now;
  bool watched = true;
  switch (step) {
    case Step::Done:
      return finish_reply(lock);
    case Step::Again:  // a block is at hand that the socket may not take, so this counts as waiting
                       // for it
      deadline_ = now + deadlines.write;
      watched = hub_.writer->when_writable(socket_.get(), id_);
      break;
    case Step::Socket:
      if (progress > 0 || (waits_for_ != Step::Socket && waits_for_ != Step::Again))
        deadline_ = now + deadlines.write;
      watched = hub_.writer->when_writable(socket_.get(), id_);
      break;
    case Step::Source:
      deadline_ = TimePoint::max();
      watched = hub_.writer->when_readable(reply_->source_fd(), id_);
      break;
    case Step::Verdict:
      if (waits_for_ != Step::Verdict) deadline_ = now + deadlines.verdict;
      hub_.writer->schedule_soon(id_);
      break;
    case Step::Events:
      deadline_ = TimePoint::max();
      break;
    case Step::Broken:
    case Step::Cut:
      return close(lock);
    case Step::CutReset:
      return close(lock, Ending::Reset);
  }
  waits_for_ = step;
  if (!watched) close(lock);
}

void HttpConnection::finish_reply(Lock& lock) {
  const auto reply = std::move(reply_);
  deadline_ = TimePoint::max();
  if (reply->keep_alive()) {
    // Before the lock goes: the client may have the answer already, and its next request must find
    // us reading.
    phase_ = Phase::Reading;
    framer_.resume();
  } else {
    linger(lock);
  }
  if (!reply->has_owner()) return;
  lock.unlock();
  reply->finish(true);  // calls the layer above
  lock.lock();
}

}  // namespace dbackup::host
