#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/unique_fd.hpp"
#include "worker/plugin/call_context.hpp"

namespace dbackup::host {

/// A file without a name, for tools that insist on one: in memory for secrets, on disk for what may be
/// of any size. Programs started by the same call while it lives inherit the descriptor, so the path works in
/// them, and it is gone when the last of them has ended, whatever ends them.
class SideFile final : public CallResource {
 public:
  /// In memory, holding `content`: nothing of it is ever on a disk.
  SideFile(CallContext& call, std::string_view content);
  /// Empty, on the disk of TMPDIR.
  static std::unique_ptr<SideFile> on_disk(CallContext& call);

  /// "/proc/self/fd/<number>"; valid in this process and in the programs that inherit it.
  const std::string& path() const noexcept { return path_; }
  CallContext& call() const noexcept { return call_; }
  int inherited_descriptor() const noexcept override { return file_.get(); }

 private:
  SideFile(CallContext& call, const UniqueFd& file);

  CallContext& call_;
  UniqueFd file_;
  std::string path_;
};

}  // namespace dbackup::host
