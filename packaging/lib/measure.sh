# shellcheck shell=bash disable=SC2154  # variables of packaging/bench
# Sourced by packaging/bench: timing of both sides, medians, and the results as text and JSON.

declare -A samples=()  # "<series>" -> values separated by blanks
rows_json="[]"

add_sample() { samples[$1]+="${samples[$1]:+ }$2"; }

median() { tr ' ' '\n' <<<"${samples[$1]}" | sort -g | awk '{v[NR] = $1} END {print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2}'; }

calc() { awk "BEGIN {printf \"%.6g\", $1}"; }
holds() { awk "BEGIN {exit !($1)}"; }

# The ordinary tools: wall and CPU of a command and all its children, by the shell's own clock. Adds to
# <series>.wall and <series>.cpu.
time_tools() {  # time_tools SERIES COMMAND…
  local series=$1 result real user system
  shift
  local TIMEFORMAT='%R %U %S'
  result=$({ time "$@" >&3 2>&4; } 3>/dev/null 4>>"$work/tools.log" 2>&1) ||
    { echo "the measured command failed: $*" >&2; tail -n 5 "$work/tools.log" >&2; return 1; }
  read -r real user system <<<"$result"
  add_sample "$series.wall" "$real"
  add_sample "$series.cpu" "$(calc "$user + $system")"
}

# User and system time of a process and of every child it has waited for, in seconds.
process_cpu() {
  local stat
  stat=$(<"/proc/$1/stat")
  stat=${stat##*) }
  # shellcheck disable=SC2086
  set -- $stat
  calc "(${12} + ${13} + ${14} + ${15}) / $(getconf CLK_TCK)"
}

# row MEASURE OURS_SERIES THEIRS_SERIES UNIT GOAL_TEXT CONDITION: CONDITION is an expression over `ours`,
# `theirs` and `ratio`. Without a counterpart THEIRS_SERIES is "-".
row() {
  local measure=$1 ours_series=$2 theirs_series=$3 unit=$4 goal=$5 condition=$6 ours theirs=null ratio=null verdict=short
  ours=$(median "$ours_series")
  if [[ $theirs_series != - ]]; then
    theirs=$(median "$theirs_series")
    ratio=$(awk "BEGIN {if ($theirs > 0) printf \"%.3f\", $ours / $theirs; else print 0}")
  fi
  condition=${condition//ours/$ours}
  condition=${condition//theirs/$theirs}
  condition=${condition//ratio/$ratio}
  if holds "$condition"; then verdict=PASS; fi
  if [[ $theirs == null ]]; then
    printf '%-5s %-46s %10s %-4s %27s goal %s\n' "$verdict" "$measure" "$ours" "$unit" "" "$goal"
  else
    printf '%-5s %-46s %10s %-4s vs %10s  ratio %-6s goal %s\n' "$verdict" "$measure" "$ours" "$unit" "$theirs" "$ratio" "$goal"
  fi
  rows_json=$(jq -c --arg measure "$measure" --arg unit "$unit" --arg goal "$goal" --argjson pass "$([[ $verdict == PASS ]] && echo true || echo false)" \
    --argjson ours "$ours" --argjson theirs "$theirs" --argjson ratio "$ratio" \
    --arg our_runs "${samples[$ours_series]}" --arg their_runs "${samples[$theirs_series]:-}" \
    'def numbers: split(" ") | map(select(. != "") | tonumber);
     . + [{measure: $measure, unit: $unit, ours: $ours, theirs: $theirs, ratio: $ratio, goal: $goal, pass: $pass,
           ourRuns: ($our_runs | numbers), theirRuns: ($their_runs | numbers)}]' <<<"$rows_json")
}

# Writes what the rows since the last call have gathered.
write_results() {  # write_results NAME
  mkdir -p build/bench
  jq -n --arg name "$1" --arg date "$(date -u +%Y-%m-%dT%H:%M:%SZ)" --arg version "$("$binary" version | cut -d' ' -f2)" \
    --arg cpu "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" --argjson cores "$(nproc)" \
    --argjson memory "$(awk '/^MemTotal/ {print $2}' /proc/meminfo)" --argjson runs "$runs" --argjson size "$size_mb" --argjson rows "$rows_json" \
    '{name: $name, date: $date, version: $version, machine: {cpu: $cpu, cores: $cores, memoryKiB: $memory}, runs: $runs, sizeMB: $size, rows: $rows}' \
    >"build/bench/$1.json"
  rows_json="[]"
}
