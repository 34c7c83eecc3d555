#pragma once

#include <string>
#include <string_view>

namespace dbackup::host {

/// Content-Disposition of a download: a plain ASCII name for every client, and the real one beside
/// it where the two differ.
std::string attachment_of(std::string_view file_name);

}  // namespace dbackup::host
