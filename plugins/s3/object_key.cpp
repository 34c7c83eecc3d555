#include "object_key.hpp"

#include <algorithm>
#include <dbackup/call.hpp>

namespace dbackup::plugins::s3 {
namespace {

constexpr size_t kLongestPart = 255;

/// Why a path is refused; nullptr when it is not.
const char* fault_of(std::string_view path) noexcept {
  if (path.empty()) return "is empty";
  if (path.find('\0') != path.npos) return "has a NUL byte";
  for (size_t start = 0; start <= path.size();) {
    const size_t end = std::min(path.find('/', start), path.size());
    const std::string_view part = path.substr(start, end - start);
    if (part.empty()) return "is absolute or has an empty part";
    if (part == "." || part == "..") return "has a part \".\" or \"..\"";
    if (part.size() > kLongestPart) return "has a part of more than 255 bytes";
    start = end + 1;
  }
  return nullptr;
}

void check(std::string_view path) {
  if (const char* fault = fault_of(path)) {
    throw Error{ErrorCode::InvalidArgument, "the path \"" + std::string{path} + "\" " + fault};
  }
}

}  // namespace

void check_object_path(std::string_view path) {
  check(path);
  if (path.starts_with(kMarkers)) {
    throw Error{ErrorCode::InvalidArgument,
                "\"" + std::string{kMarkers} + "\" is kept for uploads under way"};
  }
}

std::string folder_prefix(std::string_view path) {
  if (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  if (path.empty()) return {};
  check(path);
  return std::string{path} + "/";
}

void check_token(const std::string& token) {
  const bool fits = !token.empty() && token.size() <= 100 && std::ranges::all_of(token, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  });
  if (!fits) {
    throw Error{ErrorCode::InvalidArgument,
                "a token must be 1 to 100 letters, digits, \"-\" or \"_\""};
  }
}

bool can_be_named(std::string_view path) noexcept {
  if (fault_of(path) != nullptr) return false;
  try {
    (void)Json(path).dump();  // throws for what is not UTF-8
    return true;
  } catch (...) {
    return false;
  }
}

}  // namespace dbackup::plugins::s3
