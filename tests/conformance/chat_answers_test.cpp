#include <chrono>

#include "chat_bench.hpp"

/// What a channel makes of what the service answers.
namespace dbackup::tests {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

class ChatAnswer : public ChatBench {
 protected:
  std::string refusal(const std::string& id, const std::string& status, const std::string& body) {
    recorder_.answer(status, body);
    const Outcome outcome = send(id, failure_event());
    EXPECT_FALSE(outcome.ok()) << id;
    return outcome.message;
  }
};

TEST_F(ChatAnswer, IsToldInTheServicesWords) {
  EXPECT_EQ(refusal("discord", "404 Not Found", R"({"message":"Unknown Webhook","code":10015})"),
            "Discord returned 404: Unknown Webhook");
  EXPECT_EQ(refusal("discord", "400 Bad Request",
                    R"({"message":"Invalid Form Body","code":50035,"errors":{"embeds":["x"]}})"),
            R"(Discord returned 400: Invalid Form Body: {"embeds":["x"]})");
  EXPECT_EQ(refusal("slack", "403 Forbidden", "invalid_token"),
            "Slack returned 403: invalid_token");
  EXPECT_EQ(refusal("slack", "410 Gone", "channel_is_archived"),
            "Slack returned 410: channel_is_archived");
  EXPECT_EQ(refusal("teams", "413 Payload Too Large", ""), "Teams returned 413: Payload Too Large");
  EXPECT_EQ(refusal("teams", "400 Bad Request", R"({"error":{"code":"X","message":"no trigger"}})"),
            "Teams returned 400: no trigger");
  EXPECT_EQ(
      refusal("teams", "200 OK",
              "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP "
              "error 413"),
      "Teams returned 200: Webhook message delivery failed with error: Microsoft Teams endpoint "
      "returned HTTP error 413");
  EXPECT_EQ(refusal("telegram", "400 Bad Request",
                    R"({"ok":false,"error_code":400,"description":"Bad Request: chat not found"})"),
            "Telegram returned 400: Bad Request: chat not found");
  EXPECT_EQ(
      refusal(
          "gotify", "401 Unauthorized",
          R"({"error":"Unauthorized","errorCode":401,"errorDescription":"you need a valid token"})"),
      "Gotify returned 401: Unauthorized: you need a valid token");
  EXPECT_EQ(refusal("ntfy", "403 Forbidden", R"({"code":40301,"http":403,"error":"forbidden"})"),
            "ntfy returned 403: forbidden");
  EXPECT_EQ(
      refusal("twilio-sms", "400 Bad Request",
              R"({"code":21211,"message":"invalid 'To' number","more_info":"","status":400})"),
      "Twilio returned 400: invalid 'To' number");
}

TEST_F(ChatAnswer, ThatIsAnotherServersPageIsNoDelivery) {
  for (const char* id : {"gotify", "ntfy", "telegram", "twilio-sms"}) {
    recorder_.answer("200 OK", "<html>welcome</html>");
    EXPECT_FALSE(send(id, failure_event()).ok()) << id;
  }
}

TEST_F(ChatAnswer, NeverShowsASecret) {
  for (const Service& each : services()) {
    Json config{{each.address, recorder_.url("/hook/s3cret?key=s3cret")}};
    if (std::string{each.address} != "webhookUrl") config[each.address] = recorder_.url("/base");
    const auto url = config[each.address].get<std::string>();
    recorder_.answer("400 Bad Request",
                     "no such thing: t0ken at " + url + " of AC123 and 123:t0ken");
    const Outcome outcome = send(each.id, failure_event(), config);
    const std::string all = outcome.message + outcome.detail;
    EXPECT_EQ(all.find("s3cret"), std::string::npos) << all;
    for (const char* secret : {"botToken", "appToken", "authToken", "accountSid"}) {
      if (!each.config.contains(secret)) continue;
      EXPECT_EQ(all.find(each.config[secret].get<std::string>()), std::string::npos) << all;
    }
    config[each.address] = "http://127.0.0.1:1/s3cret";
    const Outcome nobody = send(each.id, failure_event(), config);
    EXPECT_EQ(nobody.status, DBACKUP_UNAVAILABLE) << each.id;
    EXPECT_EQ(nobody.message.find(std::string{each.name} + ": no answer: "), 0u) << nobody.message;
    EXPECT_EQ((nobody.message + nobody.detail).find("s3cret"), std::string::npos);
    EXPECT_EQ((nobody.message + nobody.detail).find("t0ken"), std::string::npos);
  }
}

TEST_F(ChatAnswer, ThatAsksToWaitIsWaitedForAndTriedAgain) {
  const struct {
    const char* id;
    const char* body;
    const char* headers;
    milliseconds least;
  } table[] = {
      {"discord", R"({"message":"slow down","retry_after":0.4,"global":false})", "",
       milliseconds{400}},
      {"telegram",
       R"({"ok":false,"description":"Too Many Requests","parameters":{"retry_after":1}})", "",
       milliseconds{1000}},
      {"slack", "rate_limited", "Retry-After: 1\r\n", milliseconds{1000}},
  };
  for (const auto& row : table) {
    say_yes(service(row.id));
    recorder_.answer_once("429 Too Many Requests", row.body, row.headers);
    const size_t before = recorder_.requests().size();
    const auto since = Clock::now();
    EXPECT_TRUE(send(row.id, failure_event()).ok()) << row.id;
    EXPECT_GE(Clock::now() - since, row.least) << row.id;
    const auto requests = recorder_.requests();
    ASSERT_EQ(requests.size(), before + 2) << row.id;
    EXPECT_EQ(requests[before].body, requests[before + 1].body);
  }
}

TEST_F(ChatAnswer, ThatAsksToWaitTooLongNamesTheMoment) {
  const auto since = Clock::now();
  for (const Service& each : services()) {
    recorder_.answer("429 Too Many Requests",
                     R"({"message":"busy","description":"busy","error":"busy","retry_after":65,)"
                     R"("parameters":{"retry_after":65}})",
                     "Retry-After: 65\r\n");
    const size_t before = recorder_.requests().size();
    const Outcome outcome = send(each.id, failure_event());
    EXPECT_EQ(outcome.status, DBACKUP_UNAVAILABLE) << each.id;
    EXPECT_EQ(outcome.message.find(std::string{each.name} +
                                   " returned 429: busy; it may be tried again in 65 s, at 20"),
              0u)
        << outcome.message;
    EXPECT_EQ(recorder_.requests().size(), before + 1) << each.id;
  }
  EXPECT_LT(Clock::now() - since, std::chrono::seconds{5});
}

TEST_F(ChatAnswer, IsLeftWithinHalfASecondOfACancellation) {
  recorder_.answer("429 Too Many Requests", "", "Retry-After: 15\r\n");
  FakeCall call;
  call.cancel_at_question(8);
  const auto since = Clock::now();
  EXPECT_EQ(send("slack", failure_event(), Json::object(), call).status, DBACKUP_CANCELLED);
  EXPECT_LT(Clock::now() - since, std::chrono::seconds{2});
}

TEST_F(ChatAnswer, ThatMayMeanADeliveryIsNotTriedAgain) {
  for (const Service& each : services()) {
    recorder_.answer("503 Service Unavailable", "", "Retry-After: 1\r\n");
    const size_t before = recorder_.requests().size();
    EXPECT_EQ(send(each.id, failure_event()).status, DBACKUP_UNAVAILABLE) << each.id;
    EXPECT_EQ(recorder_.requests().size(), before + 1) << each.id;
  }
}

TEST_F(ChatAnswer, NeverLeadsElsewhere) {
  for (const Service& each : services()) {
    recorder_.answer("307 Temporary Redirect", "", "Location: http://169.254.169.254/latest\r\n");
    const size_t before = recorder_.requests().size();
    EXPECT_EQ(send(each.id, failure_event()).message,
              std::string{each.name} + " returned 307: Temporary Redirect");
    EXPECT_EQ(recorder_.requests().size(), before + 1);
  }
}

TEST_F(ChatAnswer, IsNotAskedOfMetadataServicesOrOtherProtocols) {
  for (const Service& each : services()) {
    for (const char* url : {"http://169.254.169.254/x", "http://2852039166/x",
                            "http://0xA9FEA9FE/x", "http://[::ffff:169.254.169.254]/x",
                            "http://[fd00:ec2::254]/x", "http://metadata.google.internal/x"}) {
      EXPECT_EQ(send(each.id, failure_event(), {{each.address, url}}).status,
                DBACKUP_PERMISSION_DENIED)
          << each.id << " " << url;
    }
    for (const char* url : {"file:///etc/passwd", "gopher://127.0.0.1/x", "ftp://127.0.0.1/x"}) {
      EXPECT_EQ(send(each.id, failure_event(), {{each.address, url}}).status,
                DBACKUP_INVALID_ARGUMENT)
          << each.id << " " << url;
    }
  }
}

TEST_F(ChatAnswer, IsNotWantedForValuesThatWouldChangeTheRequest) {
  const struct {
    const char* id;
    Json more;
  } table[] = {{"telegram", {{"botToken", "1:x/../y"}}},
               {"telegram", {{"apiUrl", "http://127.0.0.1/?x="}}},
               {"twilio-sms", {{"accountSid", "AC/../x"}}},
               {"twilio-sms", {{"to", "0123456"}}},
               {"gotify", {{"appToken", "a\r\nX-Injected: 1"}}},
               {"ntfy", {{"accessToken", "a\nX-Injected: 1"}}}};
  for (const auto& row : table)
    EXPECT_EQ(send(row.id, failure_event(), row.more).status, DBACKUP_INVALID_ARGUMENT)
        << row.more.dump();
  EXPECT_TRUE(recorder_.requests().empty());
}

}  // namespace
}  // namespace dbackup::tests
