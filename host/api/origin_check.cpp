#include "api/origin_check.hpp"

#include "base/error.hpp"

namespace dbackup::host {
namespace {

std::string lower(std::string_view text) {
  std::string out{text};
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

bool lists(const std::string& list, const std::string& origin) {
  for (size_t at = 0; at < list.size();) {
    const size_t comma = std::min(list.find(',', at), list.size());
    std::string entry = list.substr(at, comma - at);
    while (entry.starts_with(' ')) entry.erase(0, 1);
    while (entry.ends_with(' ')) entry.pop_back();
    if (origin_of(entry) == origin) return true;
    at = comma + 1;
  }
  return false;
}

}  // namespace

std::string origin_of(std::string_view url) {
  const std::string text = lower(url);
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!text.starts_with(scheme)) continue;
    std::string host =
        text.substr(scheme.size(), text.find_first_of("/?#", scheme.size()) - scheme.size());
    const std::string_view usual = scheme == "https://" ? ":443" : ":80";
    if (host.ends_with(usual)) host.resize(host.size() - usual.size());
    return host.empty() || host.find('@') != std::string::npos ? "" : std::string{scheme} + host;
  }
  return "";
}

void OriginCheck::require(const HttpRequest& request) const {
  // Only a browser sets it, and no page can change it.
  const std::string_view site = request.headers.get("Sec-Fetch-Site");
  if (site == "same-origin" || site == "none") return;
  std::string_view sent = request.headers.get("Origin");
  if (sent.empty()) sent = request.headers.get("Referer");
  if (sent.empty() || sent == "null") {
    throw Error(ErrorCode::PermissionDenied,
                "a change by cookie needs an \"Origin\" header that names this server", {},
                "MISSING_OR_NULL_ORIGIN");
  }
  const std::string origin = origin_of(sent);
  const std::string host = lower(request.headers.get("Host"));
  const bool is_known =
      !origin.empty() &&
      (origin == origin_of(public_url_) || origin == origin_of("http://" + host) ||
       origin == origin_of("https://" + host) ||
       lists(live_.now()->text("auth.allowed_origins"), origin));
  if (is_known) return;
  throw Error(ErrorCode::PermissionDenied, "the request comes from another site", {},
              "INVALID_ORIGIN");
}

}  // namespace dbackup::host
