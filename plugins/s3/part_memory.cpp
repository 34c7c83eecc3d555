#include "part_memory.hpp"

#include <sys/mman.h>

#include <cerrno>
#include <chrono>
#include <dbackup/error.hpp>
#include <utility>

namespace dbackup::plugins::s3 {

PartBuffer::PartBuffer(size_t size) : size_{size} {
  void* at = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED) {
    throw system_error(errno, "cannot get memory for a part of " + std::to_string(size) + " bytes");
  }
  data_ = static_cast<std::byte*>(at);
}

PartBuffer::PartBuffer(PartBuffer&& other) noexcept
    : data_{std::exchange(other.data_, nullptr)}, size_{std::exchange(other.size_, 0)} {}

PartBuffer& PartBuffer::operator=(PartBuffer&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

PartBuffer::~PartBuffer() {
  if (data_ != nullptr) ::munmap(data_, size_);
}

PartBuffer PartMemory::take(size_t size, const std::function<void()>& check) {
  constexpr std::chrono::milliseconds kAskAgain{100};
  std::unique_lock lock{mutex_};
  while (true) {
    if (!idle_.empty() && idle_.back().size() == size) {
      PartBuffer out = std::move(idle_.back());
      idle_.pop_back();
      return out;
    }
    // Of another size: parts have grown.
    for (; !idle_.empty(); idle_.pop_back()) mapped_ -= idle_.back().size();
    if (mapped_ + size <= most_) {
      PartBuffer out{size};
      mapped_ += size;
      return out;
    }
    lock.unlock();
    check();
    lock.lock();
    if (idle_.empty()) room_.wait_for(lock, kAskAgain);
  }
}

void PartMemory::give_back(PartBuffer buffer) noexcept {
  const std::scoped_lock lock{mutex_};
  const size_t size = buffer.size();
  try {
    idle_.push_back(std::move(buffer));
  } catch (...) {
    mapped_ -= size;
  }
  room_.notify_one();
}

}  // namespace dbackup::plugins::s3
