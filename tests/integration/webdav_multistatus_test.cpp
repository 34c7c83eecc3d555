#include <gtest/gtest.h>

#include "plugins/common/percent_encoding.hpp"
#include "plugins/webdav/multistatus.hpp"

namespace dbackup::webdav {
namespace {

using Kind = plugins::RemoteEntry::Kind;

TEST(WebdavMultistatus, ReadsAnyPrefixAndFullOrRelativeAddresses) {
  const auto found = parse_multistatus(
      "<?xml version=\"1.0\"?><x:multistatus xmlns:x=\"DAV:\">"
      "<x:response><x:href>https://h:1/dav/a%20b/</x:href><x:propstat><x:prop><x:resourcetype>"
      "<x:collection/></x:resourcetype></x:prop><x:status>HTTP/1.1 200 OK</x:status></x:propstat>"
      "</x:response>"
      "<x:response><x:href> /dav/a%20b/100%25%20%23.sql </x:href><x:propstat><x:prop>"
      "<x:getcontentlength>42</x:getcontentlength>"
      "<x:getlastmodified>Fri, 27 Nov 2026 22:10:00 GMT</x:getlastmodified><x:resourcetype/>"
      "</x:prop><x:status>HTTP/1.1 200 OK</x:status></x:propstat><x:propstat><x:prop>"
      "<x:getcontentlength/></x:prop><x:status>HTTP/1.1 404 Not Found</x:status></x:propstat>"
      "</x:response></x:multistatus>");
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].path, "/dav/a b");
  EXPECT_EQ(found[0].entry.kind, Kind::Folder);
  EXPECT_EQ(found[1].path, "/dav/a b/100% #.sql");
  EXPECT_EQ(found[1].entry.name, "100% #.sql");
  EXPECT_EQ(found[1].entry.kind, Kind::File);
  EXPECT_EQ(found[1].entry.size, 42U);
  EXPECT_EQ(found[1].entry.modified_ms, 1'795'817'400'000);
}

TEST(WebdavMultistatus, TakesNoOtherPageForAListing) {
  for (const char* text :
       {"", "<html><body>Login</body></html>", "<multistatus><response>", "{}"}) {
    EXPECT_THROW(parse_multistatus(text), Error) << text;
  }
}

TEST(WebdavMultistatus, EncodesAndDecodesEveryByte) {
  std::string all;
  for (int c = 1; c < 256; ++c) all += static_cast<char>(c);
  EXPECT_EQ(percent_decode(plugins::percent_encoded_path(all)), all);
  EXPECT_EQ(plugins::percent_encoded_path("a b/#?%"), "a%20b/%23%3F%25");
  EXPECT_EQ(percent_decode("100%"), "100%");
  EXPECT_EQ(percent_decode("%4"), "%4");
  EXPECT_EQ(percent_decode("%zz"), "%zz");
}

}  // namespace
}  // namespace dbackup::webdav
