#include "api/cookies.hpp"

namespace dbackup::host {
namespace {

constexpr std::string_view kSecurePrefix = "__Secure-";

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

}  // namespace

std::string cookie(const HttpRequest& request, std::string_view name) {
  for (std::string_view field : request.headers.find_all("Cookie")) {
    while (!field.empty()) {
      const size_t end = field.find(';');
      std::string_view pair = trimmed(field.substr(0, end));
      field = end == std::string_view::npos ? std::string_view{} : field.substr(end + 1);
      if (pair.starts_with(kSecurePrefix)) pair.remove_prefix(kSecurePrefix.size());
      if (pair.starts_with(name) && pair.substr(name.size()).starts_with('='))
        return std::string{pair.substr(name.size() + 1)};
    }
  }
  return "";
}

std::string set_cookie(std::string_view name, std::string_view value,
                       std::optional<TimeMs> lifetime, bool is_https) {
  std::string out = is_https ? std::string{kSecurePrefix} : "";
  out.append(name).append("=").append(value).append("; Path=/; HttpOnly; SameSite=Lax");
  if (is_https) out += "; Secure";
  if (lifetime) out += "; Max-Age=" + std::to_string(*lifetime / 1000);
  return out;
}

}  // namespace dbackup::host
