#include "base/json_writer.hpp"

#include <gtest/gtest.h>

#include "base/json.hpp"

namespace dbackup::host {
namespace {

TEST(JsonWriter, WritesWhatTheLibraryReads) {
  JsonWriter out;
  out.begin_object();
  out.key("text").text("plain").key("none").null().key("yes").flag(true);
  out.key("least").number(INT64_MIN).key("most").number(INT64_MAX);
  out.key("list").begin_array().number(1).text("two").begin_object().end_object().end_array();
  out.key("raw").raw(R"({"a":[1,2]})").key("empty").text_or_null("").key("full").text_or_null("x");
  out.end_object();
  const Json expected{{"text", "plain"}, {"none", nullptr}, {"yes", true}, {"least", INT64_MIN}, {"most", INT64_MAX},
                      {"list", {1, "two", Json::object()}}, {"raw", {{"a", {1, 2}}}}, {"empty", nullptr}, {"full", "x"}};
  EXPECT_EQ(Json::parse(out.take()), expected);
}

TEST(JsonWriter, EscapesAsTheLibraryDoes) {
  for (const std::string text : {"", "a\"b\\c/d", "line\nend\t\x01\x7f", "Zürich 数据库", "broken \xff\xc3 bytes", "\xed\xa0\x80"}) {
    JsonWriter out;
    EXPECT_EQ(out.text(text).take(), dump_json(text)) << text;
  }
}

}  // namespace
}  // namespace dbackup::host
