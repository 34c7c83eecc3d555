#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

/// The one place where words become text for a shell on another machine. Everything sent there is
/// one line, `exec /bin/sh -c 'eval "$(printf "$1")"' dbackup '<text>'`, whose text is an octal
/// escape wherever some shell reads a character between single quotes as more than itself: a quote
/// and a backslash in fish, an exclamation mark and the end of a line in csh. So the login shell
/// only has to know exec and single quotes, and no word is ever read as anything but a word.
namespace dbackup::host::ssh {

/// `word` between single quotes, for the POSIX shell that the line above starts, never for a login
/// shell. Throws Error{InvalidArgument} when it has a NUL byte.
std::string quote(std::string_view word);

/// `content` for printf's %b: every byte but letters and digits as an octal escape, so that it is
/// one line of one word whatever it holds.
std::string escape_for_printf(std::string_view content);

/// May be part of a file's name in the private folder: letters, digits, dot, dash, underscore.
bool is_plain_name(std::string_view name);

/// Printed before the program's own output: what comes before is noise of a login shell.
inline constexpr std::string_view kReady = "dbackup:ready\n";
inline constexpr std::string_view kMissing = "dbackup:missing\n";

/// A program without input. It replaces the shell, so its exit status and signal are its own. A
/// watcher beside it reads the channel's input: a line ends the program's process group with
/// SIGTERM, the end of file (a closed channel, a lost connection) with SIGKILL. Where the server
/// gives a command no group of its own, it ends the program alone.
/// Throws Error{InvalidArgument} for an empty argv, NUL bytes, impossible variable names and more
/// than one argument of a program can hold.
std::string program_command(const std::vector<std::string>& argv,
                            const std::map<std::string, std::string>& environment);

/// A program with input. `base` is a path in the keeper's folder that is this program's alone. A
/// feeder beside it copies the channel's input to the program and counts; the program sees the end
/// of its input only when the keeper confirms that count. At any other end of the channel's input
/// the program is killed: a cut connection must never look like the end of a dump.
std::string fed_program_command(const std::vector<std::string>& argv,
                                const std::map<std::string, std::string>& environment,
                                const std::string& base);

/// The keeper: one shell per connection that owns a private folder and does what lines on its input
/// say (keeper.hpp). At the end of its input it kills the programs that have registered there and
/// removes the folder.
std::string keeper_command();

/// A program that prints the path of the first of `names` that can be run, or nothing.
std::vector<std::string> which_argv(const std::vector<std::string>& names);

}  // namespace dbackup::host::ssh
