#include "api/public_address.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace dbackup::host {
namespace {

bool is_authority(std::string_view text) {
  return !text.empty() && text.size() <= 300 && std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
           c == '-' || c == '_' || c == ':' || c == '[' || c == ']';
  });
}

bool is_origin(std::string_view text) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (text.starts_with(scheme)) return is_authority(text.substr(scheme.size()));
  }
  return false;
}

}  // namespace

std::string public_address(const HttpRequest& request, const std::string& configured,
                           bool is_https) {
  if (!configured.empty()) {
    std::string address = configured;
    while (address.ends_with('/')) address.pop_back();
    return address;
  }
  const std::string origin{request.headers.get("Origin")};
  if (is_origin(origin)) return origin;
  const std::string_view forwarded = request.headers.get("X-Forwarded-Proto");
  const std::string_view host = request.headers.get("Host");
  if (!is_authority(host)) {
    throw Error(ErrorCode::InvalidArgument,
                "the request's Host is missing, and no public address is configured");
  }
  const bool secure = forwarded.empty() ? is_https : forwarded == "https";
  return (secure ? "https://" : "http://") + std::string{host};
}

}  // namespace dbackup::host
