#include "tests/e2e/scenario.hpp"

namespace dbackup::testing {
namespace {

Json restore(Scenario& s, const Json& fields) {
  const Answer answer = s.server.post("/api/storage/" + s.destination + "/restore", fields);
  EXPECT_EQ(answer.status, 202) << answer.body;
  if (answer.status != 202) return nullptr;
  return s.server.wait_for(answer.json().at("executionId").get<std::string>());
}

TEST(Restore, UnderAnotherNameLeavesTheOriginalAlone) {
  Scenario s;
  const std::string before = s.content(s.database);
  const std::string path = s.back_up().at("path").get<std::string>();
  sqlite(s.database, "DELETE FROM notes WHERE id > 10");
  const Json run = restore(s, {{"file", path}, {"targetSourceId", s.source}, {"targetDatabaseName", "copy.db"}});
  ASSERT_EQ(run.at("status"), "Success") << run.dump(1);
  EXPECT_EQ(run.at("type"), "Restore");
  EXPECT_EQ(s.content(s.folder / "copy.db"), before);
  EXPECT_NE(s.content(s.database), before);
}

TEST(Restore, OverTheOriginalBringsItsContentBack) {
  Scenario s;
  const std::string before = s.content(s.database);
  const std::string path = s.back_up().at("path").get<std::string>();
  sqlite(s.database, "DROP TABLE notes");
  const Json run = restore(s, {{"file", path}, {"targetSourceId", s.source}});
  ASSERT_EQ(run.at("status"), "Success") << run.dump(1);
  EXPECT_EQ(s.content(s.database), before);
}

TEST(Restore, BringsADatabaseBackThatWasLostAltogether) {
  Scenario s;
  const std::string before = s.content(s.database);
  const std::string path = s.back_up().at("path").get<std::string>();
  std::filesystem::remove(s.database);
  const Json run = restore(s, {{"file", path}, {"targetSourceId", s.source}});
  ASSERT_EQ(run.at("status"), "Success") << run.dump(1);
  EXPECT_EQ(s.content(s.database), before);
}

TEST(Restore, OfADamagedFileFailsAndLeavesTheTargetAsItWas) {
  Scenario s;
  const std::string path = s.back_up().at("path").get<std::string>();
  const std::string before = s.content(s.database);
  std::string bytes = read_file(s.stored(path));
  for (const size_t at : {bytes.size() - 1, bytes.size() / 2, size_t{300}}) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x40);
    write_file(s.stored(path), damaged);
    const Json run = restore(s, {{"file", path}, {"targetSourceId", s.source}});
    EXPECT_EQ(run.at("status"), "Failed");
    EXPECT_FALSE(run.at("error").get<std::string>().empty());
    EXPECT_EQ(s.content(s.database), before);
  }
  write_file(s.stored(path), bytes.substr(0, bytes.size() - 70));
  EXPECT_EQ(restore(s, {{"file", path}, {"targetSourceId", s.source}}).at("status"), "Failed");
  EXPECT_EQ(s.content(s.database), before);
}

TEST(Restore, WithoutTheSidecarStillWorks) {
  Scenario s;
  const std::string before = s.content(s.database);
  const std::string path = s.back_up().at("path").get<std::string>();
  std::filesystem::remove(s.stored(path + ".meta.json"));
  s.server.files(s.destination);
  const Json run = restore(s, {{"file", path}, {"targetSourceId", s.source}, {"targetDatabaseName", "copy.db"}});
  ASSERT_EQ(run.at("status"), "Success") << run.dump(1);
  EXPECT_EQ(s.content(s.folder / "copy.db"), before);
}

TEST(Restore, AWriteOnlyProfileNeedsTheIdentityWhichIsNeverStored) {
  Scenario s;
  ASSERT_EQ(run_program({"age-keygen", "-o", s.folder / "escrow.txt"}).first, 0);
  const std::string recipient = run_program({"age-keygen", "-y", s.folder / "escrow.txt"}).second;
  const std::string text = read_file(s.folder / "escrow.txt");
  const std::string identity = text.substr(text.find("AGE-SECRET-KEY-1"), 74);
  const Answer made = s.server.post("/api/encryption-profiles",
                                    {{"name", "write only"}, {"recipients", {recipient.substr(0, recipient.find('\n'))}}, {"writeOnly", true}});
  ASSERT_EQ(made.status, 201) << made.body;
  const std::string path = s.back_up({{"encryptionProfileId", made.json().at("data").at("id")}}).at("path").get<std::string>();

  const Answer refused = s.server.post("/api/storage/" + s.destination + "/restore", {{"file", path}, {"targetSourceId", s.source}, {"targetDatabaseName", "copy.db"}});
  if (refused.status == 202) {
    EXPECT_EQ(s.server.wait_for(refused.json().at("executionId").get<std::string>()).at("status"), "Failed");
  } else {
    EXPECT_EQ(refused.status, 422) << refused.body;
    EXPECT_EQ(refused.json().at("code"), "ENCRYPTION_KEY_REQUIRED");
  }
  const Json run = restore(s, {{"file", path}, {"targetSourceId", s.source}, {"targetDatabaseName", "copy.db"}, {"identity", identity}});
  ASSERT_EQ(run.at("status"), "Success") << run.dump(1);
  EXPECT_EQ(s.content(s.folder / "copy.db"), s.content(s.database));
  for (const auto& file : files_below(s.server.data_dir())) {
    EXPECT_EQ(read_file(s.server.data_dir() / file).find(identity), std::string::npos) << file;
  }
  EXPECT_EQ(s.server.log().find(identity), std::string::npos);
}

TEST(Restore, AnEmptyNameForTheTargetIsRefused) {
  Scenario s;
  const std::string path = s.back_up().at("path").get<std::string>();
  for (const Json& fields : {Json{{"targetDatabaseName", ""}}, Json{{"databaseMapping", {{"notes.db", ""}}}}}) {
    Json body{{"file", path}, {"targetSourceId", s.source}};
    body.update(fields);
    const Answer refused = s.server.post("/api/storage/" + s.destination + "/restore", body);
    EXPECT_EQ(refused.status, 400) << refused.body;
    EXPECT_NE(refused.body.find("is empty"), std::string::npos) << refused.body;
  }
}

TEST(Restore, AnUnknownTargetOrFileIsRefusedBeforeAnythingStarts) {
  Scenario s;
  const std::string path = s.back_up().at("path").get<std::string>();
  const auto status = [&](const Json& body) { return s.server.post("/api/storage/" + s.destination + "/restore", body).status; };
  EXPECT_EQ(status({{"file", "no/such.db"}, {"targetSourceId", s.source}}), 404);
  EXPECT_EQ(status({{"file", path}, {"targetSourceId", "none"}}), 404);
  EXPECT_EQ(status({{"file", path}}), 400);
  EXPECT_EQ(status({{"targetSourceId", s.source}}), 400);
}

}  // namespace
}  // namespace dbackup::testing
