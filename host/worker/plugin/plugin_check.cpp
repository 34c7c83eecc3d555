#include "worker/plugin/plugin_check.hpp"

#include <dbackup/testing/conformance.hpp>

#include "protocol/descriptor.hpp"
#include "worker/plugin/journal.hpp"
#include "worker/plugin/plugin_library.hpp"

namespace dbackup::host {
namespace {

class QuietJournal final : public Journal {
 public:
  void log(const LogLine&) noexcept override {}
  void progress(uint64_t, uint64_t) noexcept override {}
};

}  // namespace

PluginCheckReport describe_plugin(const std::string& file) {
  QuietJournal journal;
  const PluginLibrary& library = PluginLibrary::load(file, journal);
  PluginCheckReport report{.plugin_id = library.plugin_id(), .name = library.name(), .version = library.version()};
  for (const dbackup_adapter* adapter : library.adapters()) {
    report.descriptors.push_back(parse_json(adapter->descriptor_json, "descriptor"));
    report.adapters.push_back(protocol::parse_descriptor(report.descriptors.back()).id);
  }
  return report;
}

PluginCheckReport check_plugin(const std::string& file, const PluginCheckOptions& options) {
  QuietJournal journal;
  const PluginLibrary& library = PluginLibrary::load(file, journal);
  PluginCheckReport report{.plugin_id = library.plugin_id(), .name = library.name(), .version = library.version()};
  std::string all;
  for (const dbackup_adapter* adapter : library.adapters()) {
    all += (all.empty() ? "" : ", ") + std::string{adapter->id};
    if (!options.adapter.empty() && options.adapter != adapter->id) continue;
    report.adapters.emplace_back(adapter->id);
    report.descriptors.push_back(parse_json(adapter->descriptor_json, "descriptor"));
    const auto descriptor = protocol::parse_descriptor(report.descriptors.back());
    dbackup::testing::CheckOptions check;
    check.database = options.database;
    check.restore_database = options.restore_database;
    if (!options.config.is_null()) {
      check.config = protocol::normalize_config(descriptor, options.config, /*complete=*/true);
    }
    for (const auto& finding : dbackup::testing::check_adapter(*adapter, check)) {
      report.findings.push_back({adapter->id, finding.check, finding.sentence});
    }
  }
  if (report.adapters.empty()) {
    throw Error(ErrorCode::InvalidArgument,
                "the plugin has no adapter \"" + options.adapter + "\", but: " + all);
  }
  return report;
}

}  // namespace dbackup::host
