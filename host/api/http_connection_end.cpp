// How a connection ends, and how it waits for an answer that comes later.
#include <sys/socket.h>

#include "api/http_connection.hpp"
#include "api/http_hub.hpp"

namespace dbackup::host {

void HttpConnection::defer(std::shared_ptr<HttpRequest> request,
                           const std::shared_ptr<HttpLater>& later) {
  bool is_over = false;
  {
    const Lock lock{mutex_};
    is_over = phase_ != Phase::Working || hung_up_ || hub_.draining();
    if (phase_ == Phase::Working) later_ = later;
  }
  later->attach([weak = weak_from_this(), request = std::move(request)](HttpResponse response) {
    if (const auto self = weak.lock()) self->complete(*request, std::move(response));
  });
  if (is_over) later->hurry();
}

void HttpConnection::complete(const HttpRequest& request, HttpResponse response) {
  try {
    Lock lock{mutex_, std::defer_lock};
    answer(lock, &request, std::move(response), form_.keep_alive);
    later_.reset();
    drive(lock);
  } catch (...) {  // out of memory: nothing waits for this connection any more, so it must not stay
    cut();
  }
}

void HttpConnection::linger(Lock& lock) {
  // Closing with unread input would reset the connection, and the client might lose the answer.
  if (hung_up_) return close(lock);
  transport_->end_sending();
  phase_ = Phase::Lingering;
  deadline_ = std::chrono::steady_clock::now() + hub_.options.deadlines.linger;
}

void HttpConnection::sweep(TimePoint now) {
  Lock lock{mutex_};
  if (phase_ == Phase::Writing && waits_for_ == HttpReply::Step::Events &&
      now - last_sent_ >= hub_.options.deadlines.comment) {
    reply_->add_comment();
    push(lock, 1);
    return drive(lock);
  }
  if (now < deadline_) return;
  if (phase_ == Phase::Reading && framer_.mid_request()) {
    answer_failure(lock, 408, "request timeout");
    return drive(lock);
  }
  if (phase_ != Phase::Working && phase_ != Phase::Closed) close(lock);
}

bool HttpConnection::drain() {
  Lock lock{mutex_};
  switch (phase_) {
    case Phase::Reading:
      if (framer_.mid_request()) return true;
      close(lock);
      return false;
    case Phase::Working:
      if (const auto later = later_.lock()) {
        lock.unlock();
        later->hurry();
      }
      return true;
    case Phase::Writing: {
      if (HttpEventStream* events = reply_->events()) events->close();
      return true;
    }
    case Phase::Lingering:
    case Phase::Closed:
      return false;
  }
  return false;
}

void HttpConnection::cut() {
  Lock lock{mutex_};
  if (phase_ != Phase::Closed) close(lock);
}

void HttpConnection::close(Lock& lock, Ending ending) {
  phase_ = Phase::Closed;
  deadline_ = TimePoint::max();
  const auto reply = std::move(reply_);  // ends after the lock is free: it calls the layer above
  const auto decided = std::exchange(decided_, std::nullopt);
  const auto later = later_.lock();
  later_.reset();
  hub_.writer->forget(socket_.get());
  if (ending == Ending::Reset) {
    // A FIN would look like the end of an answer that ends with the connection: the last close must
    // reset instead.
    const struct linger reset { .l_onoff = 1, .l_linger = 0 };
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    ::shutdown(socket_.get(), SHUT_RD);
  } else {
    ::shutdown(socket_.get(), SHUT_RDWR);
  }
  socket_.reset();
  const bool gone = hung_up_;
  lock.unlock();
  if (gone) hub_.remove(id_);
  if (reply) reply->finish(false);
  if (later) later->hurry();
  lock.lock();
}

}  // namespace dbackup::host
