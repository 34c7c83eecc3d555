#pragma once

#include <span>
#include <string_view>

namespace dbackup::host {

class Session;

/// One step of the schema: host/store/migrations/NNNN_name.sql, compiled in. Known by its name:
/// steps that were written side by side may reach a database in another order than that of their
/// numbers.
struct Migration {
  std::string_view name;
  std::string_view sql;
};

/// All steps, by name.
std::span<const Migration> migrations() noexcept;

/// Brings the schema up to date, each step in a transaction of its own, one host at a time. Throws
/// Error{FailedPrecondition} naming the step when the schema has one this program does not know.
void migrate(Session& session);

}  // namespace dbackup::host
