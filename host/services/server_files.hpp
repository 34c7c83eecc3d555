#pragma once

#include <optional>
#include <string>
#include <vector>

namespace dbackup::host {

struct ServerFile {
  std::string name, path;
  bool is_folder = false;
};
struct ServerFolder {
  std::string path;
  std::optional<std::string> parent;  ///< nullopt: it is the root
  std::vector<ServerFile> entries;    ///< folders first, by name
  bool is_cut = false;                ///< there is more than one answer holds
};

/// Names of files on the server's own disk, for choosing paths in forms. Never their content, and
/// nothing of /proc, /sys, /dev and the server's private folder, by whatever links and mounts a
/// path leads there. [any-thread]
class ServerFiles {
 public:
  explicit ServerFiles(std::string data_dir);

  /// Throws Error: PermissionDenied for a folder that is not shown and for one that the system
  /// refuses; NotFound; InvalidArgument when `path` is not absolute or no folder.
  ServerFolder list(const std::string& path) const;

 private:
  std::vector<std::string> hidden_;  ///< real paths
  std::string private_folder_;
};

/// `path` as it is asked for: absolute, without "." and "..". Throws Error{InvalidArgument}.
std::string checked_server_path(const std::string& path);

}  // namespace dbackup::host
