#include "tests/support/mariadb_server.hpp"

#include <mysql.h>
#include <poll.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <stdexcept>

namespace dbackup::testing {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

struct Close {
  void operator()(MYSQL* raw) const noexcept { mysql_close(raw); }
};
using Connection = std::unique_ptr<MYSQL, Close>;
using Rows = std::vector<std::vector<std::string>>;

constexpr const char* kServer = "/usr/sbin/mariadbd";

Connection connect(const std::string& socket, const std::string& database) {
  Connection out{mysql_init(nullptr)};
  mysql_options(out.get(), MYSQL_SET_CHARSET_NAME, "utf8mb4");
  if (mysql_real_connect(out.get(), nullptr, "root", nullptr,
                         database.empty() ? nullptr : database.c_str(), 0, socket.c_str(),
                         CLIENT_MULTI_STATEMENTS) == nullptr) {
    throw std::runtime_error{mysql_error(out.get())};
  }
  return out;
}

Rows run(MYSQL* raw, const std::string& text) {
  if (mysql_real_query(raw, text.data(), text.size()) != 0) {
    throw std::runtime_error{text.substr(0, 200) + ": " + mysql_error(raw)};
  }
  Rows rows;
  while (true) {
    rows.clear();
    MYSQL_RES* const result = mysql_store_result(raw);
    while (const MYSQL_ROW cells = result == nullptr ? nullptr : mysql_fetch_row(result)) {
      const unsigned long* sizes = mysql_fetch_lengths(result);
      auto& row = rows.emplace_back();
      for (unsigned i = 0; i < mysql_num_fields(result); ++i) {
        row.emplace_back(cells[i] == nullptr ? "" : std::string{cells[i], sizes[i]});
      }
    }
    mysql_free_result(result);
    const int more = mysql_next_result(raw);
    if (more < 0) return rows;
    if (more > 0) throw std::runtime_error{text.substr(0, 200) + ": " + mysql_error(raw)};
  }
}

std::string joined(const Rows& rows) {
  std::string out;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (i > 0) out += '\n';
    for (size_t k = 0; k < rows[i].size(); ++k) out += (k > 0 ? "|" : "") + rows[i][k];
  }
  return out;
}

std::string quoted(const std::string& name) {
  std::string out = "`";
  for (const char c : name) out += c == '`' ? "``" : std::string(1, c);
  return out + "`";
}

std::string literal(MYSQL* raw, const std::string& text) {
  std::string out(text.size() * 2 + 1, '\0');
  out.resize(mysql_real_escape_string(raw, out.data(), text.data(), text.size()));
  return "'" + out + "'";
}

/// The definition without what a copy may differ in: who made it, and when it counts from.
std::string without_definer(std::string text) {
  const size_t at = text.find("DEFINER=");
  if (at != std::string::npos) text.erase(at, text.find(' ', text.find('@', at)) - at);
  return text;
}

/// Columns that take their default from a sequence name the database it is in.
std::string without(std::string text, const std::string& piece) {
  for (size_t at = text.find(piece); at != std::string::npos; at = text.find(piece, at)) {
    text.erase(at, piece.size());
  }
  return text;
}

}  // namespace

bool MariadbServer::installed() { return fs::exists(kServer); }

void MariadbServer::make_certificates() const {
  const auto path = [&](const char* name) { return (process_.folder() / name).string(); };
  for (const char* name : {"ca", "other-ca"}) {
    process_.run({"/usr/bin/openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                  "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                  std::string{"/CN="} + name, "-keyout", path(name) + ".key", "-out",
                  path(name) + ".pem"});
  }
  process_.run({"/usr/bin/openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                "-nodes", "-subj", "/CN=localhost", "-keyout", path("server.key"), "-out",
                path("server.csr")});
  const std::string names = process_.write("names", "subjectAltName=DNS:localhost\n");
  process_.run({"/usr/bin/openssl", "x509", "-req", "-in", path("server.csr"), "-CA",
                path("ca.pem"), "-CAkey", path("ca.key"), "-CAcreateserial", "-days", "2",
                "-extfile", names, "-out", path("server.pem")});
}

MariadbServer::MariadbServer(const std::vector<std::string>& settings) : settings_{settings} {
  mysql_server_init(0, nullptr, nullptr);
  make_certificates();
  process_.run({"/usr/bin/mariadb-install-db", "--no-defaults",
                "--datadir=" + (process_.folder() / "data").string(),
                // A server that starts removes what others keep in a shared one.
                "--tmpdir=" + process_.folder().string(),
                "--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve",
                "--innodb-log-file-size=16M", "--innodb-flush-log-at-trx-commit=2"});
  constexpr int kAttempts = 5;  // the free port may be taken before the server has it
  for (int i = 0; i < kAttempts && !process_.running(); ++i) {
    port_ = free_port();
    try {
      start();
    } catch (const std::runtime_error&) {
      if (i == kAttempts - 1) throw;
    }
  }
  const Connection root = connect(socket(), "");
  run(root.get(), "GRANT ALL ON *.* TO " + literal(root.get(), user_) + "@'%' IDENTIFIED BY " +
                      literal(root.get(), password_) + " WITH GRANT OPTION");
}

void MariadbServer::start() {
  const std::string folder = process_.folder().string();
  std::vector<std::string> argv{kServer,
                                "--no-defaults",
                                "--datadir=" + folder + "/data",
                                "--socket=" + socket(),
                                "--port=" + std::to_string(port_),
                                "--bind-address=127.0.0.1",
                                "--pid-file=" + folder + "/pid",
                                "--tmpdir=" + folder,
                                "--ssl-ca=" + ca_file(),
                                "--ssl-cert=" + folder + "/server.pem",
                                "--ssl-key=" + folder + "/server.key",
                                "--innodb-flush-log-at-trx-commit=2",
                                "--innodb-flush-method=nosync",
                                "--innodb-log-file-size=64M",
                                "--innodb-buffer-pool-size=64M",
                                "--skip-name-resolve",
                                "--max-allowed-packet=64M",
                                "--performance-schema=OFF"};
  argv.insert(argv.end(), settings_.begin(), settings_.end());
  const bool ready = process_.start(argv, [&] {
    try {
      connect(socket(), "");
      return true;
    } catch (const std::runtime_error&) {
      return false;
    }
  });
  if (!ready) throw std::runtime_error{"the server did not start: " + process_.log_tail()};
}

std::string MariadbServer::sql(const std::string& database, const std::string& text) const {
  return joined(run(connect(socket(), database).get(), text));
}

bool MariadbServer::wait_until(const std::string& text, const std::string& wanted) const {
  const auto deadline = Clock::now() + std::chrono::seconds{10};
  while (sql("", text) != wanted) {
    if (Clock::now() > deadline) return false;
    poll(nullptr, 0, 5);
  }
  return true;
}

std::string MariadbServer::content(const std::string& database) const {
  const Connection root = connect(socket(), "");
  MYSQL* const raw = root.get();
  const std::string name = literal(raw, database);
  const Rows schema = run(raw,
                          "SELECT DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA"
                          " WHERE SCHEMA_NAME = " +
                              name);
  if (schema.empty()) return "absent";
  run(raw, "USE " + quoted(database));
  std::string out = "database " + joined(schema) + "\n";
  for (const auto& row : run(raw,
                             "SELECT TABLE_NAME, TABLE_TYPE FROM information_schema.TABLES WHERE"
                             " TABLE_SCHEMA = " +
                                 name + " ORDER BY TABLE_NAME")) {
    const std::string table = quoted(row[0]);
    if (row[1] == "VIEW") {
      for (const auto& cells : run(raw, "SHOW CREATE VIEW " + table)) {
        out += without_definer(cells[1]) + "|" + cells[2] + "|" + cells[3] + "\n";
      }
    } else {
      out += without(run(raw, "SHOW CREATE TABLE " + table).at(0).at(1), quoted(database) + ".") +
             "\n";
    }
    const Rows columns =
        run(raw,
            "SELECT COLUMN_NAME FROM information_schema.COLUMNS WHERE"
            " TABLE_SCHEMA = " +
                name + " AND TABLE_NAME = " + literal(raw, row[0]) + " ORDER BY ORDINAL_POSITION");
    std::string all;
    for (const auto& column : columns) {
      all += (all.empty() ? "" : ", ") + ("COALESCE(HEX(" + quoted(column[0]) + "), 'null')");
    }
    // A sum of the rows' hashes does not depend on their order.
    out += row[0] + " rows " +
           joined(run(raw, "SELECT COUNT(*), COALESCE(SUM(CAST(CONV(SUBSTRING(MD5(CONCAT_WS('|', " +
                               all + ")), 1, 15), 16, 10) AS UNSIGNED)), 0) FROM " + table)) +
           "\n";
  }
  const auto definitions = [&](const std::string& kind, const std::string& list, size_t text) {
    for (const auto& row : run(raw, list)) {
      for (auto cells : run(raw, "SHOW CREATE " + kind + " " + quoted(row[0]))) {
        if (kind == "TRIGGER") cells.resize(6);  // then comes when it was made
        cells[text] = without_definer(cells[text]);
        out += joined({cells}) + "\n";
      }
    }
  };
  definitions(
      "TRIGGER",
      "SELECT TRIGGER_NAME FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = " + name +
          " ORDER BY EVENT_OBJECT_TABLE, ACTION_TIMING, EVENT_MANIPULATION, ACTION_ORDER",
      2);
  for (const char* kind : {"PROCEDURE", "FUNCTION"}) {
    definitions(kind,
                std::string{"SELECT ROUTINE_NAME FROM information_schema.ROUTINES WHERE"
                            " ROUTINE_TYPE = '"} +
                    kind + "' AND ROUTINE_SCHEMA = " + name + " ORDER BY ROUTINE_NAME",
                2);
  }
  definitions("EVENT",
              "SELECT EVENT_NAME FROM information_schema.EVENTS WHERE EVENT_SCHEMA = " + name +
                  " ORDER BY EVENT_NAME",
              3);
  return out;
}

}  // namespace dbackup::testing
