#include "base/secret_string.hpp"

#include <cstring>

namespace dbackup::host {

void wipe(std::string& text) noexcept {
  // explicit_bzero covers what is in use; a moved-from or grown string may leave older copies behind,
  // which is why secrets are built once at their final size.
  if (!text.empty()) ::explicit_bzero(text.data(), text.size());
  text.clear();
}

}  // namespace dbackup::host
