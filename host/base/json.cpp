#include "base/json.hpp"

#include "base/error.hpp"

namespace dbackup::host {
namespace {

constexpr int kMaxDepth = 64;

// Scanned before parsing: copying or dumping a deeply nested value overflows the stack, and the
// library's own parse callback is quadratic.
bool is_shallow(std::string_view text) {
  int depth = 0;
  bool in_text = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_text) {
      if (c == '\\') {
        ++i;
      } else if (c == '"') {
        in_text = false;
      }
    } else if (c == '"') {
      in_text = true;
    } else if (c == '[' || c == '{') {
      if (++depth > kMaxDepth) return false;
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return true;
}

const Json* member(const Json& object, std::string_view key) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) return nullptr;
  return &*found;
}

[[noreturn]] void wrong_type(std::string_view key, std::string_view expected) {
  throw Error(ErrorCode::InvalidArgument,
              "\"" + std::string(key) + "\" must be " + std::string(expected));
}

}  // namespace

Json parse_json(std::string_view text, std::string_view what) {
  if (!is_shallow(text)) {
    throw Error(ErrorCode::InvalidArgument, std::string(what) + ": nested too deeply");
  }
  // The library takes it for the end of the text.
  if (const size_t nul = text.find('\0'); nul != std::string_view::npos) {
    throw Error(ErrorCode::InvalidArgument,
                std::string(what) + ": not valid JSON at byte " + std::to_string(nul + 1));
  }
  try {
    return Json::parse(text);
  } catch (const Json::parse_error& error) {
    // Where, not what: the library quotes the text, which may hold a secret.
    throw Error(ErrorCode::InvalidArgument,
                std::string(what) + ": not valid JSON at byte " + std::to_string(error.byte));
  } catch (const Json::exception&) {
    throw Error(ErrorCode::InvalidArgument, std::string(what) + ": a number is out of range");
  }
}

std::string dump_json(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::optional<std::string> get_string(const Json& object, std::string_view key) {
  const Json* value = member(object, key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_string()) wrong_type(key, "a string");
  return value->get<std::string>();
}

std::optional<bool> get_bool(const Json& object, std::string_view key) {
  const Json* value = member(object, key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_boolean()) wrong_type(key, "true or false");
  return value->get<bool>();
}

std::optional<int64_t> get_int(const Json& object, std::string_view key, int64_t minimum,
                               int64_t maximum) {
  const Json* value = member(object, key);
  if (value == nullptr) return std::nullopt;
  const bool fits = value->is_number_integer() &&
                    (!value->is_number_unsigned() || value->get<uint64_t>() <= INT64_MAX);
  if (!fits || value->get<int64_t>() < minimum || value->get<int64_t>() > maximum) {
    if (minimum == INT64_MIN && maximum == INT64_MAX) wrong_type(key, "an integer");
    wrong_type(key, "an integer from " + std::to_string(minimum) + " to " + std::to_string(maximum));
  }
  return value->get<int64_t>();
}

std::optional<std::vector<std::string>> get_strings(const Json& object, std::string_view key) {
  const Json* value = member(object, key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_array()) wrong_type(key, "an array of strings");
  std::vector<std::string> out;
  for (const Json& item : *value) {
    if (!item.is_string()) wrong_type(key, "an array of strings");
    out.push_back(item.get<std::string>());
  }
  return out;
}

std::string require_string(const Json& object, std::string_view key) {
  auto value = get_string(object, key);
  if (!value || value->empty()) {
    throw Error(ErrorCode::InvalidArgument, "\"" + std::string(key) + "\" is required");
  }
  return *std::move(value);
}

}  // namespace dbackup::host
