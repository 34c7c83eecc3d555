# shellcheck shell=bash disable=SC2154
# Compress, seal and hash a dump that lies in a file, against the pipes of the ordinary programs.

our_stages() {  # our_stages SERIES COMPRESSION
  local answer
  answer=$("$build/bin/dbackup_pipeline_bench" "$work/dump" -c "$2" -r "$recipient")
  add_sample "$1.wall" "$(jq .wall <<<"$answer")"
  add_sample "$1.bytes" "$(jq .storedBytes <<<"$answer")"
}
tools_zstd() { zstd -q -3 -T2 -c "$work/dump" | age -r "$recipient" >/dev/null; }
tools_gzip() { gzip -6 -c "$work/dump" | age -r "$recipient" >/dev/null; }

bench_stages() {
  need_dump_file
  cat "$work/dump" >/dev/null
  local run
  for ((run = 0; run < runs; ++run)); do
    our_stages zstd ZSTD
    time_tools tools_zstd tools_zstd
    our_stages gzip GZIP
    time_tools tools_gzip tools_gzip
  done
  add_sample tools_gzip.bytes "$(gzip -6 -c "$work/dump" | age -r "$recipient" | wc -c)"
  row "zstd and seal from a file, wall" zstd.wall tools_zstd.wall s "≤ 0.9 ×" "ratio <= 0.9"
  row "gzip and seal from a file, wall" gzip.wall tools_gzip.wall s "≥ 5 × faster" "ratio <= 0.2"
  row "gzip and seal, size" gzip.bytes tools_gzip.bytes B "≤ 5 % larger" "ratio <= 1.05"
}
