#include "api/http_pool.hpp"

#include <algorithm>

namespace dbackup::host {

HttpPool::HttpPool(HttpPoolSize size) : limit_{size.queue} {
  for (size_t i = 0; i < std::max<size_t>(size.threads, 1); ++i)
    threads_.emplace_back([this] { run(); });
}

bool HttpPool::post(Job&& job) {
  bool wake = false;
  {
    const std::lock_guard lock{mutex_};
    // Idle threads count as room: they take their job a moment later.
    if (stopped_ || jobs_.size() >= limit_ + idle_) return false;
    jobs_.push_back(std::move(job));
    wake = idle_ > 0;
  }
  if (wake) wake_.notify_one();
  return true;
}

void HttpPool::run() {
  std::unique_lock lock{mutex_};
  while (!stopped_) {
    if (jobs_.empty()) {
      ++idle_;
      wake_.wait(lock, [this] { return stopped_ || !jobs_.empty(); });
      --idle_;
      continue;
    }
    Job job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    try {
      job();
    } catch (...) {  // a job answers for its own failures; the thread must live
    }
    job = nullptr;
    lock.lock();
  }
}

void HttpPool::stop() {
  std::deque<Job> dropped;
  {
    const std::lock_guard lock{mutex_};
    stopped_ = true;
    dropped.swap(jobs_);
  }
  wake_.notify_all();
  for (auto& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

}  // namespace dbackup::host
