# shellcheck shell=bash
# Sourced after server.sh: a MariaDB server of one's own from Debian's package, on a free loopback port, in a
# temporary folder, ended by its pid. Sets mariadb_pid, mariadb_port, mariadb_folder, mariadb_password.

# start_mariadb FOLDER [OPTION…]: FOLDER is made; the superuser is root, over TCP with the password.
start_mariadb() {
  mariadb_folder=$1
  shift
  local account=()
  mkdir -p "$mariadb_folder"
  if [[ $(id -u) == 0 ]]; then
    account=(--user=mysql)
    chown mysql: "$mariadb_folder"
  fi
  mariadb-install-db "${account[@]}" --datadir="$mariadb_folder/data" --tmpdir="$mariadb_folder" --auth-root-authentication-method=normal \
    --skip-test-db >"$mariadb_folder/install.log" 2>&1 || { tail -n 20 "$mariadb_folder/install.log" >&2; return 1; }
  mariadb_port=$(free_port)
  mariadbd --no-defaults "${account[@]}" --datadir="$mariadb_folder/data" --tmpdir="$mariadb_folder" --socket="$mariadb_folder/socket" \
    --pid-file="$mariadb_folder/pid" --bind-address=127.0.0.1 --port="$mariadb_port" --skip-log-bin "$@" \
    >"$mariadb_folder/log" 2>&1 &
  mariadb_pid=$!
  local deadline=$(($(now_ms) + 30000))
  until mariadb --no-defaults --socket="$mariadb_folder/socket" -e 'SELECT 1' >/dev/null 2>&1; do
    if ! kill -0 "$mariadb_pid" 2>/dev/null || (($(now_ms) > deadline)); then
      echo "MariaDB did not start:" >&2
      tail -n 20 "$mariadb_folder/log" >&2
      return 1
    fi
    pause 0.05
  done
  mariadb_password="$(head -c 18 /dev/urandom | base64)"
  mariadb_sql "CREATE USER 'bench'@'%' IDENTIFIED BY '$mariadb_password'" "GRANT ALL ON *.* TO 'bench'@'%'"
}

stop_mariadb() {
  [[ -n ${mariadb_pid:-} ]] || return 0
  kill "$mariadb_pid" 2>/dev/null || true
  wait "$mariadb_pid" 2>/dev/null || true
  mariadb_pid=""
}

# mariadb_sql COMMAND…: as the superuser.
mariadb_sql() {
  local command
  for command in "$@"; do mariadb --no-defaults --socket="$mariadb_folder/socket" -N -e "$command" || return 1; done
}
