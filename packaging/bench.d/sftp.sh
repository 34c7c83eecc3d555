# shellcheck shell=bash disable=SC2154
# A file to a real sshd by SFTP: a whole backup through the server (a SQLite file of random bytes, not
# compressed, not sealed) against `sftp put` of the same bytes. Both sides store on the same disk.

need_sshd() {
  local folder=$work/sshd
  [[ ! -d $folder ]] || return 0
  mkdir -p "$folder/store"
  ssh-keygen -q -t ed25519 -N '' -f "$folder/host"
  ssh-keygen -q -t ed25519 -N '' -f "$folder/user"
  cp "$folder/user.pub" "$folder/authorized"
  ssh_port=$(free_port)
  cat >"$folder/config" <<EOT
ListenAddress 127.0.0.1
Port $ssh_port
HostKey $folder/host
AuthorizedKeysFile $folder/authorized
PidFile $folder/pid
StrictModes no
UsePAM no
PasswordAuthentication no
PermitRootLogin yes
Subsystem sftp /usr/lib/openssh/sftp-server
EOT
  mkdir -p /run/sshd 2>/dev/null || true
  /usr/sbin/sshd -D -e -f "$folder/config" 2>"$folder/log" &
  helper_pid=$!
  local deadline=$(($(now_ms) + 10000))
  until ! port_is_free "$ssh_port"; do
    (($(now_ms) < deadline)) || { cat "$folder/log" >&2; return 1; }
    pause 0.05
  done
}

tools_sftp() {
  printf 'put %s %s\n' "$work/sftp.bin" "$work/sshd/store/theirs" >"$work/sftp.batch"
  sftp -q -b "$work/sftp.batch" -P "$ssh_port" -i "$work/sshd/user" -o IdentitiesOnly=yes -o StrictHostKeyChecking=no \
    -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR "$(id -un)@127.0.0.1" &&
    sync "$work/sshd/store/theirs"
}

bench_sftp() {
  local run source storage job_id
  need_sshd
  need_server
  head -c "$((size_mb * 1000000))" /dev/urandom >"$work/sftp.bin"
  # SQLite stores a blob of any size as it is, so that the backup is as large as the file.
  sqlite3 "$work/sftp.db" "CREATE TABLE t (b BLOB)" "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $size_mb) INSERT INTO t SELECT randomblob(1000000) FROM n"
  cp "$work/sftp.db" "$work/sftp.bin"
  source=$(adapter "Bench file" database sqlite "$(jq -nc --arg path "$work/sftp.db" '{mode: "local", path: $path}')")
  storage=$(adapter "Bench SFTP" storage sftp "$(jq -nc --rawfile key "$work/sshd/user" --arg user "$(id -un)" --argjson port "$ssh_port" --arg prefix "$work/sshd/store" \
    '{host: "127.0.0.1", port: $port, username: $user, authType: "privateKey", privateKey: $key, pathPrefix: $prefix}')")
  job_id=$(job "sftp" "$source" "$storage" NONE "")
  tools_sftp  # the file is in the page cache for both sides
  for ((run = 0; run < runs; ++run)); do
    timed_run ours POST "/api/jobs/$job_id/run"
    rm -rf "$work/sshd/store"/*
    time_tools theirs tools_sftp
    rm -rf "$work/sshd/store"/*
  done
  add_worker_peak large.peak "$job_id"
  sqlite3 "$work/sftp.db" "DELETE FROM t WHERE rowid > $((size_mb / 5))" "VACUUM"
  add_worker_peak small.peak "$job_id"
  kill "$helper_pid"
  helper_pid=""
  rm -f "$work/sftp.bin" "$work/sftp.db"
  row "$size_mb MB to SFTP, wall" ours.wall theirs.wall s "≤ 1 / 0.95 ×" "ratio <= 1 / 0.95"
  row "peak memory of its worker, $size_mb MB and a fifth" large.peak small.peak MiB "< 64 MiB, same" "ours < 64 && ours - theirs < 4"
}
