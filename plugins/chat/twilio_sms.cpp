// Twilio: a text message. https://www.twilio.com/docs/messaging/api/message-resource

#include <algorithm>
#include <common/encodings.hpp>
#include <common/percent_encoding.hpp>

#include "channel.hpp"

namespace dbackup::plugins::chat {
namespace {

constexpr Option kOptions[] = {
    {.name = "accountSid", .help = "The account's SID, \"AC…\".", .required = true, .secret = true},
    {.name = "authToken", .help = "The account's token.", .required = true, .secret = true},
    {.name = "from",
     .help = "Sender: a number in E.164 (\"+15550100\"), a sender's name, or the SID of a "
             "messaging service (\"MG…\").",
     .required = true},
    {.name = "to", .help = "Receiver: a number in E.164.", .required = true},
    {.name = "apiUrl",
     .type = "url",
     .help = "Address of Twilio's API: a proxy, or another region's.",
     .fallback = "https://api.twilio.com"},
};

constexpr AdapterInfo kInfo{.id = "twilio-sms",
                            .name = "SMS (Twilio)",
                            .options = kOptions,
                            .credentials = {.primary = "TOKEN", .primary_optional = true}};

constexpr size_t kMostText = 1600;
constexpr size_t kMostTitle = 160;
constexpr size_t kMostValue = 300;
constexpr size_t kMostFields = 4;  // every 70 to 153 characters are paid for as one more message

std::string phone_number(const Config& config, const char* name) {
  std::string number = config.required(name);
  const bool has_form = number.size() >= 3 && number.size() <= 16 && number[0] == '+' &&
                        number[1] != '0' &&
                        number.find_first_not_of("0123456789", 1) == number.npos;
  if (!has_form) {
    throw Error{ErrorCode::InvalidArgument,
                "\"" + std::string{name} + "\" must be a number such as \"+15550100\""};
  }
  return number;
}

class TwilioSms final : public Channel {
 public:
  explicit TwilioSms(const Config& config)
      : Channel{"Twilio", {config.text("authToken"), config.text("accountSid")}},
        url_{base_url(config, "apiUrl", "https://api.twilio.com") + "/2010-04-01/Accounts/" +
             path_word(config, "accountSid") + "/Messages.json"},
        login_{"Basic " +
               base64(config.required("accountSid") + ":" + config.required("authToken"))},
        from_{config.required("from")},
        to_{phone_number(config, "to")} {}

 private:
  HttpRequest test_request() const override { return message_request(kTestText); }
  HttpRequest request_for(const Event& event) const override {
    const Message message = message_of(event);
    TextParts parts{.head = fitted(message.title, kMostTitle, Unit::Utf16) + "\n",
                    .body = message.text,
                    .separator = "\n"};
    if (message.success) parts.head += *message.success ? "✅ " : "❌ ";
    for (const EventField& field : message.fields) {
      if (parts.lines.size() == kMostFields) break;
      parts.lines.push_back(field.name + ": " + fitted(field.value, kMostValue, Unit::Utf16));
    }
    return message_request(assembled(parts, kMostText, Unit::Utf16, &unescaped));
  }
  HttpRequest message_request(const std::string& text) const {
    const bool is_service = from_.starts_with("MG") && from_.size() == 34;
    HttpRequest request{.method = "POST", .url = url_};
    request.headers = {{"Content-Type", "application/x-www-form-urlencoded"},
                       {"Authorization", login_}};
    request.body = std::string{is_service ? "MessagingServiceSid" : "From"} + "=" +
                   percent_encoded(from_) + "&To=" + percent_encoded(to_) +
                   "&Body=" + percent_encoded(text);
    return request;
  }
  std::string test_answer() const override { return "Test SMS sent successfully!"; }
  bool accepted(const HttpResponse& response) const override {
    const Json answer = json_of(response);
    return response.ok() && answer.is_object() && answer.contains("sid");
  }

  std::string url_;
  std::string login_;
  std::string from_;
  std::string to_;
};

}  // namespace

const dbackup_adapter* twilio_sms() { return notifier<TwilioSms>(kInfo); }

}  // namespace dbackup::plugins::chat
