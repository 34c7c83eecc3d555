#pragma once

#include <sys/stat.h>

#include <dbackup/config.hpp>
#include <optional>
#include <string>
#include <vector>

namespace dbackup::sqlite {

/// Where the database lives. Links are followed once, here; everything afterwards uses the real
/// path, as SQLite does for the files it keeps beside the database.
class Location {
 public:
  /// Throws Error{InvalidArgument} unless "path" is absolute and names a file.
  explicit Location(const Config& config);

  /// Last component of the configured path: the name the database is known by.
  const std::string& name() const noexcept { return name_; }

  /// The real path of the configured database. Throws Error: NotFound when there is none,
  /// InvalidArgument when it is no regular file, PermissionDenied when it lies in a forbidden
  /// folder.
  std::string existing() const;

  /// The real path a restore as `name` writes to, there or not; "" means the configured name.
  /// Throws Error: InvalidArgument for a name that is a path or belongs to SQLite's own files, else
  /// as existing().
  std::string target(const std::string& name) const;

 private:
  void refuse_forbidden(const std::string& real_path) const;

  std::string path_;
  std::string folder_;
  std::string name_;
  std::vector<std::string> forbidden_;
};

/// Throws Error{InvalidArgument} for a name that is a path or belongs to SQLite's own files.
void check_name(const std::string& name);
std::string folder_of(const std::string& path);
/// Opens a file that nobody changes: SQLite then locks nothing and looks for no journal.
std::string immutable_uri(const std::string& path);
std::string base_of(const std::string& path);
/// nullopt when there is no such file; links are not followed.
std::optional<struct stat> look(const std::string& path);

}  // namespace dbackup::sqlite
