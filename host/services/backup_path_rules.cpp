#include "services/backup_path_rules.hpp"

#include "base/error.hpp"
#include "model/backup_name.hpp"

namespace dbackup::host {

void check_backup_path(const std::string& path) {
  const auto refuse = [](const char* why) {
    throw Error(ErrorCode::InvalidArgument, std::string{"invalid file path: "} + why);
  };
  if (path.empty()) refuse("it is empty");
  if (path.size() > 4096) refuse("it is too long");
  if (path.find('\0') != std::string::npos) refuse("it contains NUL");
  if (path.front() == '/') refuse("it must be relative to the storage");
  // Any "..", as the published contract says: file names never hold one.
  if (path.find("..") != std::string::npos) refuse("it contains \"..\"");
  if (is_sidecar_path(path)) refuse("it names the side file of a backup");
}

}  // namespace dbackup::host
