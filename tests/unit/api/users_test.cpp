#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/api/browser.hpp"

/// Users, groups and keys: who may give what to whom.
namespace dbackup::host {
namespace {

using testing::Answer;
using testing::ApiFixture;
using testing::Browser;
using ::testing::HasSubstr;

struct Users : ::testing::Test {
  Users() {
    EXPECT_EQ(chief.sign_up("chief@example.org", "Chief").status, 200);
    chief_id = chief.get("/api/user/me").body["data"]["user"]["id"].get<std::string>();
    const Answer groups = chief.get("/api/groups");
    for (const Json& group : groups.body["data"])
      if (group["name"] == "SuperAdmin") super_admin = group["id"].get<std::string>();
  }
  std::string group(const std::string& name, const Json& permissions) {
    const Answer made = chief.post("/api/groups", {{"name", name}, {"permissions", permissions}});
    EXPECT_EQ(made.status, 201) << made.text;
    return made.body["data"]["id"].get<std::string>();
  }
  std::string user(const std::string& name, const std::string& group_id) {
    const Answer made = chief.post("/api/users", {{"name", name},
                                                  {"email", name + "@example.org"},
                                                  {"password", Browser::kPassword},
                                                  {"groupId", group_id}});
    EXPECT_EQ(made.status, 201) << made.text;
    return made.body["data"]["id"].get<std::string>();
  }
  Browser signed_in(const std::string& name) {
    Browser out{api};
    EXPECT_EQ(out.sign_in(name + "@example.org").status, 200);
    return out;
  }

  ApiFixture api;
  Browser chief{api};
  std::string chief_id, super_admin;
};

TEST_F(Users, HaveThePermissionsOfTheirGroupAtOnce) {
  const std::string readers = group("Readers", {"jobs:read"});
  user("bea", readers);
  Browser bea = signed_in("bea");
  EXPECT_EQ(bea.get("/api/jobs").status, 200);
  EXPECT_EQ(bea.get("/api/users").status, 403);
  ASSERT_EQ(chief.put("/api/groups/" + readers, {{"permissions", {"users:read"}}}).status, 200);
  EXPECT_EQ(bea.get("/api/jobs").status, 403);
  EXPECT_EQ(bea.get("/api/users").status, 200);
  ASSERT_EQ(chief.send(Method::Delete, "/api/groups/" + readers).status, 200);
  EXPECT_EQ(bea.get("/api/users").status, 401);
}

TEST_F(Users, AreOnlyGivenWhatTheirGiverHolds) {
  const std::string managers =
      group("Managers", {"users:read", "users:write", "groups:read", "groups:write", "jobs:read"});
  const std::string backup = group("Backup", {"jobs:write"});
  user("mia", managers);
  const std::string bea = user("bea", "");
  Browser mia = signed_in("mia");
  const Answer more = mia.post("/api/groups", {{"name", "More"}, {"permissions", {"jobs:write"}}});
  EXPECT_EQ(more.status, 403);
  EXPECT_THAT(more.text, HasSubstr("jobs:write"));
  EXPECT_EQ(mia.put("/api/users/" + bea + "/group", {{"groupId", backup}}).status, 403);
  EXPECT_EQ(mia.put("/api/users/" + bea + "/group", {{"groupId", super_admin}}).status, 403);
  EXPECT_EQ(mia.put("/api/users/" + bea + "/group", {{"groupId", managers}}).status, 200);
  EXPECT_EQ(
      mia.put("/api/groups/" + backup, {{"permissions", {"jobs:write", "vault:write"}}}).status,
      403);
  EXPECT_EQ(mia.put("/api/groups/" + managers, {{"name", "Own"}}).status, 403) << "one's own group";
  EXPECT_EQ(mia.put("/api/groups/" + super_admin, {{"name", "x"}}).status, 409);
  EXPECT_EQ(mia.send(Method::Delete, "/api/users/" + chief_id).status, 403);
  EXPECT_EQ(mia.post("/api/users/" + chief_id + "/reset-2fa").status, 403);
  EXPECT_EQ(mia.put("/api/users/" + chief_id, {{"email", "mia2@example.org"}}).status, 403);
  // A key of a SuperAdmin is none.
  const std::string key = api.key_with({"users:write"});
  EXPECT_EQ(api.send(Method::Put, "/api/users/" + bea + "/group",
                     {.body = Json{{"groupId", super_admin}}.dump(), .key = key})
                .status,
            403);
}

TEST_F(Users, NeverLoseTheirLastSuperAdmin) {
  EXPECT_EQ(chief.put("/api/users/" + chief_id + "/group", {{"groupId", nullptr}}).status, 403);
  EXPECT_EQ(chief.send(Method::Delete, "/api/users/" + chief_id).status, 409);
  const std::string second = user("second", super_admin);
  Browser other = signed_in("second");
  ASSERT_EQ(other.put("/api/users/" + chief_id + "/group", {{"groupId", nullptr}}).status, 200);
  EXPECT_EQ(chief.get("/api/jobs").status, 401);
  EXPECT_EQ(other.send(Method::Delete, "/api/users/" + chief_id).status, 200);
  EXPECT_EQ(other.send(Method::Delete, "/api/users/" + second).status, 409);
  const Answer bulk =
      other.post("/api/users/bulk", {{"action", "delete"}, {"ids", {second, "nobody"}}});
  EXPECT_EQ(bulk.body["message"], "Could not delete 2 users");
}

TEST_F(Users, ChangeThemselvesAsTheirPermissionsSay) {
  const std::string own = group("Own", {"profile:update_name"});
  const std::string bea = user("bea", own);
  Browser browser = signed_in("bea");
  EXPECT_EQ(
      browser.put("/api/users/" + bea, {{"name", "Beatrix"}, {"timezone", "Europe/Vienna"}}).status,
      200);
  EXPECT_EQ(browser.put("/api/users/" + bea, {{"email", "x@example.org"}}).status, 403);
  EXPECT_EQ(browser.put("/api/users/" + bea, {{"timezone", "nowhere"}}).status, 400);
  EXPECT_EQ(browser.put("/api/users/" + chief_id, {{"name", "x"}}).status, 403);
  EXPECT_EQ(browser
                .put("/api/user/password",
                     {{"currentPassword", Browser::kPassword}, {"newPassword", "12345678"}})
                .status,
            403);
  EXPECT_EQ(browser.post("/api/auth/update-user", {{"email", "x@example.org"}}).body["code"],
            "EMAIL_CAN_NOT_BE_UPDATED");
  EXPECT_EQ(browser.get("/api/users/" + bea).body["data"]["timezone"], "Europe/Vienna");
  EXPECT_EQ(browser.get("/api/users/" + chief_id).status, 403);
}

TEST_F(Users, KeepTheirAddressesApart) {
  const std::string bea = user("bea", "");
  const Answer taken = chief.post(
      "/api/users",
      {{"name", "Other"}, {"email", "BEA@example.org"}, {"password", Browser::kPassword}});
  EXPECT_EQ(taken.status, 422);
  EXPECT_EQ(chief.put("/api/users/" + bea, {{"email", "chief@example.org"}}).status, 422);
  EXPECT_EQ(chief.put("/api/users/" + bea, {{"email", "nonsense"}}).status, 400);
}

TEST_F(Users, TakeTheirKeysWithThem) {
  const std::string bea =
      user("bea", group("Keys", {"api-keys:read", "api-keys:write", "jobs:read"}));
  Browser browser = signed_in("bea");
  const Answer made =
      browser.post("/api/api-keys", {{"name", "k"}, {"permissions", {"jobs:read"}}});
  ASSERT_EQ(made.status, 201) << made.text;
  EXPECT_EQ(made.body["data"]["apiKey"]["userEmail"], "bea@example.org");
  const std::string raw = made.body["data"]["rawKey"].get<std::string>();
  EXPECT_EQ(api.get("/api/jobs", {.key = raw}).status, 200);
  EXPECT_EQ(browser.post("/api/api-keys", {{"name", "k"}, {"permissions", {"vault:write"}}}).status,
            403);
  ASSERT_EQ(chief.put("/api/users/" + bea + "/group", {{"groupId", nullptr}}).status, 200);
  EXPECT_EQ(api.get("/api/jobs", {.key = raw}).status, 200) << "a key keeps its own list";
  ASSERT_EQ(chief.send(Method::Delete, "/api/users/" + bea).status, 200);
  EXPECT_EQ(api.get("/api/jobs", {.key = raw}).status, 401);
}

TEST_F(Users, MayHaveKeysThatFollowThem) {
  const std::string bea = user("bea", group("Keys", {"api-keys:write", "jobs:read"}));
  Browser browser = signed_in("bea");
  const std::string raw =
      browser.post("/api/api-keys", {{"name", "k"}, {"permissions", {"jobs:read"}}})
          .body["data"]["rawKey"]
          .get<std::string>();
  api.live.update([](Settings& s) {
    s = Settings::load({.environment = {{"DBACKUP_AUTH_KEYS_FOLLOW_OWNER", "true"},
                                        {"DBACKUP_RATE_LIMITS_ENABLED", "false"}}});
  });
  EXPECT_EQ(api.get("/api/jobs", {.key = raw}).status, 200);
  ASSERT_EQ(
      chief.put("/api/users/" + bea + "/group", {{"groupId", group("None", Json::array())}}).status,
      200);
  EXPECT_EQ(api.get("/api/jobs", {.key = raw}).status, 403);
}

TEST_F(Users, ShowAPictureThatIsOne) {
  const auto upload = [&](const std::string& bytes) {
    const std::string body =
        "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.png\"\r\n\r\n" + bytes +
        "\r\n--b--\r\n";
    return api.send(Method::Put, "/api/user/avatar",
                    {.body = body,
                     .key = "none",
                     .headers = {{"Content-Type", "multipart/form-data; boundary=b"},
                                 {"Origin", chief.origin},
                                 {"Cookie", "better-auth.session_token=" +
                                                chief.jar["better-auth.session_token"]}}});
  };
  EXPECT_EQ(upload("<svg onload=alert(1)>").status, 400);
  const std::string png = "\x89PNG\r\n\x1A\n\x01\x02 picture";
  const Answer put = upload(png);
  ASSERT_EQ(put.status, 200) << put.text;
  const std::string url = put.body["data"]["url"].get<std::string>();
  const Answer shown = api.get(url);
  EXPECT_EQ(shown.text, png);
  EXPECT_EQ(shown.headers.get("Content-Type"), "image/png");
  EXPECT_EQ(chief.get("/api/user/me").body["data"]["user"]["image"], url);
  EXPECT_EQ(api.get("/api/avatar/..%2Fetc").status, 400);
  EXPECT_EQ(chief.send(Method::Delete, "/api/user/avatar").status, 200);
  EXPECT_EQ(api.get(url).status, 404);
}

TEST_F(Users, HavePreferencesAndStrangersTheDefaults) {
  EXPECT_EQ(Browser{api}.get("/api/user/preferences").body["autoRedirectOnJobStart"], true);
  ASSERT_EQ(chief.put("/api/user/preferences", {{"autoRedirectOnJobStart", false}}).status, 200);
  EXPECT_EQ(chief.get("/api/user/preferences").body["autoRedirectOnJobStart"], false);
  EXPECT_EQ(api.get("/api/user/preferences", {.key = "dbackup_nonsense"}).status, 200);
}

TEST_F(Users, NeverShowHashesOrSecrets) {
  const Answer list = chief.get("/api/users");
  EXPECT_THAT(list.text, ::testing::Not(HasSubstr("argon2")));
  EXPECT_THAT(list.text, ::testing::Not(HasSubstr("password")));
}

struct KeyCare : Users {
  std::string make(const Json& permissions, const std::string& by = "") {
    const Answer made =
        api.post("/api/api-keys", {{"name", "k"}, {"permissions", permissions}}, by);
    EXPECT_EQ(made.status, 201) << made.text;
    raw = made.body["data"]["rawKey"].get<std::string>();
    return made.body["data"]["apiKey"]["id"].get<std::string>();
  }
  std::string raw;
};

TEST_F(KeyCare, RotatesAKeyAndEndsTheOldOneAtOnce) {
  const std::string id = make({"jobs:read"});
  const std::string old = raw;
  EXPECT_EQ(api.get("/api/jobs", {.key = old}).status, 200);
  const Answer rotated = api.post("/api/api-keys/" + id + "/rotate", Json::object());
  ASSERT_EQ(rotated.status, 200) << rotated.text;
  const std::string fresh = rotated.body["data"]["rawKey"].get<std::string>();
  EXPECT_EQ(rotated.body["data"]["apiKey"]["prefix"], fresh.substr(0, 16));
  EXPECT_EQ(api.get("/api/jobs", {.key = old}).status, 401);
  EXPECT_EQ(api.get("/api/jobs", {.key = fresh}).status, 200);
}

TEST_F(KeyCare, ShowsNoKeyAnewToWhoLacksItsPermissions) {
  const std::string id = make({"jobs:read", "vault:write"});
  const std::string lesser = api.key_with({"api-keys:read", "api-keys:write", "jobs:read"});
  EXPECT_EQ(api.post("/api/api-keys/" + id + "/rotate", Json::object(), lesser).status, 403);
  const auto put = [&](const Json& body, const std::string& key) {
    return api.send(Method::Put, "/api/api-keys/" + id, {.body = body.dump(), .key = key}).status;
  };
  EXPECT_EQ(put({{"permissions", {"jobs:read", "vault:write", "users:write"}}}, lesser), 403);
  EXPECT_EQ(put({{"expiresAt", nullptr}, {"name", "renamed"}}, lesser), 200);
  EXPECT_EQ(put({{"expiresAt", "2099-01-01T00:00:00Z"}}, lesser), 403);
  EXPECT_EQ(put({{"permissions", {"jobs:read"}}}, lesser), 200) << "less is always possible";
  EXPECT_EQ(put({{"permissions", {"jobs:read", "vault:write"}}}, lesser), 403);
  EXPECT_EQ(put({{"permissions", Json::array()}}, ""), 400);
  EXPECT_EQ(put({{"expiresAt", "2001-01-01T00:00:00Z"}}, ""), 400);
}

TEST_F(KeyCare, DisablesInBulkAndEnablesAgain) {
  const std::string id = make({"jobs:read"});
  const auto bulk = [&](const char* action) {
    return api.post("/api/api-keys/bulk", {{"action", action}, {"ids", {id, id, "unknown"}}}).body;
  };
  const Json off = bulk("disable");
  EXPECT_EQ(off["message"], "1 of 2 API keys disabled");
  EXPECT_EQ(api.get("/api/jobs", {.key = raw}).status, 401);
  bulk("enable");
  EXPECT_EQ(api.get("/api/jobs", {.key = raw}).status, 200);
  bulk("delete");
  EXPECT_EQ(api.get("/api/jobs", {.key = raw}).status, 401);
}

}  // namespace
}  // namespace dbackup::host
