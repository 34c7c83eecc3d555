# shellcheck shell=bash disable=SC2154
# Verify a stored file over the API against hashing it by hand; the file is in the page cache.

bench_verify() {
  need_jobs
  clear_backups
  local run body wall plain
  # Not compressed, so that the file is as large as the dump.
  plain=$(job "plain $RANDOM" "$source_id" "$destination_id" NONE "$profile_id" bench)
  await "$(api POST "/api/jobs/$plain/run" | jq -re .executionId)"
  stored=$(newest_file)
  body=$(jq -nc --arg file "$stored" '{file: $file}')
  cat "$work/backups/$stored" >/dev/null
  for ((run = 0; run < runs; ++run)); do
    wall=$(curl -sSf -K "$work/curl.conf" -o "$work/verify.json" -w '%{time_total}' --data-binary "$body" "$base_url/api/storage/$destination_id/verify")
    [[ $(jq -r .data.status "$work/verify.json") == passed ]] || { echo "verify failed: $(<"$work/verify.json")" >&2; return 1; }
    add_sample ours.wall "$wall"
    time_tools theirs openssl dgst -sha256 "$work/backups/$stored"
  done
  row "verify, wall ($(($(stat -c %s "$work/backups/$stored") / 1000000)) MB)" ours.wall theirs.wall s "≤ 1.05 × + 50 ms" "ours <= 1.05 * theirs + 0.05"
  clear_backups
}
