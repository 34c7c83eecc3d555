#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"

namespace dbackup::host {

inline constexpr size_t kMostBulkEntries = 200;

struct BulkFailure {
  std::string id, name, error;  ///< name "": not known
};

/// How the entries of one bulk call ended, in their order.
struct BulkOutcome {
  std::vector<std::string> succeeded;
  std::vector<BulkFailure> failed;
  size_t requested() const noexcept { return succeeded.size() + failed.size(); }
};

/// The words of a bulk call's message: "2 of 3 jobs deleted", "Could not delete 1 job".
struct BulkWords {
  std::string_view one, many;   ///< "job", "jobs"
  std::string_view verb, past;  ///< "delete", "deleted"
};

/// The entries without repetitions, in the order of their first mention. Throws
/// Error{InvalidArgument} naming `field` unless there are 1 to 200, none of them empty.
std::vector<std::string> bulk_entries(const std::vector<std::string>& entries,
                                      std::string_view field = "ids");

/// Calls `one` for each entry, one after the other; what an entry throws is its failure and does
/// not stop the rest. `name_of`, if given, is asked for the name of an entry before it is worked
/// on; "" or a throw: not known.
BulkOutcome run_bulk(const std::vector<std::string>& entries,
                     const std::function<void(const std::string&)>& one,
                     const std::function<std::string(const std::string&)>& name_of = {});

std::string bulk_message(const BulkOutcome& outcome, const BulkWords& words);

/// Details of the one audit entry of a bulk call.
Json bulk_audit(std::string_view action, const BulkOutcome& outcome);

}  // namespace dbackup::host
