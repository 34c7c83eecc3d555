#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <memory>
#include <sstream>

#include "base/error.hpp"
#include "base/unique_fd.hpp"
#include "cli/command.hpp"
#include "cli/instance.hpp"
#include "cli/plugin_folders.hpp"
#include "cli/plugin_readme.hpp"
#include "worker/plugin/plugin_check.hpp"

namespace dbackup::host {
namespace {

struct PluginArguments {
  InstanceOptions instance;
  std::string file, config_file, adapter, database, restore_database, page;
  bool json = false, compare = false;
};

/// Runs `body` in a child, since plugin code may crash, and adds what it writes to `out`. False when the
/// child did not end well; `why` then says how.
bool in_child(const std::function<void(std::FILE*)>& body, std::string& out, std::string& why) {
  Pipe pipe = make_pipe();
  std::fflush(nullptr);
  const pid_t pid = ::fork();
  if (pid < 0) throw_errno(errno, "cannot start a process");
  if (pid == 0) {
    std::FILE* answer = ::fdopen(pipe.write_end.release(), "w");
    int code = kExitOk;
    try {
      body(answer);
    } catch (const std::exception& error) {
      std::fprintf(answer, "%s\n", error.what());
      code = kExitFailure;
    }
    std::fflush(answer);
    ::_exit(code);
  }
  pipe.write_end.reset();
  std::array<char, 4096> buffer{};
  for (;;) {
    const ssize_t n = ::read(pipe.read_end.get(), buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    out.append(buffer.data(), static_cast<size_t>(n));
  }
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status)) {
    why = "it ended with exit code " + std::to_string(WEXITSTATUS(status));
    return WEXITSTATUS(status) == 0;
  }
  why = std::string("it was killed by signal ") + std::to_string(WTERMSIG(status)) + " (" +
        ::strsignal(WTERMSIG(status)) + ")";
  return false;
}

Json describe(const std::string& file) {
  const PluginCheckReport report = describe_plugin(file);
  return {{"file", file}, {"plugin", report.plugin_id}, {"name", report.name},
          {"version", report.version}, {"adapters", report.adapters}, {"descriptors", report.descriptors}};
}

int list(const PluginArguments& arguments) {
  const Settings settings = load_settings(arguments.instance);
  Json rows = Json::array();
  bool is_clean = true;
  for (const std::string& file : plugin_files(plugin_folders(settings))) {
    std::string out;
    std::string why;
    const bool is_good = in_child(
        [&](std::FILE* answer) { std::fputs(dump_json(describe(file)).c_str(), answer); }, out, why);
    is_clean = is_clean && is_good;
    Json row = is_good ? parse_json(out, "description") : Json::object();
    row.erase("descriptors");
    rows.push_back(is_good ? std::move(row)
                           : Json{{"file", file}, {"error", out.empty() ? why : out.substr(0, out.find('\n'))}});
  }
  if (arguments.json) {
    std::printf("%s\n", dump_json(rows).c_str());
    return is_clean ? kExitOk : kExitFailure;
  }
  for (const Json& row : rows) {
    if (row.contains("error")) {
      std::printf("broken   %s: %s\n", row.at("file").get<std::string>().c_str(), row.at("error").get<std::string>().c_str());
      continue;
    }
    std::string ids;
    for (const Json& adapter : row.at("adapters")) ids += (ids.empty() ? "" : ", ") + adapter.get<std::string>();
    std::printf("loaded   %s %s (%s): %s\n", row.at("name").get<std::string>().c_str(),
                row.at("version").get<std::string>().c_str(), row.at("plugin").get<std::string>().c_str(), ids.c_str());
  }
  return is_clean ? kExitOk : kExitFailure;
}

void check_in_child(const PluginArguments& arguments, const Json& config, std::FILE* answer) {
  const PluginCheckReport report =
      check_plugin(arguments.file, {.adapter = arguments.adapter,
                                    .config = config,
                                    .database = arguments.database,
                                    .restore_database = arguments.restore_database});
  std::fprintf(answer, "%s %s (%s)\n", report.name.c_str(), report.version.c_str(), report.plugin_id.c_str());
  for (const std::string& adapter : report.adapters) {
    const auto is_of = [&](const PluginCheckFinding& finding) { return finding.adapter == adapter; };
    const bool is_clean = std::none_of(report.findings.begin(), report.findings.end(), is_of);
    std::fprintf(answer, "%s: %s\n", adapter.c_str(), is_clean ? "every check passed" : "");
    for (const auto& finding : report.findings) {
      if (is_of(finding)) std::fprintf(answer, "  %s: %s\n", finding.check.c_str(), finding.sentence.c_str());
    }
  }
  if (!report.findings.empty()) {
    throw Error(ErrorCode::FailedPrecondition, std::to_string(report.findings.size()) + " findings");
  }
}

std::string read_whole(const std::string& file) {
  std::ifstream in{file};
  if (!in) throw Error(ErrorCode::NotFound, "cannot read \"" + file + "\"");
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

int check(const PluginArguments& arguments) {
  Json config;
  if (!arguments.config_file.empty()) {
    config = parse_json(read_whole(arguments.config_file), arguments.config_file);
  }
  std::string out;
  std::string why;
  const bool is_good = in_child([&](std::FILE* answer) { check_in_child(arguments, config, answer); }, out, why);
  std::fputs(out.c_str(), stdout);
  if (!is_good && why.find("signal") != std::string::npos) std::printf("the plugin crashed: %s\n", why.c_str());
  if (config.is_null()) std::fprintf(stderr, "Checked without a target; --config FILE runs the rest against a real one.\n");
  return is_good ? kExitOk : kExitFailure;
}

int readme(const PluginArguments& arguments) {
  std::string out;
  std::string why;
  if (!in_child([&](std::FILE* answer) { std::fputs(dump_json(describe(arguments.file)).c_str(), answer); },
                out, why)) {
    throw Error(ErrorCode::FailedPrecondition, out.empty() ? why : out);
  }
  const std::string page = read_whole(arguments.page);
  const std::string filled = fill_option_tables(
      page, parse_json(out, "description").at("descriptors").get<std::vector<Json>>());
  if (filled == page) return kExitOk;
  if (arguments.compare) {
    std::printf("%s: its option tables are not those of %s\n", arguments.page.c_str(), arguments.file.c_str());
    return kExitFailure;
  }
  std::ofstream file{arguments.page, std::ios::trunc};
  if (!(file << filled).flush()) throw Error(ErrorCode::Internal, "cannot write \"" + arguments.page + "\"");
  return kExitOk;
}

}  // namespace

void add_plugin_command(CLI::App& program, CommandBody& chosen) {
  auto arguments = std::make_shared<PluginArguments>();
  CLI::App* plugin = program.add_subcommand("plugin", "list, check or document adapter plugins");
  plugin->require_subcommand(1);

  CLI::App* show = plugin->add_subcommand("list", "load every plugin, one process each, and show its adapters");
  add_instance_options(*show, arguments->instance);
  show->add_flag("--json", arguments->json, "print a JSON array");
  show->callback([=, &chosen] { chosen = [=] { return list(*arguments); }; });

  CLI::App* verify = plugin->add_subcommand("check", "run the conformance checks of the SDK over a plugin");
  verify->add_option("file", arguments->file, "the shared library")->required();
  verify->add_option("--adapter", arguments->adapter, "only this adapter");
  verify->add_option("--config", arguments->config_file, "JSON file with a working configuration: the checks use it for real");
  verify->add_option("--database", arguments->database, "sources: a database to dump, larger than 1 MiB");
  verify->add_option("--restore-database", arguments->restore_database, "sources: a name that may be overwritten");
  verify->callback([=, &chosen] { chosen = [=] { return check(*arguments); }; });

  CLI::App* page = plugin->add_subcommand("readme", "fill the option tables of a plugin's page from its descriptors");
  page->add_option("file", arguments->file, "the shared library")->required();
  page->add_option("page", arguments->page, "Markdown with \"<!-- options ID -->\" and \"<!-- /options -->\" lines")->required();
  page->add_flag("--check", arguments->compare, "change nothing; fail when the tables are not up to date");
  page->callback([=, &chosen] { chosen = [=] { return readme(*arguments); }; });
}

}  // namespace dbackup::host
