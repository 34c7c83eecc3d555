#pragma once

#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "tests/support/dbackup_server.hpp"

namespace dbackup::testing {

/// A server with the test plugins and one local destination.
struct FaultyRun {
  explicit FaultyRun(std::map<std::string, std::string> environment = {})
      : server{{.environment = std::move(environment), .with_test_plugins = true}} {
    std::filesystem::create_directories(store);
    destination = server.create_adapter("storage", "local-filesystem", {{"basePath", store}}, "Disk");
  }

  std::string source(const Json& config, const std::string& kind = "synthetic") {
    return server.create_adapter("database", kind, config);
  }
  std::string job(const std::string& source_id, const std::string& destination_id = "") {
    return server.create_job({{"sourceId", source_id},
                              {"destinations", Json::array({{{"configId", destination_id.empty() ? destination : destination_id}}})}});
  }
  /// Waits until the run has moved bytes, so that it is in the middle of its stream.
  void wait_until_streaming(const std::string& execution) {
    ASSERT_TRUE(wait_until([&] {
      const Json data = server.get("/api/executions/" + execution).json();
      if (data.is_discarded() || !data.contains("data")) return false;
      return data["data"]["status"] == "Running" && data["data"]["stage"] == "Dumping Databases" && has_temporary();
    })) << server.log();
  }
  bool has_temporary() const { return !files_below(store).empty(); }
  void expect_nothing_left() const {
    EXPECT_TRUE(files_below(store).empty()) << files_below(store).front();
    EXPECT_TRUE(wait_until([&] { return server.descendants().empty(); }, std::chrono::seconds{5}));
  }
  /// A run of a healthy source still works: others do not notice.
  void expect_others_work() {
    if (healthy.empty()) healthy = job(source({{"size_bytes", 100'000}}));
    const Json run = server.wait_for(server.run_job(healthy));
    EXPECT_EQ(run.at("status"), "Success") << run.dump(1);
    std::filesystem::remove_all(store);
    std::filesystem::create_directories(store);
    server.files(destination);
  }

  TempFolder folder;
  std::string store = folder / "store";
  DBackupServer server;
  std::string destination, healthy;
};

}  // namespace dbackup::testing
