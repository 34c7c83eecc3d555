#include "tests/fault/faulty_run.hpp"
#include "tests/support/postgres_server.hpp"

namespace dbackup::testing {
namespace {

// A restore killed at its target: no false success, the target as it was, nothing of it left over.

std::string sqlite(const std::string& file, const std::string& sql) {
  const auto [status, out] = run_program({"sqlite3", file, sql});
  EXPECT_EQ(status, 0) << sql;
  return out;
}

enum class Victim { Worker, Host };

void kill_it(DBackupServer& server, Victim victim) {
  if (victim == Victim::Worker) {
    for (const pid_t process : server.descendants()) ::kill(process, SIGKILL);
    return;
  }
  server.kill_hard();
  EXPECT_TRUE(wait_until([&] { return server.descendants().empty(); }, std::chrono::seconds{5}));
  server.start();
}

void expect_failed(const Json& run, Victim victim) {
  EXPECT_EQ(run.at("status"), "Failed") << run.dump(1);
  const std::string error = run.at("error").is_null() ? "" : run.at("error").get<std::string>();
  EXPECT_NE(error.find(victim == Victim::Worker ? "signal 9" : "stopped"), std::string::npos) << error;
  EXPECT_EQ(error.find("may be left"), std::string::npos) << error;
}

struct SqliteRestore : FaultyRun {
  SqliteRestore() {
    std::filesystem::create_directories(folder / "db");
    sqlite(database, "CREATE TABLE t(a); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40000) "
                     "INSERT INTO t SELECT randomblob(1500) FROM n;");
    id = server.create_adapter("database", "sqlite", {{"mode", "local"}, {"path", database}}, "File");
    const Json run = server.wait_for(server.run_job(job(id)));
    EXPECT_EQ(run.at("status"), "Success") << run.dump(1);
    path = run.at("path").get<std::string>();
  }
  std::vector<std::string> hidden() const {
    std::vector<std::string> out;
    for (const auto& name : files_below(folder / "db")) {
      if (name.find(".dbackup-") != std::string::npos) out.push_back(name);
    }
    return out;
  }
  /// Starts a restore and stops its worker while the new file is being made; "" when it was too fast.
  std::string halted_restore(const std::string& target) {
    const Answer answer = server.post("/api/storage/" + destination + "/restore",
                                      {{"file", path}, {"targetSourceId", id}, {"targetDatabaseName", target}});
    EXPECT_EQ(answer.status, 202) << answer.body;
    const std::string execution = answer.json().at("executionId").get<std::string>();
    const auto is_over = [&] {
      return !server.get("/api/executions/" + execution).json()["data"]["endedAt"].is_null();
    };
    wait_until([&] { return !hidden().empty() || is_over(); });
    for (const pid_t process : server.descendants()) ::kill(process, SIGSTOP);
    return hidden().empty() ? "" : execution;
  }

  std::string database = folder / "db/data.db";
  std::string id, path;
};

void kill_sqlite_restore(Victim victim) {
  SqliteRestore f;
  const std::string before = sqlite(f.database, "SELECT count(*), sum(length(a)) FROM t");
  std::string execution;
  for (int attempt = 0; attempt < 10 && execution.empty(); ++attempt) {
    execution = f.halted_restore("copy" + std::to_string(attempt) + ".db");
    if (execution.empty()) {
      for (const pid_t process : f.server.descendants()) ::kill(process, SIGCONT);
    }
  }
  ASSERT_FALSE(execution.empty()) << "no restore could be halted in the middle";
  std::filesystem::create_directories(f.folder / "db/other");
  std::ofstream{f.folder / "db/.other.db.dbackup-0000"} << "foreign";
  kill_it(f.server, victim);
  expect_failed(f.server.wait_for(execution), victim);
  EXPECT_TRUE(wait_until([&] { return f.hidden().size() == 1; })) << "its own file is gone, the foreign one is not";
  EXPECT_EQ(sqlite(f.database, "SELECT count(*), sum(length(a)) FROM t"), before);
}

TEST(KilledRestore, OfTheWorkerLeavesNothingBesideASqliteFile) { kill_sqlite_restore(Victim::Worker); }
TEST(KilledRestore, OfTheHostLeavesNothingBesideASqliteFile) { kill_sqlite_restore(Victim::Host); }

struct PostgresRestore : FaultyRun {
  PostgresRestore() {
    postgres.sql("postgres", "CREATE DATABASE shop");
    // Building this index takes a minute, but only where a restore is under way.
    postgres.sql("shop",
                 "CREATE FUNCTION slow(int) RETURNS int LANGUAGE sql IMMUTABLE AS $$ SELECT CASE WHEN "
                 "current_database() LIKE 'dbackup-restore-%' "
                 "THEN (SELECT 1 FROM pg_sleep(60)) ELSE $1 END $$");
    postgres.sql("shop", "CREATE TABLE orders AS SELECT g AS id FROM generate_series(1, 3) g");
    postgres.sql("shop", "CREATE INDEX slow_one ON orders (slow(id))");
    id = server.create_adapter("database", "postgres",
                               {{"host", "127.0.0.1"}, {"port", postgres.port()}, {"user", postgres.user()}, {"password", postgres.password()}},
                               "Shop");
    const Json run = server.wait_for(server.run_job(
        server.create_job({{"sourceId", id}, {"databases", {"shop"}}, {"destinations", Json::array({{{"configId", destination}}})}})));
    EXPECT_EQ(run.at("status"), "Success") << run.dump(1);
    path = run.at("path").get<std::string>();
  }
  std::string databases() { return postgres.sql("postgres", "SELECT string_agg(datname, ',' ORDER BY datname) FROM pg_database WHERE NOT datistemplate"); }

  PostgresServer postgres;
  std::string id, path;
};

void kill_postgres_restore(Victim victim) {
  PostgresRestore f;
  const std::string before = f.databases();
  f.postgres.sql("postgres", "CREATE DATABASE \"dbackup-restore-foreign\"");
  const Answer answer = f.server.post("/api/storage/" + f.destination + "/restore",
                                      {{"file", f.path}, {"targetSourceId", f.id}, {"targetDatabaseName", "copy"}});
  ASSERT_EQ(answer.status, 202) << answer.body;
  const std::string execution = answer.json().at("executionId").get<std::string>();
  ASSERT_TRUE(wait_until([&] { return f.databases().find("dbackup-restore-" + execution) != std::string::npos; })) << f.databases();
  EXPECT_EQ(f.databases().find("copy"), std::string::npos) << "nothing has the wanted name before it is whole";
  kill_it(f.server, victim);
  expect_failed(f.server.wait_for(execution), victim);
  EXPECT_TRUE(wait_until([&] { return f.databases().find(execution) == std::string::npos; })) << f.databases();
  EXPECT_NE(f.databases().find("dbackup-restore-foreign"), std::string::npos) << "what is not its own stays";
  f.postgres.sql("postgres", "DROP DATABASE \"dbackup-restore-foreign\"");
  EXPECT_EQ(f.databases(), before);
}

TEST(KilledRestore, OfTheWorkerLeavesNoDatabaseBehind) { kill_postgres_restore(Victim::Worker); }
TEST(KilledRestore, OfTheHostLeavesNoDatabaseBehind) { kill_postgres_restore(Victim::Host); }

}  // namespace
}  // namespace dbackup::testing
