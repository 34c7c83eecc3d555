#include "chat_bench.hpp"

/// What each service is sent, against the examples of its published interface.
namespace dbackup::tests {
namespace {

class ChatRequest : public ChatBench {};

TEST_F(ChatRequest, KeepsEveryPromiseOfANotifier) {
  for (const Service& each : services()) {
    say_yes(each);
    Json unreachable = each.config;
    unreachable[each.address] = "http://127.0.0.1:1";
    EXPECT_TRUE(testing::conforms(adapter(each.id),
                                  {.config = config_of(each), .unreachable_config = unreachable}));
  }
}

TEST_F(ChatRequest, GoesByPostToTheAddressOfTheService) {
  for (const Service& each : services()) {
    const RecordedRequest request = sent(each.id, failure_event());
    EXPECT_EQ(request.method, "POST") << each.id;
    EXPECT_EQ(request.target, "/base" + std::string{each.path}) << each.id;
    EXPECT_EQ(request.headers.at("user-agent"), "DBackup") << each.id;
  }
}

TEST_F(ChatRequest, OfDiscordIsOneEmbed) {
  EXPECT_EQ(sent_json("discord", failure_event()),
            (Json{{"username", "Backup Manager"},
                  {"embeds",
                   {{{"title", "Backup Failed: Nightly"},
                     {"description", kText},
                     {"color", 15680580},
                     {"timestamp", kTime},
                     {"fields", failure_event()["fields"]}}}}}));
  EXPECT_EQ(
      sent_json("discord", {{"message", "M"}},
                {{"username", "U"}, {"avatarUrl", "https://example.net/a.png"}}),
      (Json{{"content", "M"}, {"username", "U"}, {"avatar_url", "https://example.net/a.png"}}));
}

TEST_F(ChatRequest, OfSlackIsOneAttachmentOfBlocks) {
  const auto markup = [](const std::string& text) {
    return Json{{"type", "mrkdwn"}, {"text", text}};
  };
  const Json blocks{
      {{"type", "header"},
       {"text", {{"type", "plain_text"}, {"text", "Backup Failed: Nightly"}, {"emoji", true}}}},
      {{"type", "section"}, {"text", markup(kText)}},
      {{"type", "section"},
       {"fields",
        {markup("*Job:*\nNightly"), markup("*Source:*\nshop-db"), markup("*Error:*\ndisk full"),
         markup("*Time:*\n2026-08-09T02:00:05.000Z")}}},
      {{"type", "context"},
       {"elements",
        Json::array({markup(
            "<!date^1786240805^{date_short_pretty} at {time}|2026-08-09T02:00:05.000Z>")})}}};
  Json wanted{{"attachments", Json::array({{{"color", "#ef4444"}, {"blocks", blocks}}})},
              {"username", "DBackup"}};
  EXPECT_EQ(sent_json("slack", failure_event()), wanted);
  wanted["channel"] = "#ops";
  wanted["icon_emoji"] = ":floppy_disk:";
  EXPECT_EQ(
      sent_json("slack", failure_event(), {{"channel", "#ops"}, {"iconEmoji", ":floppy_disk:"}}),
      wanted);
  EXPECT_EQ(sent_json("slack", {{"message", "a < b & c"}}), (Json{{"text", "a &lt; b &amp; c"}}));
}

TEST_F(ChatRequest, OfTeamsIsAnAdaptiveCard) {
  const Json body = sent_json("teams", failure_event());
  EXPECT_EQ(body["type"], "message");
  const Json attachment = body["attachments"].at(0);
  EXPECT_EQ(attachment["contentType"], "application/vnd.microsoft.card.adaptive");
  EXPECT_TRUE(attachment.at("contentUrl").is_null());
  const Json card = attachment["content"];
  EXPECT_EQ(card["$schema"], "http://adaptivecards.io/schemas/adaptive-card.json");
  EXPECT_EQ(card["type"], "AdaptiveCard");
  EXPECT_EQ(card["version"], "1.4");
  ASSERT_EQ(card["body"].size(), 4u);
  EXPECT_EQ(card["body"][0], (Json{{"type", "TextBlock"},
                                   {"text", "Backup Failed: Nightly"},
                                   {"size", "Large"},
                                   {"weight", "Bolder"},
                                   {"color", "Attention"},
                                   {"wrap", true}}));
  EXPECT_EQ(card["body"][1]["text"], kText);
  EXPECT_EQ(card["body"][2]["type"], "FactSet");
  EXPECT_EQ(card["body"][2]["facts"], (Json{{{"title", "Job"}, {"value", "Nightly"}},
                                            {{"title", "Source"}, {"value", "shop-db"}},
                                            {{"title", "Error"}, {"value", "disk full"}},
                                            {{"title", "Time"}, {"value", kTime}}}));
  EXPECT_EQ(card["body"][3]["text"], kTime);
  EXPECT_EQ(card["body"][3]["isSubtle"], true);
}

TEST_F(ChatRequest, MakesNoMarkupOfTextsFromOutside) {
  const std::string link = "[ok](https://e.example) *b* _i_ `c` \\";
  const Json event{
      {"title", link}, {"message", link}, {"fields", {{{"name", link}, {"value", link}}}}};
  const std::string discord = R"(\[ok\]\(https://e.example\) \*b\* \_i\_ \`c\` \\)";
  const Json embed = sent_json("discord", event)["embeds"][0];
  EXPECT_EQ(embed["title"], discord);
  EXPECT_EQ(embed["description"], discord);
  EXPECT_EQ(embed["fields"][0]["name"], discord);
  EXPECT_EQ(embed["fields"][0]["value"], discord);
  EXPECT_EQ(sent_json("discord", {{"message", "<@1> ||x|| ~~y~~ # z"}})["content"],
            R"(\<@1\> \|\|x\|\| \~\~y\~\~ \# z)");

  const std::string card = R"(\[ok\](https://e.example) \*b\* \_i\_ \`c\` \\)";
  const Json body = sent_json("teams", event)["attachments"][0]["content"]["body"];
  EXPECT_EQ(body[0]["text"], card);
  EXPECT_EQ(body[1]["text"], card);
  EXPECT_EQ(body[2]["facts"][0], (Json{{"title", card}, {"value", card}}));

  const std::string text = R"(\[ok](https://e.example) \*b\* _i_ \`c\` \\)";
  EXPECT_EQ(sent("ntfy", event).body, text + "\n\n" + text + ": " + text);
}

TEST_F(ChatRequest, NamesColoursInTheWordsOfEachService) {
  const struct {
    const char* hex;
    int discord;
    const char* teams;
  } table[] = {{"#22c55e", 2278750, "Default"},    {"#ef4444", 15680580, "Attention"},
               {"#3b82f6", 3900150, "Default"},    {"#f97316", 16347926, "Default"},
               {"#f59e0b", 16096779, "Warning"},   {"#8b5cf6", 9133302, "Default"},
               {"#6b7280", 7041664, "Default"},    {"#00ff00", 65280, "Good"},
               {"#ff0000", 16711680, "Attention"}, {"#0078D4", 30932, "Default"},
               {"#1020c8", 1056968, "Accent"}};
  for (const auto& row : table) {
    const Json event{{"title", "T"}, {"message", "M"}, {"color", row.hex}};
    EXPECT_EQ(sent_json("discord", event)["embeds"][0]["color"], row.discord) << row.hex;
    EXPECT_EQ(sent_json("teams", event)["attachments"][0]["content"]["body"][0]["color"], row.teams)
        << row.hex;
  }
}

TEST_F(ChatRequest, OfGotifyIsMarkdown) {
  const RecordedRequest request = sent("gotify", failure_event());
  EXPECT_EQ(request.headers.at("x-gotify-key"), "t0ken");
  EXPECT_EQ(
      Json::parse(request.body),
      (Json{{"title", "Backup Failed: Nightly"},
            {"message", "## Backup Failed: Nightly\n" + std::string{kText} +
                            "\n\n**Job:** Nightly\n**Source:** shop-db\n**Error:** disk full\n"
                            "**Time:** 2026-08-09T02:00:05.000Z"},
            {"priority", 8},
            {"extras", {{"client::display", {{"contentType", "text/markdown"}}}}}}));
  const Json starred = sent_json("gotify", {{"title", "*T*"}, {"message", "a_b <c> [d]"}});
  EXPECT_EQ(starred["title"], "*T*");
  EXPECT_EQ(starred["message"], "## \\*T\\*\na_b \\<c> \\[d]");
}

TEST_F(ChatRequest, OfNtfyIsATextWithHeaders) {
  const RecordedRequest request = sent("ntfy", failure_event(), {{"accessToken", "tk_1"}});
  EXPECT_EQ(request.headers.at("title"), "Backup Failed: Nightly");
  EXPECT_EQ(request.headers.at("priority"), "5");
  EXPECT_EQ(request.headers.at("tags"), "x,warning,backup");
  EXPECT_EQ(request.headers.at("markdown"), "yes");
  EXPECT_EQ(request.headers.at("authorization"), "Bearer tk_1");
  EXPECT_EQ(
      request.body,
      std::string{kText} + "\n\nJob: Nightly\nSource: shop-db\nError: disk full\nTime: " + kTime);
  EXPECT_FALSE(sent("ntfy", failure_event()).headers.contains("authorization"));
}

TEST_F(ChatRequest, OfNtfyEncodesTitlesThatAreNotAscii) {
  EXPECT_EQ(sent("ntfy", {{"title", "Größe"}, {"message", "M"}}).headers.at("title"),
            "=?UTF-8?B?R3LDtsOfZQ==?=");
  const std::string words =
      sent("ntfy", {{"title", repeated("数据\n", 30)}, {"message", "M"}}).headers.at("title");
  EXPECT_EQ(words.find("=?UTF-8?B?5pWw5o2uIOaVsOaNriDm"), 0u) << words;
  for (size_t at = 0; at < words.size();
       at = words.find(' ', at) == words.npos ? words.size() : words.find(' ', at) + 1)
    EXPECT_LE(std::min(words.find(' ', at), words.size()) - at, 75u);
}

TEST_F(ChatRequest, OfTelegramIsHtmlOrRealMarkdown) {
  EXPECT_EQ(sent_json("telegram", failure_event()),
            (Json{{"chat_id", "-1001"},
                  {"text",
                   "❌\n<b>Backup Failed: Nightly</b>\n" + std::string{kText} +
                       "\n\n<b>Job:</b> Nightly\n<b>Source:</b> shop-db\n<b>Error:</b> disk full\n"
                       "<b>Time:</b> 2026-08-09T02:00:05.000Z"},
                  {"parse_mode", "HTML"},
                  {"disable_notification", false}}));
  const Json event{{"title", "a_*b* <c>"},
                   {"message", "x & y_z [1]"},
                   {"success", true},
                   {"fields", {{{"name", "N"}, {"value", "`v`"}}}}};
  EXPECT_EQ(sent_json("telegram", event)["text"],
            "✅\n<b>a_*b* &lt;c&gt;</b>\nx &amp; y_z [1]\n\n<b>N:</b> `v`");
  const Json marked =
      sent_json("telegram", event,
                {{"parseMode", "Markdown"}, {"messageThreadId", 7}, {"disableNotification", true}});
  EXPECT_EQ(marked["text"], "✅\n*a_*\\**b*\\** <c>*\nx & y\\_z \\[1]\n\n*N:* \\`v\\`");
  EXPECT_EQ(marked["parse_mode"], "Markdown");
  EXPECT_EQ(marked["message_thread_id"], 7);
  EXPECT_EQ(marked["disable_notification"], true);
}

TEST_F(ChatRequest, OfTwilioIsAFormWithTheFirstFourFields) {
  Json event = failure_event();
  event["fields"].push_back({{"name", "Fifth"}, {"value", "x"}});
  const RecordedRequest request = sent("twilio-sms", event);
  EXPECT_EQ(request.headers.at("authorization"), "Basic QUMxMjM6dDBrZW4=");
  EXPECT_EQ(request.headers.at("content-type"), "application/x-www-form-urlencoded");
  EXPECT_EQ(
      request.body,
      "From=%2B15550100&To=%2B15550199&Body=Backup%20Failed%3A%20Nightly%0A%E2%9D%8C%20%22Nightly"
      "%22%20was%20not%20backed%20up%3A%20disk%20full%0AJob%3A%20Nightly%0ASource%3A%20shop-db%0A"
      "Error%3A%20disk%20full%0ATime%3A%202026-08-09T02%3A00%3A05.000Z");
  const std::string sid = "MG" + std::string(32, '0');
  EXPECT_EQ(sent("twilio-sms", event, {{"from", sid}}).body.find("MessagingServiceSid=MG0"), 0u);
}

TEST_F(ChatRequest, FillsInWhatAnEventLeavesOut) {
  const Json event{
      {"eventType", "x"}, {"message", "M"}, {"fields", {{{"name", "N"}, {"value", ""}}}}};
  const Json embed = sent_json("discord", event)["embeds"][0];
  EXPECT_EQ(embed["title"], "Notification");
  EXPECT_EQ(embed["color"], 16711680);
  EXPECT_EQ(embed["timestamp"].get<std::string>().size(), 24u);
  EXPECT_EQ(embed["fields"][0]["inline"], true);
  const Json slack = sent_json("slack", event)["attachments"][0];
  EXPECT_EQ(slack["color"], "#ff0000");
  EXPECT_EQ(slack["blocks"][2]["fields"][0]["text"], "*N:*\n-");
  EXPECT_EQ(sent_json("teams", event)["attachments"][0]["content"]["body"][2]["facts"][0]["value"],
            "-");
  EXPECT_EQ(sent_json("telegram", event)["text"], "<b>Notification</b>\nM\n\n<b>N:</b> -");
  const Json gotify = sent_json("gotify", event);
  EXPECT_EQ(gotify["title"], "DBackup Notification");
  EXPECT_EQ(gotify["priority"], 5);
  const RecordedRequest ntfy = sent("ntfy", event);
  EXPECT_EQ(ntfy.headers.at("title"), "DBackup Notification");
  EXPECT_EQ(ntfy.headers.at("tags"), "backup");
  EXPECT_EQ(ntfy.headers.at("priority"), "3");
  EXPECT_EQ(sent("ntfy", {{"message", "M"}, {"success", true}}).headers.at("tags"),
            "white_check_mark,backup");
  EXPECT_NE(sent("twilio-sms", event).body.find("Body=Notification%0AM%0AN%3A%20-"),
            std::string::npos);
}

TEST_F(ChatRequest, OfATestSaysThatItIsOne) {
  for (const Service& each : services()) {
    say_yes(each);
    Outcome outcome;
    const auto notifier = NotifierInstance::open(
        table(each.id), testing::with_defaults(adapter(each.id), config_of(each)), outcome);
    ASSERT_TRUE(outcome.ok()) << outcome.text();
    FakeCall call;
    outcome = notifier.test(call);
    ASSERT_TRUE(outcome.ok()) << each.id << outcome.text();
    EXPECT_EQ(outcome.result.at("message"), std::string{each.id} == "twilio-sms"
                                                ? "Test SMS sent successfully!"
                                                : "Test notification sent successfully!");
    const RecordedRequest request = recorder_.requests().back();
    EXPECT_NE(request.body.find("test"), std::string::npos) << each.id;
    const Json body = Json::parse(request.body, nullptr, false);
    if (std::string{each.id} == "discord") {
      EXPECT_TRUE(body.contains("content"));
    }
    if (std::string{each.id} == "slack") {
      EXPECT_TRUE(body.contains("text"));
    }
    if (std::string{each.id} == "gotify") {
      EXPECT_EQ(body["priority"], 1);
    }
    if (std::string{each.id} == "telegram") {
      EXPECT_EQ(body["disable_notification"], true);
    }
    if (std::string{each.id} == "ntfy") {
      EXPECT_EQ(request.headers.at("priority"), "2");
      EXPECT_EQ(request.headers.at("tags"), "test_tube");
    }
  }
}

TEST_F(ChatRequest, IsAnsweredToTheHostWhereItIsJson) {
  for (const Service& each : services()) {
    say_yes(each);
    const Outcome outcome = send(each.id, failure_event());
    const bool is_json = std::string{each.id} != "ntfy" && std::string{each.id} != "twilio-sms";
    EXPECT_EQ(outcome.result.contains("rendered"), is_json) << each.id;
    if (!is_json) continue;
    EXPECT_EQ(outcome.result["rendered"], recorder_.requests().back().body);
    EXPECT_EQ(outcome.result["format"], "json");
    EXPECT_EQ(outcome.result["rendered"].get<std::string>().find("t0ken"), std::string::npos);
  }
}

}  // namespace
}  // namespace dbackup::tests
