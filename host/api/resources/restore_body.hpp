#pragma once

#include "base/json.hpp"
#include "services/restore_service.hpp"

namespace dbackup::host {

/// Reads a RestoreRequest. `databaseMapping` comes as a list of {originalName, targetName,
/// selected} or as an object {old: new}; the latter means that each pair is selected.
RestoreCommand parse_restore(const std::string& destination_id, const Json& body);

}  // namespace dbackup::host
