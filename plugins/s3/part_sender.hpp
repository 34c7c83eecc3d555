#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "client.hpp"
#include "part_memory.hpp"

namespace dbackup::plugins::s3 {

struct SentPart {
  unsigned number = 0;
  std::string etag;
  std::vector<unsigned char> sha256;
};

/// Sends the parts of one upload, several at a time; each thread hashes, signs and sends. Made,
/// used and destroyed by one thread. When it goes, no request of it is under way.
class PartSender {
 public:
  PartSender(Client& client, std::string key, std::string upload_id, const Call& call,
             PartMemory& memory, unsigned threads);
  ~PartSender();
  PartSender(const PartSender&) = delete;
  PartSender& operator=(const PartSender&) = delete;

  /// Queues the first `size` bytes of `buffer`. Throws what a part failed with.
  void send(unsigned number, PartBuffer buffer, size_t size);
  /// Throws what a part failed with, and Error{Cancelled}.
  void check() const;
  /// Waits for all; in the order of their numbers.
  std::vector<SentPart> finish();

 private:
  struct Waiting {
    unsigned number;
    PartBuffer buffer;
    size_t size;
  };

  void work();
  SentPart send_one(const Waiting& part);

  Client& client_;
  const std::string key_;
  const std::string upload_id_;
  const Call call_;
  PartMemory& memory_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Waiting> waiting_;
  size_t under_way_ = 0;
  std::vector<SentPart> sent_;
  std::exception_ptr failure_;
  std::atomic<bool> stop_ = false;
  bool closed_ = false;
  std::vector<std::thread> threads_;
};

/// Throws Error{DataLoss} when the server says that it stored other bytes.
void check_answer(const Response& response, std::span<const unsigned char> body_sha256,
                  const std::string& what);

}  // namespace dbackup::plugins::s3
