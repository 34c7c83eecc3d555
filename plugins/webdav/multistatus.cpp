#include "multistatus.hpp"

#include <curl/curl.h>

#include <charconv>
#include <cstring>
#include <pugixml.hpp>

namespace dbackup::webdav {
namespace {

using plugins::RemoteEntry;

/// The name of an element without its prefix: which one stands for "DAV:" is the server's choice.
std::string_view local_name(const pugi::xml_node& node) {
  const std::string_view name = node.name();
  const size_t colon = name.find(':');
  return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

pugi::xml_node child(const pugi::xml_node& node, std::string_view name) {
  return node.find_child([&](const pugi::xml_node& n) { return local_name(n) == name; });
}

/// "HTTP/1.1 200 OK"; an answer without a status line is a good one.
bool found(const pugi::xml_node& propstat) {
  const std::string_view status = child(propstat, "status").text().get();
  return status.empty() || status.find(" 200") != std::string_view::npos;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const size_t begin = text.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlank) + 1 - begin);
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

void read_properties(const pugi::xml_node& prop, RemoteEntry& entry) {
  if (child(child(prop, "resourcetype"), "collection")) entry.kind = RemoteEntry::Kind::Folder;
  if (const auto length = child(prop, "getcontentlength")) {
    const std::string_view text = trimmed(length.text().get());
    std::from_chars(text.data(), text.data() + text.size(), entry.size);
  }
  if (const auto modified = child(prop, "getlastmodified")) {
    const time_t when = curl_getdate(modified.text().get(), nullptr);
    if (when > 0) entry.modified_ms = static_cast<int64_t>(when) * 1000;
  }
}

}  // namespace

std::string percent_decode(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
    const int low = high >= 0 ? hex_value(text[i + 2]) : -1;
    if (low < 0) {
      out += text[i];
      continue;
    }
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

std::string_view path_of_url(std::string_view url) {
  if (const size_t scheme = url.find("://"); scheme != std::string_view::npos) {
    const size_t slash = url.find('/', scheme + 3);
    url = slash == std::string_view::npos ? std::string_view{} : url.substr(slash);
  }
  return url.substr(0, url.find_first_of("?#"));
}

std::string_view without_slash(std::string_view path) {
  while (path.ends_with('/')) path.remove_suffix(1);
  return path;
}

std::vector<Resource> parse_multistatus(std::string_view xml) {
  pugi::xml_document document;
  const auto parsed = document.load_buffer(xml.data(), xml.size());
  const pugi::xml_node root = document.document_element();
  if (!parsed || local_name(root) != "multistatus") {
    throw Error{ErrorCode::Unavailable, "the answer is not a WebDAV listing",
                parsed ? local_name(root).data() : parsed.description()};
  }
  std::vector<Resource> out;
  for (const pugi::xml_node& response : root.children()) {
    if (local_name(response) != "response") continue;
    const std::string_view href = trimmed(child(response, "href").text().get());
    if (href.empty()) continue;
    Resource resource;
    resource.path = percent_decode(without_slash(path_of_url(href)));
    const size_t slash = resource.path.rfind('/');
    resource.entry.name = resource.path.substr(slash == std::string::npos ? 0 : slash + 1);
    bool known = false;
    for (const pugi::xml_node& propstat : response.children()) {
      if (local_name(propstat) != "propstat" || !found(propstat)) continue;
      read_properties(child(propstat, "prop"), resource.entry);
      known = true;
    }
    if (known) out.push_back(std::move(resource));
  }
  return out;
}

}  // namespace dbackup::webdav
