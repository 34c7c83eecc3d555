#include "object_key.hpp"

#include <dbackup/call.hpp>

#include "common/object_path.hpp"

namespace dbackup::plugins::s3 {

void check_object_path(std::string_view path) {
  parse_object_path(path);
  if (path.starts_with(kMarkers)) {
    throw Error{ErrorCode::InvalidArgument,
                "\"" + std::string{kMarkers} + "\" is kept for uploads under way"};
  }
}

std::string folder_prefix(std::string_view path) {
  const std::string folder = parse_folder_path(path);
  return folder.empty() ? folder : folder + "/";
}

bool can_be_named(const std::string& path) {
  try {
    parse_object_path(path);
  } catch (const Error&) {
    return false;
  }
  return plugins::can_be_named(path);
}

}  // namespace dbackup::plugins::s3
