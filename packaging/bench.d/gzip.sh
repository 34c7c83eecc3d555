# shellcheck shell=bash disable=SC2154
# Choosing GZIP for the sake of a reader must not cost much more than the default.

bench_gzip() {
  need_jobs
  local run
  for ((run = 0; run < runs; ++run)); do
    timed_run gzip POST "/api/jobs/$gzip_job/run"
    clear_backups
    timed_run zstd POST "/api/jobs/$zstd_job/run"
    clear_backups
  done
  row "GZIP backup against ZSTD backup, wall" gzip.wall zstd.wall s "≤ 1.10 ×" "ratio <= 1.10"
}
