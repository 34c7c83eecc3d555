#include "control/system_events.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <vector>

namespace dbackup::host {
namespace {

constexpr const char* kBlue = "#3b82f6";
constexpr const char* kGreen = "#22c55e";
constexpr const char* kRed = "#ef4444";
constexpr const char* kAmber = "#f59e0b";

void add(Json& fields, const char* name, const std::string& value, bool is_inline = true) {
  if (!value.empty()) fields.push_back({{"name", name}, {"value", value}, {"inline", is_inline}});
}

struct EventText {
  const char* type;
  std::string title, message;
  const char* color;
  bool is_success;
  const char* badge = "";
};

Json event_of(const EventText& text, Json fields, TimeMs now) {
  add(fields, "Time", format_iso8601(now));
  Json out{{"eventType", text.type},     {"title", text.title}, {"message", text.message},
           {"success", text.is_success}, {"color", text.color}, {"timestamp", format_iso8601(now)},
           {"fields", std::move(fields)}};
  if (*text.badge != '\0') out["badge"] = text.badge;
  return out;
}

const char* role_of(const AdapterConfig& adapter) {
  return adapter.type == "database" ? "Source" : "Destination";
}

std::string duration_text(TimeMs time) {
  const TimeMs minutes = std::max<TimeMs>(0, time) / 60'000;
  if (minutes < 1) return std::to_string(std::max<TimeMs>(0, time) / 1000) + "s";
  if (minutes < 60) return std::to_string(minutes) + "m";
  return std::to_string(minutes / 60) + "h " + std::to_string(minutes % 60) + "m";
}

std::vector<int64_t> numbers_of(const std::string& version) {
  std::vector<int64_t> out;
  const char* const end = version.data() + version.size();
  for (const char* at = version.data(); at != end;) {
    int64_t number = 0;
    const auto [next, status] = std::from_chars(at, end, number);
    if (status == std::errc{} && std::isdigit(static_cast<unsigned char>(*at)) != 0) {
      out.push_back(number);
      at = next;
    } else {
      ++at;
    }
  }
  return out;
}

}  // namespace

bool is_older_version(const std::string& a, const std::string& b) {
  return numbers_of(a) < numbers_of(b);
}

Json user_login_event(const User& user, const std::string& address, TimeMs now) {
  Json fields = Json::array();
  add(fields, "User", user.name);
  add(fields, "Email", user.email);
  add(fields, "IP Address", address);
  return event_of({"user_login", "User Login", "\"" + user.name + "\" signed in", kBlue, true},
                  std::move(fields), now);
}

Json user_created_event(const User& user, const std::string& by, TimeMs now) {
  Json fields = Json::array();
  add(fields, "User", user.name);
  add(fields, "Email", user.email);
  add(fields, "Created By", by);
  return event_of({"user_created", "New User Created",
                   "an account was made for \"" + user.name + "\"", kGreen, true},
                  std::move(fields), now);
}

Json connection_offline_event(const AdapterConfig& adapter, int64_t failures,
                              const std::string& error, TimeMs now) {
  Json fields = Json::array();
  add(fields, role_of(adapter), adapter.name);
  add(fields, "Type", adapter.adapter_id);
  add(fields, "Failed Checks", std::to_string(failures));
  add(fields, "Last Error", error, /*is_inline=*/false);
  std::string message = "\"" + adapter.name + "\" does not answer";
  if (!error.empty()) message += ": " + error;
  return event_of({"connection_offline", std::string(role_of(adapter)) + " Offline", message, kRed,
                   false, "Offline"},
                  std::move(fields), now);
}

Json connection_online_event(const AdapterConfig& adapter, std::optional<TimeMs> down, TimeMs now) {
  Json fields = Json::array();
  add(fields, role_of(adapter), adapter.name);
  add(fields, "Type", adapter.adapter_id);
  if (down) add(fields, "Downtime", duration_text(*down));
  return event_of({"connection_online", std::string(role_of(adapter)) + " Recovered",
                   "\"" + adapter.name + "\" answers again", kGreen, true, "Recovered"},
                  std::move(fields), now);
}

Json db_version_event(const AdapterConfig& source, const std::string& before,
                      const std::string& after, const std::string& edition, TimeMs now) {
  const bool is_upgrade = !is_older_version(after, before);
  const std::string word = is_upgrade ? "Upgrade" : "Downgrade";
  Json fields = Json::array();
  add(fields, "Source", source.name);
  add(fields, "Adapter", source.adapter_id);
  add(fields, "Previous Version", before);
  add(fields, "New Version", after);
  add(fields, "Edition", edition);
  return event_of({"db_version_changed", "Database Version " + word + "d: " + source.name,
                   "\"" + source.name + "\" runs version " + after + ", it was " + before,
                   is_upgrade ? kBlue : kAmber, is_upgrade, is_upgrade ? "Upgrade" : "Downgrade"},
                  std::move(fields), now);
}

}  // namespace dbackup::host
