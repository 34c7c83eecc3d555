#include "api/schema.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include "api/field_error.hpp"
#include "base/clock.hpp"

namespace dbackup::host::schema {
namespace {

[[noreturn]] void bad(const std::string& where, const std::string& what) {
  const std::string subject = where.empty() ? "the request body" : "\"" + where + "\"";
  throw FieldError(where, subject + " " + what);
}

bool has_type(const Json& value, const std::string& type) {
  if (type == "object") return value.is_object();
  if (type == "array") return value.is_array();
  if (type == "string") return value.is_string();
  if (type == "boolean") return value.is_boolean();
  if (type == "null") return value.is_null();
  if (type == "number") return value.is_number();
  // An integer beyond 64 signed bits reaches no column of ours.
  if (type == "integer") {
    return value.is_number_integer() &&
           !(value.is_number_unsigned() && value.get<uint64_t>() > INT64_MAX);
  }
  return false;
}

size_t character_count(const std::string& text) {
  size_t count = 0;
  for (const char c : text) count += (static_cast<unsigned char>(c) & 0xC0) != 0x80 ? 1 : 0;
  return count;
}

enum class Undescribed { Ignored, Refused };

void check_at(const Json& schema, const Json& value, const std::string& where, Undescribed others);

void check_text(const Json& schema, const std::string& text, const std::string& where) {
  if (text.find('\0') != std::string::npos) bad(where, "must not contain NUL");
  const size_t length = character_count(text);
  if (schema.contains("minLength") && length < schema["minLength"].get<size_t>()) {
    bad(where, length == 0 ? "must not be empty" : "is too short");
  }
  if (schema.contains("maxLength") && length > schema["maxLength"].get<size_t>()) {
    bad(where,
        "must have at most " + std::to_string(schema["maxLength"].get<size_t>()) + " characters");
  }
  if (!schema.contains("enum")) return;
  std::string all;
  for (const Json& choice : schema["enum"]) {
    if (choice == text) return;
    all += (all.empty() ? "" : ", ") + choice.get<std::string>();
  }
  bad(where, "must be one of: " + all);
}

void check_object(const Json& schema, const Json& value, const std::string& where,
                  Undescribed others) {
  const std::string prefix = where.empty() ? "" : where + ".";
  if (schema.contains("required")) {
    for (const Json& name : schema["required"]) {
      if (!value.contains(name.get<std::string>()))
        bad(prefix + name.get<std::string>(), "is required");
    }
  }
  if (schema.contains("properties")) {
    for (const auto& [name, property] : schema["properties"].items()) {
      const auto found = value.find(name);
      if (found != value.end()) check_at(property, *found, prefix + name, others);
    }
  }
  if (schema.contains("additionalProperties")) {
    for (const auto& [name, member] : value.items()) {
      check_at(schema["additionalProperties"], member, prefix + name, others);
    }
  } else if (others == Undescribed::Refused) {
    const Json described = schema.value("properties", Json::object());
    for (const auto& [name, member] : value.items()) {
      if (!described.contains(name)) bad(prefix + name, "is not described by its schema");
    }
  }
}

void check_any_of(const Json& forms, const Json& value, const std::string& where,
                  Undescribed others) {
  std::optional<FieldError> reason;
  for (const Json& form : forms) {
    try {
      check_at(form, value, where, others);
      return;
    } catch (const FieldError& error) {
      // The form whose type fits gives the better reason.
      if (!reason || !form.contains("type") || has_type(value, form["type"].get<std::string>())) {
        reason = error;
      }
    }
  }
  if (reason) throw FieldError{*reason};
}

void check_at(const Json& schema, const Json& value, const std::string& where, Undescribed others) {
  if (schema.contains("anyOf")) return check_any_of(schema["anyOf"], value, where, others);
  if (!schema.contains("type")) return;
  const auto& type = schema["type"].get_ref<const std::string&>();
  if (!has_type(value, type)) {
    const bool vowel = type == "object" || type == "array" || type == "integer";
    bad(where, std::string{"must be "} + (vowel ? "an " : "a ") + type);
  }
  if (value.is_string()) check_text(schema, value.get_ref<const std::string&>(), where);
  if (value.is_object()) check_object(schema, value, where, others);
  if (value.is_number()) {
    if (schema.contains("minimum") && value < schema["minimum"]) {
      bad(where, "must be at least " + schema["minimum"].dump());
    }
    if (schema.contains("maximum") && value > schema["maximum"]) {
      bad(where, "must be at most " + schema["maximum"].dump());
    }
  }
  if (!value.is_array()) return;
  if (schema.contains("minItems") && value.size() < schema["minItems"].get<size_t>()) {
    bad(where, "must not be empty");
  }
  if (schema.contains("maxItems") && value.size() > schema["maxItems"].get<size_t>()) {
    bad(where,
        "must have at most " + std::to_string(schema["maxItems"].get<size_t>()) + " entries");
  }
  for (size_t i = 0; i < value.size() && schema.contains("items"); ++i) {
    check_at(schema["items"], value[i], where + "[" + std::to_string(i) + "]", others);
  }
}

}  // namespace

Json object(std::initializer_list<Field> fields) {
  Json out{{"type", "object"}, {"properties", Json::object()}};
  for (const Field& field : fields) {
    out["properties"][std::string{field.name}] = field.schema;
    if (field.is_required) out["required"].push_back(std::string{field.name});
  }
  return out;
}
Json merged(Json first, const Json& second) {
  first["properties"].update(second.at("properties"));
  if (second.contains("required")) {
    for (const Json& name : second["required"]) first["required"].push_back(name);
  }
  return first;
}
Json map_of(Json values) {
  return {{"type", "object"}, {"additionalProperties", std::move(values)}};
}
Json list_of(Json items, size_t minimum, size_t maximum) {
  Json out{{"type", "array"}, {"items", std::move(items)}};
  if (minimum > 0) out["minItems"] = minimum;
  if (maximum > 0) out["maxItems"] = maximum;
  return out;
}
Json text() { return {{"type", "string"}}; }
Json text(size_t shortest, size_t longest) {
  return {{"type", "string"}, {"minLength", shortest}, {"maxLength", longest}};
}
Json one_of(std::initializer_list<std::string_view> values) {
  Json out = text();
  for (const auto value : values) out["enum"].push_back(std::string{value});
  return out;
}
Json integer() { return {{"type", "integer"}}; }
Json integer(int64_t minimum, int64_t maximum) {
  return {{"type", "integer"}, {"minimum", minimum}, {"maximum", maximum}};
}
Json number() { return {{"type", "number"}}; }
Json flag() { return {{"type", "boolean"}}; }
Json date() { return {{"type", "string"}, {"format", "date-time"}}; }
Json any() { return Json::object(); }
Json any_object() { return {{"type", "object"}}; }
Json titled(std::string_view name, Json schema) {
  schema["title"] = std::string{name};
  return schema;
}
Json any_document() { return map_of(any()); }
Json either(std::initializer_list<Json> forms) {
  Json all = Json::array();
  for (const Json& form : forms) all.push_back(form);
  return {{"anyOf", std::move(all)}};
}
Json nullable(Json schema) { return either({std::move(schema), Json{{"type", "null"}}}); }
Json described(Json schema, std::string_view text) {
  schema["description"] = std::string{text};
  return schema;
}

void check(const Json& schema, const Json& value) {
  check_at(schema, value, "", Undescribed::Ignored);
}

void check_answer(const Json& schema, const Json& value) {
  check_at(schema, value, "", Undescribed::Refused);
}

void check_query(const Json& schema,
                 const std::vector<std::pair<std::string, std::string>>& parameters) {
  for (const Json& name : schema.value("required", Json::array())) {
    const auto is_given = [&](const auto& given) {
      return given.first == name && !given.second.empty();
    };
    if (std::ranges::none_of(parameters, is_given)) {
      bad("query parameter " + name.get<std::string>(), "is required");
    }
  }
  for (const auto& [name, text] : parameters) {
    const auto property = schema.at("properties").find(name);
    if (property == schema.at("properties").end() || text.empty()) continue;
    const std::string type = property->value("type", "string");
    if (type == "boolean") continue;
    const std::string where = "query parameter " + name;
    Json value = text;
    if (type == "integer") {
      int64_t number = 0;
      const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), number);
      if (status != std::errc{} || end != text.data() + text.size())
        bad(where, "must be an integer");
      value = number;
    }
    check_at(*property, value, where, Undescribed::Ignored);
    if (property->value("format", "") == "date-time") parse_iso8601(text, where);
  }
}

Json error_answer() {
  return object(
      {required("success", flag()), required("error", text()), optional("message", text()),
       optional("code", text()), optional("profileId", text()), optional("valid", flag()),
       optional("references",
                described(list_of(object({required("adapterId", text()), required("name", text()),
                                          required("type", text()), required("slot", text())})),
                          "the adapters that use a credential")),
       optional("errors", described(object({required("formErrors", list_of(text())),
                                            required("fieldErrors", map_of(list_of(text())))}),
                                    "what is wrong, by member of the request"))});
}
Json success_answer() { return object({required("success", flag())}); }
Json wrapped(Json data) {
  return object({required("success", flag()), required("data", std::move(data))});
}

}  // namespace dbackup::host::schema
