#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dbackup::host {

/// An IPv4 or IPv6 address; IPv4 in its mapped form, so that both compare alike.
using IpAddress = std::array<uint8_t, 16>;
/// "192.0.2.1", "2001:db8::1", also in brackets or with a port. nullopt for anything else.
std::optional<IpAddress> parse_ip_address(std::string_view text);
std::string to_string(const IpAddress& address);

/// The proxies whose word about their clients is believed. Immutable, so [any-thread].
class TrustedProxies {
 public:
  /// Addresses and networks separated by commas: "127.0.0.1, 10.0.0.0/8, fd00::/8"; "" is nobody.
  /// Throws Error{InvalidArgument} naming the one that is malformed.
  explicit TrustedProxies(std::string_view list);

  /// Who really asks: the socket's peer, or where that is a trusted proxy, the right-most address
  /// of X-Forwarded-For that is not one. `forwarded_for`: the header's values in the order of
  /// arrival.
  std::string client_address(const std::string& peer,
                             const std::vector<std::string_view>& forwarded_for) const;

 private:
  struct Network {
    IpAddress address{};
    unsigned prefix_bits = 128;
  };
  bool contains(const IpAddress& address) const noexcept;

  std::vector<Network> networks_;
};

}  // namespace dbackup::host
