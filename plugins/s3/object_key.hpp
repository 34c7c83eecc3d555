#pragma once

#include <string>
#include <string_view>

namespace dbackup::plugins::s3 {

/// Markers of uploads under way lie here, below the prefix: ".dbackup/uploads/<token>/<nonce>".
inline constexpr std::string_view kMarkers = ".dbackup/uploads/";

/// As parse_object_path() of common/object_path.hpp; refuses the place of the markers too.
void check_object_path(std::string_view path);
/// A folder as the beginning of keys: with a slash at its end, or "" for the root.
std::string folder_prefix(std::string_view path);
/// Can a request name what others stored under this path?
bool can_be_named(const std::string& path);

}  // namespace dbackup::plugins::s3
