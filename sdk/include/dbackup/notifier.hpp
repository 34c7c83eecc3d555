#pragma once

#include <dbackup/source.hpp>

namespace dbackup {

struct EventField {
  std::string name;
  std::string value;
  bool is_inline = true;
};

/// What happened, ready to be shown to people.
struct Event {
  std::string type;  ///< "backup_success", "backup_failure", …
  std::string title;
  std::string message;
  std::optional<bool> success = {};
  std::string color = {};  ///< "#22c55e"
  std::string badge = {};
  std::string timestamp = {};  ///< ISO 8601, UTC
  std::vector<EventField> fields = {};
};

/// What `send` delivered, for people to look at later; without secrets. Empty `text`: nothing to show.
struct Rendering {
  std::string text = {};
  std::string format = "json";  ///< of `text`: "json" (the body of the request) or "html"
};

/// A channel. What it throws is recorded as a failed delivery and never ends the run.
class Notifier {
 public:
  virtual ~Notifier() = default;
  /// Delivers a test message.
  virtual TestResult test(Call& call) = 0;
  /// Delivers `event`. Throws Error unless the far side accepted it. Nothing to show: return {}.
  virtual Rendering send(Call& call, const Event& event) = 0;
};

namespace detail {

inline Event parse_event(const Config& text) {
  Event event{.type = text.text("eventType"),
              .title = text.text("title"),
              .message = text.text("message"),
              .color = text.text("color"),
              .badge = text.text("badge"),
              .timestamp = text.text("timestamp")};
  if (text.has("success")) event.success = text.flag_or("success", true);
  if (text.has("fields") && text.json().at("fields").is_array()) {
    for (const Json& item : text.json().at("fields")) {
      const Config field{item};
      event.fields.push_back(
          {field.text("name"), field.text("value"), field.flag_or("inline", true)});
    }
  }
  return event;
}

template <class T>
dbackup_notifier make_notifier_table() noexcept {
  dbackup_notifier table{};
  table.struct_size = sizeof(dbackup_notifier);
  table.open = &open_instance<T>;
  table.close = &close_instance<T>;
  table.test = &test_instance<T>;
  table.send = [](void* self, const dbackup_call* call, dbackup_str text) noexcept {
    return guard(call, [&](Call& c) {
      const Rendering shown =
          static_cast<T*>(self)->send(c, parse_event(Config::parse(view(text))));
      Json out = Json::object();
      if (!shown.text.empty()) out = {{"rendered", shown.text}, {"format", shown.format}};
      answer(c, out);
    });
  };
  return table;
}

template <class T>
inline const dbackup_notifier kNotifierTable = make_notifier_table<T>();

template <class T>
const void* notifier_extension(const char* id) noexcept {
  return std::string_view{id} == DBACKUP_EXT_NOTIFIER ? &kNotifierTable<T> : nullptr;
}

}  // namespace detail

/// The table entry of a notification adapter, for DBACKUP_PLUGIN. Static storage.
template <class T, class Tag = T>
const dbackup_adapter* notifier(const AdapterInfo& info) {
  static detail::AdapterHolder holder;
  Json descriptor = detail::base_descriptor("notifier", info);
  descriptor["capabilities"] = Json::object();
  holder.descriptor = to_text(descriptor);
  holder.adapter = {sizeof(dbackup_adapter), DBACKUP_KIND_NOTIFIER, info.id,
                    holder.descriptor.c_str(), &detail::notifier_extension<T>};
  return &holder.adapter;
}

}  // namespace dbackup
