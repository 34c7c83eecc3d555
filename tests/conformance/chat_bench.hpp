#pragma once

#include <gtest/gtest.h>

#include <dbackup/testing/gtest.hpp>
#include <string>

#include "plugin_under_test.hpp"
#include "tests/support/http_recorder.hpp"

namespace dbackup::tests {

using test::HttpRecorder;
using test::RecordedRequest;
using testing::FakeCall;
using testing::NotifierInstance;
using testing::Outcome;

/// What each service needs to be told where the recorder is, and how it says yes.
struct Service {
  const char* id;
  const char* name;     ///< in messages
  Json config;          ///< without an address
  const char* address;  ///< option that holds it
  const char* status;   ///< of a good answer
  const char* good_body;
  const char* path;  ///< behind the address
};

inline const std::vector<Service>& services() {
  static const std::vector<Service> all{
      {"discord", "Discord", Json::object(), "webhookUrl", "204 No Content", "", ""},
      {"slack", "Slack", Json::object(), "webhookUrl", "200 OK", "ok", ""},
      {"teams", "Teams", Json::object(), "webhookUrl", "202 Accepted", "", ""},
      {"telegram",
       "Telegram",
       {{"botToken", "123:t0ken"}, {"chatId", "-1001"}},
       "apiUrl",
       "200 OK",
       R"({"ok":true,"result":{}})",
       "/bot123:t0ken/sendMessage"},
      {"gotify",
       "Gotify",
       {{"appToken", "t0ken"}},
       "serverUrl",
       "200 OK",
       R"({"id":25,"appid":5,"message":"m","title":"t","priority":5,"date":"2026"})",
       "/message"},
      {"ntfy",
       "ntfy",
       {{"topic", "my backups/ü"}},
       "serverUrl",
       "200 OK",
       R"({"id":"x","time":1,"event":"message","topic":"t"})",
       "/my%20backups%2F%C3%BC"},
      {"twilio-sms",
       "Twilio",
       {{"accountSid", "AC123"},
        {"authToken", "t0ken"},
        {"from", "+15550100"},
        {"to", "+15550199"}},
       "apiUrl",
       "201 Created",
       R"({"sid":"SM1","status":"queued"})",
       "/2010-04-01/Accounts/AC123/Messages.json"},
  };
  return all;
}

inline const Service& service(const std::string& id) {
  for (const Service& each : services()) {
    if (each.id == id) return each;
  }
  throw std::runtime_error{"no service " + id};
}

/// The plugin and a recorder that answers as the service under test does.
class ChatBench : public ::testing::Test {
 protected:
  const dbackup_adapter& adapter(const std::string& id) const {
    return plugin_.adapter(id.c_str());
  }
  const dbackup_notifier& table(const std::string& id) const {
    return *testing::table_of<dbackup_notifier>(adapter(id), DBACKUP_EXT_NOTIFIER);
  }
  Json config_of(const Service& service) const {
    Json out = service.config;
    out[service.address] = recorder_.url("/base");
    return out;
  }
  void say_yes(const Service& service) { recorder_.answer(service.status, service.good_body); }

  Outcome send(const std::string& id, const Json& event, const Json& more = Json::object()) {
    FakeCall call;
    return send(id, event, more, call);
  }
  Outcome send(const std::string& id, const Json& event, const Json& more, FakeCall& call) {
    Json config = config_of(service(id));
    config.update(more);
    Outcome outcome;
    const auto notifier =
        NotifierInstance::open(table(id), testing::with_defaults(adapter(id), config), outcome);
    return outcome.ok() ? notifier.run(table(id).send, call, event) : outcome;
  }
  /// What arrived for an event that the service accepts.
  RecordedRequest sent(const std::string& id, const Json& event,
                       const Json& more = Json::object()) {
    say_yes(service(id));
    const Outcome outcome = send(id, event, more);
    EXPECT_TRUE(outcome.ok()) << id << ": " << outcome.text();
    const auto requests = recorder_.requests();
    EXPECT_FALSE(requests.empty()) << id;
    return requests.empty() ? RecordedRequest{} : requests.back();
  }
  Json sent_json(const std::string& id, const Json& event, const Json& more = Json::object()) {
    const RecordedRequest request = sent(id, event, more);
    EXPECT_EQ(request.method, "POST");
    EXPECT_EQ(request.headers.at("content-type"), "application/json");
    return Json::parse(request.body);
  }

  HttpRecorder recorder_;
  testing::PluginFile plugin_ = built_plugin("chat");
};

inline constexpr const char* kTime = "2026-08-09T02:00:05.000Z";
inline constexpr const char* kText = "\"Nightly\" was not backed up: disk full";

/// The worked example: a failed backup.
inline Json failure_event() {
  return {{"eventType", "backup_failure"},
          {"title", "Backup Failed: Nightly"},
          {"message", kText},
          {"success", false},
          {"color", "#ef4444"},
          {"timestamp", kTime},
          {"fields",
           {{{"name", "Job"}, {"value", "Nightly"}, {"inline", true}},
            {{"name", "Source"}, {"value", "shop-db"}, {"inline", true}},
            {{"name", "Error"}, {"value", "disk full"}, {"inline", false}},
            {{"name", "Time"}, {"value", kTime}, {"inline", true}}}}};
}

/// How many UTF-16 units a text has.
inline size_t units(const std::string& utf8) {
  size_t out = 0;
  for (const char c : utf8) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xC0) != 0x80) out += byte >= 0xF0 ? 2 : 1;
  }
  return out;
}
inline size_t units(const Json& text) { return units(text.get<std::string>()); }

inline std::string repeated(const std::string& text, size_t times) {
  std::string out;
  for (size_t i = 0; i < times; ++i) out += text;
  return out;
}

}  // namespace dbackup::tests
