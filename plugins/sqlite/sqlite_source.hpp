#pragma once

#include <dbackup/source.hpp>
#include <functional>

#include "location.hpp"
#include "remote_file.hpp"
#include "replacement.hpp"

namespace dbackup::sqlite {

/// One SQLite file, read while it is in use: on this machine through SQLite itself, on another one
/// through its sqlite3 program.
class SqliteSource final : public Source {
 public:
  /// Throws Error{InvalidArgument} for a path that could not work.
  explicit SqliteSource(const Config& config);

  TestResult test(Call& call) override;
  DumpResult dump(Call& call, const DumpRequest& request, Writer& out) override;
  void restore(Call& call, const RestoreRequest& request, Reader& in) override;
  void list_databases(Call& call, const std::function<void(const DatabaseInfo&)>& found);
  void prepare_restore(Call& call, const PrepareRestoreRequest& request);
  void tables(Call& call, const Config& request, ItemSink& sink);
  void rows(Call& call, const Config& request, ItemSink& sink);
  void cleanup_restore(Call& call, const CleanupRestoreRequest& request);

 private:
  void require_database(const std::string& name) const;

  Location location_;
  std::optional<RemoteFile> remote_;
  Check check_ = Check::Full;
};

}  // namespace dbackup::sqlite
