#include "base/encoding.hpp"

#include <gtest/gtest.h>

#include <set>

#include "base/id.hpp"

namespace dbackup::host {
namespace {

TEST(Encoding, HexadecimalGoesBothWays) {
  EXPECT_EQ(to_hex(std::string("\x00\xff\x10", 3)), "00ff10");
  EXPECT_EQ(from_hex("00FF10"), std::string("\x00\xff\x10", 3));
  EXPECT_EQ(from_hex("0"), std::nullopt);
  EXPECT_EQ(from_hex("zz"), std::nullopt);
}

TEST(Encoding, Base64IsCanonicalAndUnpadded) {
  EXPECT_EQ(to_base64_unpadded("f"), "Zg");
  EXPECT_EQ(to_base64_unpadded("foobar"), "Zm9vYmFy");
  EXPECT_EQ(from_base64_unpadded("Zm9v"), "foo");
  EXPECT_EQ(from_base64_unpadded("Zg=="), std::nullopt) << "padding";
  EXPECT_EQ(from_base64_unpadded("Zh"), std::nullopt) << "trailing bits";
  EXPECT_EQ(from_base64_unpadded("Z"), std::nullopt);
  EXPECT_EQ(from_base64_unpadded("Zm\n9v"), std::nullopt);
}

TEST(Encoding, RandomBytesSurviveBase64AndHex) {
  for (size_t size = 0; size < 70; ++size) {
    const std::string bytes = random_bytes(size);
    EXPECT_EQ(from_base64_unpadded(to_base64_unpadded(bytes)), bytes);
    EXPECT_EQ(from_hex(to_hex(bytes)), bytes);
  }
}

TEST(Encoding, PercentEncodingGoesBothWays) {
  EXPECT_EQ(percent_encode("a b/ä", "/"), "a%20b/%C3%A4");
  EXPECT_EQ(percent_decode("a%20b%2fc", false), "a b/c");
  EXPECT_EQ(percent_decode("a+b", true), "a b");
  EXPECT_EQ(percent_decode("a+b", false), "a+b");
  for (const char* bad : {"%", "%2", "%zz", "a%"}) EXPECT_EQ(percent_decode(bad, false), std::nullopt) << bad;
}

TEST(Encoding, KnowsWellFormedUtf8) {
  for (const char* good : {"", "abc", "ä", "数据库", "\xF0\x9F\x98\x80"}) EXPECT_TRUE(is_text(good)) << good;
  for (const char* bad : {"\xC3", "\xC0\x80", "\xED\xA0\x80", "\xF5\x80\x80\x80", "\xE2\x82", "\x80"}) {
    EXPECT_FALSE(is_text(bad));
  }
  EXPECT_FALSE(is_text(std::string_view("a\0b", 3)));
}

TEST(Id, MakesUuidsOfVersionFour) {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const std::string id = new_uuid();
    ASSERT_EQ(id.size(), 36U);
    EXPECT_EQ(id[14], '4');
    EXPECT_NE(std::string("89ab").find(id[19]), std::string::npos);
    seen.insert(id);
  }
  EXPECT_EQ(seen.size(), 1000U);
}

}  // namespace
}  // namespace dbackup::host
