#include "services/template_fields.hpp"

#include <algorithm>
#include <set>

#include "base/error.hpp"
#include "base/id.hpp"
#include "services/adapter_fields.hpp"
#include "control/cron.hpp"
#include "services/job_fields.hpp"
#include "services/rights.hpp"
#include "store/adapter_store.hpp"

namespace dbackup::host {
namespace {

constexpr size_t kMostEntries = 500;

[[noreturn]] void bad(const std::string& field, const std::string& what) {
  throw Error(ErrorCode::InvalidArgument, "\"" + field + "\" " + what);
}

/// A member sent as it is, or as its JSON text: answers give the text, so it can be sent back.
std::optional<Json> structured(const Json& fields, const std::string& key) {
  const auto found = fields.find(key);
  if (found == fields.end() || found->is_null()) return std::nullopt;
  if (!found->is_string()) return *found;
  return parse_json(found->get_ref<const std::string&>(), "\"" + key + "\"");
}

std::optional<std::vector<std::string>> texts(const Json& fields, const std::string& key) {
  const auto value = structured(fields, key);
  if (!value) return std::nullopt;
  if (!value->is_array()) bad(key, "must be an array");
  if (value->size() > kMostEntries) bad(key, "must have at most 500 entries");
  std::vector<std::string> out;
  for (const Json& item : *value) {
    if (!item.is_string()) bad(key, "must hold texts alone");
    auto text = item.get<std::string>();
    if (text.empty() || text.size() > 1000 || text.find('\0') != std::string::npos) {
      bad(key, "must hold texts of 1 to 1000 characters");
    }
    if (std::ranges::find(out, text) == out.end()) out.push_back(std::move(text));
  }
  return out;
}

void apply_retention(Template& row, const Json& fields) {
  const auto config = structured(fields, "config");
  if (!config) return;
  check_retention(*config, "config");
  if (config->empty()) bad("config.mode", "is required");
  row.content["config"] = *config;
}

void apply_schedule(Template& row, const Json& fields) {
  const auto schedule = get_string(fields, "schedule");
  if (!schedule) return;
  CronSchedule::parse(*schedule);
  row.content["schedule"] = *schedule;
}

void apply_pattern(Template& row, const Json& fields) {
  const auto pattern = get_string(fields, "pattern");
  if (!pattern) return;
  check_name_pattern(*pattern);
  row.content["pattern"] = *pattern;
}

void apply_channels(Template& row, const Json& fields) {
  const auto found = fields.find("channels");
  if (found == fields.end() || found->is_null()) return;
  if (!found->is_array()) bad("channels", "must be an array");
  if (found->size() > 200) bad("channels", "must have at most 200 entries");
  std::vector<TemplateChannel> out;
  std::set<std::string> seen;
  for (const Json& item : *found) {
    const std::string where = "channels[" + std::to_string(out.size()) + "]";
    if (!item.is_object()) bad(where, "must be an object");
    TemplateChannel channel{.id = new_uuid()};
    channel.config_id = get_string(item, "configId").value_or("");
    if (channel.config_id.empty()) bad(where + ".configId", "is required");
    if (!seen.insert(channel.config_id).second) bad(where + ".configId", "is listed twice");
    channel.events = get_string(item, "events").value_or("");
    if (!is_event_selection(channel.events)) {
      bad(where + ".events", "must be SUCCESS, PARTIAL, FAILED joined by |");
    }
    for (const auto& old : row.channels) {
      if (old.config_id == channel.config_id) channel.id = old.id;
    }
    out.push_back(std::move(channel));
  }
  row.channels = std::move(out);
}

void apply_excludes(Template& row, const Json& fields) {
  for (const char* key : {"patterns", "groups", "excludedGroupPatterns"}) {
    if (const auto value = texts(fields, key)) row.content[key] = *value;
    if (!row.content.contains(key)) row.content[key] = Json::array();
  }
  for (const Json& id : row.content["groups"]) {
    if (std::ranges::none_of(kExcludeGroups, [&](const auto& group) { return id == group.id; })) {
      bad("groups", "names no built-in group: \"" + id.get<std::string>() + "\"");
    }
  }
}

/// In the order of TemplateKind.
constexpr struct {
  void (*apply)(Template&, const Json&);
  const char* needed;  ///< of a new row, beside the name; nullptr: nothing
} kFields[] = {
    {apply_retention, "config"}, {apply_schedule, "schedule"}, {apply_pattern, "pattern"},
    {apply_channels, nullptr},   {apply_excludes, nullptr},
};
static_assert(std::size(kFields) == kTemplateKinds.size());

}  // namespace

bool is_event_selection(std::string_view text) noexcept {
  // Lower words stand for several events: of jobs alone.
  return text != "ALWAYS" && text != "FAILURE_ONLY" && text != "SUCCESS_ONLY" &&
         is_notification_events(text);
}

void check_name_pattern(std::string_view pattern, std::string_view field) {
  const std::string name_of_field{field};
  if (pattern.empty() || pattern.size() > 200) bad(name_of_field, "must have 1 to 200 characters");
  const auto is_refused = [](char c) {
    return c == '/' || c == '\\' || static_cast<unsigned char>(c) < ' ';
  };
  if (std::ranges::any_of(pattern, is_refused)) {
    bad(name_of_field, "must not hold slashes or control characters");
  }
  for (size_t at = pattern.find_first_of("{}"); at != std::string_view::npos;
       at = pattern.find_first_of("{}", at)) {
    const auto end = pattern.find('}', at);
    const auto name = pattern.substr(at, end == std::string_view::npos ? 1 : end - at + 1);
    if (name != "{job_name}" && name != "{db_name}" && name != "{chain}") {
      bad(name_of_field, "knows {job_name}, {db_name} and {chain}, not \"" + std::string{name} + "\"");
    }
    at = end;
  }
}

void require_template_fields(TemplateKind kind, const Json& fields) {
  require_string(fields, "name");
  const char* needed = kFields[static_cast<size_t>(kind)].needed;
  if (needed != nullptr && (!fields.contains(needed) || fields[needed].is_null()))
    bad(needed, "is required");
}

void apply_template_fields(Template& row, const Json& fields) {
  if (fields.contains("name")) row.name = checked_name(fields);
  if (fields.contains("description")) {
    row.description = get_string(fields, "description").value_or("");
    if (row.description.size() > 2000) bad("description", "is too long");
  }
  if (row_of(row.kind).has_default) {
    row.is_default = get_bool(fields, "isDefault").value_or(row.is_default);
  }
  kFields[static_cast<size_t>(row.kind)].apply(row, fields);
}

void check_template_references(Session& session, const Template& row) {
  for (size_t i = 0; i < row.channels.size(); ++i) {
    const std::string& id = row.channels[i].config_id;
    const auto adapter = AdapterStore{}.find(session, id);
    if (!adapter || adapter->type != kNotificationType) {
      bad("channels[" + std::to_string(i) + "].configId",
          "\"" + id + "\" is no known notification adapter");
    }
  }
}

}  // namespace dbackup::host
