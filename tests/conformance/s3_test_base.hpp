#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <dbackup/testing/gtest.hpp>
#include <functional>
#include <string>
#include <vector>

#include "plugin_under_test.hpp"
#include "tests/support/s3_server.hpp"

namespace dbackup::tests {

inline std::string pseudo_random(size_t size, uint32_t seed = 1) {
  std::string out(size, '\0');
  uint32_t state = seed * 2654435761u | 1u;
  for (char& c : out) {
    state ^= state << 13, state ^= state >> 17, state ^= state << 5;
    c = static_cast<char>(state);
  }
  return out;
}

/// An adapter of the family against a server of the test's own.
class S3Test : public ::testing::Test {
 protected:
  static constexpr size_t kMiB = 1 << 20;

  testing::StorageInstance open(const Json& more = Json::object(),
                                const std::string& adapter = "s3-generic") {
    Json config = server().adapter_config();
    config["partSizeMiB"] = 5;
    config["memoryMiB"] = 20;
    config.update(more);
    testing::Outcome outcome;
    auto out = testing::StorageInstance::open(
        table(adapter), testing::with_defaults(plugin_.adapter(adapter), config), outcome);
    EXPECT_TRUE(outcome.ok()) << outcome.text();
    return out;
  }
  testing::Outcome put(const testing::StorageInstance& storage, const std::string& path,
                       const std::string& content, Json more = Json::object()) {
    testing::FakeCall call;
    return put(storage, call, path, content, std::move(more));
  }
  testing::Outcome put(const testing::StorageInstance& storage, testing::FakeCall& call,
                       const std::string& path, const std::string& content,
                       Json more = Json::object()) {
    testing::MemoryReader in{content, {.most_bytes = 1 << 16}};
    more["path"] = path;
    if (!more.contains("token")) more["token"] = "token-1";
    const testing::Outcome outcome = storage.run(storage.table().put, call, more, in);
    log_ = call.log_lines();
    return outcome;
  }
  testing::Outcome get(const testing::StorageInstance& storage, const std::string& path,
                       std::string& content, Json range = Json::object()) {
    testing::FakeCall call;
    testing::MemoryWriter out;
    range["path"] = path;
    const testing::Outcome outcome = storage.run(storage.table().get, call, range, out);
    content = out.content();
    return outcome;
  }
  testing::Outcome ask(decltype(dbackup_storage::stat) function,
                       const testing::StorageInstance& storage, const Json& request) {
    testing::FakeCall call;
    return storage.run(function, call, request);
  }
  std::vector<Json> list(const testing::StorageInstance& storage, const std::string& prefix = "") {
    testing::FakeCall call;
    testing::ItemList items;
    const testing::Outcome outcome =
        storage.run(storage.table().list, call, {{"prefix", prefix}}, items);
    EXPECT_TRUE(outcome.ok()) << outcome.text();
    log_ = call.log_lines();
    return items.items();
  }
  uint64_t cleanup(const testing::StorageInstance& storage, const std::string& token = "token-1") {
    const auto outcome = ask(storage.table().cleanup, storage, {{"token", token}});
    EXPECT_TRUE(outcome.ok()) << outcome.text();
    return outcome.result.value("removed", uint64_t{999});
  }
  /// Neither an object nor an upload, however hidden.
  void expect_nothing_stored(const std::string& when) {
    const Json state = server().state();
    EXPECT_TRUE(state.at("objects").empty()) << when << ": " << state.at("objects").dump();
    EXPECT_TRUE(state.at("uploads").empty()) << when << ": " << state.at("uploads").dump();
  }

  /// Has a request been caught by a fault with that action?
  bool caught(const std::string& action) {
    for (const Json& request : server().requests()) {
      if (request.at("fault") == action) return true;
    }
    return false;
  }
  size_t parts_stored() {
    size_t parts = 0;
    const Json state = server().state();
    for (const auto& upload : state.at("uploads")) {
      parts += upload.at("parts").get<size_t>();
    }
    return parts;
  }

  testing::S3Server& server() {
    if (!server_) server_ = std::make_unique<testing::S3Server>(server_config_);
    return *server_;
  }
  const dbackup_storage& table(const std::string& adapter) {
    return *testing::table_of<dbackup_storage>(plugin_.adapter(adapter), DBACKUP_EXT_STORAGE);
  }

  Json server_config_ = Json::object();
  std::unique_ptr<testing::S3Server> server_;
  testing::PluginFile plugin_ = built_plugin("s3");
  std::vector<testing::LogLine> log_;
};

}  // namespace dbackup::tests
