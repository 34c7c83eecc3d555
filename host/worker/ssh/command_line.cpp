#include "worker/ssh/command_line.hpp"

#include <algorithm>
#include <array>

#include "base/error.hpp"

namespace dbackup::host::ssh {
namespace {

/// The login shell gets the line as one argument, and Linux takes 128 KiB in one.
constexpr size_t kLongestLine = size_t{128} * 1024 - 1;
constexpr const char* kReadLine = "exec /bin/sh -c 'eval \"$(printf \"$1\")\"' dbackup '";

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_variable_name(std::string_view name) {
  return !name.empty() && !is_digit(name.front()) &&
         std::ranges::all_of(name, [](char c) { return is_letter(c) || is_digit(c) || c == '_'; });
}

/// exec fails by itself, but only after the caller was told that the program runs.
constexpr std::string_view kCheck = R"(case $1 in
*/*) [ -x "$1" ] && [ ! -d "$1" ] ;;
*) command -v "$1" >/dev/null 2>&1 ;;
esac || { echo dbackup:missing; exit 127; }
)";

/// `( … & )`: the watcher becomes nobody's child, so that a program which waits for all its
/// children does not meet one it did not start. The group is addressed by the number of the shell
/// that becomes the program ($$, in a subshell too): not every SSH server gives a command a group
/// of its own (Dropbear does not), and then "0" would be the connection and the keeper as well.
constexpr std::string_view kRun = R"(exec 3<&0 </dev/null
( { trap '' TERM HUP
    read -r line <&3 && { kill -s TERM -- "-$$" || kill -s TERM "$$"; read -r line <&3; }
    kill -s KILL -- "-$$" || kill -s KILL "$$"
  } >/dev/null 2>&1 & )
echo dbackup:ready
exec 3<&-
exec "$@"
)";

/// The count comes back through a fifo that is open from the start, so that it cannot arrive too
/// early. Only a dd that ended well has counted all it was given; one that nobody reads any more
/// leaves the rest to be drained; after any other end (a killed dd) the input is not whole.
constexpr std::string_view kRunFed = R"(exec 3<&0
(umask 077; mkfifo "$base" "$base.ok" && echo $$ >"$base.pid") || exit 126
exec 5<>"$base.ok"
( { trap '' TERM HUP
    n=$({ LC_ALL=C dd bs=131072 2>&1 <&3 >&4; echo "status $?"; } | sed -n '
      s/^\([0-9][0-9]*\) bytes.*/\1/p
      s/.*Broken pipe.*/unread/p
      s/^status 141$/unread/p
      s/^status //p')
    case $n in
    *unread*) dd bs=131072 <&3 >/dev/null 2>&1; read -r want <&5; n=$want ;;
    *[0-9]'
'0) n=${n%?0}; read -r want <&5 ;;
    *) want=; n=failed ;;
    esac
    [ "$n" = "$want" ] || kill -s KILL -- "-$$" || kill -s KILL "$$"
  } 4>"$base" >/dev/null 2>&1 & )
echo dbackup:ready
exec <"$base" 3<&- 5<&-
exec "$@"
)";

constexpr std::string_view kKeep = R"(umask 077
d=$(mktemp -d "${TMPDIR:-/tmp}/dbackup.XXXXXXXXXX") || exit 1
leave() {
  trap '' HUP INT TERM PIPE
  exec 2>/dev/null
  for f in "$d"/*.pid; do
    [ -f "$f" ] && read -r p <"$f" && { kill -s KILL -- "-$p" || kill -s KILL "$p"; }
  done
  rm -rf "$d"
  exit 0
}
trap leave HUP INT TERM PIPE
echo dbackup:ready
echo "$d"
while read -r verb name rest; do
  case $verb in
  file) printf '%b' "$rest" >"$d/$name" && echo ok || echo no ;;
  end) echo "$rest" 1<>"$d/$name.ok" ;;
  stop)
    read -r p <"$d/$name.pid" && {
      kill -s TERM -- "-$p" || kill -s TERM "$p"
      { sleep 0.2 || sleep 1; kill -s KILL -- "-$p" || kill -s KILL "$p"; } >/dev/null &
    } ;;
  gone) rm -f "$d/$name" "$d/$name.ok" "$d/$name.pid" ;;
  esac 2>/dev/null
done
leave
)";

constexpr std::string_view kWhich = R"(for name do
  path=$(command -v "$name" 2>/dev/null) || continue
  case $path in */*) [ -x "$path" ] && [ ! -d "$path" ] && { echo "$path"; exit 0; } ;; esac
done
exit 1
)";

void append_octal(std::string& to, char c) {
  const auto byte = static_cast<unsigned char>(c);
  for (const int shift : {6, 3, 0}) to += static_cast<char>('0' + ((byte >> shift) & 7));
}

/// `text` for printf's format and for any shell's single quotes.
std::string escape_for_line(std::string_view text) {
  constexpr std::string_view kRead = R"('\!%)";
  std::string out;
  out.reserve(text.size() * 2);
  for (const char c : text) {
    if (c >= ' ' && c <= '~' && kRead.find(c) == std::string_view::npos) {
      out += c;
    } else {
      out += '\\';
      append_octal(out, c);
    }
  }
  return out;
}

std::string shell(const std::string& script, const std::vector<std::string>& words) {
  std::string text = "set --";
  for (const std::string& word : words) text += " " + quote(word);
  // $(…) takes newlines off the end.
  text += "\n" + script + ":";
  std::string out = kReadLine + escape_for_line(text) + "'";
  if (out.size() > kLongestLine) {
    throw Error(ErrorCode::InvalidArgument,
                "the arguments of \"" + (words.empty() ? "" : words.front()) +
                    "\" are too long for a command line of another machine");
  }
  return out;
}

std::string exports(const std::map<std::string, std::string>& environment) {
  std::string out;
  for (const auto& [name, value] : environment) {
    if (!is_variable_name(name)) {
      throw Error(ErrorCode::InvalidArgument, "\"" + name + "\" cannot be an environment variable");
    }
    out += "export " + name + "=" + quote(value) + "\n";
  }
  return out;
}

void check_program(const std::vector<std::string>& argv) {
  if (argv.empty() || argv.front().empty()) {
    throw Error(ErrorCode::InvalidArgument, "no program to start");
  }
  if (argv.front().front() == '-') {
    throw Error(ErrorCode::InvalidArgument, "a program's name cannot begin with a dash");
  }
}

}  // namespace

std::string quote(std::string_view word) {
  std::string out = "'";
  for (const char c : word) {
    if (c == '\0') throw Error(ErrorCode::InvalidArgument, "an argument has a NUL byte");
    if (c == '\'') {
      out += R"('\'')";
    } else {
      out += c;
    }
  }
  return out + "'";
}

std::string escape_for_printf(std::string_view content) {
  std::string out;
  out.reserve(content.size() * 2);
  for (const char c : content) {
    if (is_letter(c) || is_digit(c)) {
      out += c;
      continue;
    }
    out += "\\0";
    append_octal(out, c);
  }
  return out;
}

bool is_plain_name(std::string_view name) {
  return std::ranges::all_of(
      name, [](char c) { return is_letter(c) || is_digit(c) || c == '.' || c == '-' || c == '_'; });
}

std::string program_command(const std::vector<std::string>& argv,
                            const std::map<std::string, std::string>& environment) {
  check_program(argv);
  return shell(exports(environment) + std::string{kCheck} + std::string{kRun}, argv);
}

std::string fed_program_command(const std::vector<std::string>& argv,
                                const std::map<std::string, std::string>& environment,
                                const std::string& base) {
  check_program(argv);
  return shell(exports(environment) + std::string{kCheck} + "base=" + quote(base) + "\n" +
                   std::string{kRunFed},
               argv);
}

std::string keeper_command() { return shell(std::string{kKeep}, {}); }

std::vector<std::string> which_argv(const std::vector<std::string>& names) {
  std::vector<std::string> argv{"/bin/sh", "-c", std::string{kWhich}, "dbackup"};
  argv.insert(argv.end(), names.begin(), names.end());
  return argv;
}

}  // namespace dbackup::host::ssh
