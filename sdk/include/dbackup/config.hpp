#pragma once

#include <dbackup/call.hpp>

#include <optional>
#include <string>
#include <vector>

namespace dbackup {

/// A configuration or a request: a JSON object whose options the host has checked against the
/// descriptor and completed with defaults. The getters are strict all the same: a wrong type throws
/// Error{InvalidArgument} naming the option.
class Config {
 public:
  // Parentheses: braces would make a JSON array that holds the value.
  Config() : value_(Json::object()) {}
  explicit Config(Json value) : value_(std::move(value)) {}

  static Config parse(std::string_view text) {
    Json value = Json::parse(text, nullptr, /*allow_exceptions=*/false);
    if (!value.is_object()) {
      throw Error{ErrorCode::InvalidArgument, "the request is not a JSON object"};
    }
    return Config{std::move(value)};
  }

  bool has(const std::string& key) const {
    const auto found = value_.find(key);
    return found != value_.end() && !found->is_null();
  }
  /// The text, or "" when the option is missing.
  std::string text(const std::string& key) const { return text_or(key, ""); }
  std::string text_or(const std::string& key, const std::string& fallback) const {
    if (!has(key)) return fallback;
    const Json& value = value_.at(key);
    if (!value.is_string()) throw wrong_type(key, "a string");
    return value.get<std::string>();
  }
  /// The text of an option that must not be empty.
  std::string required(const std::string& key) const {
    std::string value = text(key);
    if (value.empty()) throw Error{ErrorCode::InvalidArgument, "\"" + key + "\" is required"};
    return value;
  }
  int64_t integer_or(const std::string& key, int64_t fallback) const {
    if (!has(key)) return fallback;
    const Json& value = value_.at(key);
    if (!value.is_number_integer()) throw wrong_type(key, "an integer");
    return value.get<int64_t>();
  }
  bool flag_or(const std::string& key, bool fallback) const {
    if (!has(key)) return fallback;
    const Json& value = value_.at(key);
    if (!value.is_boolean()) throw wrong_type(key, "true or false");
    return value.get<bool>();
  }
  std::vector<std::string> list(const std::string& key) const {
    std::vector<std::string> out;
    if (!has(key)) return out;
    const Json& value = value_.at(key);
    if (!value.is_array()) throw wrong_type(key, "a list of strings");
    for (const Json& item : value) {
      if (!item.is_string()) throw wrong_type(key, "a list of strings");
      out.push_back(item.get<std::string>());
    }
    return out;
  }
  Config object(const std::string& key) const {
    if (!has(key)) return Config{};
    const Json& value = value_.at(key);
    if (!value.is_object()) throw wrong_type(key, "an object");
    return Config{value};
  }
  const Json& json() const noexcept { return value_; }

  /// Folders of the host that no adapter may read or write (its keys and its metadata).
  std::vector<std::string> forbidden_paths() const { return list("$forbiddenPaths"); }

 private:
  static Error wrong_type(const std::string& key, const std::string& expected) {
    return Error{ErrorCode::InvalidArgument, "\"" + key + "\" must be " + expected};
  }

  Json value_;
};

}  // namespace dbackup
