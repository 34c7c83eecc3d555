#include "control/notification_log.hpp"

#include <algorithm>
#include <vector>

#include "base/id.hpp"
#include "base/log_masking.hpp"
#include "store/notification_log_store.hpp"

namespace dbackup::host {
namespace {

constexpr size_t kShortestSecret = 4;  // shorter ones would tear words apart
constexpr size_t kLongestText = 64 * 1024;
constexpr TimeMs kDay = 86'400'000;

std::string with_entities(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else {
      out += c;
    }
  }
  return out;
}

class Redaction {
 public:
  explicit Redaction(const std::vector<std::string>& secrets) : values_{secrets} {
    // Errors quote what stands behind the host of a webhook's URL, and that is its secret.
    for (const std::string& secret : secrets) {
      const size_t scheme = secret.find("://");
      const size_t path =
          scheme == std::string::npos ? scheme : secret.find_first_of("/?", scheme + 3);
      if (path != std::string::npos) values_.push_back(secret.substr(path));
    }
    // Renderings hold texts as a markup language writes them.
    for (size_t i = 0, plain = values_.size(); i < plain; ++i) {
      if (values_[i].find_first_of("&<>") != std::string::npos)
        values_.push_back(with_entities(values_[i]));
    }
    std::erase_if(values_, [](const std::string& value) { return value.size() < kShortestSecret; });
    // The longest first: a part of it must not leave the rest behind.
    std::ranges::sort(values_, [](const auto& a, const auto& b) { return a.size() > b.size(); });
  }
  std::string text(std::string out) const {
    for (const std::string& value : values_) {
      for (size_t at = out.find(value); at != std::string::npos; at = out.find(value, at))
        out.replace(at, value.size(), "[hidden]");
    }
    return out.size() > kLongestText ? out.substr(0, kLongestText) : out;
  }
  Json document(const Json& value) const {
    if (value.is_string()) return text(value.get<std::string>());
    Json out = value;
    if (value.is_object()) {
      for (auto& [name, member] : out.items()) member = document(member);
    } else if (value.is_array()) {
      for (auto& member : out) member = document(member);
    }
    return out;
  }

 private:
  std::vector<std::string> values_;
};

}  // namespace

NotificationLog notification_entry(const AdapterConfig& channel,
                                   const std::vector<std::string>& secrets, const Json& event,
                                   const std::string& execution_id, const std::string& error,
                                   TimeMs now, const Rendering& rendering) {
  const Redaction redaction{secrets};
  const Json shown = redaction.document(event);
  const auto text = [&](const char* name) { return get_string(shown, name).value_or(""); };
  NotificationLog out{.id = new_uuid(),
                      .event_type = text("eventType"),
                      .channel_id = channel.id,
                      .channel_name = channel.name,
                      .adapter_id = channel.adapter_id,
                      .status = error.empty() ? "Success" : "Failed",
                      .title = text("title"),
                      .message = text("message"),
                      .color = text("color"),
                      .rendered_payload = dump_json(shown),
                      .error = masked(redaction.text(error)),
                      .execution_id = execution_id};
  if (const auto fields = shown.find("fields"); fields != shown.end() && !fields->empty())
    out.fields = dump_json(*fields);
  if (rendering.format == "html") out.rendered_html = redaction.text(rendering.text);
  if (rendering.format == "json") {
    const Json payload = Json::parse(rendering.text, nullptr, /*allow_exceptions=*/false);
    if (payload.is_structured()) out.rendered_payload = dump_json(redaction.document(payload));
  }
  out.sent_at = now;
  return out;
}

int64_t sweep_notification_log(Session& session, const Settings& settings, TimeMs now) {
  const int64_t days = settings.integer("notification.log_retention_days");
  return NotificationLogStore{}.remove_older_than(session, now - days * kDay);
}

}  // namespace dbackup::host
