// ntfy: a push message, its properties in headers. https://docs.ntfy.sh/publish/

#include <algorithm>
#include <common/encodings.hpp>
#include <common/percent_encoding.hpp>

#include "channel.hpp"

namespace dbackup::plugins::chat {
namespace {

constexpr Option kOptions[] = {
    {.name = "serverUrl",
     .type = "url",
     .help = "Address of the ntfy server.",
     .fallback = "https://ntfy.sh"},
    {.name = "topic",
     .help = "Topic to publish to. On a public server its name is all that protects it.",
     .required = true},
    {.name = "accessToken",
     .help = "Token for topics that not everybody may publish to.",
     .secret = true},
    {.name = "priority",
     .type = "integer",
     .help = "Priority of messages; failures are sent with 5, tests with 2.",
     .fallback = "3",
     .minimum = 1,
     .maximum = 5},
};

constexpr AdapterInfo kInfo{.id = "ntfy",
                            .name = "ntfy",
                            .options = kOptions,
                            .credentials = {.primary = "TOKEN", .primary_optional = true}};

constexpr size_t kMostBody = 4096;  // a longer one becomes an attachment, or is refused
constexpr size_t kMostTitle = 250;
constexpr size_t kMostValue = 1000;
constexpr int64_t kTestPriority = 2;
constexpr int64_t kFailurePriority = 5;

std::string tags_of(const Message& message) {
  if (!message.success) return "backup";
  return *message.success ? "white_check_mark,backup" : "x,warning,backup";
}

class Ntfy final : public Channel {
 public:
  explicit Ntfy(const Config& config)
      : Channel{"ntfy", {config.text("accessToken")}},
        url_{base_url(config, "serverUrl", "https://ntfy.sh") + "/" +
             percent_encoded(config.required("topic"))},
        token_{config.text("accessToken")},
        priority_{std::clamp<int64_t>(config.integer_or("priority", 3), 1, 5)} {}

 private:
  HttpRequest test_request() const override {
    return message_request("DBackup Notification", kTestText, kTestPriority, "test_tube");
  }
  HttpRequest request_for(const Event& event) const override {
    const Message message = message_of(event, "DBackup Notification");
    TextParts parts{.body = message.text};
    for (const EventField& field : message.fields) {
      parts.lines.push_back(escaped(field.name, &markdown_escaped) + ": " +
                            fitted(field.value, kMostValue, Unit::Bytes, &markdown_escaped));
    }
    const bool is_failure = !message.success.value_or(true);
    return message_request(message.title,
                           assembled(parts, kMostBody, Unit::Bytes, &markdown_escaped),
                           is_failure ? kFailurePriority : priority_, tags_of(message));
  }
  HttpRequest message_request(const std::string& title, std::string text, int64_t priority,
                              const std::string& tags) const {
    HttpRequest request{.method = "POST", .url = url_, .body = std::move(text)};
    request.headers = {{"Content-Type", "text/plain; charset=utf-8"},
                       {"Title", encoded_words(fitted(title, kMostTitle, Unit::Utf16))},
                       {"Priority", std::to_string(priority)},
                       {"Tags", tags},
                       {"Markdown", "yes"}};
    if (!token_.empty()) request.headers.emplace_back("Authorization", "Bearer " + token_);
    return request;
  }
  /// A web page of something else also answers 200.
  bool accepted(const HttpResponse& response) const override {
    const Json answer = json_of(response);
    return response.ok() && answer.is_object() && answer.contains("id");
  }
  std::string words_of(const Json& answer) const override { return text_of(answer, "error"); }

  std::string url_;
  std::string token_;
  int64_t priority_;
};

}  // namespace

const dbackup_adapter* ntfy() { return notifier<Ntfy>(kInfo); }

}  // namespace dbackup::plugins::chat
