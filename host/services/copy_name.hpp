#pragma once

#include <functional>
#include <string>

namespace dbackup::host {

/// "X (Copy)", "X (Copy 2)", …: the first that `is_taken` denies, at most 100 characters long.
std::string copy_name(const std::string& original,
                      const std::function<bool(const std::string& name)>& is_taken);

}  // namespace dbackup::host
