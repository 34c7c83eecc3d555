#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/unique_fd.hpp"
#include "worker/plugin/call_context.hpp"

namespace dbackup::host {

namespace ssh {
class Keeper;
}

/// A 0600 file where the programs of a call run. On another machine it lies in the private folder
/// of the connection's keeper, and is gone with the connection at the latest. Here it is a file
/// without a name, for tools that insist on one: in memory for secrets, on disk for what may be of
/// any size. Programs started by the same call while it lives inherit the descriptor, so the path
/// works in them, and it is gone when the last of them has ended, whatever ends them.
class SideFile final : public CallResource {
 public:
  ~SideFile() override;
  /// For secrets, holding `content`.
  static std::unique_ptr<SideFile> holding(CallContext& call, std::string_view content);
  /// Empty, on the disk of TMPDIR; on another machine its name ends in `suffix`.
  static std::unique_ptr<SideFile> on_disk(CallContext& call, const std::string& suffix);

  /// "/proc/self/fd/<number>", valid in this process and in the programs that inherit it; or a path
  /// there.
  const std::string& path() const noexcept { return path_; }
  CallContext& call() const noexcept { return call_; }
  int inherited_descriptor() const noexcept override { return file_.get(); }

 private:
  SideFile(CallContext& call, const UniqueFd& file);
  SideFile(CallContext& call, std::string_view content, const std::string& suffix);

  CallContext& call_;
  UniqueFd file_;
  std::shared_ptr<ssh::Keeper> keeper_;
  std::string name_;  // in its folder
  std::string path_;
};

}  // namespace dbackup::host
