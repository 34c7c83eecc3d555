#include "api/multipart.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"

namespace dbackup::host {
namespace {

constexpr const char* kType = "multipart/form-data; boundary=\"xYz\"";

std::string form(std::initializer_list<std::string> parts) {
  std::string out;
  for (const std::string& part : parts) out += "--xYz\r\n" + part + "\r\n";
  return out + "--xYz--\r\n";
}

std::string reason(const std::string& type, const std::string& body) {
  try {
    parse_multipart(type, body);
    return "";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::InvalidArgument);
    return error.what();
  }
}

TEST(Multipart, GivesEachPartWithItsNames) {
  const std::string body =
      form({"Content-Disposition: form-data; name=\"certificate\"; filename=\"a \\\"b\\\".pem\"\r\n"
            "Content-Type: application/x-pem-file\r\n\r\nPEM\r\n--not the end\r\n",
            "content-disposition:form-data;name=note\r\n\r\nhello"});
  const auto parts = parse_multipart(kType, body);
  ASSERT_EQ(parts.size(), 2u);
  EXPECT_EQ(parts[0].name, "certificate");
  EXPECT_EQ(parts[0].file_name, "a \"b\".pem");
  EXPECT_EQ(parts[0].content_type, "application/x-pem-file");
  EXPECT_EQ(parts[0].data, "PEM\r\n--not the end\r\n");
  EXPECT_EQ(require_part(parts, "note").data, "hello");
  EXPECT_EQ(find_part(parts, "other"), nullptr);
  EXPECT_THROW(require_part(parts, "other"), Error);
}

TEST(Multipart, TakesEmptyPartsBinaryDataAndAPreamble) {
  const std::string data{"\0\r\n--xY\xff", 8};
  const std::string body =
      "preamble\r\n" + form({"Content-Disposition: form-data; name=\"e\"\r\n\r\n",
                             "Content-Disposition: form-data; name=\"b\"\r\n\r\n" + data});
  const auto parts = parse_multipart(kType, body);
  EXPECT_EQ(require_part(parts, "e").data, "");
  EXPECT_EQ(require_part(parts, "b").data, data);
}

TEST(Multipart, NamesWhatIsMalformed) {
  const std::string good = form({"Content-Disposition: form-data; name=\"a\"\r\n\r\nb"});
  EXPECT_EQ(reason(kType, good), "");
  EXPECT_NE(reason("application/json", good), "");
  EXPECT_NE(reason("multipart/form-data", good), "");
  EXPECT_NE(reason("multipart/form-data; boundary=", good), "");
  EXPECT_NE(reason("multipart/form-data; boundary=\"open", good), "");
  EXPECT_NE(reason(kType, ""), "");
  EXPECT_NE(reason(kType, form({"no colon\r\n\r\nb"})), "");
  EXPECT_NE(reason(kType, form({"Content-Type: a/b\r\n\r\nb"})), "");
  EXPECT_NE(reason(kType, form({"Content-Disposition: attachment; name=\"a\"\r\n\r\nb"})), "");
  EXPECT_NE(reason(kType, form({std::string(5000, 'x') + ": y\r\n\r\nb"})), "");
  std::string many;
  for (int i = 0; i < 33; ++i)
    many += "--xYz\r\nContent-Disposition: form-data; name=a\r\n\r\nb\r\n";
  EXPECT_NE(reason(kType, many + "--xYz--"), "");
}

TEST(Multipart, FindsEveryTruncationMalformed) {
  const std::string good = form({"Content-Disposition: form-data; name=\"a\"\r\n\r\nbody",
                                 "Content-Disposition: form-data; name=\"b\"\r\n\r\n"});
  const size_t end = good.rfind("--\r\n");
  for (size_t size = 0; size < end + 2; ++size) {
    EXPECT_NE(reason(kType, good.substr(0, size)), "") << size;
  }
}

}  // namespace
}  // namespace dbackup::host
