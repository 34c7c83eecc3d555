#include <gtest/gtest.h>

#include "tests/unit/api/api_fixture.hpp"

namespace dbackup::host {
namespace {

using testing::Answer;
using testing::ApiFixture;

const std::string kOne = "SHA256:" + std::string(43, 'a');
const std::string kOther = "SHA256:" + std::string(43, 'b');

TEST(SshHostKeys, AreSetListedAndForgotten) {
  ApiFixture api;
  const Answer made =
      api.post("/api/ssh-host-keys", {{"host", "DB1.example"}, {"fingerprint", kOne + "="}});
  ASSERT_EQ(made.status, 201) << made.text;
  const Json key = made.body["data"];
  EXPECT_EQ(key["host"], "db1.example");
  EXPECT_EQ(key["port"], 22);
  EXPECT_EQ(key["fingerprint"], kOne);
  EXPECT_EQ(key["origin"], "by-hand");
  EXPECT_EQ(api.get("/api/ssh-host-keys").body["data"], Json::array({key}));

  const std::string url = "/api/ssh-host-keys/" + key["id"].get<std::string>();
  EXPECT_EQ(api.send(Method::Delete, url).status, 200);
  EXPECT_EQ(api.send(Method::Delete, url).status, 404);
  EXPECT_TRUE(api.get("/api/ssh-host-keys").body["data"].empty());
}

TEST(SshHostKeys, ASecondOneForTheSameServerTakesThePlaceOfTheFirst) {
  ApiFixture api;
  for (const std::string& fingerprint : {kOne, kOther}) {
    ASSERT_EQ(api.post("/api/ssh-host-keys",
                       {{"host", "db1"}, {"port", 2222}, {"fingerprint", fingerprint}})
                  .status,
              201);
  }
  ASSERT_EQ(api.post("/api/ssh-host-keys", {{"host", "db1"}, {"fingerprint", kOne}}).status, 201);
  const Json keys = api.get("/api/ssh-host-keys").body["data"];
  ASSERT_EQ(keys.size(), 2U) << keys;
  EXPECT_EQ(keys[0]["port"], 22);
  EXPECT_EQ(keys[1]["fingerprint"], kOther);
}

TEST(SshHostKeys, ThatNoServerCouldShowAreRefusedByName) {
  ApiFixture api;
  const auto refused = [&](const Json& body, const std::string& field) {
    const Answer answer = api.post("/api/ssh-host-keys", body);
    EXPECT_EQ(answer.status, 400) << body;
    EXPECT_NE(answer.text.find(field), std::string::npos) << answer.text;
  };
  refused({{"host", "db1"}, {"fingerprint", "MD5:aa:bb"}}, "fingerprint");
  refused({{"host", "db1"}, {"fingerprint", "SHA256:short"}}, "fingerprint");
  refused({{"host", "db 1"}, {"fingerprint", kOne}}, "host");
  refused({{"host", "db1"}, {"port", 70000}, {"fingerprint", kOne}}, "port");
  refused({{"fingerprint", kOne}}, "host");
}

}  // namespace
}  // namespace dbackup::host
