# shellcheck shell=bash disable=SC2154
# Restore under a new name, the database's creation included on both sides.

tools_restore() {
  sql postgres "create database restored" || return 1
  age -d -i "$work/kit-identity.txt" "$work/backups/$stored" | zstd -q -dc |
    "$pg_bin/pg_restore" --single-transaction --exit-on-error --clean --if-exists --no-tablespaces --no-owner --no-acl -d restored
}

bench_restore() {
  need_jobs
  clear_backups
  local run body
  await "$(api POST "/api/jobs/$zstd_job/run" | jq -re .executionId)"
  stored=$(newest_file)
  curl -sSf -K "$work/curl.conf" -o "$work/kit.zip" "$base_url/api/vault/recovery-kit?ids=$profile_id"
  unzip -p "$work/kit.zip" identity.txt >"$work/kit-identity.txt"
  body=$(jq -nc --arg file "$stored" --arg target "$source_id" '{file: $file, targetSourceId: $target, targetDatabaseName: "restored"}')
  for ((run = 0; run < runs; ++run)); do
    timed_run ours POST "/api/storage/$destination_id/restore" "$body"
    sql postgres "drop database restored" checkpoint
    time_tools theirs tools_restore
    sql postgres "drop database restored" checkpoint
  done
  row "restore, wall" ours.wall theirs.wall s "≤ 1.05 × + 0.15 s" "ours <= 1.05 * theirs + 0.15"
  clear_backups
}
