# shellcheck shell=bash disable=SC2154
# Peak memory of server and worker, and bytes written outside the destination, at two sizes: neither may
# depend on the size of the data. A computed dump goes to a destination that counts and forgets.

status_field() { sed -n "s/^$2:[[:space:]]*\([0-9]*\).*/\1/p" "/proc/$1/status" 2>/dev/null || true; }
io_written() { sed -n 's/^write_bytes: //p' "/proc/$1/io"; }

# The worker of the backup is the largest of the server's children.
sample_workers() {
  local children child peak
  read -ra children <<<"$(cat /proc/"$server_pid"/task/*/children 2>/dev/null | tr '\n' ' ')"
  for child in "${children[@]}"; do
    peak=$(status_field "$child" VmHWM)
    ((${peak:-0} > worker_peak)) && worker_peak=$peak
  done
  return 0
}

# add_worker_peak SERIES JOB: runs the job and adds the peak memory of its worker, in MiB.
add_worker_peak() {
  worker_peak=0
  await "$(api POST "/api/jobs/$2/run" | jq -re .executionId)" sample_workers
  add_sample "$1" "$(calc "$worker_peak / 1024")"
}

measure_size() {  # measure_size SERIES MEGABYTES
  local series=$1 source job_id written_before
  # A server of its own: its peak must not be that of an earlier measure.
  stop_server
  need_server
  source=$(adapter "Synthetic $series $RANDOM" database synthetic "$(jq -nc --argjson size "$(($2 * 1000000))" '{size_bytes: $size}')")
  [[ -n ${null_id:-} ]] || null_id=$(adapter "Nowhere $RANDOM" storage synthetic-null '{}')
  job_id=$(job "synthetic $series $RANDOM" "$source" "$null_id" ZSTD "")
  written_before=$(io_written "$server_pid")
  add_worker_peak "$series.worker" "$job_id"
  # Workers that the server has waited for count as the server's own.
  add_sample "$series.written" "$(calc "($(io_written "$server_pid") - $written_before) / 1048576")"
  add_sample "$series.host" "$(calc "$(status_field "$server_pid" VmHWM) / 1024")"
}

bench_memory() {
  measure_size small $((large_mb / 10))
  measure_size large "$large_mb"
  local part
  for part in host worker; do
    row "peak memory of the $part, $((large_mb / 10)) MB" "small.$part" - MiB "< 64 MiB" "ours < 64"
    row "peak memory of the $part, $large_mb MB" "large.$part" "small.$part" MiB "< 64 MiB, same" "ours < 64 && ours - theirs < 4 && theirs - ours < 4"
  done
  row "written outside the destination, $((large_mb / 10)) MB" small.written - MiB "< 4 MiB" "ours < 4"
  row "written outside the destination, $large_mb MB" large.written small.written MiB "< 4 MiB, same" "ours < 4 && ours - theirs < 1"
}
