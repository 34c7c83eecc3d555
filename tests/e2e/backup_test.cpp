#include "tests/e2e/scenario.hpp"

namespace dbackup::testing {
namespace {

TEST(Backup, OfALiveDatabaseIsSealedStoredAndListedWithItsSidecar) {
  Scenario s;
  const Json run = s.back_up({{"name", "Orders nightly"}});
  EXPECT_EQ(run.at("progress"), 100);
  EXPECT_EQ(run.at("stage"), "Completed");
  EXPECT_TRUE(run.at("error").is_null());
  EXPECT_GT(run.at("size").get<int64_t>(), 0);
  EXPECT_FALSE(run.at("logs").empty());
  EXPECT_TRUE(run.at("endedAt").is_string());

  const std::string path = run.at("path").get<std::string>();
  EXPECT_TRUE(path.starts_with("Orders nightly/")) << path;
  EXPECT_TRUE(path.ends_with(".db.zst.age")) << path;
  const Json files = s.server.files(s.destination);
  ASSERT_EQ(files.size(), 1U) << files.dump(1);
  const Json& file = files[0];
  EXPECT_EQ(file.at("path"), path);
  EXPECT_EQ(file.at("size"), run.at("size"));
  EXPECT_EQ(file.at("jobName"), "Orders nightly");
  EXPECT_EQ(file.at("sourceType"), "sqlite");
  EXPECT_EQ(file.at("isEncrypted"), true);
  EXPECT_EQ(file.at("encryptionProfileId"), s.profile);
  EXPECT_EQ(file.at("compression"), "ZSTD");
  EXPECT_EQ(file.at("trigger").at("type"), "Api");

  EXPECT_EQ(files_below(s.store), (std::vector<std::string>{path, path + ".meta.json"}));
  const auto [status, sum] = run_program({"sha256sum", s.stored(path)});
  EXPECT_EQ(status, 0);
  EXPECT_EQ(file.at("checksum"), sum.substr(0, 64));
  const Json sidecar = Json::parse(read_file(s.stored(path + ".meta.json")));
  EXPECT_EQ(sidecar.at("executionId"), run.at("id"));
  EXPECT_EQ(sidecar.at("formatVersion"), 3);
  EXPECT_EQ(sidecar.at("encryption").at("algorithm"), "age-x25519");
  EXPECT_TRUE(sidecar.contains("mac"));
}

TEST(Backup, IsOpenedByOrdinaryProgramsWithoutUs) {
  Scenario s;
  for (const auto& [name, program] : std::map<std::string, std::string>{
           {"ZSTD", "zstd -dc"}, {"GZIP", "gzip -dc"}, {"BROTLI", "brotli -dc"}, {"NONE", "cat"}}) {
    const Json run = s.back_up({{"compression", name}});
    const Answer kit = s.server.get("/api/vault/recovery-kit?ids=" + s.profile);
    ASSERT_EQ(kit.status, 200) << kit.body;
    write_file(s.folder / "kit.zip", kit.body);
    ASSERT_EQ(run_program({"unzip", "-o", "-q", s.folder / "kit.zip", "-d", s.folder / "kit"}).first, 0);
    const auto [status, out] = run_program(
        {"sh", "-c", "age -d -i \"$1\" \"$2\" | " + program + " > \"$3\"", "sh", s.folder / "kit/identity.txt",
         s.stored(run.at("path").get<std::string>()), s.folder / "opened.db"});
    EXPECT_EQ(status, 0) << name;
    EXPECT_EQ(sqlite(s.folder / "opened.db", "PRAGMA integrity_check"), "ok\n") << name;
    EXPECT_EQ(s.content(s.folder / "opened.db"), s.content(s.database)) << name;

    const auto [code, text] = s.server.run_cli({"decrypt", "--identity", s.folder / "kit/identity.txt", "--decompress", "-o",
                                                s.folder / "ours.db", s.stored(run.at("path").get<std::string>())});
    EXPECT_EQ(code, 0) << name << text;
    EXPECT_EQ(read_file(s.folder / "ours.db"), read_file(s.folder / "opened.db")) << name;
  }
}

TEST(Backup, NothingIsEverOverwrittenWhenTwoRunsShareAName) {
  Scenario s;
  const std::string job = s.job({{"name", "twice"}});
  std::set<std::string> paths;
  for (int i = 0; i < 4; ++i) {
    const Json run = s.server.wait_for(s.server.run_job(job));
    ASSERT_EQ(run.at("status"), "Success") << run.dump(1);
    paths.insert(run.at("path").get<std::string>());
  }
  EXPECT_EQ(paths.size(), 4U);
  EXPECT_EQ(s.server.files(s.destination).size(), 4U);
}

TEST(Backup, OfAMissingDatabaseFailsWithTheCauseAndLeavesNothing) {
  Scenario s;
  const std::string source = s.server.create_adapter("database", "sqlite", {{"mode", "local"}, {"path", s.folder / "missing.db"}});
  const Json run = s.server.wait_for(s.server.run_job(s.job({{"sourceId", source}})));
  EXPECT_EQ(run.at("status"), "Failed");
  EXPECT_NE(run.at("error").get<std::string>().find("missing.db"), std::string::npos) << run.at("error");
  EXPECT_TRUE(files_below(s.store).empty());
  EXPECT_TRUE(s.server.files(s.destination).empty());
}

TEST(Backup, LockedAtItsStartCannotBeDeletedUntilUnlockedOnPurpose) {
  Scenario s;
  const std::string job = s.job();
  const Json run = s.server.wait_for(s.server.run_job(job, {{"lock", true}}));
  ASSERT_EQ(run.at("status"), "Success");
  const std::string path = run.at("path").get<std::string>();
  EXPECT_EQ(s.server.files(s.destination)[0].at("locked"), true);
  const Answer refused = s.server.call("DELETE", "/api/storage/" + s.destination + "/files", {{"path", path}});
  EXPECT_EQ(refused.status, 409) << refused.body;
  EXPECT_TRUE(std::filesystem::exists(s.stored(path)));
}

TEST(Backup, DeletedBackupsTakeTheirSidecarWithThem) {
  Scenario s;
  const std::string path = s.back_up().at("path").get<std::string>();
  const Answer gone = s.server.call("DELETE", "/api/storage/" + s.destination + "/files", {{"path", path}});
  EXPECT_EQ(gone.status, 200) << gone.body;
  EXPECT_TRUE(files_below(s.store).empty());
  EXPECT_TRUE(s.server.files(s.destination).empty());
}

TEST(Backup, IsFoundAgainWithoutItsSidecar) {
  Scenario s;
  const std::string path = s.back_up().at("path").get<std::string>();
  std::filesystem::remove(s.stored(path + ".meta.json"));
  const Json files = s.server.files(s.destination);
  ASSERT_EQ(files.size(), 1U);
  EXPECT_EQ(files[0].at("path"), path);
}

TEST(Backup, VerifyTellsAGoodFileFromADamagedOne) {
  Scenario s;
  const std::string path = s.back_up().at("path").get<std::string>();
  Answer answer = s.server.post("/api/storage/" + s.destination + "/verify", {{"file", path}});
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.json().at("data").at("status"), "passed");
  std::string bytes = read_file(s.stored(path));
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  write_file(s.stored(path), bytes);
  answer = s.server.post("/api/storage/" + s.destination + "/verify", {{"file", path}});
  EXPECT_EQ(answer.json().at("data").at("status"), "failed") << answer.body;
}

TEST(Backup, VerifyTrustsNoHashInAnAlteredSidecar) {
  Scenario s;
  const std::string path = s.back_up().at("path").get<std::string>();
  const std::string sidecar = s.stored(path + ".meta.json");
  Json altered = Json::parse(read_file(sidecar));
  altered["label"] = "another";
  write_file(sidecar, altered.dump());
  s.server.get("/api/storage/" + s.destination + "/files?refresh=true");
  const Json checked = s.server.post("/api/storage/" + s.destination + "/verify", {{"file", path}}).json();
  EXPECT_EQ(checked.at("data").at("status"), "failed") << checked.dump(1);
}

TEST(Backup, OfAJobWhoseNameHasDotsCanBeUsedLikeAnyOther) {
  Scenario s;
  for (const std::string name : {"v1..v2", "...", "a/b ../c"}) {
    const std::string path = s.back_up({{"name", name}}).at("path").get<std::string>();
    const Answer checked = s.server.post("/api/storage/" + s.destination + "/verify", {{"file", path}});
    EXPECT_EQ(checked.status, 200) << path << checked.body;
    EXPECT_EQ(s.server.call("DELETE", "/api/storage/" + s.destination + "/files", {{"path", path}}).status, 200) << path;
  }
}

TEST(Backup, WhatThisVersionCannotDoIsRefusedByName) {
  Scenario s;
  const std::string second = s.server.create_adapter("storage", "local-filesystem", {{"basePath", s.folder / "second"}});
  const std::string job = s.job({{"destinations", Json::array({{{"configId", s.destination}}, {{"configId", second}}})}});
  const Answer answer = s.server.post("/api/jobs/" + job + "/run");
  EXPECT_EQ(answer.status, 501) << answer.body;
  EXPECT_NE(answer.json().at("error").get<std::string>().find("destination"), std::string::npos);
}

}  // namespace
}  // namespace dbackup::testing
