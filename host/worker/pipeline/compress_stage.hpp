#pragma once

#include <cstddef>

#include "worker/pipeline/stage.hpp"

namespace dbackup::host {

struct CompressLimits {
  /// Compressing threads beside the writing one; 0 takes min(cores, 4). Memory grows with it: about
  /// 10 MiB each for zstd, 1.5 MiB each for gzip.
  unsigned threads = 0;
};

/// The number of threads that `limits` asks for.
unsigned compress_threads(CompressLimits limits);

/// zstd level 3, one frame with a checksum of its content, window of 2 MiB; compresses on threads
/// of its own.
SinkPtr make_zstd_compressor(SinkPtr next, CompressLimits limits = {});
/// gzip as a row of members of 512 KiB of input each, compressed side by side, written in order.
/// Any gunzip reads them as one file.
SinkPtr make_gzip_compressor(SinkPtr next, CompressLimits limits = {});
/// brotli quality 5, window of 1 MiB (on dumps a larger one gives larger files and 50 MiB of
/// memory), on the writing thread.
SinkPtr make_brotli_compressor(SinkPtr next);

/// The reverse. Input that is cut, damaged or followed by anything that is no further frame or
/// member is Error{DataLoss}, and what follows never gets an end of file; empty input is cut input.
/// zstd frames that ask for a window above 128 MiB are refused with Error{ResourceExhausted}.
SinkPtr make_zstd_decompressor(SinkPtr next);
SinkPtr make_gzip_decompressor(SinkPtr next);
SinkPtr make_brotli_decompressor(SinkPtr next);

}  // namespace dbackup::host
