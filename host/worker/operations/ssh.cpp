#include "worker/operations/operations.hpp"
#include "worker/ssh/remote_command.hpp"

/// An SSH server by itself, before there is an adapter that uses it.
namespace dbackup::host {
namespace {

ssh::Session open_session(const protocol::SshRequest& request, OperationContext& context) {
  return ssh::Session{
      ssh::read_login({.prefix = request.prefix, .option = ""}, request.config, request.ssh),
      [&context](const ssh::Login& login, const protocol::SshHostKey& key) {
        context.events.host_key({.host = login.host,
                                 .port = login.port,
                                 .type = key.type,
                                 .fingerprint = key.fingerprint});
      }};
}

// Of the script below, beside those of sh and find.
constexpr int kNotThere = 66;
constexpr int kNoFolder = 67;

[[noreturn]] void refuse_folder(const std::string& path, const ssh::CommandResult& result) {
  if (result.exit_code == kNotThere) {
    throw Error(ErrorCode::NotFound, "there is no folder \"" + path + "\" there");
  }
  if (result.exit_code == kNoFolder) {
    throw Error(ErrorCode::InvalidArgument, "\"" + path + "\" is no folder there");
  }
  std::string why = result.errors.substr(0, result.errors.find('\n'));
  throw Error(ErrorCode::FailedPrecondition,
              "the folder \"" + path + "\" cannot be used there" + (why.empty() ? "" : ": " + why));
}

}  // namespace

Json test_ssh(const protocol::SshRequest& request, OperationContext& context) {
  ssh::Session session = open_session(request, context);
  const ssh::CommandResult echo = ssh::run_command(session, {"echo", "dbackup"}, context.cancel);
  if (echo.exit_code != 0 || echo.output != "dbackup\n") {
    throw Error(ErrorCode::FailedPrecondition,
                "the SSH server " + session.login().server() + " does not run programs as asked",
                echo.errors);
  }
  if (!request.path.empty()) {
    const ssh::CommandResult folder =
        ssh::run_command(session, {"test", "-d", request.path}, context.cancel);
    if (folder.exit_code != 0) {
      throw Error(ErrorCode::NotFound,
                  "there is no folder \"" + request.path + "\" on " + session.login().server());
    }
  }
  return {{"message", "SSH connection to " + session.login().server() + " works"}};
}

Json list_remote(const protocol::SshRequest& request, OperationContext& context) {
  ssh::Session session = open_session(request, context);
  // One line of numbers, then the name up to a NUL: names may hold anything else. find without -L
  // would not say what a link leads to.
  constexpr const char* kScript =
      "[ -e \"$1\" ] || exit 66; [ -d \"$1\" ] || exit 67; cd -- \"$1\" && pwd && exec find -L . ! -name . -prune -printf '%y %s %T@ %f\\0'";
  const std::string path = request.path.empty() ? "/" : request.path;
  const ssh::CommandResult listed =
      ssh::run_command(session, {"sh", "-c", kScript, "dbackup", path}, context.cancel);
  const size_t first = listed.output.find('\n');
  if (first == std::string::npos) refuse_folder(path, listed);
  std::string_view rest{listed.output};
  rest.remove_prefix(first + 1);
  // A find that failed after some names met one it could not look at.
  if (rest.empty() && listed.exit_code != 0) refuse_folder(path, listed);
  while (!rest.empty()) {
    const size_t end = rest.find('\0');
    if (end == std::string_view::npos) break;
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    const size_t size_at = line.find(' ');
    const size_t time_at = line.find(' ', size_at + 1);
    const size_t name_at = line.find(' ', time_at + 1);
    if (name_at == std::string_view::npos) continue;
    const std::string size{line.substr(size_at + 1, time_at - size_at - 1)};
    const std::string time{line.substr(time_at + 1, name_at - time_at - 1)};
    Json item{{"name", std::string{line.substr(name_at + 1)}},
              {"type", line.front() == 'd' ? "directory" : "file"},
              {"modifiedMs", static_cast<int64_t>(std::strtod(time.c_str(), nullptr) * 1000)}};
    if (line.front() != 'd') item["size"] = std::strtoll(size.c_str(), nullptr, 10);
    context.item(std::move(item));
  }
  if (listed.is_cut) {
    context.warning("the folder \"" + path + "\" holds more than can be shown: only a part is");
  }
  return {{"path", listed.output.substr(0, first)}};
}

}  // namespace dbackup::host
