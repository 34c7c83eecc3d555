#include <gtest/gtest.h>

#include "base/error.hpp"
#include "protocol/descriptor.hpp"

namespace dbackup::host::protocol {
namespace {

const AdapterDescriptor kDescriptor{
    .options = {{.name = "host", .type = "string", .fallback = "localhost"},
                {.name = "port", .type = "integer", .fallback = 5432, .minimum = 1},
                {.name = "thread", .type = "integer"},
                {.name = "mode", .type = "choice", .fallback = "a", .choices = {"a", "b"}},
                {.name = "link", .type = "url"},
                {.name = "folder", .type = "path", .required = true, .fallback = "/backups"}}};

TEST(Configuration, TakesADefaultWhereAFieldWasLeftEmpty) {
  const Json blank{{"host", ""}, {"port", ""},   {"thread", ""},
                   {"mode", ""}, {"folder", ""}, {"more", ""}};
  EXPECT_EQ(normalize_config(kDescriptor, blank, /*complete=*/true),
            (Json{{"host", "localhost"},
                  {"port", 5432},
                  {"mode", "a"},
                  {"folder", "/backups"},
                  {"more", ""}}));
  EXPECT_EQ(normalize_config(kDescriptor, blank, /*complete=*/false), blank) << "as it was saved";
}

TEST(Configuration, RefusesWhatIsNoUrl) {
  for (const std::string text : {"x", "https://", "://host", "/path"}) {
    try {
      normalize_config(kDescriptor, {{"link", text}}, /*complete=*/false);
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_NE(std::string{error.what()}.find("\"link\""), std::string::npos) << error.what();
    }
  }
  EXPECT_NO_THROW(
      normalize_config(kDescriptor, {{"link", "https://h/a b?c"}}, /*complete=*/false));
}

}  // namespace
}  // namespace dbackup::host::protocol
