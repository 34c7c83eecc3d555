#include "cli/plugin_readme.hpp"

#include <algorithm>
#include <set>

#include "base/error.hpp"
#include "protocol/descriptor.hpp"

namespace dbackup::host {
namespace {

constexpr std::string_view kBegin = "<!-- options ";
constexpr std::string_view kBeginEnd = " -->";
constexpr std::string_view kEnd = "<!-- /options -->";

[[noreturn]] void refuse(const std::string& why) { throw Error(ErrorCode::InvalidArgument, why); }

/// What a cell of a table cannot hold as it is.
std::string cell(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out;
}

std::string fallback_of(const protocol::AdapterOption& option) {
  if (option.fallback.is_null()) return option.required ? "required" : "";
  const std::string text = option.fallback.is_string() ? option.fallback.get<std::string>()
                                                       : option.fallback.dump();
  return text.empty() ? "empty" : "`" + text + "`";
}

std::string type_of(const protocol::AdapterOption& option) {
  if (option.type == "string_or_list") return "string or list";
  if (option.type != "choice") return option.type;
  std::string out;
  for (const auto& choice : option.choices) {
    out += (out.empty() ? "" : " ") + (choice.empty() ? "(empty)" : "`" + choice + "`");
  }
  return out;
}

std::string meaning_of(const protocol::AdapterOption& option) {
  std::string out = option.help;
  if (option.minimum && option.maximum) {
    out += " " + std::to_string(*option.minimum) + " to " + std::to_string(*option.maximum) + ".";
  } else if (option.minimum) {
    out += " At least " + std::to_string(*option.minimum) + ".";
  } else if (option.maximum) {
    out += " At most " + std::to_string(*option.maximum) + ".";
  }
  return out + (option.secret ? " Secret." : "");
}

std::string credentials_of(const protocol::AdapterDescriptor& adapter) {
  std::string out;
  if (!adapter.primary_credential.empty()) {
    out = "A credential profile of type `" + adapter.primary_credential + "` can fill in the login" +
          (adapter.primary_optional ? "; the adapter also works without one." : ".");
  }
  if (!adapter.ssh_credential.empty()) {
    out += (out.empty() ? "" : " ") + ("One of type `" + adapter.ssh_credential +
                                       "` can fill in the login of the SSH server.");
  }
  return out;
}

std::string table_of(const protocol::AdapterDescriptor& adapter) {
  std::string out = "| Option | Type | Default | Meaning |\n|---|---|---|---|\n";
  for (const auto& option : adapter.options) {
    out += "| `" + option.name + "` | " + cell(type_of(option)) + " | " + cell(fallback_of(option)) +
           " | " + cell(meaning_of(option)) + " |\n";
  }
  const std::string credentials = credentials_of(adapter);
  return credentials.empty() ? out : out + "\n" + credentials + "\n";
}

}  // namespace

std::string fill_option_tables(const std::string& page, const std::vector<Json>& descriptors) {
  std::vector<protocol::AdapterDescriptor> adapters;
  for (const Json& descriptor : descriptors) {
    adapters.push_back(protocol::parse_descriptor(descriptor));
  }
  std::set<std::string> shown;
  std::string out;
  size_t at = 0;
  for (size_t begin; (begin = page.find(kBegin, at)) != std::string::npos;) {
    const size_t id_at = begin + kBegin.size();
    const size_t id_end = page.find(kBeginEnd, id_at);
    const size_t line_end = page.find('\n', begin);
    if (id_end == std::string::npos || line_end == std::string::npos || id_end > line_end) {
      refuse("a line \"" + std::string{kBegin} + "…\" does not end in \"" + std::string{kBeginEnd} + "\"");
    }
    const std::string id = page.substr(id_at, id_end - id_at);
    const auto adapter = std::find_if(adapters.begin(), adapters.end(),
                                      [&](const auto& candidate) { return candidate.id == id; });
    if (adapter == adapters.end()) refuse("the plugin has no adapter \"" + id + "\"");
    const size_t end = page.find(kEnd, line_end);
    if (end == std::string::npos) refuse("the options of \"" + id + "\" have no end line");
    out += page.substr(at, line_end + 1 - at) + table_of(*adapter);
    at = end;
    shown.insert(id);
  }
  for (const auto& adapter : adapters) {
    if (!shown.contains(adapter.id)) refuse("the page has no options of adapter \"" + adapter.id + "\"");
  }
  return out + page.substr(at);
}

}  // namespace dbackup::host
