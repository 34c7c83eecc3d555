#pragma once

#include "api/schema.hpp"

/// Of the questions to adapters.
namespace dbackup::host::schemas {

Json databases();
Json test_connection();
Json test_result();
Json access_check_result();
Json snapshot_result();
Json browse_query();
Json browse_answer();
Json test_ssh();
Json server_folder_query();
Json server_folder();
Json remote_folder();
Json cloud_folder();
Json oauth_start();
Json oauth_start_answer();
Json oauth_return();
Json token_validity();
Json source_target();
Json database_stats();
Json database_tables();
Json database_tables_answer();
Json table_data();
Json table_data_answer();

}  // namespace dbackup::host::schemas
