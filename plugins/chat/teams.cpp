// Microsoft Teams: an adaptive card per event, through a workflow's webhook or an older
// connector's.

#include <common/url_guard.hpp>

#include "channel.hpp"

namespace dbackup::plugins::chat {
namespace {

constexpr Option kOptions[] = {
    {.name = "webhookUrl",
     .type = "url",
     .help = "Address of the workflow \"Post to a channel when a webhook request is received\".",
     .required = true,
     .secret = true},
};

constexpr AdapterInfo kInfo{.id = "teams",
                            .name = "Microsoft Teams",
                            .options = kOptions,
                            .credentials = {.primary = "WEBHOOK", .primary_optional = true}};

constexpr size_t kMostBody = 28 * 1024;
constexpr size_t kMostTitle = 256;
constexpr size_t kMostFacts = 60;

/// Cards read links, bold and italic text in the Markdown way.
std::string card_escaped(std::string_view character) {
  return backslash_escaped(character, "\\*_[]`");
}

/// The card's own words for colours.
const char* colour_word(const std::string& hex) {
  const int32_t colour = colour_number(hex);
  const int r = colour >> 16 & 255;
  const int g = colour >> 8 & 255;
  const int b = colour & 255;
  if (colour < 0) return "Default";
  if (r > 200 && g < 100 && b < 100) return "Attention";
  if (g > 200 && r < 100) return "Good";
  if (r > 200 && g > 150 && b < 100) return "Warning";
  if (b > 180 && r < 100 && g < 100) return "Accent";
  return "Default";
}

Json facts_of(const std::vector<EventField>& fields, size_t most_each, size_t most_facts) {
  Json out = Json::array();
  for (const EventField& field : fields) {
    if (out.size() == most_facts && fields.size() > most_facts) {
      out.push_back(
          {{"title", kEllipsis}, {"value", std::to_string(fields.size() - most_facts) + " more"}});
      break;
    }
    out.push_back({{"title", fitted(field.name, most_each, Unit::Bytes, &card_escaped)},
                   {"value", fitted(field.value, most_each, Unit::Bytes, &card_escaped)}});
  }
  return out;
}

/// The card with a text of at most `most_text` bytes, and an eighth of that for a fact.
Json card_of(const Message& message, size_t most_text) {
  Json body = Json::array();
  body.push_back({{"type", "TextBlock"},
                  {"text", fitted(message.title, kMostTitle, Unit::Utf16, &card_escaped)},
                  {"size", "Large"},
                  {"weight", "Bolder"},
                  {"color", colour_word(message.color)},
                  {"wrap", true}});
  body.push_back({{"type", "TextBlock"},
                  {"text", fitted(message.text, most_text, Unit::Bytes, &card_escaped)},
                  {"wrap", true},
                  {"spacing", "Small"}});
  if (!message.fields.empty()) {
    body.push_back({{"type", "FactSet"},
                    {"facts", facts_of(message.fields, most_text / 8, kMostFacts)},
                    {"spacing", "Medium"}});
  }
  body.push_back({{"type", "TextBlock"},
                  {"text", message.timestamp},
                  {"size", "Small"},
                  {"isSubtle", true},
                  {"wrap", true},
                  {"spacing", "Medium"}});
  return {{"$schema", "http://adaptivecards.io/schemas/adaptive-card.json"},
          {"type", "AdaptiveCard"},
          {"version", "1.4"},
          {"body", std::move(body)}};
}

class Teams final : public Channel {
 public:
  explicit Teams(const Config& config)
      : Channel{"Teams", {config.text("webhookUrl")}}, url_{config.required("webhookUrl")} {
    check_url(url_);
  }

 private:
  HttpRequest test_request() const override {
    return request_for({.title = "DBackup connection test",
                        .message = "This is a connection test. No action is needed.",
                        .color = "#0078D4"});
  }
  HttpRequest request_for(const Event& event) const override {
    const Message message = message_of(event);
    // Halved until all of it fits: 28 KB count the finished JSON, escapes included.
    for (size_t most_text = 16 * 1024;; most_text /= 2) {
      const Json card = card_of(message, most_text);
      HttpRequest request = json_post(
          url_,
          {{"type", "message"},
           {"attachments", Json::array({{{"contentType", "application/vnd.microsoft.card.adaptive"},
                                         {"contentUrl", nullptr},
                                         {"content", card}}})}});
      if (request.body->size() <= kMostBody || most_text <= 64) return request;
    }
  }
  /// An older connector answers 200 also when Teams itself refused, and says so in words.
  bool accepted(const HttpResponse& response) const override {
    return response.ok() && response.body.find("delivery failed") == std::string::npos;
  }
  bool rate_limited(const HttpResponse& response) const override {
    return response.status == 429 ||
           (response.ok() && response.body.find("HTTP error 429") != std::string::npos);
  }
  std::string words_of(const Json& answer) const override {
    const auto error = answer.find("error");
    if (error == answer.end()) return text_of(answer, "message");
    return error->is_object() ? text_of(*error, "message") : text_of(answer, "error");
  }

  std::string url_;
};

}  // namespace

const dbackup_adapter* teams() { return notifier<Teams>(kInfo); }

}  // namespace dbackup::plugins::chat
