// Telegram: a bot's message. https://core.telegram.org/bots/api#sendmessage
// Texts are marked up in HTML or in the older Markdown; what comes from an event is escaped in
// both.

#include <algorithm>

#include "channel.hpp"

namespace dbackup::plugins::chat {
namespace {

constexpr Option kOptions[] = {
    {.name = "botToken",
     .help = "Token of the bot, from @BotFather.",
     .required = true,
     .secret = true},
    {.name = "chatId",
     .help = "Chat the bot writes to: a number such as -1001234567890, or \"@channel\".",
     .required = true},
    {.name = "messageThreadId", .type = "integer", .help = "Topic of a forum group.", .minimum = 1},
    {.name = "parseMode",
     .type = "choice",
     .help = "How messages are marked up.",
     .fallback = "HTML",
     .choices = "HTML|Markdown"},
    {.name = "disableNotification",
     .type = "boolean",
     .help = "Deliver without a sound.",
     .fallback = "false"},
    {.name = "apiUrl",
     .type = "url",
     .help = "Address of the Bot API: a server of your own, or a proxy.",
     .fallback = "https://api.telegram.org"},
};

constexpr AdapterInfo kInfo{.id = "telegram",
                            .name = "Telegram",
                            .options = kOptions,
                            .credentials = {.primary = "TOKEN", .primary_optional = true}};

// Telegram counts after it has read the markup, we with it: never too much.
constexpr size_t kMostText = 4096;
constexpr size_t kMostTitle = 256;
constexpr size_t kMostName = 64;
constexpr size_t kMostValue = 1024;

std::string old_markdown_escaped(std::string_view character) {
  return backslash_escaped(character, "_*`[");
}

/// Nothing can be escaped inside bold text: a star ends it, stands alone, and it begins anew.
std::string bold_markdown(std::string_view text) {
  std::string out;
  for (size_t at = 0; at <= text.size();) {
    const size_t star = std::min(text.find('*', at), text.size());
    if (star > at) out += "*" + std::string{text.substr(at, star - at)} + "*";
    if (star < text.size()) out += "\\*";
    at = star + 1;
  }
  return out;
}

std::string bold_html(std::string_view text) {
  return "<b>" + escaped(text, &entity_escaped) + "</b>";
}

class Telegram final : public Channel {
 public:
  explicit Telegram(const Config& config)
      : Channel{"Telegram", {config.text("botToken")}},
        url_{base_url(config, "apiUrl", "https://api.telegram.org") + "/bot" +
             path_word(config, "botToken") + "/sendMessage"},
        chat_id_{config.required("chatId")},
        thread_{config.integer_or("messageThreadId", 0)},
        parse_mode_{config.text_or("parseMode", "HTML")},
        is_silent_{config.flag_or("disableNotification", false)} {
    if (parse_mode_ != "HTML" && parse_mode_ != "Markdown") {
      throw Error{ErrorCode::InvalidArgument, "\"parseMode\" must be HTML or Markdown"};
    }
  }

 private:
  HttpRequest test_request() const override {
    return message_request(escaped(kTestText, escape()), /*is_silent=*/true);
  }
  HttpRequest request_for(const Event& event) const override {
    return message_request(text_of_event(message_of(event)), is_silent_);
  }
  HttpRequest message_request(const std::string& text, bool is_silent) const {
    Json body{{"chat_id", chat_id_},
              {"text", text},
              {"parse_mode", parse_mode_},
              {"disable_notification", is_silent}};
    if (thread_ > 0) body["message_thread_id"] = thread_;
    return json_post(url_, body);
  }
  bool is_html() const { return parse_mode_ == "HTML"; }
  Escape escape() const { return is_html() ? &entity_escaped : &old_markdown_escaped; }
  std::string bold(const std::string& text) const {
    return is_html() ? bold_html(text) : bold_markdown(text);
  }
  std::string text_of_event(const Message& message) const {
    TextParts parts{.body = message.text};
    if (message.success) parts.head = *message.success ? "✅\n" : "❌\n";
    parts.head += bold(fitted(message.title, kMostTitle, Unit::Utf16)) + "\n";
    for (const EventField& field : message.fields) {
      parts.lines.push_back(bold(fitted(field.name, kMostName, Unit::Utf16) + ":") + " " +
                            fitted(field.value, kMostValue, Unit::Utf16, escape()));
    }
    return assembled(parts, kMostText, Unit::Utf16, escape());
  }
  bool accepted(const HttpResponse& response) const override {
    const Json answer = json_of(response);
    return response.ok() && answer.is_object() && answer.value("ok", Json{}) == Json(true);
  }
  std::string words_of(const Json& answer) const override { return text_of(answer, "description"); }
  std::optional<std::chrono::milliseconds> wait_asked(const HttpResponse& response) const override {
    const Json answer = json_of(response);
    const Json parameters = answer.is_object() ? answer.value("parameters", Json{}) : Json{};
    if (parameters.is_object() && parameters.contains("retry_after") &&
        parameters["retry_after"].is_number_integer()) {
      constexpr int64_t kLongest = 366LL * 86'400;
      return std::chrono::seconds{
          std::clamp<int64_t>(parameters["retry_after"].get<int64_t>(), 0, kLongest)};
    }
    return Channel::wait_asked(response);
  }

  std::string url_;
  std::string chat_id_;
  int64_t thread_;
  std::string parse_mode_;
  bool is_silent_;
};

}  // namespace

const dbackup_adapter* telegram() { return notifier<Telegram>(kInfo); }

}  // namespace dbackup::plugins::chat
