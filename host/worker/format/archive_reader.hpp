#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/compression.hpp"
#include "worker/format/stored_reader.hpp"

namespace dbackup::host {

struct ArchivePart {
  uint64_t offset = 0, size = 0;
  std::string sha256;  ///< hexadecimal
};

/// One database of an archive.
struct ArchiveEntry {
  std::string name, file;
  uint64_t compressed_size = 0;
  Compression compression = Compression::None;
  std::vector<ArchivePart> parts;
};

/// An archive of several databases (archive_writer.hpp) read from any place: its tail, its index,
/// and then only the parts that are wanted. [one thread at a time]
class ArchiveReader {
 public:
  /// `size` and `read` are those of the unsealed file. Throws Error{DataLoss} when it is no whole
  /// archive, or its index has not the SHA-256 that is expected (hexadecimal; "": none). Sealing
  /// does not say who sealed: only this ties the parts to the backup the sidecar is about.
  ArchiveReader(uint64_t size, FetchRange read, const std::string& index_sha256 = "");

  const std::vector<ArchiveEntry>& entries() const noexcept { return entries_; }
  /// Error{NotFound} naming the databases there are.
  const ArchiveEntry& entry(const std::string& name) const;

  /// Gives `sink` the compressed dump of `entry` and finishes it. Each part is compared with its
  /// hash before a byte of it is passed on: Error{DataLoss}. The sink is aborted on every error.
  void read(const ArchiveEntry& entry, ByteSink& sink) const;

 private:
  FetchRange read_;
  std::vector<ArchiveEntry> entries_;
};

}  // namespace dbackup::host
