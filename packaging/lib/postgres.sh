# shellcheck shell=bash
# Sourced after server.sh: a PostgreSQL server of one's own from Debian's package, on a free loopback port,
# in a temporary folder, ended by its pid. Sets pg_pid, pg_port, pg_bin, pg_folder, PGPASSWORD.

as_postgres=()

# Says in one line why no PostgreSQL can be started here; silent and false when it can.
why_no_postgres() {
  pg_bin=""
  local folder
  for folder in /usr/lib/postgresql/*/bin; do
    [[ -x $folder/postgres && -x $folder/initdb && -x $folder/pg_dump ]] && pg_bin=$folder
  done
  if [[ -z $pg_bin ]]; then
    echo "no PostgreSQL server is installed (Debian package postgresql)"
  elif [[ $(id -u) == 0 ]] && ! id postgres >/dev/null 2>&1; then
    echo "there is no user postgres, and PostgreSQL refuses to run as root"
  elif [[ $(id -u) == 0 ]] && ! runuser -u postgres -- true 2>/dev/null; then
    echo "runuser cannot become the user postgres"
  else
    return 1
  fi
}

# start_postgres FOLDER [SETTING=VALUE…]: FOLDER is made; the superuser is postgres.
start_postgres() {
  pg_folder=$1
  shift
  local setting options=()
  as_postgres=()
  [[ $(id -u) == 0 ]] && as_postgres=(runuser -u postgres --)
  mkdir -p "$pg_folder"
  PGPASSWORD="$(head -c 18 /dev/urandom | base64)"
  export PGPASSWORD
  printf '%s\n' "$PGPASSWORD" >"$pg_folder/password"
  chmod 700 "$pg_folder"
  [[ $(id -u) == 0 ]] && chown -R postgres: "$pg_folder"
  (cd / && "${as_postgres[@]}" "$pg_bin/initdb" -D "$pg_folder/data" -U postgres -E UTF8 --locale=C.UTF-8 \
    --auth=scram-sha-256 --pwfile="$pg_folder/password" --no-sync) >"$pg_folder/initdb.log" 2>&1 ||
    { tail -n 20 "$pg_folder/initdb.log" >&2; return 1; }
  rm -f "$pg_folder/password"
  for setting in "$@"; do options+=(-c "$setting"); done
  pg_port=$(free_port)
  (cd / && exec "${as_postgres[@]}" "$pg_bin/postgres" -D "$pg_folder/data" -c listen_addresses=127.0.0.1 \
    -c port="$pg_port" -c unix_socket_directories="$pg_folder" -c fsync=off "${options[@]}") \
    >"$pg_folder/log" 2>&1 &
  pg_pid=$!
  export PGHOST=127.0.0.1 PGPORT=$pg_port PGUSER=postgres
  local deadline=$(($(now_ms) + 30000))
  until "$pg_bin/pg_isready" -q; do
    if ! kill -0 "$pg_pid" 2>/dev/null || (($(now_ms) > deadline)); then
      echo "PostgreSQL did not start:" >&2
      tail -n 20 "$pg_folder/log" >&2
      return 1
    fi
    pause 0.05
  done
}

stop_postgres() {
  [[ -n ${pg_pid:-} ]] || return 0
  # The postmaster's own pid: $! may be that of runuser, which does not pass every signal on.
  local postmaster
  postmaster=$(head -n 1 "$pg_folder/data/postmaster.pid" 2>/dev/null || echo "$pg_pid")
  kill -INT "$postmaster" 2>/dev/null || true
  wait "$pg_pid" 2>/dev/null || true
  pg_pid=""
}

# sql DATABASE COMMAND…: unaligned rows of the last command.
sql() {
  local database=$1
  shift
  local commands=() command
  for command in "$@"; do commands+=(-c "$command"); done
  "$pg_bin/psql" -X -q -A -t -v ON_ERROR_STOP=1 -d "$(conninfo_of "$database")" "${commands[@]}"
}

# A database name as a connection string, so that a name with "=" is not taken for one.
conninfo_of() {
  local name=${1//\\/\\\\}
  echo "dbname='${name//\'/\\\'}'"
}

# A name as an SQL identifier.
quoted() { echo "\"${1//\"/\"\"}\""; }
