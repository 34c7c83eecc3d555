#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "base/settings.hpp"
#include "base/settings_table.hpp"
#include "cli/command.hpp"
#include "cli/instance.hpp"

namespace dbackup::host {
namespace {

const char* to_text(SettingOrigin origin) {
  switch (origin) {
    case SettingOrigin::Default:
      return "default";
    case SettingOrigin::Stored:
      return "stored";
    case SettingOrigin::File:
      return "file";
    case SettingOrigin::Environment:
      return "environment";
  }
  return "";
}

int show(const InstanceOptions& options) {
  const Settings settings = load_settings(options);
  for (const auto& row : settings_table()) {
    const bool is_secret = row.type == SettingType::Secret && !settings.text(row.key).empty();
    std::printf("%-30s %-12s %s\n", std::string(row.key).c_str(), to_text(settings.origin(row.key)),
                is_secret ? "(set)" : settings.text(row.key).c_str());
  }
  return kExitOk;
}

}  // namespace

void add_config_command(CLI::App& program, CommandBody& chosen) {
  auto options = std::make_shared<InstanceOptions>();
  CLI::App* config = program.add_subcommand("config", "print or check the configuration");
  config->require_subcommand(1);
  config->add_subcommand("print", "print a configuration file with every default")->callback([&chosen] {
    chosen = [] {
      std::fputs(render_default_yaml().c_str(), stdout);
      return int{kExitOk};
    };
  });
  CLI::App* check = config->add_subcommand("check", "load the configuration and show what is in force, and why");
  add_instance_options(*check, *options);
  check->callback([=, &chosen] { chosen = [=] { return show(*options); }; });
}

}  // namespace dbackup::host
