#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/json.hpp"
#include "model/compression.hpp"
#include "worker/pipeline/cancel_token.hpp"
#include "worker/pipeline/compress_stage.hpp"
#include "worker/pipeline/guarded_chain.hpp"
#include "worker/pipeline/hash_stage.hpp"

// Several databases in one file: a TAR that any tar reads, format version 3.
//
//   manifest.json                               {version: 3, createdAt, sourceType, engineVersion,
//                                               compression, databases: [{name, file}]}
//   databases/<db>.<ext>[.zst|.gz|.br]          a dump of at most one part (16 MiB), or
//   databases/<db>.<ext>[.zst|.gz|.br].0000000  its parts; `cat x.*` joins them
//   index.json                                  {version: 3, databases: [{name, file, plainSize,
//                                               compressedSize, parts: [{offset, size, sha256}]}]}
//   trailer.json                                one block: {index: {offset, size}}
//   two zero blocks                             so the trailer's header is 2048 bytes before the
//   end
//
// Offsets are those of a part's bytes (behind its header) in the unsealed file. A member's size
// stands before its bytes and a stream does not know it: hence parts, held in memory one at a time.

namespace dbackup::host {

inline constexpr size_t kArchivePartBytes = size_t{16} << 20;
inline constexpr uint64_t kArchiveTailBytes = 2048;
inline constexpr int64_t kArchiveVersion = 3;

struct ArchiveInfo {
  TimeMs created_at = 0;
  std::string source_type, engine_version;
  std::string extension;  ///< of each dump, without a dot
  Compression compression = Compression::Zstd;
  std::vector<std::string> databases;
};

/// The name of a database's dump within an archive: percent-encoded for `% /`, control bytes and a
/// leading dot.
std::string archive_member(const std::string& database, const std::string& extension,
                           Compression compression);

/// Writes an archive into `out`, which is not finished by it and must outlive it. Throws what `out`
/// throws. [one thread at a time]
class ArchiveWriter {
 public:
  /// Writes the manifest. Throws Error{InvalidArgument} for two databases of one name, as members
  /// see it.
  ArchiveWriter(ByteSink& out, ArchiveInfo info);
  ~ArchiveWriter();

  /// Where the next database's dump goes: write(), then finish(). One at a time; it must be gone
  /// before the next.
  std::unique_ptr<GuardedChain> begin(const std::string& database, CompressLimits limits,
                                      const CancelToken& token);
  /// Index, trailer and the end of the archive; the SHA-256 of the index, hexadecimal.
  std::string finish();

  /// Bytes of all dumps before compression so far. [any thread]
  uint64_t plain_size() const noexcept { return plain_->bytes.load(std::memory_order_relaxed); }

 private:
  class Tar;
  class PartSink;

  ArchiveInfo info_;
  std::shared_ptr<StreamTally> plain_ = std::make_shared<StreamTally>();
  std::unique_ptr<Tar> tar_;
  std::vector<std::byte> part_;
  Json index_ = Json::array();
};

}  // namespace dbackup::host
