#include "services/recovery_kit.hpp"

namespace dbackup::host {

std::string_view recovery_script() noexcept {
  return R"sh(#!/bin/sh
# Opens backup files without the server that made them.
#
#   ./recover.sh FILE [OUTPUT]
#
# Decrypts FILE with the keys beside this script and decompresses it into OUTPUT (default: its name
# without .age and .zst, .gz or .br, in the current folder). Needs "age" for encrypted files and
# zstd, gzip or brotli for compressed ones. Exit status 0: OUTPUT is complete and authentic;
# anything else: there is no OUTPUT.
set -u

fail() {
  printf 'recover.sh: %s\n' "$1" >&2
  exit 1
}

need() {
  command -v "$1" >/dev/null 2>&1 || fail "the program \"$1\" is missing; install it and run this again"
}

[ $# -ge 1 ] && [ $# -le 2 ] || fail "usage: ./recover.sh FILE [OUTPUT]"
file=$1
[ -f "$file" ] || fail "no such file: $file"
kit=$(dirname "$0")

name=$(basename "$file")
sealed=no
case $name in *.age) sealed=yes; name=${name%.age} ;; esac
codec=none
case $name in
  *.zst) codec=zstd; name=${name%.zst} ;;
  *.gz) codec=gzip; name=${name%.gz} ;;
  *.br) codec=brotli; name=${name%.br} ;;
esac
output=${2:-./$name}
[ ! -e "$output" ] || fail "$output exists already; name another file"
partial=$output.partial

[ "$codec" = none ] || need "$codec"
[ "$sealed" = no ] || need age

set --
for key in "$kit"/identity.txt "$kit"/keys/*.txt; do
  [ -f "$key" ] && set -- "$@" -i "$key"
done
[ "$sealed" = no ] || [ $# -gt 0 ] || fail "no key found beside this script"

open_file() {
  if [ "$sealed" = yes ]; then age -d "$@" -- "$file"; else cat -- "$file"; fi
}

expand() {
  case $codec in
    zstd) zstd -d -q -c ;;
    gzip) gzip -d -c ;;
    brotli) brotli -d -c ;;
    none) cat ;;
  esac
}

# The status of both ends of the pipe: a file is good only if each of them says so.
trap 'rm -f -- "$partial"' EXIT
statuses=$({ { open_file "$@"; echo "$?" >&3; } | { expand >"$partial"; echo "$?" >&3; }; } 3>&1)
for status in $statuses; do
  [ "$status" = 0 ] || fail "$file could not be opened: wrong key or damaged file"
done
mv -- "$partial" "$output" || fail "cannot write $output"
trap - EXIT
printf '%s\n' "$output"
)sh";
}

std::string recovery_readme(const std::vector<std::string>& profile_names, TimeMs made_at) {
  std::string names;
  for (const auto& name : profile_names) names += "  - " + name + "\n";
  const bool several = profile_names.size() > 1;
  const std::string key = several ? "keys/<profile>.txt" : "identity.txt";
  return "Recovery kit, made " + format_iso8601(made_at) + "\n\n" +
         "The secret keys of these encryption profiles:\n" + names +
         "\nWhoever has this kit can read every backup sealed with them. Keep it offline, apart "
         "from\n"
         "the backups.\n\n"
         "Nothing but common programs is needed. With the script:\n\n"
         "  ./recover.sh FILE.dump.zst.age\n\n"
         "By hand, with age (https://age-encryption.org) and the codec of the file's name:\n\n"
         "  1. open:        age -d -i " +
         key +
         " -o FILE.dump.zst FILE.dump.zst.age\n"
         "  2. decompress:  zstd -d FILE.dump.zst        (.gz: gzip -d    .br: brotli -d)\n"
         "  3. restore:     pg_restore -d DATABASE FILE.dump\n\n"
         "Step 3 is the restore program of the engine: .dump is for pg_restore, .sql for the "
         "engine's\n"
         "own shell, .db is an SQLite database as it is. A .tar holds several databases; unpack "
         "it\n"
         "with tar and join the parts of one dump by cat.\n\n"
         "A file that age does not open to its end is damaged or was changed: use nothing of it.\n";
}

}  // namespace dbackup::host
