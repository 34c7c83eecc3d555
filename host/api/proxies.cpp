#include "api/proxies.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/error.hpp"

namespace dbackup::host {
namespace {

constexpr IpAddress kMappedPrefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr unsigned kMappedBits = 96;

std::string_view trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool is_mapped(const IpAddress& address) {
  return std::equal(kMappedPrefix.begin(), kMappedPrefix.begin() + 12, address.begin());
}

/// Without brackets and port.
std::string_view bare_address(std::string_view text) {
  if (text.starts_with('[')) {
    const size_t end = text.find(']');
    return end == std::string_view::npos ? std::string_view{} : text.substr(1, end - 1);
  }
  const size_t colon = text.find(':');
  const bool has_port =
      colon != std::string_view::npos && text.find(':', colon + 1) == std::string_view::npos;
  return has_port ? text.substr(0, colon) : text;
}

}  // namespace

std::optional<IpAddress> parse_ip_address(std::string_view text) {
  const std::string bare{bare_address(trimmed(text))};
  IpAddress out{};
  in_addr v4{};
  if (::inet_pton(AF_INET, bare.c_str(), &v4) == 1) {
    out = kMappedPrefix;
    std::memcpy(&out[12], &v4, sizeof v4);
    return out;
  }
  if (::inet_pton(AF_INET6, bare.c_str(), out.data()) == 1) return out;
  return std::nullopt;
}

std::string to_string(const IpAddress& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (is_mapped(address)) {
    ::inet_ntop(AF_INET, &address[12], text.data(), text.size());
  } else {
    ::inet_ntop(AF_INET6, address.data(), text.data(), text.size());
  }
  return text.data();
}

TrustedProxies::TrustedProxies(std::string_view list) {
  while (!list.empty()) {
    const size_t comma = std::min(list.find(','), list.size());
    const std::string_view item = trimmed(list.substr(0, comma));
    list.remove_prefix(std::min(comma + 1, list.size()));
    if (item.empty()) continue;
    const size_t slash = std::min(item.find('/'), item.size());
    const auto address = parse_ip_address(item.substr(0, slash));
    const auto refuse = [&] {
      throw Error(ErrorCode::InvalidArgument,
                  "server.trusted_proxies: \"" + std::string{item} + "\" is no address or network");
    };
    if (!address) refuse();
    Network network{.address = *address};
    if (slash < item.size()) {
      const std::string_view bits = item.substr(slash + 1);
      const unsigned base = is_mapped(*address) ? kMappedBits : 0;
      unsigned number = 0;
      const auto [end, status] = std::from_chars(bits.data(), bits.data() + bits.size(), number);
      if (status != std::errc{} || end != bits.data() + bits.size() || number > 128 - base)
        refuse();
      network.prefix_bits = base + number;
    }
    networks_.push_back(network);
  }
}

bool TrustedProxies::contains(const IpAddress& address) const noexcept {
  return std::ranges::any_of(networks_, [&](const Network& network) {
    const size_t bytes = network.prefix_bits / 8;
    if (std::memcmp(address.data(), network.address.data(), bytes) != 0) return false;
    const unsigned rest = network.prefix_bits % 8;
    return rest == 0 || ((address[bytes] ^ network.address[bytes]) >> (8 - rest)) == 0;
  });
}

std::string TrustedProxies::client_address(
    const std::string& peer, const std::vector<std::string_view>& forwarded_for) const {
  if (networks_.empty() || forwarded_for.empty()) return peer;
  const auto own = parse_ip_address(peer);
  if (!own || !contains(*own)) return peer;
  IpAddress nearest = *own;
  for (auto value = forwarded_for.rbegin(); value != forwarded_for.rend(); ++value) {
    std::string_view left = *value;
    for (bool is_last = false; !is_last;) {
      const size_t comma = left.rfind(',');
      is_last = comma == std::string_view::npos;
      const auto hop = parse_ip_address(is_last ? left : left.substr(comma + 1));
      // Beyond a word that is no address nothing can be known.
      if (!hop) return to_string(nearest);
      nearest = *hop;
      if (!contains(nearest)) return to_string(nearest);
      if (!is_last) left = left.substr(0, comma);
    }
  }
  return to_string(nearest);
}

}  // namespace dbackup::host
