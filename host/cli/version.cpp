#include "cli/version.hpp"

#include <CLI/CLI.hpp>
#include <cstdio>

#include "base/json.hpp"
#include "cli/command.hpp"
#include "protocol/message.hpp"

namespace dbackup::host {

void add_version_command(CLI::App& program, CommandBody& chosen) {
  static bool json = false;
  CLI::App* version = program.add_subcommand("version", "print the version");
  version->add_flag("--json", json, "print a JSON object");
  version->callback([&chosen] {
    chosen = [] {
      if (json) {
        std::printf("%s\n", dump_json({{"version", kProgramVersion}, {"protocol", protocol::kVersion}}).c_str());
      } else {
        std::printf("dbackup %s\n", kProgramVersion);
      }
      return int{kExitOk};
    };
  });
}

}  // namespace dbackup::host
