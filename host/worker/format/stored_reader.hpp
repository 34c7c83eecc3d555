#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "crypto/age_keys.hpp"
#include "model/compression.hpp"
#include "worker/pipeline/cancel_token.hpp"
#include "worker/pipeline/fan_out.hpp"
#include "worker/pipeline/guarded_chain.hpp"
#include "worker/pipeline/hash_stage.hpp"

namespace dbackup::host {

/// How a stored file is to be opened.
struct StoredFormat {
  bool sealed = false;
  /// age identities to try; needed when sealed.
  std::vector<AgeIdentity> identities;
  /// None also stands for "leave it compressed"; nullopt decides by magic.
  std::optional<Compression> compression = Compression::None;
  /// SHA-256 of the stored bytes, hexadecimal. A difference is Error{DataLoss} before any end of
  /// file.
  std::optional<std::string> expected_sha256;
};

/// A sink that takes the stored bytes of a whole file from their first on and gives `last` the
/// opened ones: hash → unseal → decompress → last, all on the writing thread. The tallies may be
/// null; without `stored` and an expected sum nothing is hashed.
std::unique_ptr<GuardedChain> make_stored_chain(const StoredFormat& format,
                                                const CancelToken& token, SinkPtr last,
                                                std::shared_ptr<StreamTally> stored = nullptr,
                                                std::shared_ptr<StreamTally> opened = nullptr);

/// The same between two threads: the storage plugin's get() writes the stored bytes, the source
/// plugin's restore() reads the dump. Unsealing and decompressing run beside each other.
class RestorePipeline final {
 public:
  RestorePipeline(const StoredFormat& format, const CancelToken& token, RingLimits queue = {});

  /// Where the stored bytes go: write() from the first one on, then finish() or abort().
  GuardedChain& input() noexcept { return *input_; }

  /// The dump. Its end of file says that everything was authenticated, decompressed and had the
  /// expected sum.
  PipeReader& output() noexcept { return *reader_; }

  uint64_t stored_size() const noexcept { return stored_->bytes.load(std::memory_order_relaxed); }
  uint64_t plain_size() const noexcept { return opened_->bytes.load(std::memory_order_relaxed); }
  /// Hexadecimal, valid after finish() or the end of file; empty unless a sum was expected.
  const std::string& stored_sha256() const noexcept { return stored_->sha256; }

 private:
  std::shared_ptr<StreamTally> stored_ = std::make_shared<StreamTally>();
  std::shared_ptr<StreamTally> opened_ = std::make_shared<StreamTally>();
  std::optional<PipeReader> reader_;
  std::unique_ptr<GuardedChain> input_;
};

/// Reads `length` stored bytes from `offset` into the sink and finishes it. The bytes that exist
/// must all be given.
using FetchRange = std::function<void(uint64_t offset, uint64_t length, ByteSink& sink)>;

/// A sealed file whose unsealed bytes can be read from any place: the header is fetched once, then
/// only the chunks a range needs. [one thread at a time]
class SealedFile {
 public:
  /// Fetches and opens the header of a stored file of `stored_size` bytes.
  /// Errors: as make_unseal_stage(), and what `fetch` throws.
  SealedFile(const std::vector<AgeIdentity>& identities, uint64_t stored_size, FetchRange fetch);
  ~SealedFile();

  /// Length of the unsealed bytes.
  uint64_t plain_size() const noexcept;

  /// Gives `sink` exactly the unsealed bytes [offset, offset + length) and finishes it. Throws
  /// Error{InvalidArgument} for a range outside the file, {DataLoss} for damage.
  void read(uint64_t offset, uint64_t length, ByteSink& sink);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace dbackup::host
