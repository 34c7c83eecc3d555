#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "api/http_framer.hpp"
#include "api/http_handler.hpp"
#include "api/http_later.hpp"
#include "api/http_reply.hpp"
#include "api/http_transport.hpp"
#include "base/unique_fd.hpp"

namespace dbackup::host {

class HttpHub;

/// One client: its bytes, one request at a time, one answer at a time, its deadlines. [any-thread]
///
///   Reading → Working → Writing → Reading … or → Lingering → Closed
///
/// All state is behind one mutex, free while the handler or anything else of the layer above runs:
/// Working.
class HttpConnection : public std::enable_shared_from_this<HttpConnection> {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  HttpConnection(HttpHub& hub, uint64_t id, UniqueFd socket);

  /// From the reactor: bytes arrived; the peer closed its direction or is gone.
  void input(std::string_view wire);
  void hangup();
  /// From the writer: something this connection waits for may have happened.
  void pump();
  void sweep(TimePoint now);
  /// The server is about to stop: ends what is idle. True while an answer is in flight.
  bool drain();
  /// Ends the connection at once.
  void cut();

 private:
  using Lock = std::unique_lock<std::mutex>;
  enum class Phase { Reading, Working, Writing, Lingering, Closed };
  enum class Ending { Orderly, Reset };

  void drive(Lock& lock);
  void decide(Lock& lock);
  void dispatch(Lock& lock);
  void answer_failure(Lock& lock, int status, std::string_view message);
  /// Decorates and sends; called with phase Working and without the lock, takes it.
  void answer(Lock& lock, const HttpRequest* request, HttpResponse response, bool keep_alive);
  void work(const std::shared_ptr<HttpRequest>& request);
  /// Lets the thread go; complete() is called once the answer is there.
  void defer(std::shared_ptr<HttpRequest> request, const std::shared_ptr<HttpLater>& later);
  void complete(const HttpRequest& request, HttpResponse response);
  HttpResponse call_handler(HttpRequest& request);
  void decorate(const HttpRequest* request, HttpResponse& response);

  /// Sends what the transport itself has for the peer, now or once the socket takes it. False: broken.
  bool flush_transport();
  void push(Lock& lock, int rounds);
  void finish_reply(Lock& lock);
  void linger(Lock& lock);
  void close(Lock& lock, Ending ending = Ending::Orderly);
  void set_read_deadline();
  void send_continue(Lock& lock);

  HttpHub& hub_;
  const uint64_t id_;
  const std::string client_address_;
  std::mutex mutex_;
  UniqueFd socket_;
  std::unique_ptr<HttpTransport> transport_;
  HttpFramer framer_;
  Phase phase_ = Phase::Reading;
  bool hung_up_ = false;
  bool routed_ = false;  // framer_.head() has been given to route()
  HttpRun run_ = HttpRun::Quick;
  std::optional<HttpResponse> decided_;  // route()'s answer, while a small body is read and dropped
  HttpReply::Form form_;                 // of the answer being made
  std::unique_ptr<HttpReply> reply_;
  std::weak_ptr<HttpLater> later_;  // while Working: the answer that is awaited
  HttpReply::Step waits_for_ = HttpReply::Step::Done;
  TimePoint deadline_ = TimePoint::max();
  TimePoint head_began_{};
  TimePoint last_sent_{};
  bool in_head_ = false;
};

}  // namespace dbackup::host
