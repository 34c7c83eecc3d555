#include "api/render.hpp"
#include "services/services.hpp"

namespace dbackup::host::render {
namespace {

/// Members that are JSON encoded in a text; the others are plain.
constexpr std::string_view kEncoded[] = {"config", "patterns", "groups", "excludedGroupPatterns"};

bool is_encoded(const std::string& name) {
  for (const auto encoded : kEncoded) {
    if (name == encoded) return true;
  }
  return false;
}

Json common(const Template& row) {
  Json out{{"id", row.id},
           {"name", row.name},
           {"description", text_or_null(row.description)},
           {"createdAt", format_iso8601(row.created_at)},
           {"updatedAt", format_iso8601(row.updated_at)}};
  if (row_of(row.kind).has_default) out["isDefault"] = row.is_default;
  if (row_of(row.kind).has_system) out["isSystem"] = row.is_system;
  for (const auto& [name, value] : row.content.items()) {
    out[name] = is_encoded(name) ? Json(dump_json(value)) : value;
  }
  return out;
}

}  // namespace

Json template_row(const TemplateView& view) {
  Json out = common(view.row);
  if (view.row.kind != TemplateKind::NotificationTemplate) return out;
  out["channels"] = Json::array();
  for (const auto& channel : view.row.channels) {
    const auto found = view.channels.find(channel.config_id);
    const auto known = found == view.channels.end() ? TemplateView::Channel{} : found->second;
    out["channels"].push_back({{"configId", channel.config_id},
                               {"events", channel.events},
                               {"name", text_or_null(known.name)},
                               {"adapterId", text_or_null(known.adapter_id)}});
  }
  return out;
}

Json notification_template(const Template& row,
                           const std::function<Json(const std::string&)>& adapter_of) {
  Json out = common(row);
  out["channels"] = Json::array();
  for (const auto& channel : row.channels) {
    out["channels"].push_back({{"id", channel.id},
                               {"templateId", row.id},
                               {"configId", channel.config_id},
                               {"events", channel.events},
                               {"config", adapter_of(channel.config_id)}});
  }
  return out;
}

}  // namespace dbackup::host::render
