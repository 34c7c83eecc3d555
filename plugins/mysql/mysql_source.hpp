#pragma once

#include <dbackup/exec.hpp>
#include <dbackup/source.hpp>
#include <functional>
#include <string>
#include <vector>

#include "connection.hpp"
#include "restore_target.hpp"

namespace dbackup::mysql {

/// The program a dump is made with, and the flags that are not the user's.
struct DumpTool {
  std::string program;
  ToolVersion version;
  std::vector<std::string> flags;
};

/// Streams the output of mariadb-dump or mysqldump; restores it beside the target and exchanges the
/// two. Serves the adapters "mysql" and "mariadb".
class MysqlSource final : public Source {
 public:
  /// Throws Error{InvalidArgument} for options that could not work, before anything is run.
  explicit MysqlSource(const Config& config);

  TestResult test(Call& call) override;
  DumpResult dump(Call& call, const DumpRequest& request, Writer& out) override;
  void restore(Call& call, const RestoreRequest& request, Reader& in) override;
  void list_databases(Call& call, const std::function<void(const DatabaseInfo&)>& found);
  void prepare_restore(Call& call, const PrepareRestoreRequest& request);
  void tables(Call& call, const Config& request, ItemSink& sink);
  void rows(Call& call, const Config& request, ItemSink& sink);
  void cleanup_restore(Call& call, const CleanupRestoreRequest& request);

 private:
  RestoreLogins logins(const std::optional<PrivilegedLogin>& privileged) const;
  uint64_t run_tool(Exec& exec, Call& call, const DumpTool& tool, const std::string& database,
                    Writer& out) const;

  Login login_;
  std::vector<std::string> dump_flags_;
  bool keep_definers_ = false;
};

}  // namespace dbackup::mysql
