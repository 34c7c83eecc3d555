#include "base/id.hpp"

#include <sys/random.h>

#include <cerrno>

#include "base/encoding.hpp"
#include "base/error.hpp"

namespace dbackup::host {

std::string random_bytes(size_t count) {
  std::string out(count, '\0');
  size_t filled = 0;
  while (filled < count) {
    const ssize_t n = ::getrandom(out.data() + filled, count - filled, 0);
    if (n < 0) {
      if (errno == EINTR) continue;
      throw_errno(errno, "cannot read random bytes");
    }
    filled += static_cast<size_t>(n);
  }
  return out;
}

std::string new_uuid() {
  std::string bytes = random_bytes(16);
  bytes[6] = static_cast<char>((bytes[6] & 0x0f) | 0x40);  // RFC 9562: version 4
  bytes[8] = static_cast<char>((bytes[8] & 0x3f) | 0x80);  // RFC 9562: variant 10
  std::string text = to_hex(bytes);
  for (const size_t at : {8U, 13U, 18U, 23U}) text.insert(at, 1, '-');
  return text;
}

}  // namespace dbackup::host
