#pragma once

#include <optional>
#include <string>

#include "client.hpp"

namespace dbackup::plugins::s3 {

/// Streams bytes of an object. A transfer that breaks off goes on where it stopped, of the same
/// version of the object or not at all.
class Download {
 public:
  Download(Client& client, Call& call, std::string key, uint64_t offset,
           std::optional<uint64_t> length, Writer& out)
      : client_{client},
        call_{call},
        key_{std::move(key)},
        what_{"cannot read \"" + client.settings().shown(key_) + "\""},
        offset_{offset},
        length_{length},
        out_{out} {}

  /// Throws Error{NotFound}, {FailedPrecondition} for an archived object, {Aborted} for one that
  /// was replaced meanwhile, {DataLoss}.
  void run();

 private:
  bool attempt();
  void begin(const Response& response);
  void take(std::span<const std::byte> block);

  Client& client_;
  Call& call_;
  const std::string key_;
  const std::string what_;
  const uint64_t offset_;
  const std::optional<uint64_t> length_;
  Writer& out_;
  uint64_t done_ = 0;
  std::optional<uint64_t> total_;  // of the bytes that are wanted
  std::string etag_;
  bool consumer_failed_ = false;
};

}  // namespace dbackup::plugins::s3
