# shellcheck shell=bash disable=SC2154
# Lists with small metadata (1,000 executions, 10 jobs, 100 stored backups) and with large (1,000,000,
# 10,000, 100,000): the 99th percentile must not grow by more than a factor of two.

# fill JOBS EXECUTIONS BACKUPS: rows that look like those of real runs, written while the server is down.
fill() {
  local job_row execution_row
  sqlite3 "$work/data-$1/private/metadata.db" "
    PRAGMA synchronous = OFF;
    BEGIN;
    CREATE TEMP TABLE one_job AS SELECT * FROM jobs LIMIT 1;
    CREATE TEMP TABLE one_run AS SELECT * FROM executions LIMIT 1;
    CREATE TEMP TABLE one_backup AS SELECT * FROM backups LIMIT 1;
    CREATE TEMP TABLE one_destination AS SELECT * FROM job_destinations LIMIT 1;
    CREATE TEMP TABLE numbers (n INTEGER PRIMARY KEY);
    WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < max($1, $2, $3)) INSERT INTO numbers SELECT n FROM c;
    $(sqlite3 "$work/data-$1/private/metadata.db" "
      SELECT 'INSERT INTO jobs SELECT ' || group_concat(CASE name WHEN 'id' THEN '''job-'' || n' WHEN 'name' THEN '''job '' || n' ELSE 'j.' || name END, ', ') || ' FROM numbers, one_job j WHERE n <= $1;' FROM pragma_table_info('jobs');
      SELECT 'INSERT INTO job_destinations SELECT ' || group_concat(CASE name WHEN 'id' THEN '''dest-'' || n' WHEN 'job_id' THEN '''job-'' || n' ELSE 'd.' || name END, ', ') || ' FROM numbers, one_destination d WHERE n <= $1;' FROM pragma_table_info('job_destinations');
      SELECT 'INSERT INTO executions SELECT ' || group_concat(CASE name WHEN 'id' THEN '''run-'' || n' WHEN 'job_id' THEN '''job-'' || (1 + n % $1)' WHEN 'started_at' THEN 'r.started_at - n * 60000' WHEN 'ended_at' THEN 'r.ended_at - n * 60000' ELSE 'r.' || name END, ', ') || ' FROM numbers, one_run r WHERE n <= $2;' FROM pragma_table_info('executions');
      SELECT 'INSERT INTO backups SELECT ' || group_concat(CASE name WHEN 'id' THEN '''backup-'' || n' WHEN 'path' THEN '''job '' || (1 + n % $1) || ''/backup-'' || n || ''.dump.zst''' WHEN 'execution_id' THEN '''run-'' || n' WHEN 'modified_at' THEN 'b.modified_at - n * 60000' ELSE 'b.' || name END, ', ') || ' FROM numbers, one_backup b WHERE n <= $3;' FROM pragma_table_info('backups');")
    COMMIT;
    ANALYZE;"
}

# one_size JOBS EXECUTIONS BACKUPS NAME: p99 of each list, as samples <path>.<NAME>.
one_size() {
  local source destination job_id run path
  stop_server
  rm -rf "$work/data-$1"
  start_server "$binary" "$work/data-$1" "$(free_port)" DBACKUP_RATE_LIMITS_ENABLED=false DBACKUP_PLUGINS_DIRS="$work/plugins"
  KEY=$("$binary" key create --data-dir "$work/data-$1" --name bench --permissions '*' --json | jq -re .key)
  (umask 077 && printf 'header = "Authorization: Bearer %s"\nheader = "Content-Type: application/json"\n' "$KEY" >"$work/curl.conf")
  source=$(adapter "Synthetic" database synthetic '{"size_bytes":1000}')
  destination=$(adapter "Folder" storage local-filesystem "$(jq -nc --arg path "$work/large-backups-$1" '{basePath: $path}')")
  job_id=$(job "seed" "$source" "$destination" ZSTD "")
  await "$(api POST "/api/jobs/$job_id/run" | jq -re .executionId)"
  api GET "/api/storage/$destination/files?refresh=true" >/dev/null
  stop_server
  fill "$1" "$2" "$3"
  start_server "$binary" "$work/data-$1" "$(free_port)" DBACKUP_RATE_LIMITS_ENABLED=false DBACKUP_PLUGINS_DIRS="$work/plugins"
  local -A paths=(
    ["GET /api/executions, a page of 50"]="/api/executions?pageSize=50"
    ["GET /api/executions of one job"]="/api/executions?pageSize=50&jobId=job-1"
    ["GET /api/executions that failed"]="/api/executions?pageSize=50&status=Failed"
    ["GET /api/history"]="/api/history"
    ["GET /api/jobs, a page of 50"]="/api/jobs?page=1&pageSize=50"
    ["GET /api/storage/{id}/files, a page of 50"]="/api/storage/$destination/files?page=1&pageSize=50"
    ["GET /api/storage/{id}/files/latest of one job"]="/api/storage/$destination/files/latest?jobName=seed"
    ["GET /api/dashboard/calendar"]="/api/dashboard/calendar"
    ["GET /api/dashboard/stats"]="/api/dashboard/stats"
  )
  large_lists=("${!paths[@]}")
  for path in "${large_lists[@]}"; do
    api GET "${paths[$path]}" >/dev/null
    for ((run = 0; run < (runs + 1) / 2; ++run)); do
      add_sample "$path.$4" "$(p99_ms "${paths[$path]}" 4 2)"
    done
  done
}

bench_large() {
  command -v wrk >/dev/null || { echo "wrk is not installed (Debian package wrk)" >&2; return 1; }
  need_server
  one_size 10 1000 100 small
  one_size 10000 1000000 100000 large
  local list
  for list in "${large_lists[@]}"; do
    row "$list, p99, large against small metadata" "$list.large" "$list.small" ms "≤ 2 ×" "ratio <= 2"
  done
  stop_server
}
