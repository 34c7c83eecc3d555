#pragma once

#include "api/schema.hpp"

/// Of what was seen of adapters over time.
namespace dbackup::host::schemas {

Json health_query();
Json health_history();
Json versions_query();
Json version_history();
Json storage_history_query();
Json storage_history();

}  // namespace dbackup::host::schemas
