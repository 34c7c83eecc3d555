#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "tests/support/dbackup_server.hpp"

namespace dbackup::testing {

inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream in{path, std::ios::binary};
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

inline void write_file(const std::filesystem::path& path, const std::string& text) {
  std::ofstream{path, std::ios::binary} << text;
}

inline std::string sqlite(const std::string& file, const std::string& sql) {
  const auto [status, out] = run_program({"sqlite3", file, sql});
  EXPECT_EQ(status, 0) << sql;
  return out;
}

/// A server with one SQLite source, one local destination and one encryption profile.
struct Scenario {
  explicit Scenario(DBackupServer::Options options = {}) : server{std::move(options)} {
    std::filesystem::create_directories(store);
    sqlite(database,
           "CREATE TABLE notes(id INTEGER PRIMARY KEY, text TEXT, data BLOB);"
           "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) "
           "INSERT INTO notes SELECT i, 'Zürich 数据库 \xF0\x9F\x98\x80 ' || i, randomblob(200) FROM n;");
    source = server.create_adapter("database", "sqlite", {{"mode", "local"}, {"path", database}}, "Notes");
    destination = server.create_adapter("storage", "local-filesystem", {{"basePath", store}}, "Disk");
    const Answer made = server.post("/api/encryption-profiles", {{"name", "main"}});
    EXPECT_EQ(made.status, 201) << made.body;
    profile = made.json().at("data").at("id").get<std::string>();
  }

  std::string job(const Json& fields = Json::object()) {
    Json body{{"sourceId", source}, {"destinations", Json::array({{{"configId", destination}}})}, {"encryptionProfileId", profile}};
    body.update(fields);
    return server.create_job(body);
  }
  /// Runs a new job to its end; the execution's data. Fails the test unless it is Success.
  Json back_up(const Json& fields = Json::object()) {
    const Json data = server.wait_for(server.run_job(job(fields)));
    EXPECT_EQ(data.at("status"), "Success") << data.dump(1);
    return data;
  }
  std::string content(const std::string& file) const { return sqlite(file, "SELECT id, text, hex(data) FROM notes ORDER BY id"); }
  std::string stored(const std::string& path) const { return store + "/" + path; }

  TempFolder folder;
  std::string database = folder / "notes.db";
  std::string store = folder / "store";
  DBackupServer server;
  std::string source, destination, profile;
};

}  // namespace dbackup::testing
