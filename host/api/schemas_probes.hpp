#pragma once

#include "api/schema.hpp"

/// Of the questions to adapters.
namespace dbackup::host::schemas {

Json databases();
Json test_connection();
Json test_result();
Json access_check_result();
Json snapshot_result();
Json source_target();
Json database_stats();
Json database_tables();
Json database_tables_answer();
Json table_data();
Json table_data_answer();

}  // namespace dbackup::host::schemas
