#include "tests/e2e/scenario.hpp"
#include "tests/support/http_recorder.hpp"
#include "tests/support/smtp_server.hpp"

/// What a real run tells real channels, and what the log keeps of it.
namespace dbackup::testing {
namespace {

struct Told : Scenario {
  Told() {
    recorder.answer("204 No Content");
    mail = server.create_adapter("notification", "email",
                                 {{"host", "127.0.0.1"},
                                  {"port", smtp.port()},
                                  {"secure", "starttls"},
                                  {"caCertificate", smtp.certificate()},
                                  {"user", "bob"},
                                  {"password", "hunter2-mail"},
                                  {"from", "backup@example.net"},
                                  {"to", {"ops@example.org", "two@example.org"}}});
    chat = server.create_adapter("notification", "discord",
                                 {{"webhookUrl", recorder.url("/api/webhooks/1/hunter2-hook")}});
  }
  /// The log's entries once there are `count` of them, newest first.
  Json entries(size_t count) const {
    Json out;
    EXPECT_TRUE(wait_until([&] {
      out = server.get("/api/notification-logs").json().at("data");
      return out.size() >= count;
    })) << out.dump(1)
        << server.log();
    return out;
  }
  static Json entry_of(const Json& entries, const std::string& adapter, const std::string& event) {
    for (const Json& entry : entries) {
      if (entry.at("adapterId") == adapter && entry.at("eventType") == event) return entry;
    }
    ADD_FAILURE() << "no entry of " << adapter << " for " << event << " in " << entries.dump(1);
    return {};
  }

  SmtpServer smtp{{"starttls", "login=bob:hunter2-mail"}};
  test::HttpRecorder recorder;
  std::string mail, chat;
};

TEST(Notifications, TellMailAndChatOfSuccessAndOfFailure) {
  Told t;
  const std::string good = t.job({{"name", "good"}, {"notificationIds", {t.mail, t.chat}}});
  EXPECT_EQ(t.server.wait_for(t.server.run_job(good)).at("status"), "Success");
  t.entries(2);
  const std::string lost = t.server.create_adapter(
      "database", "sqlite", {{"mode", "local"}, {"path", t.folder / "none.db"}});
  const std::string bad =
      t.job({{"name", "bad"}, {"sourceId", lost}, {"notificationIds", {t.mail, t.chat}}});
  EXPECT_EQ(t.server.wait_for(t.server.run_job(bad)).at("status"), "Failed");
  const Json entries = t.entries(4);

  const auto mails = t.smtp.messages();
  ASSERT_EQ(mails.size(), 2U);
  EXPECT_EQ(mails[0].at("headers").at("Subject"), "Backup Successful: good");
  EXPECT_EQ(mails[1].at("headers").at("Subject"), "Backup Failed: bad");
  EXPECT_EQ(mails[1].at("receivers").size(), 2U);
  EXPECT_EQ(mails[1].at("tls"), true);
  const auto posts = t.recorder.requests();
  ASSERT_EQ(posts.size(), 2U);
  EXPECT_EQ(Json::parse(posts[0].body).at("embeds")[0].at("title"), "Backup Successful: good");
  EXPECT_EQ(Json::parse(posts[1].body).at("embeds")[0].at("title"), "Backup Failed: bad");
  EXPECT_EQ(Json::parse(posts[1].body).at("embeds")[0].at("color"), 15680580);

  const auto one = [&](const std::string& adapter, const std::string& event) {
    const Json entry = Told::entry_of(entries, adapter, event);
    EXPECT_EQ(entry.value("status", ""), "Success");
    return t.server.get("/api/notification-logs/" + entry.value("id", "")).json();
  };
  EXPECT_EQ(one("email", "backup_failure").at("renderedHtml"), mails[1].at("parts")[1].at("text"));
  const Json kept = one("discord", "backup_failure").at("renderedPayload");
  EXPECT_EQ(kept.is_string() ? Json::parse(kept.get<std::string>()) : kept,
            Json::parse(posts[1].body));
}

TEST(Notifications, ThatAreNotDeliveredAreWrittenDownAndHarmNoRun) {
  Told t;
  t.recorder.answer("404 Not Found", R"({"message":"Unknown Webhook","code":10015})");
  const std::string nobody = t.server.create_adapter(
      "notification", "email",
      {{"host", "127.0.0.1"}, {"port", 1}, {"from", "a@example.net"}, {"to", "b@example.net"}});
  const Json run = t.back_up({{"notificationIds", {t.chat, nobody, t.mail}}});
  EXPECT_EQ(run.at("status"), "Success");
  const Json entries = t.entries(3);
  const Json refused = Told::entry_of(entries, "discord", "backup_success");
  EXPECT_EQ(refused.at("status"), "Failed");
  EXPECT_EQ(refused.at("error"), "Discord returned 404: Unknown Webhook");
  EXPECT_EQ(t.smtp.messages().size(), 1U) << "the channels after it are told all the same";
  const std::string all = entries.dump() + run.dump() + t.server.log();
  EXPECT_EQ(all.find("hunter2"), std::string::npos);
}

TEST(Notifications, TellAPersonOfTheirSignInByMail) {
  Told t;
  const Answer set =
      t.server.call("PUT", "/api/settings/notifications",
                    {{"globalChannels", {t.mail, t.chat}},
                     {"events", {{"user_login", {{"enabled", true}, {"notifyUser", "only"}}}}}});
  ASSERT_EQ(set.status, 200) << set.body;
  const std::string password = "correct horse battery";
  const Answer user = t.server.post(
      "/api/users", {{"name", "Ann"}, {"email", "ann@example.org"}, {"password", password}});
  ASSERT_EQ(user.status, 201) << user.body;
  const CallOptions browser{.key = "-", .headers = {{"Origin", t.server.url()}}};
  const Answer in = t.server.call("POST", "/api/auth/sign-in/email",
                                  {{"email", "ann@example.org"}, {"password", password}}, browser);
  ASSERT_EQ(in.status, 200) << in.body;
  ASSERT_TRUE(wait_until([&] { return !t.smtp.messages().empty(); })) << t.server.log();
  const Json mail = t.smtp.messages().at(0);
  EXPECT_EQ(mail.at("headers").at("Subject"), "User Login");
  EXPECT_EQ(mail.at("receivers"), Json::array({"ann@example.org"}));
  t.entries(1);
  EXPECT_TRUE(t.recorder.requests().empty()) << "only the person is told";
}

}  // namespace
}  // namespace dbackup::testing
