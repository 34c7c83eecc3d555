#include <yaml-cpp/yaml.h>

#include <algorithm>

#include "api/openapi.hpp"

namespace dbackup::host::openapi {
namespace {

/// A key that no reader takes for anything but a text.
bool is_plain_word(const std::string& text) {
  constexpr std::string_view kMeansSomething[] = {"true", "false", "null", "yes", "no",
                                                  "on",   "off",   "y",    "n"};
  const auto is_letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '$';
  };
  if (text.empty() || !is_letter(text.front())) return false;
  if (std::ranges::any_of(kMeansSomething,
                          [&](std::string_view word) { return equal_ignoring_case(text, word); })) {
    return false;
  }
  return std::ranges::all_of(
      text, [&](char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '_'; });
}

void emit(YAML::Emitter& out, const Json& value) {
  if (value.is_object()) {
    out << (value.empty() ? YAML::Flow : YAML::Block) << YAML::BeginMap;
    for (const auto& [name, member] : value.items()) {
      out << YAML::Key;
      if (!is_plain_word(name)) out << YAML::DoubleQuoted;
      out << name << YAML::Value;
      emit(out, member);
    }
    out << YAML::EndMap;
  } else if (value.is_array()) {
    out << (value.empty() ? YAML::Flow : YAML::Block) << YAML::BeginSeq;
    for (const Json& item : value) emit(out, item);
    out << YAML::EndSeq;
  } else if (value.is_string()) {
    out << YAML::DoubleQuoted << value.get_ref<const std::string&>();
  } else if (value.is_null()) {
    out << YAML::Null;
  } else {
    out << value.dump();  // numbers and truth values are written alike
  }
}

}  // namespace

std::string to_yaml(const Json& value) {
  YAML::Emitter out;
  emit(out, value);
  return std::string{out.c_str(), out.size()} + "\n";
}

}  // namespace dbackup::host::openapi
