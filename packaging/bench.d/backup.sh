# shellcheck shell=bash disable=SC2154
# A sealed ZSTD backup of a PostgreSQL database to a folder, through the server, against the pipe.

tools_backup() {
  "$pg_bin/pg_dump" -Fc -Z0 -d bench | zstd -q -3 -T2 | age -r "$recipient" >"$work/theirs.age" &&
    sync "$work/theirs.age"
}

bench_backup() {
  need_jobs
  tools_backup  # the database is in memory for both sides
  rm -f "$work/theirs.age"
  local run
  for ((run = 0; run < runs; ++run)); do
    timed_run ours POST "/api/jobs/$zstd_job/run"
    clear_backups
    time_tools theirs tools_backup
    rm -f "$work/theirs.age"
  done
  row "backup, wall" ours.wall theirs.wall s "≤ 1.05 × + 0.15 s" "ours <= 1.05 * theirs + 0.15"
  row "backup, CPU without the database server's" ours.cpu theirs.cpu s "≤ 1.0 ×" "ratio <= 1.0"
}
