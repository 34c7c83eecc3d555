#include "base/json.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "base/error.hpp"

namespace dbackup::host {
namespace {

std::string message_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::InvalidArgument);
    return error.what();
  }
  return "";
}

TEST(Json, RefusesNestingThatWouldOverflowTheStackLater) {
  EXPECT_NO_THROW(parse_json(std::string(64, '[') + std::string(64, ']'), "body"));
  EXPECT_EQ(message_of([] { parse_json(std::string(100'000, '['), "body"); }), "body: nested too deeply");
  EXPECT_NO_THROW(parse_json("\"" + std::string(1000, '[') + "\"", "body")) << "brackets inside a text";
}

TEST(Json, RefusesTextsThatAreNoJson) {
  for (const char* text : {"", "{", "{]", "nul", "{\"a\":\"\xC3\"}", "1 2"}) {
    EXPECT_TRUE(message_of([&] { parse_json(text, "body"); }).starts_with("body: not valid JSON at byte "))
        << text;
  }
  EXPECT_EQ(message_of([] { parse_json("{\"a\":1e999}", "body"); }), "body: a number is out of range");
}

TEST(Json, QuotesNothingOfABadText) {
  try {
    parse_json(R"({"password":"hunter2)", "body");
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ((std::string{error.what()} + error.detail()).find("hunter2"), std::string::npos);
  }
}

TEST(Json, ReplacesInvalidUtf8InsteadOfThrowing) {
  EXPECT_NO_THROW(dump_json({{"file", "\xC3"}}));
}

TEST(Json, ReadersAreStrictAndNameTheMember) {
  const Json object = parse_json(R"({"text":"t","n":5,"big":3000000000,"f":1.9,"yes":true,"null":null,"list":["a",1]})", "x");
  EXPECT_EQ(get_string(object, "text"), "t");
  EXPECT_EQ(get_string(object, "null"), std::nullopt);
  EXPECT_EQ(get_int(object, "big"), 3'000'000'000);
  EXPECT_EQ(message_of([&] { get_int(object, "f"); }), "\"f\" must be an integer");
  EXPECT_EQ(message_of([&] { get_int(object, "n", 10, 20); }), "\"n\" must be an integer from 10 to 20");
  EXPECT_EQ(message_of([&] { get_bool(object, "text"); }), "\"text\" must be true or false");
  EXPECT_EQ(message_of([&] { get_strings(object, "list"); }), "\"list\" must be an array of strings");
  EXPECT_EQ(message_of([&] { require_string(object, "absent"); }), "\"absent\" is required");
  EXPECT_EQ(message_of([] { get_int(parse_json("{\"n\":18446744073709551615}", "x"), "n"); }), "\"n\" must be an integer");
}

}  // namespace
}  // namespace dbackup::host
