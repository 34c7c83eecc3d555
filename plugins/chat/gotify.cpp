// Gotify: a push message in Markdown. https://gotify.net/api-docs

#include <algorithm>

#include "channel.hpp"

namespace dbackup::plugins::chat {
namespace {

constexpr Option kOptions[] = {
    {.name = "serverUrl",
     .type = "url",
     .help = "Address of the Gotify server; a path is kept.",
     .required = true},
    {.name = "appToken",
     .help = "Token of the application that the messages belong to.",
     .required = true,
     .secret = true},
    {.name = "priority",
     .type = "integer",
     .help = "Priority of messages; failures are sent with 8, tests with 1.",
     .fallback = "5",
     .minimum = 0,
     .maximum = 10},
};

constexpr AdapterInfo kInfo{.id = "gotify",
                            .name = "Gotify",
                            .options = kOptions,
                            .credentials = {.primary = "TOKEN", .primary_optional = true}};

constexpr int64_t kTestPriority = 1;
constexpr int64_t kFailurePriority = 8;

std::string markdown_of(const Message& message) {
  std::string out = "## " + escaped(message.title, &markdown_escaped) + "\n" +
                    escaped(message.text, &markdown_escaped);
  if (!message.fields.empty()) out += "\n";
  for (const EventField& field : message.fields) {
    out += "\n**" + escaped(field.name, &markdown_escaped) + ":** " +
           escaped(field.value, &markdown_escaped);
  }
  return out;
}

class Gotify final : public Channel {
 public:
  explicit Gotify(const Config& config)
      : Channel{"Gotify", {config.text("appToken")}},
        url_{base_url(config, "serverUrl") + "/message"},
        token_{config.required("appToken")},
        priority_{std::clamp<int64_t>(config.integer_or("priority", 5), 0, 10)} {}

 private:
  HttpRequest test_request() const override {
    return message_request("DBackup Notification", kTestText, kTestPriority);
  }
  HttpRequest request_for(const Event& event) const override {
    const Message message = message_of(event, "DBackup Notification");
    const bool is_failure = !message.success.value_or(true);
    return message_request(message.title, markdown_of(message),
                           is_failure ? kFailurePriority : priority_);
  }
  HttpRequest message_request(const std::string& title, const std::string& text,
                              int64_t priority) const {
    HttpRequest request =
        json_post(url_, {{"title", title},
                         {"message", text},
                         {"priority", priority},
                         {"extras", {{"client::display", {{"contentType", "text/markdown"}}}}}});
    request.headers.emplace_back("X-Gotify-Key", token_);
    return request;
  }
  /// A web page of something else also answers 200.
  bool accepted(const HttpResponse& response) const override {
    const Json answer = json_of(response);
    return response.ok() && answer.is_object() && answer.contains("id");
  }
  std::string words_of(const Json& answer) const override {
    const std::string error = text_of(answer, "error");
    const std::string more = text_of(answer, "errorDescription");
    return error.empty() || more.empty() ? error + more : error + ": " + more;
  }

  std::string url_;
  std::string token_;
  int64_t priority_;
};

}  // namespace

const dbackup_adapter* gotify() { return notifier<Gotify>(kInfo); }

}  // namespace dbackup::plugins::chat
