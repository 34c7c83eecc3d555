#pragma once

#include "api/schema.hpp"

/// The schemas of requests and answers, one function each, so that rows can name them.
namespace dbackup::host::schemas {

Json adapter();
Json adapter_list();
Json adapter_types();
Json adapter_create();
Json adapter_update();
/// An adapter's configuration as requests carry it.
Json config();
Json job();
Json job_list();
Json job_create();
Json job_update();
Json job_clone();
Json jobs_bulk();
Json run_job();
Json run_answer();
Json run_job_answer();
Json execution();
Json execution_page();
Json logs();
Json history();
Json cancel_answer();
Json stored_file();
Json stored_files();
Json remove_file();
Json lock_file();
Json prepared_download();
Json prepared_download_answer();
Json analyze();
Json analyze_answer();
Json browse_archive();
Json restore_files();
Json check_path_answer();
Json alerts_update();
Json alerts_answer();
Json path_body();
Json file_body();
Json download_url();
Json download_url_answer();
Json restore();
Json restore_answer();
Json verification();
Json permissions();
Json health();

/// Of query strings.
Json adapters_query();
Json jobs_query();
Json execution_query();
Json executions_query();
Json logs_query();
Json events_query();
Json wait_query();
Json files_query();
Json latest_query();
Json download_query();
Json public_download_query();

}  // namespace dbackup::host::schemas
