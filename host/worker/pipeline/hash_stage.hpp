#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "worker/pipeline/stage.hpp"

namespace dbackup::host {

/// What passed a point of the stream. `bytes` may be read at any time by any thread (progress);
/// `sha256` (64 lower-case hexadecimal digits, empty before) after finish() or once a reader behind
/// the stage has seen the end of file.
struct StreamTally {
  std::atomic<uint64_t> bytes{0};
  std::string sha256;
};

/// Counts.
class CountStage final : public Stage {
 public:
  CountStage(SinkPtr next, std::shared_ptr<StreamTally> tally);
  void write(Bytes bytes) override;
  void finish() override { next().finish(); }

 private:
  std::shared_ptr<StreamTally> tally_;
};

/// Counts and hashes. With `expected_sha256` (hexadecimal) a different sum is Error{DataLoss} in
/// finish(), and what follows gets no end of file.
class HashStage final : public Stage {
 public:
  HashStage(SinkPtr next, std::shared_ptr<StreamTally> tally,
            std::optional<std::string> expected_sha256 = std::nullopt);
  ~HashStage() override;
  void write(Bytes bytes) override;
  void finish() override;

 private:
  struct Hasher;
  std::unique_ptr<Hasher> hasher_;
  std::shared_ptr<StreamTally> tally_;
  std::optional<std::string> expected_;
};

}  // namespace dbackup::host
