#pragma once

#include <dbackup/source.hpp>
#include <functional>
#include <string>
#include <vector>

#include "connection.hpp"
#include "restore_target.hpp"

namespace dbackup::postgres {

/// Streams pg_dump's custom format, and feeds it to pg_restore in one transaction.
class PostgresSource final : public Source {
 public:
  /// Throws Error{InvalidArgument} for options that could not work, before anything is run, and
  /// Error{Unimplemented} for connectionMode "ssh".
  explicit PostgresSource(const Config& config);

  TestResult test(Call& call) override;
  DumpResult dump(Call& call, const DumpRequest& request, Writer& out) override;
  void restore(Call& call, const RestoreRequest& request, Reader& in) override;
  void list_databases(Call& call, const std::function<void(const DatabaseInfo&)>& found);
  void prepare_restore(Call& call, const PrepareRestoreRequest& request);
  void tables(Call& call, const Config& request, ItemSink& sink);
  void rows(Call& call, const Config& request, ItemSink& sink);
  void cleanup_restore(Call& call, const CleanupRestoreRequest& request);

 private:
  TargetAccess access(const std::optional<PrivilegedLogin>& privileged) const;
  void end_leftovers(Call& call, const std::string& application_name) const noexcept;

  Login login_;
  std::vector<std::string> configured_;
  std::vector<std::string> dump_flags_;
  std::vector<std::string> restore_flags_;
  bool restore_ownership_ = false;
};

}  // namespace dbackup::postgres
