#include "model/compression.hpp"

namespace dbackup::host {
namespace {

constexpr CompressionRow kCompressions[] = {
    {Compression::None, "NONE", ""},
    {Compression::Gzip, "GZIP", ".gz"},
    {Compression::Brotli, "BROTLI", ".br"},
    {Compression::Zstd, "ZSTD", ".zst"},
};

const CompressionRow& row_of(Compression compression) noexcept {
  for (const CompressionRow& row : kCompressions)
    if (row.compression == compression) return row;
  return kCompressions[0];
}

}  // namespace

std::span<const CompressionRow> compressions() noexcept { return kCompressions; }
std::string_view to_string(Compression compression) noexcept { return row_of(compression).name; }
std::string_view compression_suffix(Compression compression) noexcept {
  return row_of(compression).suffix;
}

std::optional<Compression> compression_from(std::string_view name) noexcept {
  for (const CompressionRow& row : kCompressions)
    if (row.name == name) return row.compression;
  return std::nullopt;
}

}  // namespace dbackup::host
