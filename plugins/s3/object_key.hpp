#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace dbackup::plugins::s3 {

/// Markers of uploads under way lie here, below the prefix: ".dbackup/uploads/<token>/<nonce>".
inline constexpr std::string_view kMarkers = ".dbackup/uploads/";

/// Throws Error{InvalidArgument} for a path that is absolute, has an empty part, "." or "..", a NUL
/// byte, a part over 255 bytes, or lies where the markers are.
void check_object_path(std::string_view path);
/// The same for a folder, "" and a trailing slash allowed; gives it back with a slash at its end,
/// or "".
std::string folder_prefix(std::string_view path);
/// Throws Error{InvalidArgument} unless it is 1 to 100 of A-Z a-z 0-9 - _.
void check_token(const std::string& token);
/// Can a request name what others stored under this path?
bool can_be_named(std::string_view path) noexcept;

}  // namespace dbackup::plugins::s3
