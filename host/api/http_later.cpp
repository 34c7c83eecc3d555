#include "api/http_later.hpp"

namespace dbackup::host {

HttpLater::~HttpLater() {
  try {
    HttpResponse busy = HttpResponse::error(503, "the answer was given up");
    busy.headers.set("Retry-After", "1");
    answer(std::move(busy));
  } catch (...) {  // out of memory: the connection ends with the server
  }
}

void HttpLater::answer(HttpResponse response) {
  Send send;
  {
    const std::lock_guard lock{mutex_};
    if (is_answered_) return;
    is_answered_ = true;
    if (!send_) {
      early_ = std::move(response);
      return;
    }
    send = std::move(send_);
  }
  send(std::move(response));
}

void HttpLater::attach(Send send) {
  std::optional<HttpResponse> ready;
  {
    const std::lock_guard lock{mutex_};
    if (!is_answered_) {
      send_ = std::move(send);
      return;
    }
    ready.swap(early_);
  }
  if (ready) send(std::move(*ready));
}

void HttpLater::hurry() noexcept {
  try {
    if (on_hurry_) on_hurry_();
  } catch (...) {  // it answers at its own time then
  }
}

}  // namespace dbackup::host
