# shellcheck shell=bash disable=SC2154
# A file into the S3 server of the tests, by the plugin alone, against rclone rcat; both stream, send parts
# in parallel and sign them. The server verifies every signature and hash and keeps its data in memory.

s3_put() { "$build/bin/dbackup_storage_put_bench" "$build/lib/dbackup/plugins/s3.so" s3-generic "$work/s3.json" ours <"$1"; }
s3_rclone() {
  env -u AWS_CA_BUNDLE RCLONE_CONFIG=/dev/null RCLONE_CONFIG_S3_TYPE=s3 RCLONE_CONFIG_S3_PROVIDER=Other RCLONE_CONFIG_S3_ENDPOINT="http://127.0.0.1:$s3_port" \
    RCLONE_CONFIG_S3_ACCESS_KEY_ID=AKIDTEST RCLONE_CONFIG_S3_SECRET_ACCESS_KEY='test/secret+key' RCLONE_CONFIG_S3_REGION=us-east-1 \
    rclone -q rcat s3:bucket/theirs <"$work/s3.bin"
}
s3_peak() { calc "$(s3_put "$1" | cut -d' ' -f1) / 1024"; }
s3_empty() { curl -sSf -o "$work/s3.out" -d "{\"key\":\"$1\"}" "http://127.0.0.1:$s3_port/-/uproot"; }

bench_s3() {
  local folder run
  folder=$(mktemp -d /dev/shm/dbackup-bench.XXXXXX)
  s3_port=$(free_port)
  python3 -B tests/support/s3_server.py "$folder" "$s3_port" 2>"$work/s3.log" &
  helper_pid=$!
  until curl -sf -o "$work/s3.out" "http://127.0.0.1:$s3_port/-/log"; do
    kill -0 "$helper_pid" || { rm -rf "$folder"; return 1; }
    sleep 0.1
  done
  jq -nc --arg endpoint "http://127.0.0.1:$s3_port" '{endpoint: $endpoint, bucket: "bucket", accessKeyId: "AKIDTEST", secretAccessKey: "test/secret+key"}' >"$work/s3.json"
  head -c "$((size_mb * 1000000))" /dev/urandom >"$work/s3.bin"
  head -c "$((size_mb * 100000))" "$work/s3.bin" >"$work/s3.small"
  s3_rclone  # the file is in the page cache for both sides
  s3_empty theirs
  for ((run = 0; run < runs; ++run)); do
    time_tools ours s3_put "$work/s3.bin"
    s3_empty ours
    time_tools theirs s3_rclone
    s3_empty theirs
    add_sample small.peak "$(s3_peak "$work/s3.small")"
    s3_empty ours
  done
  add_sample large.peak "$(s3_peak "$work/s3.bin")"
  kill "$helper_pid"
  helper_pid=""
  rm -rf "$folder" "$work/s3.bin"
  row "$size_mb MB to S3, wall" ours.wall theirs.wall s "≤ 1 / 0.95 ×" "ratio <= 1 / 0.95"
  row "$size_mb MB to S3, CPU" ours.cpu theirs.cpu s "≤ 1.0 ×" "ratio <= 1.0"
  row "peak memory of $size_mb MB to S3, and of a tenth" large.peak small.peak MiB "< 96 MiB, same" "ours < 96 && ours - theirs < 8"
}
