#include "tests/e2e/scenario.hpp"
#include "tests/support/postgres_server.hpp"

// Several databases in one backup: an archive that tar and zstd open too.
namespace dbackup::testing {
namespace {

class Archive : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (!PostgresServer::installed()) GTEST_SKIP() << "no PostgreSQL server is installed";
  }
  void SetUp() override {
    for (const char* name : kNames) {
      postgres_.sql("postgres", "CREATE DATABASE \"" + std::string{name} + "\"");
      postgres_.sql(name, "CREATE TABLE t AS SELECT i, md5(i::text || '" + std::string{name} +
                              "') FROM generate_series(1, 20000) i");
    }
    source_ = s_.server.create_adapter("database", "postgres",
                                       {{"host", postgres_.host()},
                                        {"port", postgres_.port()},
                                        {"user", postgres_.user()},
                                        {"password", postgres_.password()}},
                                       "Orders");
  }

  Json back_up(const Json& databases) {
    return s_.back_up({{"sourceId", source_}, {"databases", databases}, {"compression", "ZSTD"}});
  }
  Json restore(const std::string& path, Json fields) {
    fields["file"] = path;
    fields["targetSourceId"] = source_;
    const Answer answer = s_.server.post("/api/storage/" + s_.destination + "/restore", fields);
    EXPECT_EQ(answer.status, 202) << answer.body;
    if (answer.status != 202) return nullptr;
    return s_.server.wait_for(answer.json().at("executionId").get<std::string>());
  }

  static constexpr const char* kNames[] = {"orders", "crm / 50%", "kunden äöü"};
  Scenario s_;
  PostgresServer postgres_;
  std::string source_;
};

TEST_F(Archive, HoldsTheDatabasesOfAJobAndGivesBackThoseThatAreChosen) {
  const Json run = back_up({"orders", "crm / 50%", "kunden äöü"});
  const std::string path = run.at("path").get<std::string>();
  EXPECT_TRUE(path.ends_with(".tar.age")) << path;
  const Json sidecar = Json::parse(read_file(s_.stored(path + ".meta.json")));
  EXPECT_EQ(sidecar.at("multiDb").at("format"), "tar");
  EXPECT_EQ(sidecar.at("databases").at("count"), 3);
  EXPECT_FALSE(sidecar.contains("compression"));

  const Json one = restore(path, {{"databaseMapping", {{{"originalName", "crm / 50%"}, {"targetName", "copy"}}}}});
  ASSERT_EQ(one.at("status"), "Success") << one.dump(1);
  EXPECT_EQ(postgres_.fingerprint("copy"), postgres_.fingerprint("crm / 50%"));
  EXPECT_EQ(postgres_.sql("postgres", "SELECT count(*) FROM pg_database WHERE NOT datistemplate"), "5");

  const std::string before = postgres_.fingerprint("kunden äöü");
  for (const char* name : {"orders", "kunden äöü"}) postgres_.sql(name, "DROP TABLE t");
  const Json all = restore(path, Json::object());
  ASSERT_EQ(all.at("status"), "Success") << all.dump(1);
  EXPECT_EQ(postgres_.fingerprint("kunden äöü"), before);
  EXPECT_EQ(postgres_.sql("orders", "SELECT count(*) FROM t"), "20000");

  const Json checked = s_.server.post("/api/storage/" + s_.destination + "/verify", {{"file", path}}).json();
  EXPECT_EQ(checked.at("data").at("status"), "passed") << checked.dump(1);
}

TEST_F(Archive, TakesEveryDatabaseWhenTheJobNamesNone) {
  const std::string path = back_up(Json::array()).at("path").get<std::string>();
  const Json sidecar = Json::parse(read_file(s_.stored(path + ".meta.json")));
  EXPECT_EQ(sidecar.at("databases").at("count"), 4);  // and "postgres"
}

TEST_F(Archive, RefusesAChoiceThatCannotBeMeant) {
  const std::string path = back_up({"orders", "kunden äöü"}).at("path").get<std::string>();
  const std::string url = "/api/storage/" + s_.destination + "/restore";
  const auto refused = [&](Json fields, const std::string& word) {
    fields["file"] = path;
    fields["targetSourceId"] = source_;
    const Answer answer = s_.server.post(url, fields);
    EXPECT_EQ(answer.status, 400) << answer.body;
    EXPECT_NE(answer.body.find(word), std::string::npos) << answer.body;
  };
  refused({{"targetDatabaseName", "copy"}}, "databaseMapping");
  refused({{"databaseMapping", {{{"originalName", "crm"}}}}}, "crm");
  refused({{"databaseMapping",
            {{{"originalName", "orders"}, {"targetName", "x"}}, {{"originalName", "kunden äöü"}, {"targetName", "x"}}}}},
          "two databases");
}

TEST_F(Archive, FailsAsAWholeWhenOneDatabaseCannotBeDumped) {
  const Json run = s_.server.wait_for(s_.server.run_job(
      s_.job({{"sourceId", source_}, {"databases", {"orders", "missing"}}, {"compression", "ZSTD"}})));
  EXPECT_EQ(run.at("status"), "Failed");
  EXPECT_NE(run.at("error").get<std::string>().find("\"missing\""), std::string::npos) << run.dump(1);
  EXPECT_TRUE(s_.server.files(s_.destination).empty());
}

TEST_F(Archive, WithoutItsSidecarStillTellsWhatItHolds) {
  const std::string path = back_up({"orders", "kunden äöü"}).at("path").get<std::string>();
  std::filesystem::remove(s_.stored(path + ".meta.json"));
  s_.server.get("/api/storage/" + s_.destination + "/files?refresh=true");
  const Answer told = s_.server.post("/api/storage/" + s_.destination + "/analyze", {{"file", path}});
  EXPECT_EQ(told.json().value("databases", Json()), Json({"orders", "kunden äöü"})) << told.body;
}

TEST_F(Archive, NamesAllItsDatabasesInTheRun) {
  back_up({"orders", "kunden äöü"});
  const Json history = s_.server.get("/api/history").json().at("executions");
  ASSERT_EQ(history.size(), 1U) << history.dump(1);
  const Json metadata = Json::parse(history[0].at("metadata").get<std::string>());
  EXPECT_EQ(metadata.at("count"), 2);
  EXPECT_EQ(metadata.at("label"), "2 databases");
  EXPECT_EQ(metadata.at("names"), Json({"orders", "kunden äöü"}));
}

TEST_F(Archive, ThatWasExchangedForAnotherOneIsNotRestored) {
  const std::string genuine = back_up({"orders", "kunden äöü"}).at("path").get<std::string>();
  postgres_.sql("orders", "UPDATE t SET md5 = 'forged'");
  const std::string other = back_up({"orders", "kunden äöü"}).at("path").get<std::string>();
  // Whole, and sealed for the same profile: only the signed sidecar knows which one it was.
  write_file(s_.stored(genuine), read_file(s_.stored(other)));
  const Json run = restore(genuine, {{"databaseMapping", {{{"originalName", "orders"}, {"targetName", "copy"}}}}});
  EXPECT_EQ(run.at("status"), "Failed") << run.dump(1);
  EXPECT_EQ(postgres_.sql("postgres", "SELECT count(*) FROM pg_database WHERE datname = 'copy'"), "0");
}

TEST_F(Archive, NamesTheDatabaseThatCouldNotBeRestoredAndThoseThatWere) {
  const std::string path = back_up({"orders", "kunden äöü"}).at("path").get<std::string>();
  postgres_.sql("postgres", "CREATE DATABASE taken");
  postgres_.sql("taken", "CREATE VIEW t AS SELECT 1");  // the dump's table cannot take its place
  const Json run = restore(path, {{"databaseMapping",
                                   {{{"originalName", "orders"}, {"targetName", "first"}},
                                    {{"originalName", "kunden äöü"}, {"targetName", "taken"}}}}});
  EXPECT_EQ(run.at("status"), "Failed");
  const std::string error = run.at("error").get<std::string>();
  EXPECT_NE(error.find("kunden äöü"), std::string::npos) << error;
  EXPECT_NE(error.find("\"first\""), std::string::npos) << error;
  EXPECT_EQ(postgres_.fingerprint("first"), postgres_.fingerprint("orders"));
}

TEST_F(Archive, OpensWithAgeTarAndZstdAlone) {
  const std::string path = back_up({"orders", "kunden äöü"}).at("path").get<std::string>();
  const Answer kit = s_.server.get("/api/vault/recovery-kit?ids=" + s_.profile);
  ASSERT_EQ(kit.status, 200);
  write_file(s_.folder / "kit.zip", kit.body);
  const std::string folder = s_.folder / "opened";
  std::filesystem::create_directories(folder);
  const std::string command = "cd '" + folder + "' && unzip -q ../kit.zip && age -d -i identity.txt '" +
                              s_.stored(path) + "' | tar -xf - && zstd -dq databases/orders.dump.zst -o orders.dump";
  const auto opened = run_program({"sh", "-c", command});
  ASSERT_EQ(opened.first, 0) << opened.second;
  EXPECT_TRUE(read_file(folder + "/orders.dump").starts_with("PGDMP"));
  EXPECT_TRUE(std::filesystem::exists(folder + "/databases/kunden äöü.dump.zst"));
}

}  // namespace
}  // namespace dbackup::testing
