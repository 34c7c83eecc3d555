#pragma once

#include <string>
#include <vector>

#include "connection.hpp"
#include "definitions.hpp"
#include "journal.hpp"

namespace dbackup::mysql {

/// The databases of one restore.
struct SwapNames {
  std::string working;  ///< filled from the dump
  std::string before;   ///< takes what is replaced
  std::string target;
  bool is_new = false;  ///< the target does not exist yet
};

struct SwapPlan {
  std::vector<Step> steps;
  std::vector<std::string> warnings;  ///< of what the steps cannot keep
};

/// The steps that put the content of `names.working`, and the `events` that were not created there,
/// in the place of what the target has under the same names. Everything that could make one of them
/// fail and can be known is checked here, before anything is changed. Throws
/// Error{FailedPrecondition} or {PermissionDenied} naming the object.
SwapPlan plan_swap(Connection& server, const SwapNames& names,
                   const std::vector<Definition>& events, bool sets_collation);

}  // namespace dbackup::mysql
