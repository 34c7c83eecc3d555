// Discord: one embed per event, through a channel's webhook.
// Limits: https://discord.com/developers/docs/resources/message#embed-object-embed-limits

#include <cmath>
#include <common/url_guard.hpp>

#include "channel.hpp"

namespace dbackup::plugins::chat {
namespace {

constexpr Option kOptions[] = {
    {.name = "webhookUrl",
     .type = "url",
     .help = "The webhook's address, from the channel's settings, \"Integrations\".",
     .required = true,
     .secret = true},
    {.name = "username", .help = "Name the message is shown under.", .fallback = "Backup Manager"},
    {.name = "avatarUrl",
     .type = "url",
     .help = "Picture shown beside the message. Empty: that of the webhook."},
};

constexpr AdapterInfo kInfo{.id = "discord",
                            .name = "Discord Webhook",
                            .options = kOptions,
                            .credentials = {.primary = "WEBHOOK", .primary_optional = true}};

constexpr size_t kMostTitle = 256;
constexpr size_t kMostText = 4096;
constexpr size_t kMostName = 256;
constexpr size_t kMostValue = 1024;
constexpr size_t kMostFields = 25;
constexpr size_t kMostInAll = 6000;
// The field that stands for those left out.
constexpr size_t kMarkSize = 24;
// Discord refuses empty names and values; this is seen as nothing.
constexpr const char* kNothing = "\u200b";

/// Links, mentions and all that Discord's Markdown would make of a text.
std::string discord_escaped(std::string_view character) {
  return backslash_escaped(character, "\\`*_~|<>[]()#");
}

std::string within(const std::string& text, size_t limit) {
  return fitted(text, limit, Unit::Utf16, &discord_escaped);
}

size_t size_of(const std::string& text) { return measured(text, Unit::Utf16); }

Json field_json(const std::string& name, const std::string& value, bool is_inline) {
  return {{"name", name}, {"value", value}, {"inline", is_inline}};
}

struct Fields {
  Json json = Json::array();
  size_t size = 0;
};

/// As many as fit into `room`; what is left out is counted in a last one.
Fields fields_within(const std::vector<EventField>& fields, size_t room) {
  Fields out;
  for (size_t i = 0; i < fields.size(); ++i) {
    const std::string name = fields[i].name.empty() ? kNothing : within(fields[i].name, kMostName);
    const std::string value =
        fields[i].value.empty() ? kNothing : within(fields[i].value, kMostValue);
    const size_t size = size_of(name) + size_of(value);
    const bool is_last = i + 1 == fields.size();
    if (out.size + size + (is_last ? 0 : kMarkSize) > room || (i + 1 == kMostFields && !is_last)) {
      const std::string count = std::to_string(fields.size() - i) + " more";
      out.json.push_back(field_json(std::string{kEllipsis}, count, false));
      out.size += 1 + size_of(count);
      break;
    }
    out.json.push_back(field_json(name, value, fields[i].is_inline));
    out.size += size;
  }
  return out;
}

Json embed_of(const Message& message) {
  Json embed{{"title", within(message.title, kMostTitle)},
             {"timestamp", message.timestamp},
             {"color", colour_number(message.color)}};
  const size_t room = kMostInAll - size_of(embed["title"].get<std::string>());
  const size_t text_size = std::min(kMostText, size_of(escaped(message.text, &discord_escaped)));
  // What the text does not need of its half is for the fields, and the other way round.
  const Fields fields =
      fields_within(message.fields, std::max(room / 2, room - std::min(room, text_size)));
  embed["description"] = within(message.text, std::min(kMostText, room - fields.size));
  if (!fields.json.empty()) embed["fields"] = fields.json;
  return embed;
}

class Discord final : public Channel {
 public:
  explicit Discord(const Config& config)
      : Channel{"Discord", {config.text("webhookUrl")}},
        url_{config.required("webhookUrl")},
        username_{config.text_or("username", "Backup Manager")},
        avatar_url_{config.text("avatarUrl")} {
    check_url(url_);
  }

 private:
  HttpRequest test_request() const override { return plain(kTestText); }
  HttpRequest request_for(const Event& event) const override {
    const Message message = message_of(event, "Notification", "");
    if (message.is_plain) return plain(message.text);
    Json body = identity();
    body["embeds"] = Json::array({embed_of(message)});
    return json_post(url_, body);
  }
  HttpRequest plain(const std::string& text) const {
    constexpr size_t kMostContent = 2000;
    Json body = identity();
    body["content"] = within(text, kMostContent);
    return json_post(url_, body);
  }
  Json identity() const {
    Json out = Json::object();
    if (!username_.empty()) out["username"] = username_;
    if (!avatar_url_.empty()) out["avatar_url"] = avatar_url_;
    return out;
  }
  std::string words_of(const Json& answer) const override {
    std::string out = text_of(answer, "message");
    // "Invalid Form Body" alone does not tell which part of it.
    if (answer.contains("errors")) out += ": " + to_text(answer["errors"]);
    return out;
  }
  std::optional<std::chrono::milliseconds> wait_asked(const HttpResponse& response) const override {
    const Json answer = json_of(response);
    if (answer.is_object() && answer.contains("retry_after") && answer["retry_after"].is_number()) {
      constexpr double kLongest = 366.0 * 86'400;
      const double seconds = std::clamp(answer["retry_after"].get<double>(), 0.0, kLongest);
      return std::chrono::milliseconds{static_cast<int64_t>(std::ceil(seconds * 1000))};
    }
    return Channel::wait_asked(response);
  }

  std::string url_;
  std::string username_;
  std::string avatar_url_;
};

}  // namespace

const dbackup_adapter* discord() { return notifier<Discord>(kInfo); }

}  // namespace dbackup::plugins::chat
