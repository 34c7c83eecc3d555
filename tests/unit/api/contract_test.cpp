#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "api/route_table.hpp"
#include "base/logging.hpp"
#include "tests/unit/api/api_fixture.hpp"

/// What holds for every route: the tests walk the table.
namespace dbackup::host {
namespace {

using testing::Answer;
using testing::ApiFixture;

std::string with_ids(const RouteRow& row, const std::string& id) {
  std::string path = row.path;
  for (size_t at = path.find("{id}"); at != std::string::npos; at = path.find("{id}"))
    path.replace(at, 4, id);
  return path;
}

static_assert(!std::is_default_constructible_v<Access>, "a row without access does not compile");

bool is_error_body(const Answer& answer) {
  return answer.body.is_object() && answer.body.value("success", true) == false &&
         answer.body.contains("error") && answer.body["error"].is_string() &&
         !answer.body["error"].get<std::string>().empty();
}

TEST(EveryRoute, AnswersNobodyWithout401UnlessItIsPublic) {
  ApiFixture api;
  ASSERT_GE(api.api->routes().rows().size(), 37u);
  for (const RouteRow* row : api.api->routes().rows()) {
    const Answer answer = api.send(row->method, with_ids(*row, "x"), {.body = "{}", .key = "none"});
    if (row->access.is_public()) continue;
    EXPECT_EQ(answer.status, 401) << row->path;
    EXPECT_TRUE(is_error_body(answer)) << row->path << answer.text;
  }
}

TEST(EveryRoute, AnswersACallerWithoutItsPermission403) {
  ApiFixture api;
  std::map<std::string_view, std::string> keys;
  for (const RouteRow* row : api.api->routes().rows()) {
    if (row->access.is_public() || row->access.kind() == Access::Kind::Authenticated) continue;
    // Any permission that does not open it: no single one opens nothing.
    const auto useless = std::ranges::find_if(kPermissions, [&](const auto& permission) {
      Principal who{.kind = PrincipalKind::ApiKey};
      who.permissions.set(static_cast<size_t>(permission.permission));
      return !row->access.admits(who);
    });
    ASSERT_NE(useless, kPermissions.end()) << row->path;
    std::string& key = keys[useless->name];
    if (key.empty()) key = api.key_with({std::string{useless->name}});
    const Answer answer = api.send(row->method, with_ids(*row, "x"), {.body = "{}", .key = key});
    EXPECT_EQ(answer.status, 403) << row->path;
    EXPECT_TRUE(is_error_body(answer)) << row->path << answer.text;
  }
}

TEST(EveryRoute, AnswersAnUnknownIdWith404AndMalformedJsonWith400) {
  ApiFixture api;
  for (const RouteRow* row : api.api->routes().rows()) {
    const std::string path = with_ids(*row, "unknown");
    if (row->path.find("{id}") != std::string::npos && row->body == BodyRule::None &&
        row->path.find("/download") == std::string::npos) {
      EXPECT_EQ(api.send_to(*row, path).status, 404) << row->path;
    }
    if (row->body == BodyRule::None) continue;
    for (const char* body : {"{", "[]", "nonsense", "\"text\"", "{\"a\":1}x"}) {
      const Answer answer = api.send_to(
          *row, path, {.body = body, .headers = {{"Content-Type", "application/json"}}});
      EXPECT_EQ(answer.status, 400) << row->path << " " << body << answer.text;
      EXPECT_TRUE(is_error_body(answer)) << row->path;
    }
  }
  EXPECT_EQ(api.post("/api/jobs/unknown/run", Json::object()).status, 404);
  EXPECT_EQ(api.post("/api/storage/unknown/verify", {{"file", "a"}}).status, 404);
  EXPECT_EQ(api.post("/api/storage/unknown/download-url", {{"file", "a"}}).status, 404);
  EXPECT_EQ(
      api.post("/api/storage/unknown/restore", {{"file", "a"}, {"targetSourceId", "b"}}).status,
      404);
  EXPECT_EQ(api.get("/api/storage/unknown/download?file=a").status, 404);
}

TEST(EveryRoute, NeverAnswers500ToOddlyShapedBodies) {
  ApiFixture api;
  const std::string source = api.make_source();
  const std::string storage = api.make_storage();
  const std::string job = api.make_job(source, storage);
  const Json values[] = {nullptr,
                         true,
                         -1,
                         1e300,
                         "",
                         "x",
                         Json::array(),
                         Json::object(),
                         {{"a", {1}}},
                         std::string(300, 'y')};
  for (const RouteRow* row : api.api->routes().rows()) {
    if (!row->request || !row->request->contains("properties")) continue;
    for (const auto& [name, property] : (*row->request)["properties"].items()) {
      for (const Json& value : values) {
        for (const std::string& id : {source, storage, job}) {
          const Answer answer = api.send_to(*row, with_ids(*row, id),
                                            {.body = Json{{name, value}}.dump(),
                                             .headers = {{"Content-Type", "application/json"}}});
          const bool is_told = answer.status == 501 && std::ranges::count(row->failures, 501) > 0;
          EXPECT_TRUE(answer.status < 500 || is_told)
              << row->path << " " << name << " " << value << answer.text;
        }
      }
    }
  }
}

TEST(EveryRoute, CarriesSecurityHeadersAndItsRequestId) {
  ApiFixture api;
  for (const char* path : {"/api/health", "/api/jobs", "/api/nowhere", "/"}) {
    const Answer answer = api.get(path);
    EXPECT_EQ(answer.headers.get("X-Request-Id"), "req-1") << path;
    EXPECT_EQ(answer.headers.get("X-Frame-Options"), "DENY");
    EXPECT_EQ(answer.headers.get("X-Content-Type-Options"), "nosniff");
    EXPECT_EQ(answer.headers.get("Referrer-Policy"), "strict-origin-when-cross-origin");
    EXPECT_TRUE(answer.headers.contains("Content-Security-Policy"));
    EXPECT_TRUE(answer.headers.contains("Permissions-Policy"));
    EXPECT_FALSE(answer.headers.contains("Strict-Transport-Security"));
    EXPECT_FALSE(answer.headers.contains("Access-Control-Allow-Origin"));
  }
  EXPECT_TRUE(api.get("/api/health", {.headers = {{"X-Forwarded-Proto", "https"}}})
                  .headers.contains("Strict-Transport-Security"));
}

TEST(EveryRoute, SaysWhatItIsInTheTable) {
  ApiFixture api;
  for (const RouteRow* row : api.api->routes().rows()) {
    EXPECT_FALSE(row->summary.empty()) << row->path;
    EXPECT_FALSE(row->section.empty()) << row->path << ": a heading of the API reference";
    EXPECT_TRUE(row->response || row->produces != "application/json")
        << row->path << ": an answer in JSON has a schema";
    const bool makes =
        row->method == Method::Post &&
        (row->success == 201 || row->success == 202 ||
         (row->response && row->response->dump().find("\"executionId\"") != std::string::npos));
    // The key of an anonymous caller would be everybody's.
    EXPECT_TRUE(!makes || row->idempotent || row->access.is_public())
        << row->path << " makes or starts something";
    EXPECT_FALSE(row->idempotent && row->access.is_public()) << row->path;
    if (row->etag) {
      const auto found = api.api->routes().find(Method::Get, row->segments);
      ASSERT_TRUE(found.match) << row->path << ": an entity tag comes from a GET";
      EXPECT_TRUE(found.match->row->etag) << row->path << ": its GET answers the entity tag";
    }
    EXPECT_TRUE(row->path.starts_with("/api/") || row->section == "API reference") << row->path;
    EXPECT_NE(row->bucket, RateBucket::ByMethod) << row->path;
    EXPECT_TRUE(row->body != BodyRule::Required || row->request)
        << row->path << ": a required body has a schema";
    EXPECT_GT(row->body_limit, 0u);
  }
}

TEST(Dispatcher, TellsUnknownPathsFromUnknownMethods) {
  ApiFixture api;
  EXPECT_EQ(api.get("/api/nowhere").status, 404);
  EXPECT_EQ(api.get("/api/jobs/").status, 404);
  EXPECT_TRUE(is_error_body(api.get("/api/nowhere")));
  const Answer wrong = api.send(Method::Patch, "/api/jobs");
  EXPECT_EQ(wrong.status, 405);
  EXPECT_TRUE(is_error_body(wrong));
  EXPECT_EQ(wrong.headers.get("Allow"), "GET, HEAD, POST, OPTIONS");
  const Answer options = api.send(Method::Options, "/api/jobs/x", {.key = "none"});
  EXPECT_EQ(options.status, 204);
  EXPECT_EQ(options.headers.get("Allow"), "GET, HEAD, PUT, DELETE, OPTIONS");
  EXPECT_EQ(api.send(Method::Head, "/api/jobs").status, 200);
  EXPECT_EQ(api.send(Method::Options, "*").status, 204);
  EXPECT_EQ(api.send(Method::Options, "/api/nowhere").status, 404);
}

TEST(Dispatcher, RefusesBodiesThatNoFieldCouldHold) {
  ApiFixture api;
  const auto post = [&](const std::string& body) {
    return api.send(Method::Post, "/api/adapters", {.body = body});
  };
  const std::pair<std::string, const char*> bad[] = {
      {R"({"name":"a\u0000b"})", "\"name\" must not contain NUL"},
      {R"({"name":"a","config":{"deep":["x","\u0000"]}})", "\"config.deep[1]\""},
      {R"({"name":"a","config":{"k\u0000":1}})", "NUL"},
      {"{\"name\":\"\xff\xfe\"}", "not valid JSON at byte"},
      {R"({"name":"\ud800"})", "not valid JSON at byte"},
      {R"({"x":1e999})", "a number is out of range"},
      {std::string(100'000, '['), "nested too deeply"},
      {"{\"a\":" + std::string(200, '[') + std::string(200, ']') + "}", "nested too deeply"},
      {std::string("{}\0", 3), "not valid JSON"},
      {"[1]", "must be a JSON object"},
      {"", "is missing"},
  };
  for (const auto& [body, reason] : bad) {
    const Answer answer = post(body);
    const std::string quoted = Json(reason).dump();
    EXPECT_EQ(answer.status, 400) << answer.text;
    EXPECT_NE(answer.text.find(quoted.substr(1, quoted.size() - 2)), std::string::npos)
        << reason << " is not in " << answer.text;
  }
  EXPECT_EQ(api.send(Method::Put, "/api/settings/certificate",
                     {.body = "{}", .headers = {{"Content-Type", "application/json"}}})
                .status,
            415);
}

TEST(Dispatcher, NamesTheRequestInEveryLineWrittenForIt) {
  ApiFixture api;
  const std::string made = api.post("/api/encryption-profiles", {{"name", "logged"}})
                               .body["data"]["id"]
                               .get<std::string>();
  set_up_logging({.level = LogLevel::Info});
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(api.get("/api/vault/" + made + "/recovery-kit").status, 200);
  log_info("outside");
  const std::string lines = ::testing::internal::GetCapturedStderr();
  set_up_logging({.level = LogLevel::Warning});
  EXPECT_NE(lines.find("[req-1] a recovery kit"), std::string::npos) << lines;
  EXPECT_NE(lines.find("  outside"), std::string::npos) << lines;
}

TEST(Dispatcher, TakesTheSchemeWordAsItIsWritten) {
  ApiFixture api;
  const auto status_with = [&](const std::string& header) {
    return api.get("/api/jobs", {.headers = {{"Authorization", header}}}).status;
  };
  EXPECT_EQ(status_with("Bearer   " + api.root_key + " "), 200);
  EXPECT_EQ(status_with("bearer " + api.root_key), 401);
  EXPECT_EQ(status_with("Basic " + api.root_key), 401);
  EXPECT_EQ(status_with("Bearer"), 401);
  EXPECT_EQ(status_with("Bearer dbackup_" + std::string(60, '0')), 401);
}

TEST(Dispatcher, LooksAtTheRunBodyOnlyWhenItIsSentAsJson) {
  ApiFixture api;
  const std::string job = api.make_job(api.make_source(), api.make_storage());
  const std::string path = "/api/jobs/" + job + "/run";
  EXPECT_EQ(api.send(Method::Post, path).status, 200) << "no body, no content type";
  EXPECT_EQ(api.send(Method::Post, path,
                     {.body = "lock=true",
                      .headers = {{"Content-Type", "application/x-www-form-urlencoded"}}})
                .status,
            200);
  EXPECT_EQ(api.post(path, {{"lock", true}}).status, 200);
  EXPECT_EQ(api.post(path, {{"lock", "yes"}}).status, 400);
  EXPECT_EQ(
      api.send(Method::Post, path,
               {.body = "{", .headers = {{"Content-Type", "Application/JSON; charset=utf-8"}}})
          .status,
      400);
}

TEST(Dispatcher, HonoursIdempotencyKeysOnRunsAndCreates) {
  ApiFixture api;
  const std::string job = api.make_job(api.make_source(), api.make_storage());
  const testing::Sent sent{
      .body = R"({"lock":true})",
      .headers = {{"Content-Type", "application/json"}, {"Idempotency-Key", "run-1"}}};
  const Answer first = api.send(Method::Post, "/api/jobs/" + job + "/run", sent);
  const Answer again = api.send(Method::Post, "/api/jobs/" + job + "/run", sent);
  ASSERT_EQ(first.status, 200) << first.text;
  EXPECT_EQ(first.body["executionId"], again.body["executionId"]);
  testing::Sent other = sent;
  other.body = R"({"lock":false})";
  EXPECT_EQ(api.send(Method::Post, "/api/jobs/" + job + "/run", other).status, 422);

  const testing::Sent make{.body = R"({"name":"k","permissions":["jobs:read"]})",
                           .headers = {{"Idempotency-Key", "key-1"}}};
  const Answer created = api.send(Method::Post, "/api/api-keys", make);
  ASSERT_EQ(created.status, 201) << created.text;
  const Answer replay = api.send(Method::Post, "/api/api-keys", make);
  EXPECT_EQ(replay.status, 409);
  EXPECT_NE(replay.text.find(created.body["data"]["apiKey"]["id"].get<std::string>()),
            std::string::npos);
  EXPECT_EQ(replay.text.find(created.body["data"]["rawKey"].get<std::string>()), std::string::npos);
}

TEST(Health, HasTheShapeOfTheContract) {
  ApiFixture api;
  const Answer answer = api.get("/api/health", {.key = "none"});
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body["status"], "healthy");
  EXPECT_EQ(answer.body["database"], "connected");
  EXPECT_TRUE(answer.body["uptime"].is_number_integer());
  EXPECT_GT(answer.body["memory"]["rss"].get<int>(), 0);
  EXPECT_TRUE(answer.body["memory"].contains("heapUsed") &&
              answer.body["memory"].contains("heapTotal"));
  EXPECT_TRUE(answer.body["responseTime"].is_number_integer());
}

}  // namespace
}  // namespace dbackup::host
