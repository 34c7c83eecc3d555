#pragma once

#include <string>
#include <utility>

#include "model/nouns.hpp"
#include "store/columns.hpp"
#include "store/query.hpp"

namespace dbackup::host {

/// Columns of a run in the order of ExecutionRow; what follows is "FROM …".
inline constexpr const char* kExecutionColumns =
    "id, COALESCE(job_id, ''), job_name, type, status, progress, stage, detail, started_at, "
    "ended_at, size, path, error, metadata, trigger_type, trigger_label, labels, options, host_id, "
    "heartbeat_at ";

/// Binds kExecutionColumns; take() builds the struct of the current row.
struct ExecutionRow {
  Execution value;
  std::string metadata, labels, options;
  long long progress = 0, started_at = 0, ended_at = 0, size = 0, heartbeat_at = 0;

  void bind(Query& query) {
    query.out(value.id).out(value.job_id).out(value.job_name).out(value.type).out(value.status);
    query.out(progress).out(value.stage).out(value.detail).out(started_at).out(ended_at).out(size);
    query.out(value.path).out(value.error).out(metadata).out(value.trigger_type);
    query.out(value.trigger_label).out(labels).out(options).out(value.host_id).out(heartbeat_at);
  }
  /// `value`, complete but for its JSON columns.
  const Execution& plain() {
    value.progress = progress;
    value.started_at = started_at;
    value.ended_at = columns::optional_time(ended_at);
    value.size = size;
    value.heartbeat_at = heartbeat_at;
    return value;
  }
  Execution take() {
    Execution out = plain();
    out.metadata = columns::json_column(metadata);
    out.labels = columns::json_column(labels);
    out.options = columns::json_column(options);
    return out;
  }
};

}  // namespace dbackup::host
