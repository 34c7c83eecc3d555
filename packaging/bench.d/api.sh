# shellcheck shell=bash disable=SC2154
# Ten routes with an API key and with a session cookie, at 32 and at 256 connections; and how long the
# reference takes to answer while many people sign in at once.

api_seconds=3

# Good answers alone count: where the pool for slow work is full, the rest is told 503 and to come again.
rate() {  # rate SERIES CONNECTIONS HEADER PATH
  local output
  output=$(wrk -t2 "-c$2" -d"${api_seconds}s" -H "$3" "$base_url$4")
  add_sample "$1" "$(awk '/requests in/ {all = $1; sub(/s,/, "", $4); seconds = $4} /Non-2xx/ {bad = $NF}
    END {printf "%.1f", (all - bad) / seconds}' <<<"$output")"
}

p99_ms() {  # p99_ms PATH CONNECTIONS SECONDS: prints the 99th percentile in milliseconds
  wrk -t1 "-c$2" "-d$3s" --latency -H "Authorization: Bearer $KEY" "$base_url$1" |
    awk '$1 == "99%" {v = $2; if (sub(/us$/, "", v)) v /= 1000; else if (sub(/ms$/, "", v)) v *= 1; else if (sub(/s$/, "", v)) v *= 1000; print v}'
}

sign_up_first_user() {
  jq -nc '{name: "Bench", email: "bench@example.org", password: "correct horse battery"}' >"$work/sign-up.json"
  curl -sS --fail-with-body -c "$work/cookies" -H 'Content-Type: application/json' --data-binary @"$work/sign-up.json" \
    "$base_url/api/auth/sign-up/email" >/dev/null
  cookie="better-auth.session_token=$(awk '$6 == "better-auth.session_token" {print $7}' "$work/cookies")"
}

bench_api() {
  command -v wrk >/dev/null || { echo "wrk is not installed (Debian package wrk)" >&2; return 1; }
  need_server
  local source null job_id run_id path name run connections id='{id}'
  source=$(adapter "Synthetic api $RANDOM" database synthetic '{"size_bytes":1000}')
  null=$(adapter "Folder api $RANDOM" storage local-filesystem "$(jq -nc --arg path "$work/api-backups" '{basePath: $path}')")
  job_id=$(job "api $RANDOM" "$source" "$null" ZSTD "")
  run_id=$(api POST "/api/jobs/$job_id/run" | jq -re .executionId)
  await "$run_id"
  api GET "/api/storage/$null/files?refresh=true" >/dev/null
  sign_up_first_user
  local routes=(/api/jobs "/api/jobs/$job_id" "/api/adapters?type=database" "/api/adapters/$source"
    "/api/executions/$run_id" "/api/executions?pageSize=50" "/api/storage/$null/files"
    "/api/storage/$null/files/latest" /api/templates/retention-policies /api/user/me)
  for path in "${routes[@]}"; do
    for connections in 32 256; do
      name="${path//$job_id/$id}"
      name="${name//$run_id/$id}"
      name="${name//$source/$id}"
      name="${name//$null/$id}"
      samples=()
      for ((run = 0; run < (runs + 1) / 2; ++run)); do
        rate key "$connections" "Authorization: Bearer $KEY" "$path"
        rate session "$connections" "Cookie: $cookie" "$path"
      done
      row "GET $name, key, $connections connections" key - /s "≥ 180 (10 × the existing program)" "ours >= 180"
      row "GET $name, session, $connections connections" session - /s "≥ 180 (10 × the existing program)" "ours >= 180"
    done
  done
  samples=()
  for ((run = 0; run < runs; ++run)); do
    jq -nc '{email: "bench@example.org", password: "correct horse battery"}' >"$work/sign-in.json"
    (seq 200 | xargs -P50 -I{} curl -sS -o /dev/null -H 'Content-Type: application/json' --data-binary @"$work/sign-in.json" \
      "$base_url/api/auth/sign-in/email") &
    helper_pid=$!
    add_sample burst "$(p99_ms /api/health 4 2)"
    wait "$helper_pid"
    helper_pid=""
  done
  row "GET /api/health during 50 parallel sign-ins, p99" burst - ms "< 50 ms" "ours < 50"
}
