#include "api/authenticator.hpp"

#include <string_view>

#include "api/cookies.hpp"

namespace dbackup::host {
namespace {

std::string_view trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace

std::optional<Principal> ApiKeyAuthenticator::authenticate(const HttpRequest& request) {
  constexpr std::string_view kScheme = "Bearer ";
  const std::string_view header = request.headers.get("Authorization");
  if (!header.starts_with(kScheme)) return std::nullopt;
  Principal who = *verifier_.verify(trimmed(header.substr(kScheme.size())));
  who.client_address = request.client_address;
  return who;
}

std::optional<Principal> SessionAuthenticator::authenticate(const HttpRequest& request) {
  const std::string token = session_token(request);
  if (token.empty()) return std::nullopt;
  const auto who = verifier_.verify(token);
  if (!who) return std::nullopt;
  return *who;
}

}  // namespace dbackup::host
