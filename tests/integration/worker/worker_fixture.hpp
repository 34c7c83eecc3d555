#pragma once

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "tests/support/worker/test_files.hpp"
#include "tests/support/worker/worker_session.hpp"
#include "tests/support/paths.hpp"

namespace dbackup::test {

using host::Json;
using host::protocol::Event;
using host::protocol::EventKind;

inline const std::string kLocal = ::dbackup::test::binary_dir() + "/lib/dbackup/plugins" "/local-filesystem.so";

inline Json probe_source(Json config) {
  return {{"plugin_path", kProbe}, {"adapter_id", "probe-source"}, {"config", std::move(config)}};
}
inline Json probe_storage(Json config) {
  return {{"plugin_path", kProbe}, {"adapter_id", "probe-storage"}, {"config", std::move(config)}};
}
inline Json local_storage(const std::string& folder) {
  return {{"plugin_path", kLocal},
          {"adapter_id", "local-filesystem"},
          {"config", {{"basePath", folder}}}};
}
inline Json destination(const std::string& id, Json adapter) {
  return {
      {"id", id}, {"name", "the " + id}, {"token", "token-" + id}, {"adapter", std::move(adapter)}};
}
inline Json backup_of(Json source, std::vector<Json> destinations,
                      const std::string& compression = "NONE") {
  return {{"execution_id", "e-1"},
          {"source", std::move(source)},
          {"database", "db"},
          {"compression", compression},
          {"path_stem", "job/2026-01-02"},
          {"extension", "sql"},
          {"destinations", std::move(destinations)},
          {"sidecar", {{"version", 1}, {"jobId", "j-1"}, {"jobName", "job"}, {"macKeyId", "k1"}}},
          {"mac_key", std::string(64, 'a')}};
}

inline std::string read_file(const std::string& path) {
  std::ifstream in{path, std::ios::binary};
  std::stringstream out;
  out << in.rdbuf();
  return out.str();
}

inline std::string text_of(const Json& object, const char* key) {
  return object.at(key).get<std::string>();
}

/// Every regular file below `folder`, hidden ones included.
inline std::set<std::string> files_in(const std::string& folder) {
  std::set<std::string> out;
  for (const auto& entry : std::filesystem::recursive_directory_iterator{folder}) {
    if (entry.is_regular_file())
      out.insert(std::filesystem::relative(entry.path(), folder).string());
  }
  return out;
}

}  // namespace dbackup::test
