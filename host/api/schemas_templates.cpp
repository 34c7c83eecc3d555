#include "api/schemas_templates.hpp"

#include "api/bulk_body.hpp"

namespace dbackup::host::schemas {

using namespace schema;

namespace {

Json as_text(const char* what) { return described(text(), std::string{what} + ", JSON as text"); }
Json list_or_text() {
  return described(either({list_of(text()), text()}), "an array, or the same as JSON text");
}
Json events() { return described(text(1, 100), "SUCCESS, PARTIAL, FAILED joined by |"); }

/// What a kind has of its own.
Json own_answer(TemplateKind kind) {
  switch (kind) {
    case TemplateKind::RetentionPolicy:
      return object({required("config", as_text("mode NONE, SIMPLE or SMART"))});
    case TemplateKind::SchedulePreset:
      return object({required("schedule", text())});
    case TemplateKind::NamingTemplate:
      return object({required("pattern", text())});
    case TemplateKind::NotificationTemplate:
      return object({required(
          "channels", list_of(object({required("configId", text()), required("events", text()),
                                      required("name", nullable(text())),
                                      required("adapterId", nullable(text()))})))});
    case TemplateKind::ExcludePreset:
      break;
  }
  return object({required("patterns", as_text("array of texts")),
                 required("groups", as_text("array of texts")),
                 required("excludedGroupPatterns", as_text("array of texts"))});
}

Json own_request(TemplateKind kind, bool is_new) {
  const auto needed = [is_new](std::string_view name, Json schema) {
    return Field{name, std::move(schema), is_new};
  };
  switch (kind) {
    case TemplateKind::RetentionPolicy:
      return object({needed("config", described(either({any_object(), text()}),
                                                "an object, or the same as JSON text"))});
    case TemplateKind::SchedulePreset:
      return object({needed("schedule", text(1, 200))});
    case TemplateKind::NamingTemplate:
      return object({needed("pattern", text(1, 200))});
    case TemplateKind::NotificationTemplate:
      return object({optional("channels", list_of(object({required("configId", text(1, 100)),
                                                          required("events", events())}),
                                                  0, 200))});
    case TemplateKind::ExcludePreset:
      break;
  }
  return object({optional("patterns", list_or_text()), optional("groups", list_or_text()),
                 optional("excludedGroupPatterns", list_or_text())});
}

constexpr std::string_view kTitles[] = {"RetentionPolicy", "SchedulePreset", "NamingTemplate",
                                        "NotificationTemplate", "ExcludePreset"};
static_assert(std::size(kTitles) == kTemplateKinds.size());

}  // namespace

Json template_row(TemplateKind kind) {
  Json out = merged(object({required("id", text()), required("name", text()),
                            required("description", nullable(text()))}),
                    own_answer(kind));
  if (row_of(kind).has_default) out = merged(out, object({required("isDefault", flag())}));
  if (row_of(kind).has_system) out = merged(out, object({required("isSystem", flag())}));
  out = merged(out, object({required("createdAt", date()), required("updatedAt", date())}));
  return titled(kTitles[static_cast<size_t>(kind)], out);
}

Json template_request(TemplateKind kind, bool is_new) {
  Json out = merged(object({Field{"name", text(1, 100), is_new},
                            optional("description", nullable(text(0, 2000)))}),
                    own_request(kind, is_new));
  if (row_of(kind).has_default) out = merged(out, object({optional("isDefault", flag())}));
  return out;
}

Json exclude_groups() {
  return wrapped(list_of(object(
      {required("id", text()), required("label", text()), required("patterns", list_of(text()))})));
}

Json templates_bulk() { return bulk_request({"delete"}); }

}  // namespace dbackup::host::schemas
