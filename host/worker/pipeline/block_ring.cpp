#include "worker/pipeline/block_ring.hpp"

#include <algorithm>
#include <cstring>

namespace dbackup::host {

BlockRing::BlockRing(size_t reader_count, const CancelToken& token, RingLimits limits)
    : limits_{limits}, token_{token}, blocks_(limits.block_count), readers_(reader_count) {
  if (limits.block_size == 0 || limits.block_count == 0 || reader_count == 0)
    throw Error{ErrorCode::Internal, "a queue needs a block, a size and a reader"};
  on_cancel_.emplace(token_.stop_token(), [this] {
    const std::lock_guard lock{mutex_};
    readable_.notify_all();
    writable_.notify_all();
  });
}

// Why the writer has to stop; null while it may go on. Called with the lock held; the token's own
// lock is never held while it calls back, so asking it for its cause here cannot lock crosswise.
Cause BlockRing::stopped_for_writer() const {
  if (aborted_) return aborted_;
  if (token_.is_cancelled()) return token_.cause();
  const bool all_out = std::all_of(readers_.begin(), readers_.end(),
                                   [](const Reader& reader) { return reader.failure != nullptr; });
  return all_out ? first_failure_ : nullptr;
}

bool BlockRing::block_is_free() const {
  return std::all_of(readers_.begin(), readers_.end(), [this](const Reader& reader) {
    return reader.failure || published_ - reader.next < blocks_.size();
  });
}

void BlockRing::wait_for_free_block(std::unique_lock<std::mutex>& lock) {
  Cause stopped;
  writable_.wait(lock, [&] { return (stopped = stopped_for_writer()) || block_is_free(); });
  if (stopped) throw_cause(stopped);
  Block& free = block(published_);
  if (!free.data) {
    free.data = std::make_unique_for_overwrite<std::byte[]>(limits_.block_size);
    ++allocated_;
  }
  filling_ = free.data.get();
  fill_ = 0;
}

void BlockRing::publish(std::unique_lock<std::mutex>&) {
  block(published_).size = fill_;
  ++published_;
  filling_ = nullptr;
  fill_ = 0;
  readable_.notify_all();
}

void BlockRing::write(Bytes bytes) {
  while (!bytes.empty()) {
    if (!filling_) {
      std::unique_lock lock{mutex_};
      wait_for_free_block(lock);
    }
    const size_t count = std::min(bytes.size(), limits_.block_size - fill_);
    std::memcpy(filling_ + fill_, bytes.data(), count);
    fill_ += count;
    bytes = bytes.subspan(count);
    if (fill_ == limits_.block_size) {
      std::unique_lock lock{mutex_};
      if (const Cause stopped = stopped_for_writer()) throw_cause(stopped);
      publish(lock);
    }
  }
}

void BlockRing::finish() {
  std::unique_lock lock{mutex_};
  if (const Cause stopped = stopped_for_writer()) throw_cause(stopped);
  if (fill_ > 0) publish(lock);
  finished_ = true;
  readable_.notify_all();
}

void BlockRing::abort(const Cause& cause) noexcept {
  const std::lock_guard lock{mutex_};
  if (finished_ || aborted_) return;
  aborted_ = cause;
  readable_.notify_all();
  writable_.notify_all();
}

Bytes BlockRing::peek(size_t index) {
  std::unique_lock lock{mutex_};
  Reader& reader = readers_[index];
  if (reader.at_end) return {};
  Cause stopped;
  readable_.wait(lock, [&] {
    stopped = reader.failure ? reader.failure : aborted_;
    if (!stopped && token_.is_cancelled()) stopped = token_.cause();
    return stopped || reader.next < published_ || finished_;
  });
  if (stopped) throw_cause(stopped);
  if (reader.next == published_) {
    reader.at_end = true;
    return {};
  }
  const Block& current = block(reader.next);
  return Bytes{current.data.get(), current.size}.subspan(reader.offset);
}

void BlockRing::consume(size_t index, size_t count) {
  const std::lock_guard lock{mutex_};
  Reader& reader = readers_[index];
  reader.offset += count;
  if (reader.offset < block(reader.next).size) return;
  reader.offset = 0;
  ++reader.next;
  writable_.notify_one();
}

void BlockRing::drop(size_t index, const Cause& cause) noexcept {
  const std::lock_guard lock{mutex_};
  Reader& reader = readers_[index];
  if (reader.failure || reader.at_end) return;
  reader.failure = cause;
  if (!first_failure_) first_failure_ = cause;
  readable_.notify_all();
  writable_.notify_one();
}

bool BlockRing::reached_end(size_t index) const {
  const std::lock_guard lock{mutex_};
  return readers_[index].at_end;
}

Cause BlockRing::failure(size_t index) const {
  const std::lock_guard lock{mutex_};
  return readers_[index].failure;
}

size_t BlockRing::allocated_blocks() const {
  const std::lock_guard lock{mutex_};
  return allocated_;
}

}  // namespace dbackup::host
