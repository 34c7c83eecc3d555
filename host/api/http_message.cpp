#include "api/http_message.hpp"

#include <algorithm>
#include <array>

#include "base/encoding.hpp"

namespace dbackup::host {
namespace {

constexpr size_t kMaxQueryPairs = 256;
constexpr size_t kMaxSegments = 128;

constexpr std::array<std::pair<Method, std::string_view>, 7> kMethods{{
    {Method::Get, "GET"},
    {Method::Head, "HEAD"},
    {Method::Post, "POST"},
    {Method::Put, "PUT"},
    {Method::Patch, "PATCH"},
    {Method::Delete, "DELETE"},
    {Method::Options, "OPTIONS"},
}};

char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

/// Decodes one piece of a target; nullopt when it is malformed or no text.
std::optional<std::string> decode(std::string_view piece, bool plus_is_space) {
  auto text = percent_decode(piece, plus_is_space);
  if (text && !is_text(*text)) text.reset();
  return text;
}

/// Removes "http://authority" from an absolute form; false when there is no such form.
bool strip_authority(std::string_view& target) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (target.size() < scheme.size() ||
        !equal_ignoring_case(target.substr(0, scheme.size()), scheme))
      continue;
    target.remove_prefix(scheme.size());
    const size_t end = target.find_first_of("/?");
    if (end == 0) return false;
    target.remove_prefix(std::min(end, target.size()));
    return true;
  }
  return false;
}

}  // namespace

Method method_from(std::string_view text) noexcept {
  for (const auto& [method, name] : kMethods) {
    if (text == name) return method;
  }
  return Method::Other;
}

std::string_view to_string(Method method) noexcept {
  for (const auto& [known, name] : kMethods) {
    if (known == method) return name;
  }
  return "";
}

bool equal_ignoring_case(std::string_view left, std::string_view right) noexcept {
  return left.size() == right.size() &&
         std::equal(left.begin(), left.end(), right.begin(),
                    [](char a, char b) { return lower(a) == lower(b); });
}

void HttpHeaders::set(std::string name, std::string value) {
  remove(name);
  add(std::move(name), std::move(value));
}

void HttpHeaders::remove(std::string_view name) {
  std::erase_if(fields_,
                [&](const Field& field) { return equal_ignoring_case(field.first, name); });
}

const std::string* HttpHeaders::find(std::string_view name) const noexcept {
  for (const auto& field : fields_) {
    if (equal_ignoring_case(field.first, name)) return &field.second;
  }
  return nullptr;
}

std::string_view HttpHeaders::get(std::string_view name) const noexcept {
  const std::string* value = find(name);
  return value ? std::string_view{*value} : std::string_view{};
}

std::vector<std::string_view> HttpHeaders::find_all(std::string_view name) const {
  std::vector<std::string_view> values;
  for (const auto& field : fields_) {
    if (equal_ignoring_case(field.first, name)) values.emplace_back(field.second);
  }
  return values;
}

size_t HttpHeaders::count(std::string_view name) const noexcept {
  return static_cast<size_t>(std::count_if(fields_.begin(), fields_.end(), [&](const Field& field) {
    return equal_ignoring_case(field.first, name);
  }));
}

const std::string* HttpRequest::query_value(std::string_view key) const noexcept {
  for (const auto& [name, value] : query) {
    if (name == key) return &value;
  }
  return nullptr;
}

std::string loggable_target(const HttpRequest& request) {
  constexpr size_t kLongest = 512;
  constexpr std::string_view kSecret[] = {"token", "t",        "code",     "state",
                                          "key",   "password", "identity", "secret"};
  std::string_view rest = request.target;
  const size_t question = std::min(rest.find('?'), rest.size());
  std::string out{rest.substr(0, question)};
  rest.remove_prefix(question);
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('&', 1), rest.size());
    const std::string_view pair = rest.substr(1, end - 1);
    const size_t equals = std::min(pair.find('='), pair.size());
    // Decoded, so that no spelling of the name gets its value through.
    const auto name = decode(pair.substr(0, equals), true);
    const bool is_secret = !name || std::ranges::any_of(kSecret, [&](std::string_view secret) {
      return equal_ignoring_case(*name, secret);
    });
    out += rest.front();
    out += is_secret ? std::string{pair.substr(0, equals)} + "=..." : std::string{pair};
    rest.remove_prefix(end);
  }
  if (out.size() > kLongest) out = out.substr(0, kLongest) + "...";
  return out;
}

std::optional<HttpQuery> parse_query(std::string_view text) {
  HttpQuery pairs;
  while (!text.empty()) {
    const size_t end = std::min(text.find('&'), text.size());
    const std::string_view piece = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (piece.empty()) continue;
    if (pairs.size() == kMaxQueryPairs) return std::nullopt;
    const size_t equals = std::min(piece.find('='), piece.size());
    auto key = decode(piece.substr(0, equals), true);
    auto value = decode(piece.substr(std::min(equals + 1, piece.size())), true);
    if (!key || !value) return std::nullopt;
    pairs.emplace_back(std::move(*key), std::move(*value));
  }
  return pairs;
}

std::string_view split_target(HttpRequest& request) {
  std::string_view rest = request.target;
  request.segments.clear();
  request.query.clear();
  if (rest == "*") {
    request.path = "*";
    return request.method == Method::Options ? "" : "malformed request target";
  }
  if (!rest.starts_with('/') && !strip_authority(rest)) return "malformed request target";
  if (rest.find('#') != std::string_view::npos) return "malformed request target";
  const size_t question = std::min(rest.find('?'), rest.size());
  std::string_view path = rest.substr(0, question);
  request.path = path.empty() ? "/" : std::string{path};

  if (path.size() > 1) {
    path.remove_prefix(1);
    if (static_cast<size_t>(std::count(path.begin(), path.end(), '/')) >= kMaxSegments)
      return "path has too many segments";
    for (;;) {
      const size_t slash = path.find('/');
      auto segment = decode(path.substr(0, slash), false);
      if (!segment) return "malformed escape in the path";
      request.segments.push_back(std::move(*segment));
      if (slash == std::string_view::npos) break;
      path.remove_prefix(slash + 1);
    }
  }
  if (question < rest.size()) {
    auto query = parse_query(rest.substr(question + 1));
    if (!query) return "malformed query";
    request.query = std::move(*query);
  }
  return "";
}

}  // namespace dbackup::host
