#pragma once

#include <string>

namespace dbackup::test {

/// Where the tree and its build lie. One file knows, so that moving them compiles one file anew.
const std::string& source_dir();
const std::string& binary_dir();

}  // namespace dbackup::test
