#pragma once

#include "client.hpp"

namespace dbackup::sftp {

/// Writes all of `in` to an open file, many requests in flight; holds one block. The number of
/// bytes, all of them acknowledged.
uint64_t write_file(Client& client, const std::string& handle, Reader& in,
                    const std::string& shown);

/// Reads `length` bytes from `offset` of an open file, many requests in flight, and writes them in
/// order. Holds one packet, or the window where a server answers out of order. The number of bytes,
/// smaller when the file ends before.
uint64_t read_file(Client& client, const std::string& handle, uint64_t offset, uint64_t length,
                   Writer& out, const std::string& shown);

}  // namespace dbackup::sftp
