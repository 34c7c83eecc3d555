#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "api/http_options.hpp"

namespace dbackup::host {

/// A fixed number of threads and a bounded queue before them.
class HttpPool {
 public:
  using Job = std::function<void()>;

  explicit HttpPool(HttpPoolSize size);
  ~HttpPool() { stop(); }
  HttpPool(const HttpPool&) = delete;
  HttpPool& operator=(const HttpPool&) = delete;

  /// Queues `job`; false when the queue is full or the pool has stopped, and then `job` is
  /// untouched. Never blocks.
  bool post(Job&& job);

  /// Drops what is queued and waits for the jobs that run.
  void stop();

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Job> jobs_;
  std::vector<std::thread> threads_;
  size_t limit_;
  size_t idle_ = 0;
  bool stopped_ = false;
};

}  // namespace dbackup::host
