# shellcheck shell=bash disable=SC2154
# One operation from starting the worker to its end: greeting, plugin, ping, answer.

batch() {  # batch COMMAND…: 20 times
  local i
  for ((i = 0; i < 20; ++i)); do "$@"; done
}
one_ping() { "$binary" worker <"$work/ping.ndjson"; }
one_true() { /bin/true; }

bench_ping() {
  mkdir -p "$work/ping"
  {
    echo '{"protocol":1,"version":"bench"}'
    jq -nc --arg plugin "$build/lib/dbackup/plugins/local-filesystem.so" --arg path "$work/ping" \
      '{id: "1", op: "ping", body: {adapter: {plugin_path: $plugin, adapter_id: "local-filesystem", config: {basePath: $path, maxConcurrentFiles: 4}}}}'
  } >"$work/ping.ndjson"
  one_ping | grep -q '"event":"result"' || { echo "the worker's ping failed: $(one_ping)" >&2; return 1; }
  local run
  for ((run = 0; run < runs; ++run)); do
    time_tools ours20 batch one_ping
    time_tools theirs20 batch one_true
    add_sample ours "$(calc "${samples[ours20.wall]##* } * 50")"
    add_sample theirs "$(calc "${samples[theirs20.wall]##* } * 50")"
  done
  row "one worker operation (ping) against true" ours theirs ms "< 20 ms" "ours < 20"
}
