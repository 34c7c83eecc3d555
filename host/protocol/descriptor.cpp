#include "protocol/descriptor.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/error.hpp"

namespace dbackup::host::protocol {
namespace {

constexpr std::array<std::string_view, 9> kTypes{"string", "integer", "boolean", "choice",        "path",
                                                 "url",    "text",    "list",    "string_or_list"};

[[noreturn]] void bad(const std::string& what) { throw Error(ErrorCode::InvalidArgument, what); }

bool is_text_list(const Json& value) {
  return value.is_array() &&
         std::all_of(value.begin(), value.end(), [](const Json& v) { return v.is_string(); });
}

/// A scheme, "://" and something behind it; the plugin looks closer.
bool is_url(std::string_view text) {
  const size_t scheme = text.find("://");
  return scheme != std::string_view::npos && scheme > 0 && scheme + 3 < text.size();
}

/// What forms send for a field that was left empty.
bool is_blank(const Json& value) {
  return value.is_string() && value.get_ref<const std::string&>().empty();
}

Json as_integer(const AdapterOption& option, const Json& value) {
  int64_t number = 0;
  if (value.is_string()) {
    const auto& text = value.get_ref<const std::string&>();
    const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (status != std::errc{} || end != text.data() + text.size()) {
      bad("\"" + option.name + "\" must be an integer");
    }
  } else if (value.is_number_integer() &&
             !(value.is_number_unsigned() && value.get<uint64_t>() > INT64_MAX)) {
    number = value.get<int64_t>();
  } else {
    bad("\"" + option.name + "\" must be an integer");
  }
  if ((option.minimum && number < *option.minimum) || (option.maximum && number > *option.maximum)) {
    bad("\"" + option.name + "\" must be " +
        (option.minimum ? "at least " + std::to_string(*option.minimum) : "") +
        (option.minimum && option.maximum ? " and " : "") +
        (option.maximum ? "at most " + std::to_string(*option.maximum) : ""));
  }
  return number;
}

Json checked(const AdapterOption& option, const Json& value) {
  if (option.type == "integer") return as_integer(option, value);
  if (option.type == "boolean") {
    if (!value.is_boolean()) bad("\"" + option.name + "\" must be true or false");
    return value;
  }
  if (option.type == "list") {
    if (!is_text_list(value)) bad("\"" + option.name + "\" must be a list of strings");
    return value;
  }
  if (option.type == "string_or_list") {
    if (!value.is_string() && !is_text_list(value)) {
      bad("\"" + option.name + "\" must be a string or a list of strings");
    }
    return value;
  }
  if (!value.is_string()) bad("\"" + option.name + "\" must be a string");
  const auto& text = value.get_ref<const std::string&>();
  if (text.find('\0') != std::string::npos) bad("\"" + option.name + "\" must not contain NUL");
  if (option.type == "url" && !text.empty() && !is_url(text)) {
    bad("\"" + option.name + "\" must be a URL, as in https://example.com");
  }
  if (option.type == "choice" && !text.empty() &&
      std::find(option.choices.begin(), option.choices.end(), text) == option.choices.end()) {
    std::string all;
    for (const auto& choice : option.choices) all += (all.empty() ? "" : ", ") + choice;
    bad("\"" + option.name + "\" must be one of: " + all);
  }
  return value;
}

AdapterOption parse_option(const Json& json) {
  AdapterOption option{.name = require_string(json, "name"), .type = require_string(json, "type")};
  option.help = get_string(json, "help").value_or("");
  option.required = get_bool(json, "required").value_or(false);
  option.secret = get_bool(json, "secret").value_or(false);
  option.choices = get_strings(json, "choices").value_or(std::vector<std::string>{});
  option.minimum = get_int(json, "minimum");
  option.maximum = get_int(json, "maximum");
  if (std::find(kTypes.begin(), kTypes.end(), option.type) == kTypes.end()) {
    bad("option \"" + option.name + "\" has the unknown type \"" + option.type + "\"");
  }
  if (option.type == "choice" && option.choices.empty()) {
    bad("option \"" + option.name + "\" is a choice without choices");
  }
  if (json.contains("default")) option.fallback = checked(option, json.at("default"));
  return option;
}

AdapterKind parse_kind(const std::string& name) {
  if (name == "source") return AdapterKind::Source;
  if (name == "storage") return AdapterKind::Storage;
  if (name == "notifier") return AdapterKind::Notifier;
  bad("\"kind\" must be source, storage or notifier");
}

}  // namespace

std::string SshUse::member(const std::string& setting) const {
  if (prefix.empty()) return setting;
  std::string out = prefix + setting;
  char& first = out[prefix.size()];
  if (first >= 'a' && first <= 'z') first = static_cast<char>(first - 'a' + 'A');
  return out;
}

bool SshUse::asked(const Json& config) const {
  return option.empty() || get_string(config, option).value_or("") == "ssh";
}

bool AdapterDescriptor::can(const std::string& capability) const {
  const auto found = capabilities.find(capability);
  return found != capabilities.end() && found->is_boolean() && found->get<bool>();
}

const AdapterOption* AdapterDescriptor::option(const std::string& wanted) const {
  for (const auto& candidate : options) {
    if (candidate.name == wanted) return &candidate;
  }
  return nullptr;
}

AdapterDescriptor parse_descriptor(const Json& json) {
  if (!json.is_object()) bad("the descriptor is not a JSON object");
  AdapterDescriptor out;
  out.kind = parse_kind(require_string(json, "kind"));
  out.id = require_string(json, "id");
  out.name = require_string(json, "name");
  out.group = get_string(json, "group").value_or("");
  out.beta = get_bool(json, "beta").value_or(false);
  if (json.contains("options")) {
    if (!json.at("options").is_array()) bad("\"options\" must be an array");
    for (const Json& item : json.at("options")) {
      AdapterOption option = parse_option(item);
      if (out.option(option.name) != nullptr) bad("option \"" + option.name + "\" is declared twice");
      out.options.push_back(std::move(option));
    }
  }
  if (json.contains("credentials")) {
    out.primary_credential = get_string(json.at("credentials"), "primary").value_or("");
    out.ssh_credential = get_string(json.at("credentials"), "ssh").value_or("");
    out.primary_optional = get_bool(json.at("credentials"), "primaryOptional").value_or(false);
  }
  if (json.contains("ssh")) {
    out.ssh = SshUse{.prefix = get_string(json.at("ssh"), "prefix").value_or(""),
                     .option = get_string(json.at("ssh"), "option").value_or("")};
    if (out.option(out.ssh->member("host")) == nullptr) {
      bad("\"ssh\" needs an option \"" + out.ssh->member("host") + "\"");
    }
  }
  if (json.contains("capabilities")) {
    if (!json.at("capabilities").is_object()) bad("\"capabilities\" must be an object");
    out.capabilities = json.at("capabilities");
  }
  if (out.kind == AdapterKind::Source) require_string(out.capabilities, "extension");
  return out;
}

Json normalize_config(const AdapterDescriptor& descriptor, const Json& config, bool complete) {
  if (!config.is_object()) bad("\"config\" must be an object");
  Json out = config;
  for (const auto& option : descriptor.options) {
    const auto found = out.find(option.name);
    const bool missing = found == out.end() || found->is_null() || is_blank(*found);
    if (!missing) {
      *found = checked(option, *found);
    } else if (complete && !option.fallback.is_null()) {
      out[option.name] = option.fallback;
    } else if (complete && found != out.end() && option.type != "string") {
      out.erase(found);  // no number, no list: as if it were not there
    }
    if (complete && option.required) {
      const auto value = out.find(option.name);
      if (value == out.end() || value->is_null()) {
        bad("\"" + option.name + "\" is required");
      }
      if (is_blank(*value)) bad("\"" + option.name + "\" is required");
    }
  }
  return out;
}

}  // namespace dbackup::host::protocol
