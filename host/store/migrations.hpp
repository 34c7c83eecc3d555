#pragma once

#include <span>
#include <string_view>

namespace dbackup::host {

class Session;

/// One step of the schema: host/store/migrations/NNNN_name.sql, compiled in.
struct Migration {
  int version;
  std::string_view name;
  std::string_view sql;
};

/// All steps, in order, without gaps.
std::span<const Migration> migrations() noexcept;

/// Brings the schema up to date, each step in a transaction of its own, one host at a time. Throws
/// Error{FailedPrecondition} when the schema is newer than this program.
void migrate(Session& session);

}  // namespace dbackup::host
