#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <soci/soci.h>

#include <latch>
#include <thread>

#include "crypto/age_keys.hpp"
#include "crypto/ssh_key.hpp"
#include "tests/unit/api/api_fixture.hpp"

/// Credentials that adapters share, and the keys of encryption profiles.
namespace dbackup::host {
namespace {

using testing::Answer;
using testing::ApiFixture;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

struct Credentials : ::testing::Test {
  Answer create(const std::string& type, const Json& data, const std::string& name = "login") {
    return api.post("/api/credentials", {{"name", name}, {"type", type}, {"data", data}});
  }
  std::string made(const std::string& type, const Json& data, const std::string& name = "login") {
    const Answer answer = create(type, data, name);
    EXPECT_EQ(answer.status, 201) << answer.text;
    return answer.body["data"]["id"].get<std::string>();
  }
  Answer put(const std::string& target, const Json& body) {
    return api.send(Method::Put, target, {.body = body.dump()});
  }

  ApiFixture api;
};

TEST_F(Credentials, OfEverySevenTypesComeBackOnlyWhenRevealed) {
  const std::pair<const char*, Json> payloads[] = {
      {"USERNAME_PASSWORD", {{"username", "u"}, {"password", "hunter2"}}},
      {"SSH_KEY", {{"username", "u"}, {"authType", "password"}, {"password", "hunter2"}}},
      {"ACCESS_KEY", {{"accessKeyId", "hunter2-id"}, {"secretAccessKey", "hunter2"}}},
      {"TOKEN", {{"token", "hunter2"}}},
      {"SMTP", {{"user", "u"}, {"password", "hunter2"}}},
      {"WEBHOOK", {{"url", "https://x.example/hook"}, {"authHeader", "hunter2"}}},
      {"OAUTH", {{"clientId", "c"}, {"clientSecret", "hunter2"}}},
  };
  for (const auto& [type, data] : payloads) {
    api.clock.advance(1);
    const std::string id = made(type, data, type);
    EXPECT_THAT(api.get("/api/credentials/" + id).text, Not(HasSubstr("hunter2"))) << type;
    const Answer shown = api.get("/api/credentials/" + id + "/reveal");
    EXPECT_EQ(shown.body["data"]["payload"], data) << type;
    EXPECT_EQ(shown.headers.get("Cache-Control"), "no-store");
  }
  const Answer list = api.get("/api/credentials?includeCounts=true");
  EXPECT_EQ(list.body["data"].size(), 7u);
  EXPECT_THAT(list.text, Not(HasSubstr("hunter2")));
  EXPECT_EQ(list.body["data"][0]["secretStatus"],
            (Json{{"clientSecret", true}, {"refreshToken", false}}));
  EXPECT_EQ(list.body["data"][0]["usageCount"], 0);
  EXPECT_EQ(api.get("/api/credentials?type=TOKEN").body["data"].size(), 1u);
  std::string rows;
  api.database->read([&](Session& s) {
    const soci::rowset<std::string> all = s.raw().prepare << "SELECT sealed_data FROM credentials";
    for (const auto& row : all) rows += row;
  });
  EXPECT_THAT(rows, Not(HasSubstr("hunter2")));
}

TEST_F(Credentials, SayWhichMemberOfThePayloadIsWrong) {
  const auto refused = [&](const std::string& type, const Json& data, const char* field) {
    const Answer answer = create(type, data);
    EXPECT_EQ(answer.status, 400) << type << data;
    EXPECT_THAT(answer.text, HasSubstr(field)) << type << data;
  };
  refused("USERNAME_PASSWORD", {{"username", "u"}}, "data.password");
  refused("USERNAME_PASSWORD", {{"username", ""}, {"password", "p"}}, "data.username");
  refused("USERNAME_PASSWORD", {{"username", 1}, {"password", "p"}}, "data.username");
  refused("SSH_KEY", {{"username", "u"}, {"authType", "telepathy"}}, "data.authType");
  refused("SSH_KEY", {{"username", "u"}, {"authType", "privateKey"}}, "data.privateKey");
  refused("SSH_KEY",
          {{"username", "u"}, {"authType", "privateKey"}, {"generate", {{"keyType", "dsa"}}}},
          "keyType");
  refused("WEBHOOK", {{"url", "ftp://x"}}, "data.url");
  refused("CARRIER_PIGEON", Json::object(), "type");
  // What the type does not know is dropped.
  const std::string id = made("TOKEN", {{"token", "t"}, {"more", "x"}});
  EXPECT_EQ(api.get("/api/credentials/" + id + "/reveal").body["data"]["payload"],
            (Json{{"token", "t"}}));
}

TEST_F(Credentials, HaveNamesThatTwoRacingRequestsCannotShare) {
  std::latch start{4};
  std::atomic<int> created{0};
  std::atomic<int> refused{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      start.arrive_and_wait();
      const int status = create("TOKEN", {{"token", "t"}}).status;
      (status == 201 ? created : refused) += status == 201 || status == 409 ? 1 : 100;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(created, 1);
  EXPECT_EQ(refused, 3);
}

TEST_F(Credentials, MakeSshKeysOnTheServer) {
  for (const char* type : {"ed25519", "ecdsa-p256", "ecdsa-p384"}) {
    const Answer answer =
        create("SSH_KEY",
               {{"username", "u"},
                {"authType", "agent"},
                {"generate",
                 {{"keyType", type}, {"comment", "backup@host"}, {"passphrase", "secret words"}}}},
               type);
    ASSERT_EQ(answer.status, 201) << answer.text;
    const std::string line = answer.body["data"]["publicKey"].get<std::string>();
    EXPECT_THAT(line, HasSubstr(" backup@host"));
    EXPECT_THAT(answer.body["data"]["fingerprint"].get<std::string>(), StartsWith("SHA256:"));
    const Json payload =
        api.get("/api/credentials/" + answer.body["data"]["id"].get<std::string>() + "/reveal")
            .body["data"]["payload"];
    EXPECT_EQ(payload["authType"], "privateKey");
    const auto key = ssh_public_key(SecretString{payload["privateKey"].get<std::string>()},
                                    SecretString{"secret words"}, "backup@host");
    ASSERT_TRUE(key);
    EXPECT_EQ(key->line, line);
    EXPECT_FALSE(
        ssh_public_key(SecretString{payload["privateKey"].get<std::string>()}, SecretString{}));
  }
}

TEST_F(Credentials, AreLaidOverTheConfigurationOfTheirAdapters) {
  const std::string login =
      made("USERNAME_PASSWORD", {{"username", "deputy"}, {"password", "of-profile"}});
  const Answer adapter = api.post("/api/adapters", {{"name", "db"},
                                                    {"type", "database"},
                                                    {"adapterId", "scripted-db"},
                                                    {"config", {{"host", "h"}}},
                                                    {"primaryCredentialId", login}});
  ASSERT_EQ(adapter.status, 201) << adapter.text;
  EXPECT_EQ(adapter.body["primaryCredentialId"], login);
  EXPECT_THAT(adapter.text, Not(HasSubstr("of-profile")));
  const auto resolved = api.control->resolver().resolve(adapter.body["id"].get<std::string>());
  EXPECT_EQ(resolved.config["password"], "of-profile");
  ASSERT_EQ(put("/api/credentials/" + login,
                {{"data", {{"username", "deputy"}, {"password", "changed"}}}})
                .status,
            200);
  EXPECT_EQ(
      api.control->resolver().resolve(adapter.body["id"].get<std::string>()).config["password"],
      "changed");
  const Json usage = api.get("/api/credentials/" + login + "/usage").body["data"];
  EXPECT_EQ(usage["count"], 1);
  EXPECT_EQ(usage["references"][0], (Json{{"adapterId", adapter.body["id"]},
                                          {"name", "db"},
                                          {"type", "scripted-db"},
                                          {"slot", "primary"}}));
  const Answer kept = api.send(Method::Delete, "/api/credentials/" + login);
  EXPECT_EQ(kept.status, 409);
  EXPECT_THAT(kept.text, HasSubstr("db"));
  EXPECT_EQ(kept.body["references"], usage["references"]);
  ASSERT_EQ(put("/api/adapters/" + adapter.body["id"].get<std::string>(),
                {{"primaryCredentialId", nullptr}})
                .status,
            200);
  EXPECT_EQ(api.send(Method::Delete, "/api/credentials/" + login).status, 200);
}

TEST_F(Credentials, FillOnlySlotsOfTheirType) {
  const std::string token = made("TOKEN", {{"token", "t"}});
  const auto create_with = [&](const Json& more) {
    Json body{{"name", "db"},
              {"type", "database"},
              {"adapterId", "scripted-db"},
              {"config", {{"host", "h"}}}};
    body.update(more);
    return api.post("/api/adapters", body);
  };
  EXPECT_EQ(create_with({{"primaryCredentialId", token}}).status, 400);
  EXPECT_EQ(create_with({{"sshCredentialId", token}}).status, 400);
  EXPECT_EQ(create_with({{"primaryCredentialId", "unknown"}}).status, 404);
  const Answer storage = api.post("/api/adapters", {{"name", "d"},
                                                    {"type", "storage"},
                                                    {"adapterId", "scripted-disk"},
                                                    {"config", {{"basePath", api.disk()}}},
                                                    {"primaryCredentialId", token}});
  EXPECT_EQ(storage.status, 400) << storage.text;
}

TEST_F(Credentials, AreWrittenToTheAuditLogBeforeTheyAreLookedUp) {
  EXPECT_EQ(api.get("/api/credentials/unknown/reveal").status, 404);
  int count = 0;
  api.database->read([&](Session& s) {
    s.raw() << "SELECT COUNT(*) FROM audit_log WHERE action = 'EXPORT' AND resource = 'CREDENTIAL' "
               "AND resource_id = 'unknown'",
        soci::into(count);
  });
  EXPECT_EQ(count, 1);
}

struct Profiles : Credentials {
  std::string profile(const std::string& name) {
    const Answer answer = api.post("/api/encryption-profiles", {{"name", name}});
    EXPECT_EQ(answer.status, 201) << answer.text;
    return answer.body["data"]["id"].get<std::string>();
  }
};

TEST_F(Profiles, RotateTheirKeyAndKeepTheOldOneForReading) {
  const std::string id = profile("main");
  const Json before = api.get("/api/encryption-profiles/" + id).body["data"]["recipients"];
  const Answer rotated = api.post("/api/encryption-profiles/" + id + "/rotate", Json::object());
  ASSERT_EQ(rotated.status, 200) << rotated.text;
  ASSERT_EQ(rotated.body["data"]["recipients"].size(), 1u);
  EXPECT_NE(rotated.body["data"]["recipients"], before);
  EXPECT_EQ(api.services->profiles.get(id).profile.identities.size(), 2u);
  const Json key = api.get("/api/encryption-profiles/" + id + "/reveal").body["data"];
  const AgeIdentity identity = AgeIdentity::parse(key["identity"].get<std::string>());
  EXPECT_EQ(identity.recipient().to_string(), rotated.body["data"]["recipients"][0]);
  EXPECT_EQ(key["keyHex"].get<std::string>().size(), 64u);
}

TEST_F(Profiles, AreRenamedAndKeepTheirNamesApart) {
  const std::string id = profile("main");
  profile("other");
  EXPECT_EQ(put("/api/encryption-profiles/" + id, {{"name", "other"}}).status, 409);
  const Answer renamed =
      put("/api/encryption-profiles/" + id, {{"name", "first"}, {"description", "d"}});
  EXPECT_EQ(renamed.body["data"]["name"], "first");
  EXPECT_EQ(renamed.body["data"]["description"], "d");
}

TEST_F(Profiles, TakeInKeysOfOtherInstallationsForReadingOnly) {
  const std::string hex(64, 'a');
  const Answer imported =
      api.post("/api/encryption-profiles/import", {{"name", "old"}, {"keyHex", hex}});
  ASSERT_EQ(imported.status, 201) << imported.text;
  EXPECT_EQ(imported.body["data"]["readOnly"], true);
  EXPECT_EQ(imported.body["data"]["recipients"], Json::array());
  const std::string id = imported.body["data"]["id"].get<std::string>();
  EXPECT_EQ(api.get("/api/encryption-profiles/" + id + "/reveal").body["data"]["keyHex"], hex);
  const Answer job = api.post("/api/jobs", {{"name", "j"},
                                            {"schedule", "0 3 * * *"},
                                            {"sourceId", api.make_source()},
                                            {"destinations", {{{"configId", api.make_storage()}}}},
                                            {"encryptionProfileId", id}});
  EXPECT_EQ(job.status, 400);
  EXPECT_THAT(job.text, HasSubstr("encryptionProfileId"));
  EXPECT_EQ(api.post("/api/encryption-profiles/" + id + "/rotate", Json::object()).status, 409);
  EXPECT_EQ(
      api.post("/api/encryption-profiles/import", {{"name", "x"}, {"keyHex", std::string(64, 'g')}})
          .status,
      400);
  EXPECT_EQ(api.post("/api/encryption-profiles/import", {{"name", "x"}}).status, 400);
}

TEST_F(Profiles, TakeInAnAgeIdentityAsAWholeProfile) {
  const AgeIdentity identity = AgeIdentity::generate();
  const Json body{{"name", "moved"}, {"identity", std::string{identity.to_string().reveal()}}};
  const Answer imported = api.post("/api/encryption-profiles/import", body);
  ASSERT_EQ(imported.status, 201) << imported.text;
  EXPECT_EQ(imported.body["data"]["recipients"][0], identity.recipient().to_string());
  EXPECT_EQ(imported.body["data"]["readOnly"], false);
  Json twice = body;
  twice["name"] = "again";
  EXPECT_EQ(api.post("/api/encryption-profiles/import", twice).status, 409);
}

TEST_F(Profiles, AreNeverShownOnTheList) {
  const std::string id = profile("main");
  const std::string key = api.get("/api/encryption-profiles/" + id + "/reveal")
                              .body["data"]["keyHex"]
                              .get<std::string>();
  EXPECT_THAT(api.get("/api/encryption-profiles").text, Not(HasSubstr(key)));
  EXPECT_THAT(api.get("/api/encryption-profiles").text, Not(HasSubstr("AGE-SECRET")));
}

}  // namespace
}  // namespace dbackup::host
