#include <algorithm>
#include <cctype>

#include "api/openapi.hpp"

/// Which schemas become components, and under which names.
namespace dbackup::host::openapi {
namespace {

/// Shorter ones are easier to read where they stand.
constexpr size_t kWorthAName = 120;

/// "destinations" → "Destination"
std::string type_name(std::string_view word) {
  std::string out;
  bool upper = true;
  for (const char c : word) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) {
      upper = true;
      continue;
    }
    out += upper ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
    upper = false;
  }
  if (out.ends_with("ies")) return out.substr(0, out.size() - 3) + "y";
  if (out.size() > 2 && out.ends_with('s') && !out.ends_with("ss") && !out.ends_with("us"))
    out.pop_back();
  return out;
}

bool is_null(const Json& schema) { return schema == Json{{"type", "null"}}; }

/// {"anyOf":[{"type":"string"},{"type":"null"}]} is {"type":["string","null"]}.
Json simplified(Json schema) {
  const auto forms = schema.find("anyOf");
  if (forms == schema.end() || forms->size() != 2 || !is_null((*forms)[1])) return schema;
  const Json& form = (*forms)[0];
  if (!form.contains("type") || form.contains("enum") || !form["type"].is_string()) return schema;
  Json out = form;
  out["type"] = Json::array({form["type"], "null"});
  if (schema.contains("description")) out["description"] = schema["description"];
  return out;
}

}  // namespace

void SchemaShelf::count(const Json& schema) {
  if (!schema.is_object()) return;
  if (schema.contains("properties")) {
    // What a shelved schema holds is not repeated by repeating it.
    if (++counts_[schema.dump()] > 1) return;
    for (const auto& [name, property] : schema["properties"].items()) count(property);
  }
  for (const char* key : {"items", "additionalProperties"}) {
    if (schema.contains(key)) count(schema[key]);
  }
  for (const Json& form : schema.value("anyOf", Json::array())) count(form);
}

Json SchemaShelf::use(const Json& schema, const std::string& hint) {
  if (!schema.is_object()) return schema;
  const std::string key = schema.dump();
  if (const auto known = names_.find(key); known != names_.end())
    return {{"$ref", "#/components/schemas/" + known->second}};
  Json out = schema;
  if (schema.contains("properties")) {
    for (auto& [name, property] : out["properties"].items()) property = use(property, name);
  }
  for (const char* part : {"items", "additionalProperties"}) {
    if (out.contains(part)) out[part] = use(out[part], hint);
  }
  if (out.contains("anyOf")) {
    for (Json& form : out["anyOf"]) form = use(form, hint);
  }
  const bool is_shared = counts_[key] > 1 && key.size() > kWorthAName;
  if (!schema.contains("properties") || !(is_shared || schema.contains("title")))
    return simplified(std::move(out));
  return {{"$ref", "#/components/schemas/" + shelve(key, out, hint)}};
}

std::string SchemaShelf::shelve(const std::string& key, const Json& schema,
                                const std::string& hint) {
  const std::string wanted =
      schema.contains("title") ? schema["title"].get<std::string>() : type_name(hint);
  std::string name = wanted;
  for (int i = 2; shelf_.contains(name); ++i) name = wanted + std::to_string(i);
  shelf_[name] = schema;
  names_.emplace(key, name);
  return name;
}

}  // namespace dbackup::host::openapi
