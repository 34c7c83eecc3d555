# shellcheck shell=bash disable=SC2154
# Requests per second with 32 connections: the same listener with a bare answer, an execution with its
# authentication and metadata, and health.

requests_per_second() {  # requests_per_second SERIES URL
  local output
  output=$(wrk -t2 -c32 -d"${http_seconds}s" -H "Authorization: Bearer $KEY" "$2")
  if grep -q 'Non-2xx' <<<"$output"; then
    echo "not every answer was good: $output" >&2
    return 1
  fi
  add_sample "$1" "$(awk '/^Requests\/sec:/ {print $2}' <<<"$output")"
}

bench_http() {
  command -v wrk >/dev/null || { echo "wrk is not installed (Debian package wrk)" >&2; return 1; }
  need_server
  local run source job_id execution_path
  http_seconds=5
  source=$(adapter "Synthetic http $RANDOM" database synthetic '{"size_bytes":1000000}')
  [[ -n ${null_id:-} ]] || null_id=$(adapter "Nowhere $RANDOM" storage synthetic-null '{}')
  job_id=$(job "synthetic http $RANDOM" "$source" "$null_id" ZSTD "")
  execution_path=/api/executions/$(api POST "/api/jobs/$job_id/run" | jq -re .executionId)
  await "${execution_path##*/}"
  local bare_port
  bare_port=$(free_port)
  # The bare answer is as long as the execution's.
  "$build/bin/dbackup_http_bare_server" "$bare_port" "$(api GET "$execution_path" | wc -c)" &
  helper_pid=$!
  until ! port_is_free "$bare_port"; do pause 0.01; done
  for ((run = 0; run < runs; ++run)); do
    requests_per_second bare "http://127.0.0.1:$bare_port/"
    requests_per_second execution "$base_url$execution_path"
    requests_per_second health "$base_url/api/health"
  done
  kill "$helper_pid"
  wait "$helper_pid" 2>/dev/null || true
  helper_pid=""
  row "GET /api/executions/{id}, 32 connections" execution bare /s "≥ 0.5 × and ≥ 5,000/s" "ratio >= 0.5 && ours >= 5000"
  row "GET /api/health, 32 connections" health bare /s "≥ 0.8 ×" "ratio >= 0.8"
}
