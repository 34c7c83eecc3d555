#include "worker/ssh/remote_command.hpp"

#include "base/error.hpp"
#include "worker/ssh/command_line.hpp"

namespace dbackup::host::ssh {
namespace {

constexpr size_t kMostOutput = 1024 * 1024;
constexpr size_t kMostErrors = 16 * 1024;

std::function<void(std::string_view)> keep(std::string& in, size_t most, bool& is_cut) {
  return [&in, most, &is_cut](std::string_view text) {
    const std::string_view taken = text.substr(0, most - in.size());
    in.append(taken);
    is_cut = is_cut || taken.size() < text.size();
  };
}

}  // namespace

CommandResult run_command(Session& session, const std::vector<std::string>& argv,
                          const CancelToken& cancel) {
  CommandResult out;
  ChannelOrder order{.target = program_command(argv, {{"LANG", "C.UTF-8"}}), .announces = true};
  order.on_output = keep(out.output, kMostOutput, out.is_cut);
  bool errors_are_cut = false;
  order.on_errors = keep(out.errors, kMostErrors, errors_are_cut);
  const auto pump = session.pump(cancel);
  const auto channel = std::make_shared<Channel>(std::move(order));
  pump->add(channel);
  channel->wait_closed(cancel);
  pump->close(channel);  // from here on `out` is ours
  cancel.throw_if_cancelled();
  channel->throw_if_failed();
  const ChannelEnd end = channel->end();
  if (!end.exit_code && end.signal.empty()) {
    throw Error(ErrorCode::Unavailable,
                "the SSH server " + session.login().server() + " did not say how a program ended");
  }
  out.exit_code = end.exit_code.value_or(-1);
  return out;
}

}  // namespace dbackup::host::ssh
