#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.hpp"

/// Short words for JSON Schemas of requests and answers: checking of bodies and the OpenAPI
/// document read the same ones.
namespace dbackup::host::schema {

using Function = Json (*)();

struct Field {
  std::string_view name;
  Json schema;
  bool is_required = false;
};
inline Field required(std::string_view name, Json schema) {
  return {name, std::move(schema), true};
}
inline Field optional(std::string_view name, Json schema) {
  return {name, std::move(schema), false};
}

Json object(std::initializer_list<Field> fields);
/// `parts` as one: an object with the fields of all.
Json merged(Json first, const Json& second);
/// An object whose members are all `values`.
Json map_of(Json values);
/// `maximum` 0: no limit.
Json list_of(Json items, size_t minimum = 0, size_t maximum = 0);
Json text();
Json text(size_t shortest, size_t longest);
Json one_of(std::initializer_list<std::string_view> values);
Json integer();
Json integer(int64_t minimum, int64_t maximum);
Json number();
Json flag();
Json date();
Json any();
Json any_object();
/// An object with a name of its own in the API reference.
Json titled(std::string_view name, Json schema);
/// An object that is described elsewhere.
Json any_document();
/// One of several forms.
Json either(std::initializer_list<Json> forms);
Json nullable(Json schema);
/// The same, with a sentence for readers.
Json described(Json schema, std::string_view text);

/// Checks `value`. Throws Error{InvalidArgument} naming the field ("destinations[0].configId").
/// Understands exactly the words that the functions above write.
void check(const Json& schema, const Json& value);
/// Checks an answer of ours: the same, and every member must be described. An object without
/// "properties" and "additionalProperties" describes none, so it must be empty. Throws
/// Error{InvalidArgument} naming the member.
void check_answer(const Json& schema, const Json& value);
/// Checks the parameters of a query string against an object schema: their values are texts, so an
/// integer is one written in digits. Parameters that the schema does not name are ignored, and so
/// are empty values and those of flags: only the exact text "true" counts, anything else is false.
void check_query(const Json& schema,
                 const std::vector<std::pair<std::string, std::string>>& parameters);

/// Common answers.
Json error_answer();
Json success_answer();
/// {"success":true,"data":…}
Json wrapped(Json data);

}  // namespace dbackup::host::schema
