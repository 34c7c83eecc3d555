#include "part_sender.hpp"

#include <algorithm>
#include <chrono>

namespace dbackup::plugins::s3 {
namespace {

constexpr std::chrono::milliseconds kAskAgain{100};

}  // namespace

void check_answer(const Response& response, std::span<const unsigned char> body_sha256,
                  const std::string& what) {
  const std::string theirs = response.header("x-amz-checksum-sha256");
  if (!theirs.empty() && theirs != base64(body_sha256)) {
    throw Error{ErrorCode::DataLoss, what + ": the server computed another checksum"};
  }
}

PartSender::PartSender(Client& client, std::string key, std::string upload_id, const Call& call,
                       PartMemory& memory, unsigned threads)
    : client_{client},
      key_{std::move(key)},
      upload_id_{std::move(upload_id)},
      call_{call},
      memory_{memory} {
  try {
    for (unsigned n = 0; n < threads; ++n) threads_.emplace_back([this] { work(); });
  } catch (const std::system_error&) {
    if (threads_.empty()) {
      throw Error{ErrorCode::ResourceExhausted, "cannot start a thread to send parts"};
    }
  }
}

PartSender::~PartSender() {
  stop_ = true;
  {
    const std::scoped_lock lock{mutex_};
    closed_ = true;
    waiting_.clear();
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void PartSender::send(unsigned number, PartBuffer buffer, size_t size) {
  check();
  {
    const std::scoped_lock lock{mutex_};
    waiting_.push_back({number, std::move(buffer), size});
  }
  changed_.notify_all();
}

void PartSender::check() const {
  call_.check_cancelled();
  if (!stop_) return;
  const std::scoped_lock lock{mutex_};
  if (failure_) std::rethrow_exception(failure_);
}

std::vector<SentPart> PartSender::finish() {
  {
    std::unique_lock lock{mutex_};
    while (!failure_ && (!waiting_.empty() || under_way_ > 0)) {
      lock.unlock();
      check();
      lock.lock();
      if (!failure_ && (!waiting_.empty() || under_way_ > 0)) changed_.wait_for(lock, kAskAgain);
    }
  }
  check();
  std::ranges::sort(sent_, {}, &SentPart::number);
  return std::move(sent_);
}

SentPart PartSender::send_one(const Waiting& part) {
  const std::string what = "cannot store part " + std::to_string(part.number) + " of \"" +
                           client_.settings().shown(key_) + "\"";
  const auto body = std::span<const std::byte>{part.buffer.bytes()}.first(part.size);
  const Request request{
      .method = "PUT",
      .key = key_,
      .query = {{"partNumber", std::to_string(part.number)}, {"uploadId", upload_id_}},
      .body = body,
      .body_sha256 = sha256(body)};
  const Response response = client_.send_body(request, what, [this] {
    if (stop_) throw Error{ErrorCode::Cancelled, "cancelled"};
    call_.check_cancelled();
  });
  check_answer(response, request.body_sha256, what);
  SentPart out{
      .number = part.number, .etag = response.header("etag"), .sha256 = request.body_sha256};
  if (out.etag.empty()) throw Error{ErrorCode::Aborted, what + ": the server gave no ETag"};
  return out;
}

void PartSender::work() {
  while (true) {
    Waiting part;
    {
      std::unique_lock lock{mutex_};
      changed_.wait(lock, [this] { return closed_ || !waiting_.empty(); });
      if (closed_) return;
      part = std::move(waiting_.front());
      waiting_.pop_front();
      ++under_way_;
    }
    std::exception_ptr failure;
    try {
      SentPart sent = send_one(part);
      const std::scoped_lock lock{mutex_};
      sent_.push_back(std::move(sent));
    } catch (...) {
      failure = std::current_exception();
    }
    memory_.give_back(std::move(part.buffer));
    {
      const std::scoped_lock lock{mutex_};
      --under_way_;
      if (failure && !failure_) {
        failure_ = failure;
        stop_ = true;  // the others' work is of no use any more
      }
    }
    changed_.notify_all();
  }
}

}  // namespace dbackup::plugins::s3
