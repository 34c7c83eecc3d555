# shellcheck shell=bash disable=SC2154
# From exec to the first healthy answer, in an empty folder with every shipped plugin; then idle memory.

bench_start() {
  local run started deadline saved_key=$KEY
  stop_server  # the measured server is alone
  "$binary" version >/dev/null
  for ((run = 0; run < runs; ++run)); do
    rm -rf "$work/start"
    local port
    port=$(free_port)
    started=${EPOCHREALTIME/[.,]/}
    start_server "$binary" "$work/start" "$port"
    add_sample healthy "$(calc "(${EPOCHREALTIME/[.,]/} - $started) / 1000000")"
    KEY=$("$binary" key create --data-dir "$work/start" --name bench --permissions '*' --json | jq -re .key)
    # Idle: every plugin has been described and no child is left.
    deadline=$(($(now_ms) + 10000))
    until quick_get /api/adapter-types && [[ $quick_body == *'"postgres"'* && $quick_body == *'"local-filesystem"'* && -z $(cat /proc/"$server_pid"/task/*/children) ]]; do
      (($(now_ms) < deadline)) || { echo "the plugins are not described after ten seconds: $quick_body" >&2; return 1; }
      pause 0.05
    done
    pause 1
    add_sample idle "$(calc "$(status_field "$server_pid" VmRSS) / 1024")"
    stop_server
  done
  KEY=$saved_key
  row "start to healthy, first start" healthy - s "< 0.3 s" "ours < 0.3"
  row "memory when idle" idle - MiB "< 32 MiB" "ours < 32"
}
