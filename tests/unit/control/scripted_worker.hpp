#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "control/worker_process.hpp"
#include "tests/support/paths.hpp"

namespace dbackup::host {

/// A folder of its own and a script in it for tests/support/fake_worker.cpp.
class ScriptedWorker {
 public:
  ScriptedWorker() {
    std::string pattern = (std::filesystem::temp_directory_path() / "dbackup-control-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    script_["record"] = record_path();
    save();
  }
  ~ScriptedWorker() { std::filesystem::remove_all(folder_); }
  ScriptedWorker(const ScriptedWorker&) = delete;
  ScriptedWorker& operator=(const ScriptedWorker&) = delete;

  const std::filesystem::path& folder() const { return folder_; }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  void set(const std::string& op, Json steps) {
    script_["ops"][op] = std::move(steps);
    save();
  }
  void set_greeting(bool greets) {
    script_["greeting"] = greets;
    save();
  }
  WorkerProgram program() const {
    return {.path = ::dbackup::test::binary_dir() + "/bin/fake_worker", .arguments = {script_path(), "worker"}};
  }
  /// The requests of one operation so far, with "body".
  std::vector<Json> requests(const std::string& op) const {
    std::vector<Json> out;
    std::ifstream in{record_path()};
    for (std::string line; std::getline(in, line);) {
      Json request = Json::parse(line);
      if (request.at("op") == op) out.push_back(std::move(request));
    }
    return out;
  }
  void make_file(const std::string& name) const { std::ofstream{folder_ / name}.put('x'); }

 private:
  std::string script_path() const { return path("script.json"); }
  std::string record_path() const { return path("record.ndjson"); }
  void save() const {
    // Workers that start meanwhile see the old script or the new one.
    std::ofstream{path("script.new")} << script_.dump();
    std::filesystem::rename(path("script.new"), script_path());
  }
  std::filesystem::path folder_;
  Json script_{{"greeting", true}, {"ops", Json::object()}};
};

}  // namespace dbackup::host
