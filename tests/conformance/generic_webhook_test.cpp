#include <gtest/gtest.h>

#include <chrono>
#include <dbackup/testing/gtest.hpp>

#include "plugin_under_test.hpp"
#include "tests/support/http_recorder.hpp"

namespace dbackup::tests {
namespace {

using test::HttpRecorder;
using testing::FakeCall;
using testing::NotifierInstance;
using testing::Outcome;

class GenericWebhook : public ::testing::Test {
 protected:
  Outcome send(Json config, const Json& event = testing::detail::sample_event()) {
    FakeCall call;
    return send(std::move(config), event, call);
  }
  Outcome send(Json config, const Json& event, FakeCall& call) {
    const auto& table = *testing::table_of<dbackup_notifier>(adapter_, DBACKUP_EXT_NOTIFIER);
    if (!config.contains("webhookUrl")) config["webhookUrl"] = recorder_.url("/hook?key=s3cret");
    Outcome outcome;
    const auto notifier =
        NotifierInstance::open(table, testing::with_defaults(adapter_, config), outcome);
    return outcome.ok() ? notifier.run(table.send, call, event) : outcome;
  }

  HttpRecorder recorder_;
  testing::PluginFile plugin_ = built_plugin("generic-webhook");
  const dbackup_adapter& adapter_ = plugin_.adapter("generic-webhook");
};

TEST_F(GenericWebhook, DoesWhatEveryNotifierPromises) {
  EXPECT_TRUE(testing::conforms(
      adapter_, {.config = Json{{"webhookUrl", recorder_.url()}},
                 .unreachable_config = Json{{"webhookUrl", "http://127.0.0.1:1/"}}}));
}

TEST_F(GenericWebhook, SendsTheEventAsOneJsonObject) {
  ASSERT_TRUE(send({{"authHeader", "Bearer t0ken"},
                    {"customHeaders", "X-One: 1\n\nX-Two:  two words \r\n"}})
                  .ok());
  const auto request = recorder_.requests().at(0);
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.target, "/hook?key=s3cret");
  EXPECT_EQ(request.headers.at("content-type"), "application/json");
  EXPECT_EQ(request.headers.at("authorization"), "Bearer t0ken");
  EXPECT_EQ(request.headers.at("x-one"), "1");
  EXPECT_EQ(request.headers.at("x-two"), "two words");
  EXPECT_EQ(
      request.body,
      R"({"title":"Backup Failed: Nightly \"full\"","message":"disk full\nsecond line","success":false,)"
      R"("color":"#ef4444","timestamp":"2026-08-09T02:00:05.000Z","eventType":"backup_failure","fields":)"
      R"([{"name":"Job","value":"Nightly","inline":true},)"
      R"({"name":"Error","value":"größer: \\ \" '","inline":false}]})");
}

TEST_F(GenericWebhook, FillsInWhatAnEventLeavesOut) {
  ASSERT_TRUE(send(Json::object(), {{"message", "M"}, {"success", false}}).ok());
  const Json body = Json::parse(recorder_.requests().at(0).body);
  EXPECT_EQ(body.at("title"), "Notification");
  EXPECT_EQ(body.at("color"), "#ff0000");
  EXPECT_EQ(body.at("timestamp").get<std::string>().size(), 24u);
  EXPECT_FALSE(body.contains("eventType"));
  EXPECT_FALSE(body.contains("fields"));
}

TEST_F(GenericWebhook, EscapesTemplateValuesForJsonAlone) {
  const std::string pattern =
      R"({"text":"{{title}} {{nothing}}","ok":{{success}},"all":{{ fields }}})";
  ASSERT_TRUE(send({{"payloadTemplate", pattern}}).ok());
  const Json body = Json::parse(recorder_.requests().at(0).body);
  EXPECT_EQ(body.at("text"), "Backup Failed: Nightly \"full\" ");
  EXPECT_EQ(body.at("ok"), false);
  EXPECT_EQ(body.at("all").size(), 2u);

  ASSERT_TRUE(send({{"payloadTemplate", "{{title}}|{{message}}"}, {"contentType", "text/plain"}},
                   {{"title", "a {{message}}"}, {"message", "say \"b\""}})
                  .ok());
  EXPECT_EQ(recorder_.requests().at(1).body, "a {{message}}|say \"b\"");
}

TEST_F(GenericWebhook, FillsInAnEmptyListWhereAnEventHasNoFields) {
  ASSERT_TRUE(send({{"payloadTemplate", R"({"all":{{fields}}})"}}, {{"message", "M"}}).ok());
  EXPECT_EQ(recorder_.requests().at(0).body, R"({"all":[]})");
}

TEST_F(GenericWebhook, SendsNoBodyWithGetAndHead) {
  for (const char* method : {"GET", "HEAD", "PUT", "PATCH"}) {
    ASSERT_TRUE(send({{"method", method}}).ok()) << method;
    const auto request = recorder_.requests().back();
    EXPECT_EQ(request.method, method);
    EXPECT_EQ(request.body.empty(), std::string{method} == "GET" || std::string{method} == "HEAD");
  }
}

TEST_F(GenericWebhook, TakesAnyTwoHundredForSuccessAndNothingElse) {
  recorder_.answer("204 No Content");
  EXPECT_TRUE(send(Json::object()).ok());
  recorder_.answer("302 Found", "", "Location: " + recorder_.url("/elsewhere") + "\r\n");
  const Outcome redirected = send(Json::object());
  EXPECT_EQ(redirected.status, DBACKUP_FAILED_PRECONDITION);
  EXPECT_EQ(redirected.message, "Webhook returned 302: Found");
  EXPECT_EQ(recorder_.requests().size(), 2u) << "a redirect was followed";
}

TEST_F(GenericWebhook, SaysWhatTheFarSideAnsweredWithoutItsSecrets) {
  recorder_.answer("500 Oh no", "bad header Bearer t0ken " + std::string(400, 'x'));
  const Outcome outcome = send({{"authHeader", "Bearer t0ken"}});
  EXPECT_EQ(outcome.status, DBACKUP_UNAVAILABLE);
  EXPECT_EQ(outcome.message.find("Webhook returned 500: bad header *** xxx"), 0u)
      << outcome.message;
  EXPECT_LT(outcome.message.size(), 340u);
  recorder_.answer("401 Unauthorized");
  EXPECT_EQ(send(Json::object()).status, DBACKUP_UNAUTHENTICATED);
  recorder_.answer("404 Not Found");
  EXPECT_EQ(send(Json::object()).message, "Webhook returned 404: Not Found");
}

TEST_F(GenericWebhook, ReadsNoMoreOfAnEndlessAnswerThanItShows) {
  recorder_.answer("200 OK", std::string(8 * 1024 * 1024, 'x'));
  EXPECT_TRUE(send(Json::object()).ok());
}

TEST_F(GenericWebhook, RefusesMetadataServicesInEverySpelling) {
  for (const char* url :
       {"http://169.254.169.254/latest", "http://2852039166/", "http://0xA9FEA9FE/",
        "http://0251.0376.0251.0376/", "http://169.254.43518/", "http://[::ffff:169.254.169.254]/",
        "http://[::ffff:a9fe:a9fe]/", "http://[64:ff9b::a9fe:a9fe]/", "http://[fd00:ec2::254]/",
        "http://metadata.google.internal/", "http://METADATA.google.internal./",
        "http://100.100.100.200/", "http://169.254.170.2/v2"}) {
    EXPECT_EQ(send({{"webhookUrl", url}}).status, DBACKUP_PERMISSION_DENIED) << url;
  }
}

TEST_F(GenericWebhook, RefusesEverythingButHttp) {
  for (const char* url :
       {"file:///etc/passwd", "gopher://127.0.0.1/", "ftp://127.0.0.1/", "not a url", "http://"}) {
    EXPECT_EQ(send({{"webhookUrl", url}}).status, DBACKUP_INVALID_ARGUMENT) << url;
  }
}

TEST_F(GenericWebhook, RefusesHeadersThatWouldBreakTheRequest) {
  EXPECT_EQ(send({{"customHeaders", "no colon here"}}).status, DBACKUP_INVALID_ARGUMENT);
  EXPECT_EQ(send({{"authHeader", "a\r\nX-Injected: 1"}}).status, DBACKUP_INVALID_ARGUMENT);
  EXPECT_TRUE(recorder_.requests().empty());
}

TEST_F(GenericWebhook, EndsWithinASecondWhenCancelledWhileWaiting) {
  recorder_.stay_silent();
  FakeCall call;
  call.cancel_at_question(4);
  const auto since = std::chrono::steady_clock::now();
  EXPECT_EQ(send(Json::object(), testing::detail::sample_event(), call).status, DBACKUP_CANCELLED);
  EXPECT_LT(std::chrono::steady_clock::now() - since, std::chrono::seconds{1});
}

TEST_F(GenericWebhook, NeverShowsTheUrlInAnError) {
  const Outcome refused = send({{"webhookUrl", "http://127.0.0.1:1/path?key=s3cret"}});
  EXPECT_EQ(refused.status, DBACKUP_UNAVAILABLE);
  EXPECT_EQ((refused.message + refused.detail).find("s3cret"), std::string::npos)
      << refused.message;
}

}  // namespace
}  // namespace dbackup::tests
