#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <soci/soci.h>

#include <atomic>
#include <latch>
#include <thread>

#include "crypto/totp.hpp"
#include "store/user_store.hpp"
#include "tests/unit/api/browser.hpp"

/// Signing up, in and out, and sessions, as published scripts and browsers use them.
namespace dbackup::host {
namespace {

using testing::Answer;
using testing::ApiFixture;
using testing::Browser;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

struct SignIn : ::testing::Test {
  ApiFixture api;
  Browser browser{api};

  std::string code(const Answer& answer) { return answer.body.value("code", ""); }
  std::string audit_details() {
    std::string all;
    api.database->read([&](Session& s) {
      soci::rowset<std::string> rows = s.raw().prepare
                                       << "SELECT action || ' ' || resource || ' ' || details FROM "
                                          "audit_log ORDER BY created_at";
      for (const auto& row : rows) all += row + "\n";
    });
    return all;
  }
};

TEST_F(SignIn, MakesTheFirstUserASuperAdminInsideTheSameRequest) {
  const Answer up = browser.sign_up("First@Example.org", "First");
  ASSERT_EQ(up.status, 200) << up.text;
  EXPECT_EQ(up.body["user"]["email"], "first@example.org");
  EXPECT_EQ(up.body["user"]["twoFactorEnabled"], false);
  EXPECT_EQ(up.body["user"].contains("groupId"), false);
  const std::string set{up.headers.get("Set-Cookie")};
  EXPECT_THAT(set, MatchesRegex("better-auth.session_token=[0-9a-f]{64}; Path=/; HttpOnly; "
                                "SameSite=Lax; Max-Age=604800"));
  const Answer me = browser.get("/api/user/me");
  ASSERT_EQ(me.status, 200) << me.text;
  EXPECT_EQ(me.body["data"]["isSuperAdmin"], true);
  EXPECT_EQ(me.body["data"]["method"], "session");
  EXPECT_EQ(me.body["data"]["group"]["name"], "SuperAdmin");
  EXPECT_EQ(me.body["data"]["permissions"].size(), kPermissions.size());
  EXPECT_EQ(browser.get("/api/jobs").status, 200);
}

TEST_F(SignIn, ClosesSigningUpAfterTheFirstUserUnlessSwitchedOn) {
  ASSERT_EQ(browser.sign_up("a@example.org").status, 200);
  Browser other{api};
  EXPECT_EQ(other.sign_up("b@example.org").status, 403);
  api.live.update([](Settings& s) {
    s = Settings::load({.environment = {{"DBACKUP_AUTH_SELF_REGISTRATION", "true"},
                                        {"DBACKUP_RATE_LIMITS_ENABLED", "false"}}});
  });
  ASSERT_EQ(other.sign_up("b@example.org").status, 200);
  EXPECT_EQ(other.get("/api/jobs").status, 401) << "a user without a group is nobody";
  EXPECT_EQ(other.get("/api/user/me").status, 401);
  EXPECT_EQ(other.get("/api/auth/list-sessions").status, 200);
  const Answer again = Browser{api}.sign_up("B@example.org");
  EXPECT_EQ(again.status, 422);
  EXPECT_EQ(code(again), "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL");
}

TEST_F(SignIn, MakesOneSuperAdminOfManyFirstUsers) {
  std::latch start{4};
  std::vector<std::thread> threads;
  std::atomic<int> in{0};
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      Browser one{api};
      start.arrive_and_wait();
      if (one.sign_up("u" + std::to_string(i) + "@example.org").status == 200) ++in;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(in, 1);
}

TEST_F(SignIn, RefusesWhatIsMalformedByTheTokensOfThePublishedInterface) {
  const auto up = [&](const Json& body) { return browser.post("/api/auth/sign-up/email", body); };
  EXPECT_EQ(code(up({{"name", "x"}, {"email", "nobody"}, {"password", "12345678"}})),
            "INVALID_EMAIL");
  EXPECT_EQ(code(up({{"name", "x"}, {"email", "a@b.c"}, {"password", "1234567"}})),
            "PASSWORD_TOO_SHORT");
  EXPECT_EQ(code(up({{"name", "x"}, {"email", "a@b.c"}, {"password", std::string(129, 'x')}})),
            "PASSWORD_TOO_LONG");
  EXPECT_EQ(code(up({{"name", "x"}, {"password", "12345678"}})), "VALIDATION_ERROR");
  EXPECT_EQ(code(up({{"name", "x"}, {"email", 3}, {"password", "12345678"}})), "VALIDATION_ERROR");
  const Answer zone =
      up({{"name", "x"}, {"email", "a@b.c"}, {"password", "12345678"}, {"timezone", "Mars/One"}});
  EXPECT_EQ(zone.status, 400);
  EXPECT_THAT(zone.text, HasSubstr("timezone"));
}

TEST_F(SignIn, TellsNeitherWhetherAnAccountExistsNorWhatWasWrong) {
  ASSERT_EQ(browser.sign_up("a@example.org").status, 200);
  const Answer wrong = Browser{api}.sign_in("a@example.org", "wrong password");
  const Answer unknown = Browser{api}.sign_in("b@example.org", "wrong password");
  EXPECT_EQ(wrong.status, 401);
  EXPECT_EQ(wrong.text, unknown.text);
  EXPECT_EQ(code(wrong), "INVALID_EMAIL_OR_PASSWORD");
  EXPECT_FALSE(wrong.headers.contains("Set-Cookie"));
  EXPECT_THAT(audit_details(), HasSubstr("\"reason\":\"password\",\"success\":false"));
  EXPECT_THAT(audit_details(), Not(HasSubstr("wrong password")));
}

TEST_F(SignIn, OpensASessionThatASignOutEnds) {
  ASSERT_EQ(browser.sign_up("a@example.org").status, 200);
  Browser second{api};
  const Answer in = second.sign_in("A@example.org");
  ASSERT_EQ(in.status, 200) << in.text;
  EXPECT_EQ(in.body["redirect"], false);
  const Answer session = second.get("/api/auth/get-session");
  EXPECT_EQ(session.body["session"]["token"], in.body["token"]);
  EXPECT_EQ(session.headers.get("Cache-Control"), "no-store");
  const std::string cookie = second.jar.at("better-auth.session_token");
  EXPECT_EQ(second.post("/api/auth/sign-out").status, 200);
  EXPECT_TRUE(second.jar.empty());
  second.jar["better-auth.session_token"] = cookie;
  EXPECT_EQ(second.get("/api/jobs").status, 401);
  const Answer after = second.get("/api/auth/get-session");
  EXPECT_EQ(after.status, 200);
  EXPECT_EQ(after.text, "null");
  EXPECT_EQ(second.post("/api/auth/sign-out").status, 200) << "never fails";
  EXPECT_EQ(browser.get("/api/jobs").status, 200) << "the other session goes on";
}

TEST_F(SignIn, NamesSessionsByWhatOpensNothing) {
  const Answer up = browser.sign_up("a@example.org");
  const std::string token = up.body["token"].get<std::string>();
  Browser thief{api};
  thief.jar["better-auth.session_token"] = token;
  EXPECT_EQ(thief.get("/api/jobs").status, 401);
  EXPECT_EQ(api.get("/api/jobs", {.key = token}).status, 401);
}

TEST_F(SignIn, ListsAndRevokesSessionsOfOneselfAlone) {
  ASSERT_EQ(browser.sign_up("a@example.org").status, 200);
  ASSERT_EQ(
      api.post("/api/users",
               {{"name", "Bea"}, {"email", "b@example.org"}, {"password", Browser::kPassword}})
          .status,
      201);
  Browser second{api};
  Browser bea{api};
  ASSERT_EQ(second.sign_in("a@example.org").status, 200);
  ASSERT_EQ(bea.sign_in("b@example.org").status, 200);
  const Answer list = browser.get("/api/auth/list-sessions");
  ASSERT_EQ(list.body.size(), 2u);
  const std::string of_bea = bea.get("/api/auth/list-sessions").body[0]["token"].get<std::string>();
  EXPECT_EQ(browser.post("/api/auth/revoke-session", {{"token", of_bea}}).body["status"], true);
  EXPECT_EQ(bea.get("/api/auth/list-sessions").status, 200);
  EXPECT_EQ(browser.post("/api/auth/revoke-other-sessions").status, 200);
  EXPECT_EQ(second.get("/api/jobs").status, 401);
  EXPECT_EQ(browser.get("/api/jobs").status, 200);
  EXPECT_EQ(browser.post("/api/auth/revoke-sessions").status, 200);
  EXPECT_EQ(browser.get("/api/jobs").status, 401);
}

TEST_F(SignIn, ChecksTheCurrentPasswordBeforeItIsChanged) {
  ASSERT_EQ(browser.sign_up("a@example.org").status, 200);
  Browser second{api};
  ASSERT_EQ(second.sign_in("a@example.org").status, 200);
  const Answer wrong =
      browser.post("/api/auth/change-password",
                   {{"currentPassword", "not it"}, {"newPassword", "another one 1"}});
  EXPECT_EQ(wrong.status, 400);
  EXPECT_EQ(code(wrong), "INVALID_PASSWORD");
  EXPECT_EQ(
      browser
          .put("/api/user/password", {{"currentPassword", "no"}, {"newPassword", "another one 1"}})
          .status,
      400);
  ASSERT_EQ(browser
                .put("/api/user/password",
                     {{"currentPassword", Browser::kPassword}, {"newPassword", "another one 1"}})
                .status,
            200);
  EXPECT_EQ(second.get("/api/jobs").status, 401) << "other sessions end";
  EXPECT_EQ(browser.get("/api/jobs").status, 200);
  EXPECT_EQ(Browser{api}.sign_in("a@example.org").status, 401);
  EXPECT_EQ(Browser{api}.sign_in("a@example.org", "another one 1").status, 200);
}

TEST_F(SignIn, RefusesChangesThatAnotherSiteSends) {
  ASSERT_EQ(browser.sign_up("a@example.org").status, 200);
  browser.origin = "https://evil.example";
  EXPECT_EQ(browser.post("/api/auth/sign-out").status, 403);
  const Answer job = browser.post("/api/groups", {{"name", "g"}, {"permissions", Json::array()}});
  EXPECT_EQ(job.status, 403) << job.text;
  EXPECT_EQ(browser.get("/api/jobs").status, 200) << "reading needs no origin";
  browser.origin = "";
  EXPECT_EQ(code(browser.post("/api/auth/sign-out")), "MISSING_OR_NULL_ORIGIN");
  browser.origin = "null";
  EXPECT_EQ(browser.post("/api/groups", {{"name", "g"}, {"permissions", Json::array()}}).status,
            403);
  // A script without cookies needs none.
  Browser script{api};
  script.origin = "";
  EXPECT_EQ(script.sign_in("a@example.org").status, 200);
  EXPECT_EQ(script.post("/api/auth/sign-out").status, 403);
  script.origin = "http://backup.test:3000";
  EXPECT_EQ(script.post("/api/auth/sign-out").status, 200);
}

TEST_F(SignIn, PrefersASessionToAKeyAndAKeyToAGrouplessSession) {
  ASSERT_EQ(browser.sign_up("a@example.org").status, 200);
  browser.key = api.key_with({"jobs:read"});
  EXPECT_EQ(browser.get("/api/user/me").body["data"]["method"], "session");
  ASSERT_EQ(
      api.post("/api/users",
               {{"name", "Bea"}, {"email", "b@example.org"}, {"password", Browser::kPassword}})
          .status,
      201);
  Browser bea{api};
  ASSERT_EQ(bea.sign_in("b@example.org").status, 200);
  EXPECT_EQ(bea.get("/api/jobs").status, 401);
  bea.key = api.key_with({"jobs:read"});
  EXPECT_EQ(bea.get("/api/user/me").body["data"]["method"], "apikey");
}

TEST_F(SignIn, EndsASessionWhenItsTimeIsOverAndProlongsItWhileInUse) {
  constexpr TimeMs kDay = TimeMs{24} * 3600 * 1000;
  ASSERT_EQ(browser.sign_up("a@example.org").status, 200);
  Browser idle{api};
  ASSERT_EQ(idle.sign_in("a@example.org").status, 200);
  for (int day = 0; day < 8; ++day) {
    api.clock.advance(kDay);
    EXPECT_EQ(browser.get("/api/jobs").status, 200) << day;
  }
  EXPECT_EQ(idle.get("/api/jobs").status, 401);
}

TEST_F(SignIn, LetsTheCookieLiveAsLongAsTheSetting) {
  api.live.update([](Settings& s) { s.set_stored("auth.sessionDuration", "7776000"); });
  const Answer up = browser.sign_up("a@example.org");
  EXPECT_THAT(std::string{up.headers.get("Set-Cookie")}, HasSubstr("Max-Age=7776000"));
  const Answer in = browser.post(
      "/api/auth/sign-in/email",
      {{"email", "a@example.org"}, {"password", Browser::kPassword}, {"rememberMe", false}});
  EXPECT_THAT(std::string{in.headers.get("Set-Cookie")}, Not(HasSubstr("Max-Age")));
}

TEST_F(SignIn, SendsNobodyToAnotherSiteAfterwards) {
  ASSERT_EQ(browser.sign_up("a@example.org").status, 200);
  const auto in = [&](const std::string& url) {
    return browser.post(
        "/api/auth/sign-in/email",
        {{"email", "a@example.org"}, {"password", Browser::kPassword}, {"callbackURL", url}});
  };
  const Answer good = in("/dashboard");
  EXPECT_EQ(good.headers.get("Location"), "/dashboard");
  EXPECT_EQ(good.body["redirect"], true);
  EXPECT_EQ(in("http://backup.test:3000/x").status, 200);
  for (const char* bad :
       {"https://evil.example/", "//evil.example", "/\\evil", "javascript:alert(1)"})
    EXPECT_EQ(in(bad).status, 403) << bad;
}

struct SecondFactor : SignIn {
  SecondFactor() {
    EXPECT_EQ(browser.sign_up("a@example.org").status, 200);
    const Answer setup =
        browser.post("/api/auth/two-factor/enable", {{"password", Browser::kPassword}});
    EXPECT_EQ(setup.status, 200) << setup.text;
    codes = setup.body["backupCodes"].get<std::vector<std::string>>();
    const std::string uri = setup.body["totpURI"].get<std::string>();
    EXPECT_THAT(uri,
                MatchesRegex("otpauth://totp/DBackup:a%40example.org\\?secret=[A-Z2-7]{32}&.*"));
    EXPECT_EQ(Browser{api}.sign_in("a@example.org").body.contains("token"), true)
        << "not in force yet";
    std::optional<User> user;
    api.database->read([&](Session& s) { user = UserStore{}.find_by_email(s, "a@example.org"); });
    secret = api.box.open(user->sealed_totp_secret, "totp/" + user->id);
    EXPECT_EQ(browser.post("/api/auth/two-factor/verify-totp", {{"code", now_code()}}).status, 200);
  }
  std::string now_code() { return totp_code(secret, api.clock.now_ms() / 1000); }
  std::string wrong_code() {
    const std::string good = now_code();
    return good == "000000" ? "111111" : "000000";
  }
  Answer answer(Browser& who, const std::string& text, bool trust = false) {
    return who.post("/api/auth/two-factor/verify-totp", {{"code", text}, {"trustDevice", trust}});
  }

  SecretString secret;
  std::vector<std::string> codes;
};

TEST_F(SecondFactor, IsAskedForAfterThePassword) {
  api.clock.advance(60'000);
  Browser second{api};
  const Answer in = second.sign_in("a@example.org");
  EXPECT_EQ(in.body, (Json{{"twoFactorRedirect", true}, {"twoFactorMethods", {"totp"}}}));
  EXPECT_FALSE(second.jar.contains("better-auth.session_token"));
  EXPECT_EQ(second.get("/api/jobs").status, 401);
  const Answer wrong = answer(second, wrong_code());
  EXPECT_EQ(wrong.status, 401);
  EXPECT_EQ(code(wrong), "INVALID_CODE");
  ASSERT_EQ(answer(second, now_code()).status, 200);
  EXPECT_EQ(second.get("/api/jobs").status, 200);
  EXPECT_FALSE(second.jar.contains("better-auth.two_factor"));
}

TEST_F(SecondFactor, TakesACodeOnce) {
  api.clock.advance(60'000);
  Browser first{api};
  Browser second{api};
  first.sign_in("a@example.org");
  second.sign_in("a@example.org");
  ASSERT_EQ(answer(first, now_code()).status, 200);
  EXPECT_EQ(answer(second, now_code()).status, 401);
  const auto backup = [&](Browser& who, const std::string& text) {
    return who.post("/api/auth/two-factor/verify-backup-code", {{"code", text}});
  };
  ASSERT_EQ(backup(second, codes[3]).status, 200);
  Browser third{api};
  third.sign_in("a@example.org");
  EXPECT_EQ(code(backup(third, codes[3])), "INVALID_BACKUP_CODE");
  EXPECT_EQ(backup(third, codes[4]).status, 200);
}

TEST_F(SecondFactor, TakesFiveTriesAChallengeAndLocksAfterTenFailures) {
  api.clock.advance(60'000);
  for (int challenge = 0; challenge < 2; ++challenge) {
    Browser guesser{api};
    guesser.sign_in("a@example.org");
    for (int i = 0; i < 5; ++i) EXPECT_EQ(code(answer(guesser, wrong_code())), "INVALID_CODE");
    EXPECT_EQ(code(answer(guesser, now_code())),
              challenge == 0 ? "INVALID_TWO_FACTOR_COOKIE" : "ACCOUNT_TEMPORARILY_LOCKED");
  }
  Browser owner{api};
  owner.sign_in("a@example.org");
  const Answer locked = answer(owner, now_code());
  EXPECT_EQ(locked.status, 429);
  api.clock.advance(16 * 60'000);
  owner.sign_in("a@example.org");
  EXPECT_EQ(answer(owner, now_code()).status, 200);
}

TEST_F(SecondFactor, IsSparedOnATrustedDeviceForThirtyDays) {
  api.clock.advance(60'000);
  Browser device{api};
  device.sign_in("a@example.org");
  ASSERT_EQ(answer(device, now_code(), true).status, 200);
  device.post("/api/auth/sign-out");
  EXPECT_TRUE(device.sign_in("a@example.org").body.contains("token"));
  api.clock.advance(TimeMs{31} * 24 * 3600 * 1000);
  EXPECT_FALSE(device.sign_in("a@example.org").body.contains("token"));
}

TEST_F(SecondFactor, IsSwitchedOffByPasswordOrByWhoMayChangeUsers) {
  EXPECT_EQ(code(browser.post("/api/auth/two-factor/disable", {{"password", "wrong"}})),
            "INVALID_PASSWORD");
  ASSERT_EQ(browser.post("/api/auth/two-factor/disable", {{"password", Browser::kPassword}}).status,
            200);
  EXPECT_TRUE(Browser{api}.sign_in("a@example.org").body.contains("token"));
}

TEST_F(SecondFactor, KeepsItsSecretsSealedAndItsCodesHashed) {
  std::string row;
  api.database->read([&](Session& s) {
    s.raw() << "SELECT sealed_totp_secret || backup_codes || password_hash FROM users",
        soci::into(row);
  });
  EXPECT_THAT(row, Not(HasSubstr(codes[0])));
  EXPECT_THAT(row, Not(HasSubstr(std::string{secret.reveal()})));
  EXPECT_THAT(row, HasSubstr("$argon2id$v=19$m=19456,t=2,p=1$"));
}

TEST_F(SignIn, SaysOfPasskeysAndIdentityProvidersThatTheyAreNotBuilt) {
  EXPECT_EQ(browser.post("/api/auth/sign-in/sso", {{"providerId", "x"}}).status, 501);
  EXPECT_EQ(browser.get("/api/auth/passkey/list-user-passkeys").status, 501);
  EXPECT_EQ(browser.get("/api/auth/sso/callback/x").status, 501);
  const Answer shown = browser.get("/api/auth/error/error?error=a%20b");
  EXPECT_EQ(shown.status, 302);
  EXPECT_EQ(shown.headers.get("Location"), "/?error=sso_a%20b");
  const Json options = browser.get("/api/sso/public").body["data"];
  EXPECT_EQ(options["signUp"], true);
  EXPECT_EQ(options["passkeyLogin"], false);
}

}  // namespace
}  // namespace dbackup::host
