#pragma once

#include <gtest/gtest.h>

#include <sstream>

#include "tests/integration/source_bench.hpp"
#include "tests/support/mariadb_server.hpp"

namespace dbackup::testing {

/// One server for all tests of a process that do not kill it.
inline MariadbServer& shared_mariadb() {
  static MariadbServer server{{"--event-scheduler=ON"}};
  return server;
}

inline Json mariadb_config(const MariadbServer& server) {
  return {{"host", server.host()},
          {"port", server.port()},
          {"user", server.user()},
          {"password", server.password()}};
}

inline std::string ticked(const std::string& name) {
  std::string out = "`";
  for (const char c : name) out += c == '`' ? "``" : std::string(1, c);
  return out + "`";
}

/// The first line in which two contents differ, from both; "" when they are the same.
inline std::string difference(const std::string& is, const std::string& wanted) {
  std::istringstream a{is};
  std::istringstream b{wanted};
  std::string x;
  std::string y;
  while (true) {
    const bool has_x = static_cast<bool>(std::getline(a, x));
    const bool has_y = static_cast<bool>(std::getline(b, y));
    if (!has_x && !has_y) return "";
    if (has_x != has_y || x != y)
      return (has_x ? x : "(end)") + "\ninstead of\n" + (has_y ? y : "(end)");
  }
}

/// Enough rows that neither pipe nor socket buffers hide what happens in the middle.
inline std::string many_rows(int rows, const std::string& table = "big") {
  return "CREATE TABLE " + table + " (id INT PRIMARY KEY, t TEXT) ENGINE=InnoDB; INSERT INTO " +
         table + " SELECT seq, CONCAT(MD5(seq), REPEAT(MD5(seq * 7), 8)) FROM seq_1_to_" +
         std::to_string(rows);
}

class Mysql : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (!MariadbServer::installed()) GTEST_SKIP() << "no MariaDB server is installed";
  }
  /// No restore leaves a database of its own behind, however it ended.
  void TearDown() override {
    EXPECT_EQ(server_.sql("",
                          "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA"
                          " WHERE SCHEMA_NAME LIKE 'dbackup\\_%'"),
              "");
  }
  void create(const std::string& name, const std::string& content = "") {
    server_.sql("", "CREATE DATABASE " + ticked(name));
    if (!content.empty()) server_.sql(name, content);
  }
  Outcome restore(const std::string& target, const std::string& dumped,
                  const std::string& original = "") const {
    FakeCall call;
    MemoryReader in{dumped};
    return source_.restore(call, {{"database", target}, {"originalName", original}}, in);
  }

  MariadbServer& server_ = shared_mariadb();
  SourceBench source_{"mysql", mariadb_config(server_), "mariadb"};
};

}  // namespace dbackup::testing
