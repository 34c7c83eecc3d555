#include "api/openapi.hpp"

#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <fstream>
#include <set>

#include "tests/support/paths.hpp"
#include "tests/unit/api/api_fixture.hpp"

namespace dbackup::host {
namespace {

using testing::Answer;
using testing::ApiFixture;

/// Calls `visit` with every value of the document and where it is.
void walk(const Json& value, const std::string& where,
          const std::function<void(const Json&, const std::string&)>& visit) {
  visit(value, where);
  if (value.is_structured()) {
    for (const auto& [key, member] : value.items()) walk(member, where + "/" + key, visit);
  }
}

Json from_yaml(const YAML::Node& node) {
  if (node.IsNull()) return nullptr;
  if (node.IsSequence()) {
    Json out = Json::array();
    for (const auto& item : node) out.push_back(from_yaml(item));
    return out;
  }
  if (node.IsMap()) {
    Json out = Json::object();
    for (const auto& pair : node) out[pair.first.Scalar()] = from_yaml(pair.second);
    return out;
  }
  if (node.Tag() == "!") return node.Scalar();  // quoted
  return Json::parse(node.Scalar());
}

TEST(ApiReference, DescribesEveryRowOfTheTable) {
  ApiFixture api;
  const Answer answer = api.get("/openapi.json", {.key = "none"});
  ASSERT_EQ(answer.status, 200);
  const Json& document = answer.body;
  EXPECT_EQ(document["openapi"], "3.1.0");
  EXPECT_EQ(document["servers"], Json::parse(R"([{"url":"http://backup.test:3000"}])"));
  std::set<std::string> sections, ids;
  size_t operations = 0;
  for (const auto& [path, item] : document["paths"].items()) operations += item.size();
  for (const Json& tag : document["tags"]) sections.insert(tag["name"].get<std::string>());
  EXPECT_EQ(operations, api.api->routes().rows().size());
  for (const RouteRow* row : api.api->routes().rows()) {
    std::string method{to_string(row->method)};
    for (char& c : method) c = static_cast<char>(std::tolower(c));
    const Json& operation = document["paths"][row->path][method];
    ASSERT_TRUE(operation.is_object()) << row->path;
    EXPECT_TRUE(ids.insert(operation["operationId"].get<std::string>()).second)
        << operation["operationId"] << " is there twice";
    EXPECT_TRUE(sections.contains(row->section));
    EXPECT_EQ(operation["security"].empty(), row->access.is_public()) << row->path;
    EXPECT_EQ(operation["x-permission"], row->access.describe());
    EXPECT_EQ(operation["responses"].size(), answers_of(*row).size());
    EXPECT_EQ(operation.contains("requestBody"), takes_body(*row));
    const std::string parameters = operation.value("parameters", Json::array()).dump();
    EXPECT_EQ(row->idempotent, parameters.find("Idempotency-Key") != std::string::npos);
    EXPECT_EQ(row->etag && row->method != Method::Get,
              parameters.find("/If-Match\"") != std::string::npos);
    for (const std::string& segment : row->segments) {
      if (!segment.starts_with('{')) continue;
      EXPECT_NE(parameters.find("\"name\":\"" + segment.substr(1, segment.size() - 2) + "\""),
                std::string::npos)
          << row->path;
    }
  }
}

TEST(ApiReference, RefersToNothingThatIsMissingAndKeepsNothingUnused) {
  ApiFixture api;
  const Json document = api.get("/openapi.json").body;
  std::set<std::string> used;
  walk(document, "", [&](const Json& value, const std::string& where) {
    if (!value.is_object() || !value.contains("$ref")) return;
    const auto reference = value["$ref"].get<std::string>();
    ASSERT_TRUE(reference.starts_with("#/")) << where;
    EXPECT_TRUE(document.contains(Json::json_pointer{reference.substr(1)}))
        << reference << " at " << where;
    used.insert(reference);
  });
  for (const auto& [kind, members] : document["components"].items()) {
    if (kind == "securitySchemes") continue;
    for (const auto& [name, member] : members.items()) {
      EXPECT_TRUE(used.contains("#/components/" + kind + "/" + name)) << kind << "/" << name;
    }
  }
  for (const char* name : {"Job", "Adapter", "Execution", "StoredFile", "ApiKey"}) {
    EXPECT_TRUE(document["components"]["schemas"].contains(name)) << name;
  }
}

TEST(ApiReference, IsTheSameInYaml) {
  ApiFixture api;
  const Answer yaml = api.get("/openapi.yaml", {.key = "none"});
  EXPECT_EQ(yaml.headers.get("Content-Type"), "application/yaml");
  EXPECT_EQ(from_yaml(YAML::Load(yaml.text)), api.get("/openapi.json").body);
}

TEST(ApiReference, QuotesWhatYamlWouldReadAsSomethingElse) {
  const Json value{{"no", "yes"},
                   {"404", "1e3"},
                   {"a b", "null"},
                   {"x", "line\n\"two\""},
                   {"n", 5},
                   {"f", 1.5},
                   {"t", true},
                   {"nil", nullptr},
                   {"e", Json::array()},
                   {"o", Json::object()},
                   {"l", {1, "2", {{"$ref", "#/a"}}}}};
  EXPECT_EQ(from_yaml(YAML::Load(openapi::to_yaml(value))), value);
}

TEST(ApiReference, ShowsExamplesThatTheServerWouldTake) {
  ApiFixture api;
  for (const openapi::Example& example : openapi::examples()) {
    const auto rows = api.api->routes().rows();
    const auto row = std::ranges::find_if(rows, [&](const RouteRow* each) {
      return openapi::operation_id(*each) == example.operation;
    });
    ASSERT_NE(row, rows.end()) << example.operation;
    if (example.request != nullptr) {
      EXPECT_NO_THROW(schema::check(*(*row)->request, Json::parse(example.request)))
          << example.operation;
    }
    if (example.response != nullptr) {
      EXPECT_NO_THROW(schema::check_answer(*(*row)->response, Json::parse(example.response)))
          << example.operation;
    }
  }
}

TEST(ApiReference, NamesTheAddressItWasAskedAt) {
  ApiFixture api;
  const auto server = [&](const std::string& host) {
    return api.get("/openapi.json", {.headers = {{"Host", host}}});
  };
  EXPECT_EQ(server("10.1.2.3:8443").body["servers"][0]["url"], "http://10.1.2.3:8443");
  EXPECT_EQ(server("evil\"}").status, 400);
  const Answer first = server("a.example");
  EXPECT_EQ(api.get("/openapi.json",
                    {.headers = {{"Host", "a.example"},
                                 {"If-None-Match", std::string{first.headers.get("ETag")}}}})
                .status,
            304);
}

/// With a program that knows the standard; packaging/dev installs it.
TEST(ApiReference, PassesAValidatorOfTheStandard) {
  ApiFixture api;
  const std::string tools = ::dbackup::test::source_dir() + "/build/web/tools";
  ASSERT_TRUE(std::filesystem::exists(tools + "/node_modules"))
      << "packaging/dev web installs the validator";
  std::ofstream{api.folder.file("openapi.json")} << api.get("/openapi.json").text;
  std::ofstream{api.folder.file("openapi.yaml")} << api.get("/openapi.yaml").text;
  const auto status_of = [&](const char* name) {
    const std::string command = "node '" + ::dbackup::test::source_dir() +
                                "/packaging/web/validate.mjs' '" + tools + "' '" +
                                api.folder.file(name) + "' 2>&1";
    return std::system(command.c_str());  // NOLINT(concurrency-mt-unsafe)
  };
  EXPECT_EQ(status_of("openapi.json"), 0);
  EXPECT_EQ(status_of("openapi.yaml"), 0);
  Json broken = api.get("/openapi.json").body;
  broken["paths"]["/api/jobs"]["get"].erase("responses");
  broken["paths"]["/api/jobs"]["get"]["parameters"] = "none";
  std::ofstream{api.folder.file("broken.json")} << broken.dump();
  EXPECT_NE(status_of("broken.json"), 0) << "the validator looks at operations";
}

}  // namespace
}  // namespace dbackup::host
