#pragma once

#include <optional>
#include <span>

#include "model/compression.hpp"
#include "worker/pipeline/compress_stage.hpp"
#include "worker/pipeline/stage.hpp"

namespace dbackup::host {

/// One row of the codec table; names and suffixes are in model/compression.hpp.
struct Codec {
  Compression compression;
  SinkPtr (*compressor)(SinkPtr next, CompressLimits limits);
  SinkPtr (*decompressor)(SinkPtr next);
};

std::span<const Codec> codecs() noexcept;
/// The row of `compression`. For None both factories give `next` itself.
const Codec& codec(Compression compression);

/// The compression a file starts with, by its magic: zstd or gzip. Brotli has none and plain dumps
/// are many, so everything else is nullopt. Four bytes are enough.
std::optional<Compression> detect_compression(Bytes head) noexcept;

/// A decompressor that decides by the first bytes: zstd, gzip, else `otherwise`.
SinkPtr make_detecting_decompressor(SinkPtr next, Compression otherwise = Compression::None);

}  // namespace dbackup::host
