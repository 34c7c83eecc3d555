#pragma once

#include <string>
#include <string_view>

#include "base/unique_fd.hpp"
#include "worker/plugin/call_context.hpp"

namespace dbackup::host {

/// A file that exists in memory only, for tools that insist on reading a secret from a file.
/// Programs started by the same call while it lives inherit the descriptor, so the path works in
/// them; nothing is ever on a disk, and it is gone when the last of them has ended, whatever ends
/// them.
class SideFile final : public CallResource {
 public:
  SideFile(CallContext& call, std::string_view content);

  /// "/proc/self/fd/<number>"; valid in this process and in the programs that inherit it.
  const std::string& path() const noexcept { return path_; }
  CallContext& call() const noexcept { return call_; }
  int inherited_descriptor() const noexcept override { return file_.get(); }

 private:
  CallContext& call_;
  UniqueFd file_;
  std::string path_;
};

}  // namespace dbackup::host
