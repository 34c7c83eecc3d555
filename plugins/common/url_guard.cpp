#include "url_guard.hpp"

#include <curl/curl.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <cstring>
#include <dbackup/error.hpp>
#include <memory>
#include <optional>

namespace dbackup::plugins {
namespace {

struct FreeUrl {
  void operator()(CURLU* url) const noexcept { curl_url_cleanup(url); }
};
struct FreeText {
  void operator()(char* text) const noexcept { curl_free(text); }
};

std::string part(CURLU* url, CURLUPart what) {
  char* raw = nullptr;
  if (curl_url_get(url, what, &raw, 0) != CURLUE_OK) return {};
  const std::unique_ptr<char, FreeText> text{raw};
  return text.get();
}

bool is_refused(uint32_t ipv4) noexcept {
  constexpr uint32_t kLinkLocal = 0xA9FE0000;  // 169.254.0.0/16
  constexpr uint32_t kAlibaba = 0x646464C8;    // 100.100.100.200
  constexpr uint32_t kOracle = 0xC00000C0;     // 192.0.0.192
  constexpr uint32_t kAzure = 0xA83F8110;      // 168.63.129.16
  return (ipv4 & 0xFFFF0000) == kLinkLocal || ipv4 == kAlibaba || ipv4 == kOracle || ipv4 == kAzure;
}

uint32_t big_endian(const uint8_t* bytes) noexcept {
  return uint32_t{bytes[0]} << 24 | uint32_t{bytes[1]} << 16 | uint32_t{bytes[2]} << 8 | bytes[3];
}

/// The IPv4 address an IPv6 address stands for.
std::optional<uint32_t> embedded_ipv4(const uint8_t* a) noexcept {
  constexpr std::array<uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
  constexpr std::array<uint8_t, 12> kCompatible{};
  constexpr std::array<uint8_t, 12> kNat64{0x00, 0x64, 0xFF, 0x9B};
  constexpr std::array<uint8_t, 12> kTranslated{0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
  for (const auto& prefix : {kMapped, kCompatible, kNat64, kTranslated}) {
    if (std::memcmp(a, prefix.data(), prefix.size()) == 0) return big_endian(a + 12);
  }
  constexpr std::array<uint8_t, 6> kLocalNat64{0x00, 0x64, 0xFF, 0x9B, 0x00, 0x01};
  if (std::memcmp(a, kLocalNat64.data(), kLocalNat64.size()) == 0) return big_endian(a + 12);
  if (a[0] == 0x20 && a[1] == 0x02) return big_endian(a + 2);  // 6to4
  return std::nullopt;
}

}  // namespace

void check_url(const std::string& text) {
  // curl's own parser: two parsers that disagree would be the way round the check.
  const std::unique_ptr<CURLU, FreeUrl> url{curl_url()};
  if (!url ||
      curl_url_set(url.get(), CURLUPART_URL, text.c_str(), CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK) {
    throw Error{ErrorCode::InvalidArgument, "the URL is not valid"};
  }
  const std::string scheme = part(url.get(), CURLUPART_SCHEME);
  if (scheme != "http" && scheme != "https") {
    throw Error{ErrorCode::InvalidArgument, "the URL must begin with http:// or https://"};
  }
  std::string host = part(url.get(), CURLUPART_HOST);
  std::ranges::transform(host, host.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  while (host.ends_with('.')) host.pop_back();
  for (const char* refused : {"metadata.google.internal", "metadata.goog", "metadata",
                              "169.254.169.254", "[fd00:ec2::254]"}) {
    if (host == refused) {
      throw Error{ErrorCode::PermissionDenied, "requests to metadata services are refused"};
    }
  }
}

bool is_refused_address(const sockaddr* address) noexcept {
  if (address->sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, address, sizeof v4);
    return is_refused(ntohl(v4.sin_addr.s_addr));
  }
  if (address->sa_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, address, sizeof v6);
    const uint8_t* bytes = v6.sin6_addr.s6_addr;
    constexpr std::array<uint8_t, 4> kAmazon{0xFD, 0x00, 0x0E, 0xC2};
    constexpr std::array<uint8_t, 16> kScaleway{0xFD, 0, 0, 0x42, 0, 0, 0, 0,
                                                0,    0, 0, 0,    0, 0, 0, 0x42};
    constexpr std::array<uint8_t, 8> kGoogle{0xFD, 0x20, 0x00, 0xCE};
    if (std::memcmp(bytes, kAmazon.data(), kAmazon.size()) == 0 ||
        std::memcmp(bytes, kScaleway.data(), kScaleway.size()) == 0 ||
        std::memcmp(bytes, kGoogle.data(), kGoogle.size()) == 0) {
      return true;
    }
    // fe80::a9fe:a9fe and its like: OpenStack's and Oracle's services answer there, too.
    if (is_refused(big_endian(bytes + 12)) && (bytes[0] == 0xFE || bytes[0] == 0xFD)) return true;
    const auto ipv4 = embedded_ipv4(bytes);
    return ipv4 && is_refused(*ipv4);
  }
  return true;  // nothing else is ever dialled
}

}  // namespace dbackup::plugins
