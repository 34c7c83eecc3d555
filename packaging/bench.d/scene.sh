# shellcheck shell=bash disable=SC2154,SC2034  # variables shared with packaging/bench
# What the measures share: the database, the server, and calls of its API.

# A database whose dump has about $size_mb MB: one half like pgbench's accounts, one half text.
need_database() {
  [[ -z $pg_pid ]] || return 0
  local reason
  if reason=$(why_no_postgres); then
    echo "this measure needs PostgreSQL: $reason" >&2
    return 1
  fi
  why_no_postgres >/dev/null || true
  # Everything in memory, and nothing at work in the background while both sides are timed.
  start_postgres "$work/postgres" shared_buffers=1500MB autovacuum=off max_wal_size=20GB wal_level=minimal max_wal_senders=0 full_page_writes=off
  sql postgres "create database bench"
  local accounts=$((size_mb * 5000)) texts=$((size_mb * 1250))
  sql bench \
    "create unlogged table accounts (aid int, bid int, abalance int, filler char(84))" \
    "insert into accounts select g, g / 100000, (g * 31) % 5000, '' from generate_series(1, $accounts) g" \
    "create unlogged table texts (id int, author text, body text)" \
    "insert into texts select g, 'author ' || g % 1000, (select string_agg(w, ' ') from (select (array['order','invoice','customer','delivery','payment','address','region','total','discount','returned','pending','shipped','accepted','received','warehouse','account'])[1 + (hashint4(g * 41 + i) & 15)] w from generate_series(1, 36) i) words) || ' ' || md5(g::text) || md5((g + 1)::text) || md5((g + 2)::text) from generate_series(1, $texts) g" \
    "alter table accounts add primary key (aid)" "alter table texts add primary key (id)" "alter table accounts set logged" "alter table texts set logged" \
    "vacuum analyze" "checkpoint"
  age-keygen -o "$work/identity.txt" 2>/dev/null
  recipient=$(sed -n 's/^# public key: //p' "$work/identity.txt")
}

need_dump_file() {
  need_database
  [[ -s $work/dump ]] || "$pg_bin/pg_dump" -Fc -Z0 -d bench >"$work/dump"
}

# The server on embedded defaults, with the synthetic adapters beside the shipped ones.
need_server() {
  [[ -z $server_pid ]] || return 0
  mkdir -p "$work/plugins"
  [[ -e $work/plugins/synthetic.so ]] || install -m 644 "$build/lib/dbackup/test-plugins/synthetic.so" "$work/plugins/"
  start_server "$binary" "$work/data" "$(free_port)" DBACKUP_RATE_LIMITS_ENABLED=false DBACKUP_PLUGINS_DIRS="$work/plugins"
  KEY=$("$binary" key create --data-dir "$work/data" --name bench --permissions '*' --json | jq -re .key)
  (umask 077 && printf 'header = "Authorization: Bearer %s"\nheader = "Content-Type: application/json"\n' "$KEY" >"$work/curl.conf")
}

# api METHOD PATH [JSON]: prints the answer; fails on a status of 400 or above.
api() {
  local data=()
  (($# > 2)) && data=(--data-binary "$3")
  curl -sS --fail-with-body -K "$work/curl.conf" -X "$1" "${data[@]}" "$base_url$2" || { echo " ($1 $2)" >&2; return 1; }
}

adapter() { api POST /api/adapters "$(jq -nc --arg name "$1" --arg type "$2" --arg id "$3" --argjson config "$4" '{name: $name, type: $type, adapterId: $id, config: $config}')" | jq -re .id; }

# job NAME SOURCE DESTINATION COMPRESSION PROFILE [DATABASE]
job() {
  api POST /api/jobs "$(jq -nc --arg name "$1" --arg source "$2" --arg destination "$3" --arg compression "$4" --arg profile "$5" --arg database "${6:-}" \
    '{name: $name, schedule: "0 3 * * *", sourceId: $source, destinations: [{configId: $destination}], compression: $compression,
      pgCompression: (if $compression == "NONE" then "NONE" else "" end),
      encryptionProfileId: (if $profile == "" then null else $profile end), databases: (if $database == "" then [] else [$database] end)}')" | jq -re .id
}

# Adapters and jobs over the database.
need_jobs() {
  need_database
  need_server
  [[ -z ${source_id:-} ]] || return 0
  source_id=$(adapter "Bench database" database postgres "$(jq -nc --arg password "$PGPASSWORD" --argjson port "$pg_port" '{host: "127.0.0.1", port: $port, user: "postgres", password: $password}')")
  destination_id=$(adapter "Bench folder" storage local-filesystem "$(jq -nc --arg path "$work/backups" '{basePath: $path}')")
  profile_id=$(api POST /api/encryption-profiles '{"name":"bench"}' | jq -re .data.id)
  zstd_job=$(job "zstd" "$source_id" "$destination_id" ZSTD "$profile_id" bench)
  gzip_job=$(job "gzip" "$source_id" "$destination_id" GZIP "$profile_id" bench)
}

# await EXECUTION: waits for its end without taking CPU; sets ended_ms and $execution. Every poll calls
# `sampler` when one is defined.
await() {
  sampler=${2:-}
  while true; do
    [[ -z $sampler ]] || "$sampler"
    if quick_get "/api/executions/$1" && [[ $quick_body =~ \"endedAt\":\"([^\"]+)\" ]]; then break; fi
    if [[ -n $sampler ]]; then pause 0.02; else pause 0.25; fi
  done
  execution=$quick_body
  [[ $execution == *'"status":"Success"'* ]] || { echo "the run did not succeed: $execution" >&2; return 1; }
  ended_ms=$(date -d "${BASH_REMATCH[1]:-$(jq -r .data.endedAt <<<"$execution")}" +%s%3N)
}

# timed_run SERIES METHOD PATH [JSON]: starts an execution and adds its wall time, from the request to the
# end that the server recorded, and the CPU of the server, its workers and their tools.
timed_run() {
  local series=$1 cpu_before started id
  shift
  cpu_before=$(process_cpu "$server_pid")
  started=$(now_ms)
  id=$(api "$@" | jq -re .executionId)
  await "$id"
  add_sample "$series.wall" "$(calc "($ended_ms - $started) / 1000")"
  add_sample "$series.cpu" "$(calc "$(process_cpu "$server_pid") - $cpu_before")"
}

newest_file() { api GET "/api/storage/$destination_id/files" | jq -re '.[0].path'; }
clear_backups() { rm -rf "${work:?}/backups"/*; }
