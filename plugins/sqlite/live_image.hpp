#pragma once

#include <dbackup/call.hpp>
#include <string>

namespace dbackup::sqlite {

/// Streams a consistent image of the database at `path`, which may be in use meanwhile, without a
/// copy. Writers go on in WAL mode; in the other journal modes they wait until the image is
/// complete. Throws Error; Aborted when the write-ahead log did not hold still before anything was
/// written.
void stream_image(const Call& call, const std::string& path, Writer& out);

}  // namespace dbackup::sqlite
