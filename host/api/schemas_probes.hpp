#pragma once

#include "api/schema.hpp"

/// Of the questions to adapters.
namespace dbackup::host::schemas {

Json databases();
Json test_connection();
Json test_result();
Json access_check_result();
Json snapshot_result();

}  // namespace dbackup::host::schemas
