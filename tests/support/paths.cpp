#include "tests/support/paths.hpp"

namespace dbackup::test {

const std::string& source_dir() {
  static const std::string path{DBACKUP_SOURCE_DIR};
  return path;
}

const std::string& binary_dir() {
  static const std::string path{DBACKUP_BINARY_DIR};
  return path;
}

}  // namespace dbackup::test
