#pragma once

#include <chrono>
#include <dbackup/testing/adapter.hpp>
#include <dbackup/testing/local_services.hpp>
#include <dbackup/testing/plugin_file.hpp>
#include <stdexcept>
#include <string>
#include <utility>
#include "tests/support/paths.hpp"

namespace dbackup::testing {

/// A built source plugin with one configuration, driven through its C table as the host drives it.
/// Each operation has its own instance.
class SourceBench {
 public:
  /// `adapter`: which of the plugin's; "": its only one.
  SourceBench(const std::string& plugin, Json config, const std::string& adapter = "")
      : file_{::dbackup::test::binary_dir() + "/lib/dbackup/plugins/" + plugin + ".so"},
        adapter_{file_.adapter(adapter)},
        config_(with_defaults(adapter_, std::move(config))) {}  // braces would make an array

  const dbackup_adapter& adapter() const { return adapter_; }
  Json& config() { return config_; }

  Outcome test() const {
    FakeCall call;
    return with(call, [&](const SourceInstance& source) { return source.test(call); });
  }
  Outcome list(ItemList& items) const {
    FakeCall call;
    return with(call, [&](const SourceInstance& source) {
      return source.run(source.table().list_databases, call, Json::object(), items);
    });
  }
  Outcome tables(const std::string& database, ItemList& items) const {
    FakeCall call;
    return with(call, [&](const SourceInstance& source) {
      return source.run(source.table().tables, call, {{"database", database}}, items);
    });
  }
  Outcome rows(FakeCall& call, const Json& request, ItemList& items) const {
    return with(call, [&](const SourceInstance& source) {
      return source.run(source.table().rows, call, request, items);
    });
  }
  /// The first item, with the others as its "rows". Throws when it fails.
  Json rows(const Json& request) const {
    FakeCall call;
    ItemList items;
    const Outcome ended = rows(call, request, items);
    if (!ended.ok()) throw std::runtime_error{"rows: " + ended.text()};
    Json out = items.items().at(0);
    out["rows"] = Json(std::vector<Json>(items.items().begin() + 1, items.items().end()));
    return out;
  }
  Outcome prepare(const Json& request) const {
    FakeCall call;
    return with(call, [&](const SourceInstance& source) {
      return source.run(source.table().prepare_restore, call, request);
    });
  }
  Outcome dump(FakeCall& call, const Json& request, MemoryWriter& out) const {
    return with(call, [&](const SourceInstance& source) {
      return source.run(source.table().dump, call, request, out);
    });
  }
  Outcome restore(FakeCall& call, Json request, MemoryReader& in) const {
    // As the host gives one to every restore.
    if (!request.contains("token")) request["token"] = "0b9f6c1e-7a53-4d0e-9f55-2c1f7a1d3e90";
    return with(call, [&](const SourceInstance& source) {
      return source.run(source.table().restore, call, request, in);
    });
  }
  Outcome cleanup(const std::string& database, const std::string& token) const {
    FakeCall call;
    return with(call, [&](const SourceInstance& source) {
      return source.run(source.table().cleanup_restore, call,
                        {{"database", database}, {"token", token}});
    });
  }

  /// A whole dump. Throws when it fails.
  std::string dump(const std::string& database, const Json& options = Json::object(),
                   bool compressed_by_host = true) const {
    FakeCall call;
    MemoryWriter out;
    const Outcome ended = dump(
        call,
        {{"database", database}, {"compressedByHost", compressed_by_host}, {"options", options}},
        out);
    if (!ended.ok()) throw std::runtime_error{"dump: " + ended.text()};
    return out.content();
  }
  Outcome restore(const std::string& database, const std::string& dumped) const {
    FakeCall call;
    MemoryReader in{dumped};
    return restore(call, {{"database", database}}, in);
  }

 private:
  template <class Body>
  Outcome with(FakeCall& call, Body&& body) const {
    offer_local_services(call);
    Outcome opened;
    const auto instance = SourceInstance::open(
        *table_of<dbackup_source>(adapter(), DBACKUP_EXT_SOURCE), config_, opened);
    return opened.ok() ? body(instance) : opened;
  }

  PluginFile file_;
  const dbackup_adapter& adapter_;
  Json config_;
};

/// Milliseconds since it was made.
class Stopwatch {
 public:
  int64_t ms() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begin_).count();
  }
  void restart() { begin_ = Clock::now(); }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point begin_ = Clock::now();
};

}  // namespace dbackup::testing
