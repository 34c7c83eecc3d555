#pragma once

#include <gtest/gtest.h>

#include "tests/integration/source_bench.hpp"
#include "tests/support/postgres_server.hpp"

namespace dbackup::testing {

/// One server for all tests of a process.
inline PostgresServer& shared_server() {
  static PostgresServer server;
  return server;
}

inline Json postgres_config(const PostgresServer& server) {
  return {{"host", server.host()},
          {"port", server.port()},
          {"user", server.user()},
          {"password", server.password()}};
}

class Postgres : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (!PostgresServer::installed()) GTEST_SKIP() << "no PostgreSQL server is installed";
  }
  PostgresServer& server_ = shared_server();
  SourceBench source_{"postgres", postgres_config(server_)};

  std::string quoted(const std::string& name) const {
    std::string out = "\"";
    for (const char c : name) out += c == '"' ? "\"\"" : std::string(1, c);
    return out + "\"";
  }
  void create(const std::string& name, const std::string& content = "") {
    server_.sql("postgres", "CREATE DATABASE " + quoted(name));
    if (!content.empty()) server_.sql(name, content);
  }
  /// Enough rows that neither pipe nor socket buffers hide what happens in the middle.
  static std::string many_rows(int rows) {
    return "CREATE TABLE big (id int PRIMARY KEY, t text);"
           "INSERT INTO big SELECT i, md5(i::text) || repeat(md5((i*7)::text), 8)"
           " FROM generate_series(1, " +
           std::to_string(rows) + ") i;";
  }
  static constexpr const char* kOurSessions =
      "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'dbackup%'";
};

}  // namespace dbackup::testing
