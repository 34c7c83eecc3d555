#include "chat_bench.hpp"

/// Events longer than a service takes: cut with a mark, never refused.
namespace dbackup::tests {
namespace {

const std::string kSmile = "\xF0\x9F\x98\x80";

class ChatLimit : public ChatBench {
 protected:
  static Json event(const std::string& text, size_t fields = 0, const std::string& value = "v") {
    Json out{{"title", "T"}, {"message", text}, {"success", false}, {"fields", Json::array()}};
    for (size_t i = 0; i < fields; ++i)
      out["fields"].push_back({{"name", "n" + std::to_string(i)}, {"value", value}});
    return out;
  }
  static size_t embed_size(const Json& embed) {
    size_t out = units(embed["title"]) + units(embed["description"]);
    for (const Json& field : embed["fields"]) out += units(field["name"]) + units(field["value"]);
    return out;
  }
};

TEST_F(ChatLimit, OfDiscordHoldsForEveryPartAndForAllOfThem) {
  const Json embed = sent_json(
      "discord",
      {{"title", repeated(kSmile, 200)},
       {"message", std::string(5000, 'm')},
       {"fields",
        {{{"name", std::string(300, 'n')}, {"value", repeated(kSmile, 600)}}}}})["embeds"][0];
  EXPECT_EQ(embed["title"], repeated(kSmile, 127) + "…");
  EXPECT_EQ(embed["fields"][0]["name"], std::string(255, 'n') + "…");
  EXPECT_EQ(embed["fields"][0]["value"], repeated(kSmile, 511) + "…");
  EXPECT_EQ(embed["description"], std::string(4095, 'm') + "…");

  const Json many = sent_json("discord", event("M", 40))["embeds"][0]["fields"];
  ASSERT_EQ(many.size(), 25u);
  EXPECT_EQ(many[23]["name"], "n23");
  EXPECT_EQ(many[24]["value"], "16 more");
  EXPECT_EQ(sent_json("discord", event("M", 25))["embeds"][0]["fields"][24]["name"], "n24");

  for (const size_t length : {10U, 3000U, 5000U}) {
    const Json full = sent_json(
        "discord", event(std::string(length, 'm'), 25, std::string(1024, 'v')))["embeds"][0];
    EXPECT_LE(embed_size(full), 6000u) << length;
    EXPECT_GT(embed_size(full), 4900u) << length;
    EXPECT_EQ(full["fields"].back()["name"], "…");
  }
  EXPECT_EQ(units(sent_json("discord", {{"message", std::string(3000, 'm')}})["content"]), 2000u);
}

TEST_F(ChatLimit, OfSlackMakesMoreSectionsOfTenFields) {
  const Json blocks = sent_json(
      "slack", event(repeated("<", 2000), 23, std::string(5000, 'v')))["attachments"][0]["blocks"];
  ASSERT_EQ(blocks.size(), 6u);
  EXPECT_EQ(blocks[1]["text"]["text"], repeated("&lt;", 749) + "…");
  EXPECT_EQ(blocks[2]["fields"].size(), 10u);
  EXPECT_EQ(blocks[3]["fields"].size(), 10u);
  EXPECT_EQ(blocks[4]["fields"].size(), 3u);
  EXPECT_EQ(units(blocks[4]["fields"][2]["text"]), 2000u);
  const Json titled = sent_json("slack", {{"title", std::string(151, 't')}, {"message", ""}});
  const Json two = titled["attachments"][0]["blocks"];
  ASSERT_EQ(two.size(), 2u) << "an empty text has no section";
  EXPECT_EQ(two[0]["text"]["text"], std::string(149, 't') + "…");
  EXPECT_LE(sent_json("slack", event("M", 1000))["attachments"][0]["blocks"].size(), 50u);
}

TEST_F(ChatLimit, OfTeamsCountsTheWholeBody) {
  for (const Json& large :
       {event(std::string(60'000, 'm')), event("M", 200, std::string(4000, 'v')),
        event(std::string(40'000, '"'), 100, std::string(3000, '\n')),
        event(repeated(kSmile, 20'000), 60, repeated(kSmile, 500))}) {
    const RecordedRequest request = sent("teams", large);
    EXPECT_LE(request.body.size(), 28u * 1024);
    EXPECT_GT(request.body.size(), 8u * 1024);
    EXPECT_NE(request.body.find("…"), std::string::npos);
    EXPECT_TRUE(Json::parse(request.body).is_object());
  }
}

TEST_F(ChatLimit, OfTelegramKeepsMarkupWhole) {
  for (const char* mode : {"HTML", "Markdown"}) {
    const auto text = sent_json("telegram", event(repeated("<_", 5000), 30, repeated("&", 900)),
                                {{"parseMode", mode}})["text"]
                          .get<std::string>();
    EXPECT_LE(units(text), 4096u);
    EXPECT_GT(units(text), 3000u);
    EXPECT_EQ(text.find("❌\n"), 0u);
    if (std::string{mode} != "HTML") continue;
    for (size_t at = 0; (at = text.find('&', at)) != text.npos; ++at)
      EXPECT_LT(text.find(';', at) - at, 6u) << "a cut entity at " << at;
    EXPECT_EQ(text.substr(text.size() - 4), "\n…");
  }
}

TEST_F(ChatLimit, OfTwilioAndNtfyCutTheText) {
  const std::string body = sent("twilio-sms", event(std::string(3000, 'm'), 4)).body;
  const std::string text = body.substr(body.find("&Body=") + 6);
  EXPECT_NE(text.find("mm%E2%80%A6%0An0%3A%20v"), std::string::npos) << "the fields stay";
  size_t letters = 0;
  for (size_t i = 0; i < text.size(); ++i) letters += text[i] == 'm' ? 1U : 0U;
  EXPECT_GT(letters, 1500u);
  EXPECT_LT(letters, 1600u);

  const std::string push = sent("ntfy", event(repeated("ü", 4000), 10, repeated("ü", 2000))).body;
  EXPECT_LE(push.size(), 4096u);
  EXPECT_GT(push.size(), 3900u);
  EXPECT_NE(push.find("ü…\n\nn0: ü"), std::string::npos);
}

TEST_F(ChatLimit, LeavesTextsThatFitAlone) {
  const std::string text(4096, 'm');
  EXPECT_EQ(sent_json("discord", event(text))["embeds"][0]["description"], text);
  EXPECT_EQ(sent("ntfy", event(text)).body, text);
}

}  // namespace
}  // namespace dbackup::tests
