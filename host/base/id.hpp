#pragma once

#include <cstddef>
#include <string>

namespace dbackup::host {

/// A new lower-case UUID version 4 from the system's random source.
std::string new_uuid();

/// `count` bytes from the system's random source, raw. Throws Error when the system has none.
std::string random_bytes(size_t count);

}  // namespace dbackup::host
