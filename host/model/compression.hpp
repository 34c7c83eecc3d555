#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace dbackup::host {

/// How a backup is compressed. None means that the bytes are the dump as the engine's tool wrote
/// it.
enum class Compression { None, Gzip, Brotli, Zstd };

struct CompressionRow {
  Compression compression;
  std::string_view name;    // in the API and the sidecar
  std::string_view suffix;  // of the file name, with its dot; empty for None
};

/// All of them: the one table that names, schema and codecs follow.
std::span<const CompressionRow> compressions() noexcept;

/// "NONE", "GZIP", "BROTLI", "ZSTD".
std::string_view to_string(Compression compression) noexcept;
/// nullopt for any other text; letter case counts.
std::optional<Compression> compression_from(std::string_view name) noexcept;
/// "", ".gz", ".br", ".zst".
std::string_view compression_suffix(Compression compression) noexcept;

}  // namespace dbackup::host
