#pragma once

#include <cstdint>
#include <string_view>

namespace dbackup::redis {

/// The CRC-64 that ends RDB files and DUMP payloads: Jones' polynomial 0xad93d23594c935a9,
/// reflected, initial value 0, no final XOR. Of "123456789" it is 0xe9c6d914c4b8d9ca. `before`: of
/// the bytes that came before.
uint64_t crc64(uint64_t before, std::string_view bytes) noexcept;

}  // namespace dbackup::redis
