#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace dbackup::host {

using Json = nlohmann::json;

/// Parses `text`, refusing what nlohmann_json would accept and choke on later: more than 64 levels of
/// nesting, and texts that are not valid JSON. Throws Error{InvalidArgument, "<what>: <reason>"}.
Json parse_json(std::string_view text, std::string_view what);

/// Compact text; invalid UTF-8 is replaced, so it never throws on tool output or file names.
std::string dump_json(const Json& value);

/// Strict readers: the member must have exactly this type (an integer must be one, within its range).
/// A missing or null member is nullopt; a wrong type throws Error{InvalidArgument} naming `key`.
std::optional<std::string> get_string(const Json& object, std::string_view key);
std::optional<bool> get_bool(const Json& object, std::string_view key);
std::optional<int64_t> get_int(const Json& object, std::string_view key,
                               int64_t minimum = INT64_MIN, int64_t maximum = INT64_MAX);
std::optional<std::vector<std::string>> get_strings(const Json& object, std::string_view key);

/// The same, for members that must be there. Throws Error{InvalidArgument} naming `key`.
std::string require_string(const Json& object, std::string_view key);

}  // namespace dbackup::host
