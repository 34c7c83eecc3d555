// Sends events to any HTTP endpoint: a fixed JSON object, or a text made from a template.

#include <strings.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <common/http_client.hpp>
#include <common/message_text.hpp>
#include <common/url_guard.hpp>
#include <dbackup/plugin.hpp>

namespace {

using dbackup::Call;
using dbackup::Error;
using dbackup::ErrorCode;
using dbackup::Event;
using dbackup::plugins::HttpRequest;
using dbackup::plugins::HttpResponse;
using dbackup::plugins::now_iso8601;
// Members in the order people read them.
using OrderedJson = nlohmann::ordered_json;

constexpr dbackup::Option kOptions[] = {
    {.name = "webhookUrl",
     .type = "url",
     .help = "Where events are sent.",
     .required = true,
     .secret = true},
    {.name = "method",
     .type = "choice",
     .help = "GET and HEAD carry no body.",
     .fallback = "POST",
     .choices = "POST|PUT|PATCH|GET|HEAD"},
    {.name = "contentType",
     .help = "Content type of the body. Values put into a JSON template are escaped for JSON.",
     .fallback = "application/json"},
    {.name = "authHeader", .help = "Value of the Authorization header.", .secret = true},
    {.name = "customHeaders",
     .type = "text",
     .help = "Further headers, one \"Name: value\" a line."},
    {.name = "payloadTemplate",
     .type = "text",
     .help = "Body with the placeholders {{title}} {{message}} {{success}} {{color}} {{timestamp}} "
             "{{eventType}} {{fields}}. Empty: a JSON object with all of them."},
};

constexpr dbackup::AdapterInfo kInfo{
    .id = "generic-webhook",
    .name = "Generic Webhook",
    .options = kOptions,
    .credentials = {.primary = "WEBHOOK", .primary_optional = true}};

bool is_json(std::string type) {
  type = type.substr(0, type.find(';'));
  std::ranges::transform(type, type.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  while (!type.empty() && type.back() == ' ') type.pop_back();
  return type == "application/json" || type.ends_with("+json");
}

std::string dumped(const OrderedJson& value) {
  return value.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

/// The event with every fall-back applied.
OrderedJson payload_of(const Event& event, bool keep_empty_fields) {
  const bool success = event.success.value_or(true);
  OrderedJson fields = OrderedJson::array();
  for (const auto& field : event.fields) {
    fields.push_back({{"name", field.name},
                      {"value", field.value.empty() ? "-" : field.value},
                      {"inline", field.is_inline}});
  }
  OrderedJson out{{"title", event.title.empty() ? "Notification" : event.title},
                  {"message", event.message},
                  {"success", success},
                  {"color", !event.color.empty() ? event.color
                            : success            ? "#00ff00"
                                                 : "#ff0000"},
                  {"timestamp", event.timestamp.empty() ? now_iso8601() : event.timestamp}};
  if (!event.type.empty()) out["eventType"] = event.type;
  if (!fields.empty() || keep_empty_fields) out["fields"] = std::move(fields);
  return out;
}

/// Replaces every {{name}}; a name the event does not have gives nothing. Values are not looked at
/// again, so a title that contains "{{message}}" stays as it is.
std::string filled(const std::string& pattern, const OrderedJson& payload, bool escape) {
  std::string out;
  size_t at = 0;
  for (;;) {
    const size_t open = pattern.find("{{", at);
    const size_t close = open == pattern.npos ? pattern.npos : pattern.find("}}", open);
    if (close == pattern.npos) return out.append(pattern, at);
    out.append(pattern, at, open - at);
    std::string name = pattern.substr(open + 2, close - open - 2);
    std::erase(name, ' ');
    at = close + 2;
    const auto found = payload.find(name);
    if (found == payload.end()) continue;
    if (!found->is_string()) {
      out += dumped(*found);
    } else if (escape) {
      const std::string quoted = dumped(*found);
      out.append(quoted, 1, quoted.size() - 2);
    } else {
      out += found->get<std::string>();
    }
  }
}

class GenericWebhook final : public dbackup::Notifier {
 public:
  explicit GenericWebhook(const dbackup::Config& config)
      : url_{config.required("webhookUrl")},
        method_{config.text_or("method", "POST")},
        content_type_{config.text_or("contentType", "application/json")},
        auth_header_{config.text("authHeader")},
        headers_{dbackup::plugins::parse_header_lines(config.text("customHeaders"))},
        template_{config.text("payloadTemplate")} {
    constexpr std::array kMethods{"POST", "PUT", "PATCH", "GET", "HEAD"};
    if (std::ranges::find(kMethods, method_) == kMethods.end()) {
      throw Error{ErrorCode::InvalidArgument, "\"method\" must be POST, PUT, PATCH, GET or HEAD"};
    }
    dbackup::plugins::check_url(url_);
  }

  dbackup::TestResult test(Call& call) override {
    const Event event{.type = "test",
                      .title = "DBackup connection test",
                      .message = "This is a connection test. No action is needed.",
                      .success = true,
                      .color = "#0078D4"};
    const HttpResponse response = deliver(call, event);
    return {.message = "Webhook returned " + std::to_string(response.status)};
  }

  dbackup::Rendering send(Call& call, const Event& event) override {
    deliver(call, event);
    return {};  // a template may hold secrets of its own
  }

 private:
  HttpResponse deliver(const Call& call, const Event& event) const {
    call.check_cancelled();
    HttpRequest request{.method = method_, .url = url_};
    set_header(request, "Content-Type", content_type_);
    if (!auth_header_.empty()) set_header(request, "Authorization", auth_header_);
    for (const auto& [name, value] : headers_) set_header(request, name, value);
    if (method_ != "GET" && method_ != "HEAD") {
      const OrderedJson payload = payload_of(event, event.type == "test" || !template_.empty());
      request.body =
          template_.empty() ? dumped(payload) : filled(template_, payload, is_json(content_type_));
    }
    HttpResponse response = dbackup::plugins::send(call, request);
    if (!response.ok()) throw dbackup::plugins::refusal("Webhook", response, {auth_header_, url_});
    return response;
  }

  /// A custom header takes the place of ours of the same name.
  static void set_header(HttpRequest& request, const std::string& name, const std::string& value) {
    const auto same = [&](const auto& header) {
      return ::strcasecmp(header.first.c_str(), name.c_str()) == 0;
    };
    std::erase_if(request.headers, same);
    request.headers.emplace_back(name, value);
  }

  std::string url_;
  std::string method_;
  std::string content_type_;
  std::string auth_header_;
  std::vector<std::pair<std::string, std::string>> headers_;
  std::string template_;
};

}  // namespace

DBACKUP_PLUGIN("org.dbackup.generic-webhook", "Generic Webhook", DBACKUP_SDK_VERSION,
               dbackup::notifier<GenericWebhook>(kInfo))
