// Slack: one attachment of blocks per event, through an incoming webhook.
// Limits: https://api.slack.com/reference/block-kit/blocks

#include <common/url_guard.hpp>

#include "channel.hpp"

namespace dbackup::plugins::chat {
namespace {

constexpr Option kOptions[] = {
    {.name = "webhookUrl",
     .type = "url",
     .help = "The incoming webhook's address.",
     .required = true,
     .secret = true},
    {.name = "channel",
     .help = "Another channel than the webhook's own (older webhooks alone obey)."},
    {.name = "username", .help = "Name the message is shown under.", .fallback = "DBackup"},
    {.name = "iconEmoji", .help = "Emoji shown beside the message, such as \":floppy_disk:\"."},
};

constexpr AdapterInfo kInfo{.id = "slack",
                            .name = "Slack Webhook",
                            .options = kOptions,
                            .credentials = {.primary = "WEBHOOK", .primary_optional = true}};

constexpr size_t kMostHeader = 150;
constexpr size_t kMostText = 3000;
constexpr size_t kMostField = 2000;
constexpr size_t kMostName = 200;
constexpr size_t kFieldsPerSection = 10;
// 50 blocks a message; header, text, mark and time are four of them.
constexpr size_t kMostFields = 46 * kFieldsPerSection;

Json markup(std::string text) { return {{"type", "mrkdwn"}, {"text", std::move(text)}}; }

/// Slack has no way to take "*" literally: a name with one only looks different.
Json field_of(const EventField& field) {
  const std::string name =
      "*" + fitted(field.name, kMostName, Unit::Utf16, &entity_escaped) + ":*\n";
  return markup(name + fitted(field.value, kMostField - measured(name, Unit::Utf16), Unit::Utf16,
                              &entity_escaped));
}

Json sections_of(const std::vector<EventField>& fields) {
  Json out = Json::array();
  Json section = Json::array();
  const size_t shown = std::min(fields.size(), kMostFields);
  for (size_t i = 0; i < shown; ++i) {
    section.push_back(field_of(fields[i]));
    if (section.size() == kFieldsPerSection || i + 1 == shown) {
      out.push_back({{"type", "section"}, {"fields", std::move(section)}});
      section = Json::array();
    }
  }
  if (shown < fields.size()) {
    const std::string left = std::to_string(fields.size() - shown) + " more";
    out.push_back({{"type", "section"}, {"text", markup(std::string{kEllipsis} + " " + left)}});
  }
  return out;
}

Json blocks_of(const Message& message) {
  const std::string title = fitted(message.title, kMostHeader, Unit::Utf16);
  Json blocks = Json::array();
  blocks.push_back(
      {{"type", "header"}, {"text", {{"type", "plain_text"}, {"text", title}, {"emoji", true}}}});
  if (!message.text.empty()) {  // an empty section is refused
    blocks.push_back(
        {{"type", "section"},
         {"text", markup(fitted(message.text, kMostText, Unit::Utf16, &entity_escaped))}});
  }
  for (Json& section : sections_of(message.fields)) blocks.push_back(std::move(section));
  const auto unix_time = moment_of(message.timestamp).time_since_epoch().count();
  const std::string time = "<!date^" + std::to_string(unix_time) +
                           "^{date_short_pretty} at {time}|" + message.timestamp + ">";
  blocks.push_back({{"type", "context"}, {"elements", Json::array({markup(time)})}});
  return blocks;
}

class Slack final : public Channel {
 public:
  explicit Slack(const Config& config)
      : Channel{"Slack", {config.text("webhookUrl")}},
        url_{config.required("webhookUrl")},
        channel_{config.text("channel")},
        username_{config.text_or("username", "DBackup")},
        icon_emoji_{config.text("iconEmoji")} {
    check_url(url_);
  }

 private:
  HttpRequest test_request() const override { return plain(kTestText); }
  HttpRequest request_for(const Event& event) const override {
    const Message message = message_of(event);
    if (message.is_plain) return plain(message.text);
    Json body{
        {"attachments", Json::array({{{"color", message.color}, {"blocks", blocks_of(message)}}})}};
    if (!channel_.empty()) body["channel"] = channel_;
    if (!username_.empty()) body["username"] = username_;
    if (!icon_emoji_.empty()) body["icon_emoji"] = icon_emoji_;
    return json_post(url_, body);
  }
  HttpRequest plain(const std::string& text) const {
    constexpr size_t kMostPlain = 40'000;
    return json_post(url_, {{"text", fitted(text, kMostPlain, Unit::Utf16, &entity_escaped)}});
  }
  std::string words_of(const Json& answer) const override { return text_of(answer, "error"); }

  std::string url_;
  std::string channel_;
  std::string username_;
  std::string icon_emoji_;
};

}  // namespace

const dbackup_adapter* slack() { return notifier<Slack>(kInfo); }

}  // namespace dbackup::plugins::chat
