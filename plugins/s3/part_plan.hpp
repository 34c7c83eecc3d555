#pragma once

#include <cstdint>

namespace dbackup::plugins::s3 {

inline constexpr unsigned kMostParts = 10'000;
/// S3's limits: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
inline constexpr uint64_t kLargestObject = uint64_t{5} << 40;
inline constexpr uint64_t kLargestPart = uint64_t{5} << 30;

/// How an object of unknown size is cut. Parts double every thousand, so that small objects need
/// little memory and large ones few parts, up to half of the memory: one part can then be sent
/// while the next is read. Services that want equal parts get them.
class PartPlan {
 public:
  PartPlan(uint64_t part_bytes, uint64_t memory_bytes, bool equal)
      : first_{part_bytes}, most_{equal ? part_bytes : most(part_bytes, memory_bytes)} {}

  /// Of part `number`, from 1.
  uint64_t size_of(unsigned number) const noexcept {
    uint64_t size = first_;
    for (unsigned doubled = (number - 1) / 1000; doubled > 0 && size < most_; --doubled) size *= 2;
    return size < most_ ? size : most_;
  }
  uint64_t largest_object() const noexcept {
    uint64_t total = 0;
    for (unsigned number = 1; number <= kMostParts; ++number) total += size_of(number);
    return total < kLargestObject ? total : kLargestObject;
  }

 private:
  static uint64_t most(uint64_t part, uint64_t memory) noexcept {
    const uint64_t half = memory / 2;
    const uint64_t most = half < kLargestPart ? half : kLargestPart;
    return most < part ? part : most;
  }

  uint64_t first_;
  uint64_t most_;
};

}  // namespace dbackup::plugins::s3
