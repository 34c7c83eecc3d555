#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "part_sender.hpp"

namespace dbackup::plugins::s3 {

/// The body of CompleteMultipartUpload.
std::string completion_body(const Settings& settings, const std::vector<SentPart>& parts);

/// The checksum of the parts' checksums, and how many there are: what S3 keeps of such an object.
std::string composite_sha256(const std::vector<SentPart>& parts);

/// Another request for the same key that is in the way: one of somebody else, or an earlier one of
/// ours whose answer was lost while the server still puts the parts together. Giving up too early
/// would abort the upload under it, and the object could appear when nobody knows of it any more.
class Conflict {
 public:
  /// Waits, longer each time; throws `error` on when it has lasted for too long.
  void wait_or_throw(const ServiceError& error, const Check& check) {
    if (!lasts(error)) throw error;
    backoff_.wait(check);
  }
  /// Ceph says it with status 500 and in words alone.
  static bool is_under_way(const ServiceError& error);

 private:
  static constexpr std::chrono::minutes kLongest{5};
  static constexpr std::chrono::seconds kLongestUnknown{10};  // it may be none that passes

  bool lasts(const ServiceError& error);

  std::optional<std::chrono::steady_clock::time_point> since_;
  Backoff backoff_;
};

}  // namespace dbackup::plugins::s3
