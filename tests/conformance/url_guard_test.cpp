#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <common/url_guard.hpp>

namespace dbackup::plugins {
namespace {

bool refused(const char* text) {
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
    return is_refused_address(reinterpret_cast<sockaddr*>(&v4));
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  EXPECT_EQ(inet_pton(AF_INET6, text, &v6.sin6_addr), 1) << text;
  return is_refused_address(reinterpret_cast<sockaddr*>(&v6));
}

TEST(UrlGuard, RefusesTheAddressesOfMetadataServices) {
  for (const char* address :
       {"169.254.169.254", "169.254.170.2", "100.100.100.200", "::ffff:169.254.169.254",
        "::169.254.169.254", "64:ff9b::169.254.169.254", "2002:a9fe:a9fe::1", "fd00:ec2::254",
        "fd00:ec2::23", "192.0.0.192", "168.63.129.16", "::ffff:0:169.254.169.254",
        "64:ff9b:1::169.254.169.254", "fe80::a9fe:a9fe", "fd00:c1::a9fe:a9fe", "fd00:42::42",
        "fd20:ce::254"}) {
    EXPECT_TRUE(refused(address)) << address;
  }
}

TEST(UrlGuard, AllowsPrivateAndPublicAddresses) {
  for (const char* address : {"127.0.0.1", "10.1.2.3", "192.168.1.1", "8.8.8.8", "169.253.255.255",
                              "169.255.0.0", "::1", "fd00:ec3::254", "2001:db8::1",
                              "::ffff:10.0.0.1", "fe80::1", "fd12::a00:1", "64:ff9b::10.0.0.1"}) {
    EXPECT_FALSE(refused(address)) << address;
  }
}

}  // namespace
}  // namespace dbackup::plugins
