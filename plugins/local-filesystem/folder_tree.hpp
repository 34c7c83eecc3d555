#pragma once

#include <sys/stat.h>

#include <common/object_path.hpp>
#include <common/unique_fd.hpp>
#include <dbackup/call.hpp>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dbackup::plugins {

/// A folder below which all work stays. Names are resolved by the kernel from a descriptor of the
/// base, never through a symbolic link: every object has one path, and no link leads out. The base
/// itself may be reached through links: the person who configured it chose them. Folders of the
/// host (`forbidden`) are compared by device and inode, so neither another spelling nor a bind
/// mount leads in.
class FolderTree {
 public:
  enum class Missing { Fail, Create };

  /// Throws Error{InvalidArgument} unless `base` is absolute, {PermissionDenied} when it lies in a
  /// forbidden folder, {NotFound} when it is missing and not to be created.
  FolderTree(const std::string& base, const std::vector<std::string>& forbidden, Missing missing);

  const std::string& base() const noexcept { return base_; }
  int base_fd() const noexcept { return base_fd_.get(); }

  /// A descriptor of a folder; an empty one when it does not exist. Throws Error{PermissionDenied}
  /// for a link or a forbidden folder on the way.
  UniqueFd open_folder(const std::string& folder) const;
  /// The same; makes what is missing and appends what it made to `made`, outermost first.
  UniqueFd make_folder(const std::string& folder, std::vector<std::string>& made) const;
  /// Opens a file for reading; an empty descriptor when there is none.
  UniqueFd open_file(const ObjectPath& path, struct stat& info) const;

  /// Removes `folder` and its parents below the base while they are empty; stops quietly at the
  /// first that is not.
  void prune(std::string folder) const noexcept;
  /// Makes the entries of `folder` and of all its parents up to the base durable.
  void sync_folders(std::string folder) const;

  struct Entry {
    int folder_fd;              ///< of the folder that holds it
    const std::string& folder;  ///< relative to the base
    std::string_view name;
    const struct stat& info;
  };
  /// Calls `file` for every regular file below `folder`, temporary ones included, in the order of
  /// the file system. Links are not followed. A subfolder that cannot be read is reported to `call`
  /// and to `unreadable`, and left out; memory grows with the depth alone.
  void walk(const Call& call, const std::string& folder,
            const std::function<void(const Entry&)>& file,
            const std::function<void(const std::string&)>& unreadable) const;
  /// Calls `child` with each folder directly in `folder`.
  void children(const std::string& folder,
                const std::function<void(const std::string&)>& child) const;

  /// "<base>/<path>" for messages.
  std::string shown(const std::string& path) const;

 private:
  using Identity = std::pair<dev_t, ino_t>;

  bool is_forbidden(const struct stat& info) const noexcept;
  void refuse_forbidden(int folder_fd, const std::string& shown_path) const;
  void walk_folder(const Call& call, UniqueFd folder_fd, const std::string& folder, unsigned depth,
                   const std::function<void(const Entry&)>& file,
                   const std::function<void(const std::string&)>& unreadable) const;

  std::string base_;
  std::vector<Identity> forbidden_;
  UniqueFd base_fd_;
};

}  // namespace dbackup::plugins
