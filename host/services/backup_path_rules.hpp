#pragma once

#include <string>

namespace dbackup::host {

/// A path of a stored backup as clients give it: relative to the adapter's root. Throws
/// Error{InvalidArgument} for an empty one, NUL, a leading slash, a part that is "..", and for the
/// name of a side file.
void check_backup_path(const std::string& path);

}  // namespace dbackup::host
