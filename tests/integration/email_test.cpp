#include <gtest/gtest.h>

#include <chrono>
#include <dbackup/testing/gtest.hpp>

#include "tests/conformance/plugin_under_test.hpp"
#include "tests/support/smtp_server.hpp"

/// Mail over real SMTP, as the server took it.
namespace dbackup::tests {
namespace {

using testing::FakeCall;
using testing::NotifierInstance;
using testing::Outcome;
using testing::SmtpServer;

Json failure_event() {
  return {{"eventType", "backup_failure"},
          {"title", "Backup Failed: Nightly"},
          {"message", "\"Nightly\" was not backed up: disk full\n.hidden\n\nümlaut = 1   "},
          {"success", false},
          {"color", "#ef4444"},
          {"timestamp", "2026-08-09T02:00:05.000Z"},
          {"fields",
           {{{"name", "Job"}, {"value", "Nightly"}},
            {{"name", "Error"}, {"value", "<script>alert(1)</script> & more"}}}}};
}

class Email : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(SmtpServer::installed()) << "python3-aiosmtpd is missing"; }

  static Json config_of(const SmtpServer& server, const Json& more = Json::object()) {
    Json out{{"host", "127.0.0.1"},
             {"port", server.port()},
             {"secure", "none"},
             {"from", "DBackup <backup@example.net>"},
             {"to", "ops@example.org"}};
    out.update(more);
    return out;
  }
  Outcome send(const Json& config, const Json& event = failure_event()) {
    FakeCall call;
    return send(config, event, call);
  }
  Outcome send(const Json& config, const Json& event, FakeCall& call) {
    Outcome outcome;
    const auto notifier = open(config, outcome);
    return outcome.ok() ? notifier.run(table().send, call, event) : outcome;
  }
  Outcome test(const Json& config) {
    Outcome outcome;
    const auto notifier = open(config, outcome);
    FakeCall call;
    return outcome.ok() ? notifier.test(call) : outcome;
  }
  NotifierInstance open(const Json& config, Outcome& outcome) {
    return NotifierInstance::open(table(), testing::with_defaults(adapter_, config), outcome);
  }
  const dbackup_notifier& table() const {
    return *testing::table_of<dbackup_notifier>(adapter_, DBACKUP_EXT_NOTIFIER);
  }

  testing::PluginFile plugin_ = built_plugin("email");
  const dbackup_adapter& adapter_ = plugin_.adapter("email");
};

TEST_F(Email, DoesWhatEveryNotifierPromises) {
  SmtpServer server;
  EXPECT_TRUE(testing::conforms(
      adapter_,
      {.config = config_of(server), .unreachable_config = config_of(server, {{"port", 1}})}));
}

TEST_F(Email, IsATextAndACardToEveryReceiver) {
  SmtpServer server;
  const Outcome outcome =
      send(config_of(server, {{"to", {"ops@example.org", "Ops Two <two@example.org>"}}}));
  ASSERT_TRUE(outcome.ok()) << outcome.text();
  const Json mail = server.messages().at(0);
  EXPECT_EQ(mail["from"], "backup@example.net");
  EXPECT_EQ(mail["receivers"], (Json{"ops@example.org", "two@example.org"}));
  EXPECT_EQ(mail["tls"], false);
  EXPECT_EQ(mail["headers"]["Subject"], "Backup Failed: Nightly");
  EXPECT_EQ(mail["headers"]["From"], "DBackup <backup@example.net>");
  EXPECT_EQ(mail["headers"]["To"], "ops@example.org, Ops Two <two@example.org>");
  EXPECT_EQ(mail["headers"]["MIME-Version"], "1.0");
  EXPECT_EQ(mail["headers"]["Auto-Submitted"], "auto-generated");
  EXPECT_EQ(mail["headers"]["Message-ID"].get<std::string>().size(), 32 + 14u);
  EXPECT_NE(mail["headers"]["Date"].get<std::string>().find(" +0000"), std::string::npos);
  EXPECT_EQ(mail["type"], "multipart/alternative");
  EXPECT_EQ(mail["defects"], Json::array());
  EXPECT_LE(mail["longest"], 78);
  ASSERT_EQ(mail["parts"].size(), 2u);
  EXPECT_EQ(mail["parts"][0]["type"], "text/plain");
  EXPECT_EQ(mail["parts"][0]["text"],
            "\"Nightly\" was not backed up: disk full\n.hidden\n\nümlaut = 1   ");
  EXPECT_EQ(mail["parts"][1]["type"], "text/html");
  const auto html = mail["parts"][1]["text"].get<std::string>();
  EXPECT_NE(html.find("✕&nbsp;Failed"), std::string::npos);
  EXPECT_NE(html.find("color:#ef4444;background:#fef2f2;border:1px solid #fecaca"), html.npos);
  EXPECT_NE(html.find("&lt;script&gt;alert(1)&lt;/script&gt; &amp; more"), html.npos);
  EXPECT_EQ(html.find("<script>"), html.npos);
  EXPECT_EQ(outcome.result["format"], "html");
  EXPECT_EQ(outcome.result["rendered"], html) << "what the log keeps is what was sent";
}

TEST_F(Email, HasABadgeForEveryKindOfEvent) {
  SmtpServer server;
  const struct {
    Json event;
    const char* badge;
    const char* border;
  } table[] = {
      {{{"success", true}, {"color", "#22c55e"}}, "✓&nbsp;Success", "#bbf7d0"},
      {{{"success", true}, {"color", "#3b82f6"}}, "ℹ&nbsp;Info", "#bfdbfe"},
      {{{"success", true}, {"color", "#8b5cf6"}}, "✓&nbsp;Completed", "#ddd6fe"},
      {{{"success", true}, {"color", "#f59e0b"}}, "⚠&nbsp;Warning", "#fde68a"},
      {{{"success", true}, {"color", "#3b82f6"}, {"badge", "Update"}}, "ℹ&nbsp;Update", "#bfdbfe"},
      {{{"success", false}, {"color", "#f97316"}}, "✕&nbsp;Failed", "#fecaca"},
      {{{"success", false}, {"color", "#f97316"}, {"badge", "Partial"}},
       "⚠&nbsp;Partial",
       "#fed7aa"},
      {{{"success", false}, {"color", "#3b82f6"}, {"badge", "Alert"}}, "⚠&nbsp;Alert", "#bfdbfe"},
      {{{"success", false}, {"color", "#ef4444"}, {"badge", "<i>"}}, "⚠&nbsp;&lt;i&gt;", "#fecaca"},
      {{{"success", false}, {"badge", "Alert"}}, "⚠&nbsp;Alert", "#fde68a"},
  };
  for (const auto& row : table) {
    Json event{{"title", "T"}, {"message", "M"}};
    event.update(row.event);
    ASSERT_TRUE(send(config_of(server), event).ok());
    const auto html = server.messages().back()["parts"][1]["text"].get<std::string>();
    EXPECT_NE(html.find(row.badge), html.npos) << row.badge;
    EXPECT_NE(html.find(std::string{"1px solid "} + row.border + "\">"), html.npos) << row.badge;
  }
}

TEST_F(Email, EncodesSubjectsAndNamesThatAreNotAscii) {
  SmtpServer server;
  const std::string title =
      "Sicherung fehlgeschlagen: Größe überschritten – 数据库数据库数据库数据库 😀";
  ASSERT_TRUE(send(config_of(server, {{"from", "Sicherung für alle <backup@example.net>"}}),
                   {{"title", title}, {"message", "M"}})
                  .ok());
  const Json mail = server.messages().at(0);
  EXPECT_EQ(mail["headers"]["Subject"], title);
  EXPECT_EQ(mail["headers"]["From"], "Sicherung für alle <backup@example.net>");
  EXPECT_EQ(mail["defects"], Json::array());
  EXPECT_LE(mail["longest"], 78);
}

TEST_F(Email, LetsNoTextBeginAHeaderOfItsOwn) {
  SmtpServer server;
  ASSERT_TRUE(
      send(config_of(server), {{"title", "a\r\nBcc: spy@example.org\n\nbody"}, {"message", "M"}})
          .ok());
  const Json mail = server.messages().at(0);
  EXPECT_FALSE(mail["headers"].contains("Bcc"));
  EXPECT_EQ(mail["headers"]["Subject"], "a  Bcc: spy@example.org  body");
  for (const Json& bad :
       {Json{{"to", "a@example.org\r\nBcc: b@example.org"}},
        Json{{"to", {"a@example.org", "b\n@example.org"}}},
        Json{{"from", "x\r\nBcc: b@example.org <a@example.org>"}}, Json{{"to", "no address"}},
        Json{{"to", Json::array()}}, Json{{"to", ""}}, Json{{"to", "a@b@"}},
        Json{{"to", "a@example..org"}}, Json{{"from", "@x"}}, Json{{"from", "<a b@example.org>"}},
        Json{{"host", "a/b"}}, Json{{"host", "a b"}}, Json{{"secure", "tls"}}}) {
    EXPECT_EQ(send(config_of(server, bad)).status, DBACKUP_INVALID_ARGUMENT) << bad.dump();
  }
  EXPECT_EQ(server.messages().size(), 1u);
}

TEST_F(Email, IsUpgradedToTlsBeforeAnythingIsSaid) {
  SmtpServer server{{"starttls", "login=bob:s3cr:et"}};
  const Json login{{"secure", "starttls"},
                   {"user", "bob"},
                   {"password", "s3cr:et"},
                   {"caCertificate", server.certificate()}};
  const Outcome outcome = send(config_of(server, login));
  ASSERT_TRUE(outcome.ok()) << outcome.text();
  EXPECT_EQ(server.messages().at(0)["tls"], true);
  EXPECT_EQ(server.messages().at(0)["user"], "bob");
}

TEST_F(Email, IsNotSentWithoutTheTlsThatWasAskedFor) {
  SmtpServer server;
  const Outcome outcome = send(config_of(server, {{"secure", "starttls"}}));
  EXPECT_EQ(outcome.status, DBACKUP_FAILED_PRECONDITION);
  EXPECT_EQ(outcome.message.find("the SMTP server offers no STARTTLS"), 0u) << outcome.message;
  EXPECT_TRUE(server.messages().empty());
}

TEST_F(Email, ChecksTheCertificateUnlessToldNotTo) {
  for (const char* secure : {"starttls", "ssl"}) {
    SmtpServer server{{std::string{secure} == "ssl" ? "tls" : "starttls"}};
    const Outcome unknown = send(config_of(server, {{"secure", secure}}));
    EXPECT_EQ(unknown.status, DBACKUP_FAILED_PRECONDITION) << unknown.text();
    EXPECT_EQ(unknown.message.find("no trusted connection to the SMTP server: "), 0u)
        << unknown.message;
    EXPECT_TRUE(server.messages().empty());
    EXPECT_TRUE(send(config_of(server, {{"secure", secure}, {"tlsVerify", false}})).ok());
    EXPECT_TRUE(send(config_of(server, {{"secure", secure},
                                        {"host", "localhost"},
                                        {"caCertificate", server.certificate()}}))
                    .ok());
    ASSERT_EQ(server.messages().size(), 2u);
    EXPECT_EQ(server.messages()[1]["tls"], true);
  }
}

TEST_F(Email, NeverUsesTlsWhereNoneIsAskedFor) {
  SmtpServer server{{"starttls"}};
  const Outcome outcome = send(config_of(server));
  EXPECT_EQ(outcome.status, DBACKUP_UNAUTHENTICATED);
  EXPECT_EQ(outcome.message.find("SMTP server returned 530: Must issue a STARTTLS"), 0u)
      << outcome.message;
}

TEST_F(Email, SignsInWithUserAndPasswordAlone) {
  SmtpServer server{{"login=bob:right"}};
  const Outcome wrong = send(config_of(server, {{"user", "bob"}, {"password", "wrong-one"}}));
  EXPECT_EQ(wrong.status, DBACKUP_UNAUTHENTICATED);
  EXPECT_EQ(
      wrong.message.find("SMTP server returned 535: 5.7.8 Authentication credentials invalid"), 0u)
      << wrong.message;
  EXPECT_EQ((wrong.message + wrong.detail).find("wrong-one"), std::string::npos);
  EXPECT_TRUE(send(config_of(server, {{"user", "bob"}, {"password", "right"}})).ok());
  EXPECT_EQ(send(config_of(server, {{"user", "bob"}})).status, DBACKUP_UNAUTHENTICATED)
      << "half a login is none";
  EXPECT_EQ(server.messages().size(), 1u);
}

TEST_F(Email, IsNotSentUnsignedWhereASignInIsWanted) {
  SmtpServer server;
  const Outcome outcome = send(config_of(server, {{"user", "bob"}, {"password", "pw"}}));
  EXPECT_EQ(outcome.status, DBACKUP_FAILED_PRECONDITION);
  EXPECT_EQ(outcome.message.find("the SMTP server offers no sign-in"), 0u) << outcome.message;
  EXPECT_TRUE(server.messages().empty());
}

TEST_F(Email, SaysWhichReceiversWereRefused) {
  SmtpServer server{{"refuse=gone@example.org", "refuse=lost@example.org"}};
  const Json to{{"to", {"gone@example.org", "ops@example.org", "lost@example.org"}}};
  const Outcome some = send(config_of(server, to));
  EXPECT_EQ(some.status, DBACKUP_FAILED_PRECONDITION);
  EXPECT_EQ(
      some.message,
      "SMTP server refused \"gone@example.org\" (550: 5.1.1 no mailbox of that name), "
      "\"lost@example.org\" (550: 5.1.1 no mailbox of that name); the message was delivered to the "
      "other 1 of 3");
  ASSERT_EQ(server.messages().size(), 1u);
  EXPECT_EQ(server.messages()[0]["receivers"], Json::array({"ops@example.org"}));
  const Outcome all = send(config_of(server, {{"to", "gone@example.org"}}));
  EXPECT_EQ(all.message,
            "SMTP server refused \"gone@example.org\" (550: 5.1.1 no mailbox of that name)");
  EXPECT_EQ(server.messages().size(), 1u);
}

TEST_F(Email, FailsInTheServersWords) {
  SmtpServer busy{{"busy"}};
  const Outcome tired = send(config_of(busy));
  EXPECT_EQ(tired.status, DBACKUP_UNAVAILABLE);
  EXPECT_EQ(tired.message, "SMTP server returned 421: 4.3.2 the server is tired");
  SmtpServer full{{"full"}};
  EXPECT_EQ(send(config_of(full)).message, "SMTP server returned 452: 4.3.1 the disk is full");
}

TEST_F(Email, DoesNotWaitForAGoodbye) {
  SmtpServer server{{"speechless"}};
  const auto since = std::chrono::steady_clock::now();
  EXPECT_TRUE(send(config_of(server)).ok());
  EXPECT_LT(std::chrono::steady_clock::now() - since, std::chrono::seconds{4});
  EXPECT_EQ(server.messages().size(), 1u);
}

TEST_F(Email, OfATestNamesItsReceivers) {
  SmtpServer server;
  const Outcome outcome =
      test(config_of(server, {{"to", "a@example.org, b@example.org; a@example.org"}}));
  ASSERT_TRUE(outcome.ok()) << outcome.text();
  EXPECT_EQ(outcome.result["message"],
            "SMTP connection verified. Test email sent to a@example.org, b@example.org");
  EXPECT_EQ(server.messages().at(0)["receivers"].size(), 2u);
  EXPECT_FALSE(test(config_of(server, {{"port", 1}})).ok());
}

TEST_F(Email, IsLeftWithinASecondOfACancellation) {
  SmtpServer server{{"speechless"}};
  FakeCall call;
  call.cancel_at_question(3);
  const auto since = std::chrono::steady_clock::now();
  EXPECT_EQ(send(config_of(server), failure_event(), call).status, DBACKUP_CANCELLED);
  EXPECT_LT(std::chrono::steady_clock::now() - since, std::chrono::seconds{1});
}

}  // namespace
}  // namespace dbackup::tests
