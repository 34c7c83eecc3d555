#pragma once

#include "api/schema.hpp"

/// Schemas of the dashboard and of the notification log.
namespace dbackup::host::schemas {

Json calendar_query();
Json calendar();
Json calendar_years();
Json dashboard_stats();
Json activity_query();
Json activity();
Json status_distribution();
Json dashboard_storage();
Json latest_runs_query();
Json latest_runs();
Json notification_logs_query();
Json notification_logs();
Json notification_log();

}  // namespace dbackup::host::schemas
