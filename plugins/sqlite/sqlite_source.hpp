#pragma once

#include <dbackup/source.hpp>
#include <functional>

#include "location.hpp"
#include "replacement.hpp"

namespace dbackup::sqlite {

/// One SQLite file on this machine, read while it is in use.
class SqliteSource final : public Source {
 public:
  /// Throws Error{InvalidArgument} for a path that could not work, {Unimplemented} for mode "ssh".
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
  Check check_ = Check::Full;
};

}  // namespace dbackup::sqlite
