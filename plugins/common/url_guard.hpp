#pragma once

#include <string>

struct sockaddr;

namespace dbackup::plugins {

/// Refuses what a configured URL must never reach: anything but http and https, and the metadata
/// services of cloud machines, which hand out the machine's credentials to whoever asks. Private
/// addresses are allowed on purpose: most webhooks of a self-hosted server are in the same network.
/// Throws Error{InvalidArgument} or Error{PermissionDenied}; the texts do not repeat the URL, which
/// may hold a secret.
void check_url(const std::string& url);

/// True for an address of a metadata service: link-local IPv4, the few others that clouds are known
/// to use (100.100.100.200, 192.0.0.192, 168.63.129.16, fd00:ec2::/32, fd20:ce::/64, fd00:42::42),
/// and the same IPv4 addresses inside IPv6 (mapped, compatible, translated, 6to4, NAT64, at the end
/// of link-local and unique-local ones). To be asked about the address that is about to be dialled,
/// after name resolution: names can be made to point anywhere.
bool is_refused_address(const sockaddr* address) noexcept;

}  // namespace dbackup::plugins
