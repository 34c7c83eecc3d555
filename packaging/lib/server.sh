# shellcheck shell=bash disable=SC2034  # what is set here is read by those who source it
# Sourced by the demonstration and the measurements: a DBackup server of their own, on loopback, in a
# temporary folder, ended by its pid. Sets server_pid, server_port, base_url, server_log, data_dir.

now_ms() { echo $((${EPOCHREALTIME/[.,]/} / 1000)); }  # the separator follows the locale

# A pause without a process: nothing ever arrives on this descriptor.
pause() { read -rt "$1" -u "$pause_fd" _ || true; }
exec {pause_fd}<> <(:)

port_is_free() { ! { exec 9<>"/dev/tcp/127.0.0.1/$1"; } 2>/dev/null; }

free_port() {
  local port
  for _ in {1..50}; do
    port=$((20000 + RANDOM % 12000))  # below the range the kernel gives to clients
    port_is_free "$port" && echo "$port" && return
  done
  echo "no free port on 127.0.0.1" >&2
  return 1
}

# quick_get PATH: GET over bash's own socket, so that polling takes no CPU from what is measured. Sets
# quick_status and quick_body.
quick_get() {
  local lines=() i
  quick_status=000 quick_body=""
  { exec 9<>"/dev/tcp/127.0.0.1/$server_port"; } 2>/dev/null || return 1
  printf 'GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\nConnection: close\r\n\r\n' \
    "$1" "${KEY:-none}" >&9 2>/dev/null || return 1
  mapfile -t -u 9 lines
  exec 9>&-
  [[ ${lines[0]:-} =~ ^HTTP/1\.1\ ([0-9]{3}) ]] || return 1
  quick_status=${BASH_REMATCH[1]}
  for ((i = 1; i < ${#lines[@]}; i++)); do
    [[ ${lines[i]} == $'\r' ]] && break
  done
  quick_body="${lines[*]:i+1}"
}

# start_server BINARY DATA_DIR PORT [NAME=VALUE…]: returns when /api/health says healthy. Fails with the
# end of the log when the process ends or 20 seconds pass.
start_server() {
  local binary=$1 deadline
  data_dir=$2 server_port=$3
  shift 3
  server_log="$data_dir.log"
  # Only what is named here reaches the server; the rest is its embedded defaults.
  env -i PATH="$PATH" LC_ALL=C.UTF-8 DBACKUP_DATA_DIR="$data_dir" DBACKUP_SERVER_PORT="$server_port" "$@" \
    "$binary" serve >>"$server_log" 2>&1 9>&- &
  server_pid=$!
  base_url="http://127.0.0.1:$server_port"
  deadline=$(($(now_ms) + 20000))
  until quick_get /api/health && [[ $quick_status == 200 ]]; do
    if ! kill -0 "$server_pid" 2>/dev/null || (($(now_ms) > deadline)); then
      echo "the server did not become healthy; end of $server_log:" >&2
      tail -n 20 "$server_log" >&2
      return 1
    fi
    pause 0.002
  done
}

stop_server() {
  [[ -n ${server_pid:-} ]] || return 0
  kill "$server_pid" 2>/dev/null || true
  wait "$server_pid" 2>/dev/null || true
  server_pid=""
}
