# shellcheck shell=bash disable=SC2154,SC2034
# A sealed ZSTD backup of a MariaDB database to a folder, through the server, against the pipe.

tools_mariadb() {
  mariadb-dump --defaults-file="$work/mariadb.cnf" --single-transaction --routines --events --triggers --quick \
    --hex-blob --default-character-set=utf8mb4 bench | zstd -q -3 -T2 | age -r "$recipient" >"$work/theirs.age" &&
    sync "$work/theirs.age"
}

need_mariadb() {
  [[ -z ${mariadb_pid:-} ]] || return 0
  start_mariadb "$work/mariadb" --innodb-buffer-pool-size=1500M --innodb-flush-log-at-trx-commit=0 --skip-name-resolve
  local accounts=$((size_mb * 5000)) texts=$((size_mb * 1250))
  mariadb_sql "CREATE DATABASE bench" "CREATE DATABASE small" \
    "CREATE TABLE bench.accounts (aid int PRIMARY KEY, bid int, abalance int, filler char(84)) AS SELECT seq AS aid, seq DIV 100000 AS bid, (seq * 31) % 5000 AS abalance, REPEAT('x', 60) AS filler FROM bench.seq_1_to_$accounts" \
    "CREATE TABLE bench.texts (id int PRIMARY KEY, author text, body text) AS SELECT seq AS id, CONCAT('author ', seq % 1000) AS author, CONCAT(REPEAT(CONCAT(ELT(1 + seq % 8, 'order ', 'invoice ', 'customer ', 'delivery ', 'payment ', 'address ', 'region ', 'total '), seq, ' '), 18), MD5(seq), MD5(seq + 1), MD5(seq + 2)) AS body FROM bench.seq_1_to_$texts" \
    "CREATE TABLE small.texts AS SELECT * FROM bench.texts WHERE id <= $((texts / 5))" \
    "CREATE TABLE small.accounts AS SELECT * FROM bench.accounts WHERE aid <= $((accounts / 5))"
  (umask 077 && printf '[client]\nhost=127.0.0.1\nport=%s\nprotocol=tcp\nuser=bench\npassword="%s"\n' "$mariadb_port" "$mariadb_password" >"$work/mariadb.cnf")
  [[ -n ${recipient:-} ]] || {
    age-keygen -o "$work/identity.txt" 2>/dev/null
    recipient=$(sed -n 's/^# public key: //p' "$work/identity.txt")
  }
}

bench_mariadb() {
  local source folder profile job_id small_id run
  need_mariadb
  need_server
  source=$(adapter "Bench MariaDB" database mariadb "$(jq -nc --arg password "$mariadb_password" --argjson port "$mariadb_port" '{host: "127.0.0.1", port: $port, user: "bench", password: $password}')")
  folder=$(adapter "Bench MariaDB folder" storage local-filesystem "$(jq -nc --arg path "$work/backups" '{basePath: $path}')")
  profile=$(api POST /api/encryption-profiles '{"name":"bench mariadb"}' | jq -re .data.id)
  job_id=$(job "mariadb" "$source" "$folder" ZSTD "$profile" bench)
  small_id=$(job "mariadb small" "$source" "$folder" ZSTD "$profile" small)
  tools_mariadb  # the database is in memory for both sides
  rm -f "$work/theirs.age"
  for ((run = 0; run < runs; ++run)); do
    timed_run ours POST "/api/jobs/$job_id/run"
    clear_backups
    time_tools theirs tools_mariadb
    rm -f "$work/theirs.age"
  done
  # Apart from the timed runs, which looking at the worker would slow down.
  add_worker_peak small.peak "$small_id"
  add_worker_peak large.peak "$job_id"
  clear_backups
  row "MariaDB backup, wall" ours.wall theirs.wall s "≤ 1.05 ×" "ratio <= 1.05"
  row "peak memory of its worker, $size_mb MB and a fifth" large.peak small.peak MiB "< 64 MiB, same" "ours < 64 && ours - theirs < 4"
}
