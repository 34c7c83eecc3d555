#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <set>

#include "tests/unit/api/request_generator.hpp"

/// Sends requests made from the rows' own schemas, and holds every answer to what its row says.
/// DBACKUP_TEST_SEED repeats a run, DBACKUP_TEST_LONG makes it longer.
namespace dbackup::host {
namespace {

using testing::Answer;
using testing::ApiFixture;
using testing::Fit;
using testing::GeneratedRequest;
using testing::RequestGenerator;

uint64_t chosen_seed() {
  const char* given = std::getenv("DBACKUP_TEST_SEED");  // NOLINT(concurrency-mt-unsafe)
  return given != nullptr ? std::stoull(given) : std::random_device{}();
}

struct World : ApiFixture {
  explicit World(uint64_t seed) : generator{seed} {
    documented_checks = false;  // all are made here, and told once
    generator.know("disk", disk());
    generator.know("api", "reference.js");
    reader = key_with({"jobs:read", "history:read", "storage:read"});
    furnish();
  }

  /// Things to work on. Generated requests change and delete them, so it is repeated.
  void furnish() {
    restore_keys();
    const std::string source = make_source();
    const std::string storage = make_storage();
    generator.know("adapters", source);
    generator.know("adapters", storage);
    generator.know("source", source);
    generator.know("storage", storage);
    generator.know("jobs", make_job(source, storage));
    static int logins = 0;
    const Answer login =
        post("/api/credentials", {{"name", "Login " + std::to_string(++logins)},
                                  {"type", "USERNAME_PASSWORD"},
                                  {"data", {{"username", "u"}, {"password", "hunter3"}}}});
    generator.know("credentials", login.body["data"]["id"].get<std::string>());
    for (const char* path : {"Job/a.dump", "Job/b.dump"}) {
      put_backup(path, "PGDMP-bytes");
      generator.know("file", path);
    }
  }

  /// A generated request may well have deleted the key that it was sent with.
  void restore_keys() {
    const Answer me = get("/api/user/me");
    if (me.status == 200 && me.body["data"]["permissions"].size() == kPermissions.size()) return;
    std::vector<std::string> all;
    for (const auto& row : kPermissions) all.emplace_back(row.name);
    root_key = key_with(all);
  }

  RequestGenerator generator;
  std::string reader;
};

/// What is wrong with an answer; "" when nothing is.
std::string fault_of(const RouteRow& row, const GeneratedRequest& request, const Answer& answer) {
  if (const auto fault = testing::undocumented(row, request.method, answer); !fault.empty())
    return fault;
  const bool is_json = answer.headers.get("Content-Type") == "application/json";
  const auto has = [&](const char* name) { return answer.headers.contains(name); };
  if (answer.status >= 400) {
    // An unreachable database or storage is 500 by contract; these are the words of the scripted
    // one.
    const bool is_unreachable = answer.text.find("connection refused") != std::string::npos ||
                                answer.text.find("the disk is gone") != std::string::npos;
    if (answer.status == 500 && !is_unreachable) return "an internal error";
    if (!is_json) return "an error that is no JSON";
  } else if (request.breaks_schema && request.method != Method::Head) {
    return "a body that does not fit its schema was taken";
  } else if (answer.status == 200 || answer.status == 201 || answer.status == 202) {
    const std::string expected = row.produces;
    if (!(is_json && row.response) &&
        !std::string{answer.headers.get("Content-Type")}.starts_with(expected))
      return "not the media type of the row, " + expected;
    if (row.etag && row.method == Method::Get && !has("ETag")) return "no ETag";
  }
  if (answer.status == 401 && !has("WWW-Authenticate")) return "401 without WWW-Authenticate";
  if ((answer.status == 429 || answer.status == 503) && !has("Retry-After") &&
      row.path != "/api/health")
    return "no Retry-After";
  if (answer.status == 304 && !answer.text.empty()) return "304 with a body";
  for (const char* name : {"X-Request-Id", "X-Content-Type-Options", "Content-Security-Policy"}) {
    if (!has(name)) return std::string{"no "} + name;
  }
  if (answer.text.find("hunter2") != std::string::npos) return "a secret came back";
  return "";
}

TEST(Contract, HoldsForGeneratedRequestsToEveryRow) {
  const bool is_long =
      std::getenv("DBACKUP_TEST_LONG") != nullptr;  // NOLINT(concurrency-mt-unsafe)
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(is_long ? 300 : 15);
  const uint64_t seed = chosen_seed();
  std::cout << "DBACKUP_TEST_SEED=" << seed << "\n";
  World world{seed};
  const auto rows = world.api->routes().rows();
  std::set<std::string> told, answered, succeeded;
  size_t requests = 0;
  const int rounds = is_long ? 100'000 : 300;
  for (int round = 0; round < rounds && std::chrono::steady_clock::now() < until; ++round) {
    if (round % 10 == 9) world.furnish();
    for (const RouteRow* row : rows) {
      const Fit fit = round % 3 == 0 ? Fit::Valid : round % 3 == 1 ? Fit::Broken : Fit::Boundary;
      GeneratedRequest request = world.generator.make(*row, fit);
      if (round % 10 == 7) request.sent.key = "none";
      if (round % 10 == 8) request.sent.key = world.reader;
      const bool by_session = row->access.is_session_only() && request.sent.key.empty();
      if (by_session) {
        if (world.root_session.empty()) world.open_session();
        request.sent.key = "none";
        for (const auto& header : world.root_session) request.sent.headers.push_back(header);
      }
      const Answer answer = world.send(request.method, request.target, request.sent);
      if (by_session && answer.status == 401) world.open_session();
      ++requests;
      const std::string name = std::string{dbackup::host::to_string(row->method)} + " " + row->path;
      answered.insert(name);
      if (answer.status < 300) succeeded.insert(name);
      const std::string fault = fault_of(*row, request, answer);
      if (!fault.empty() && told.insert(name + fault.substr(0, 60)).second && told.size() <= 20) {
        ADD_FAILURE() << fault << "\n  seed " << seed << ", round " << round << ", "
                      << to_string(fit) << "\n  " << request.text() << "\n  answered "
                      << answer.status << " " << answer.text.substr(0, 800);
      }
      world.generator.learn(*row, request, answer);
      if (answer.status == 401 && request.sent.key.empty()) world.restore_keys();
    }
  }
  EXPECT_EQ(answered.size(), rows.size()) << "every row was asked";
  EXPECT_GT(succeeded.size(), rows.size() / 2) << "requests that are always refused show little";
  std::cout << requests << " requests; " << succeeded.size() << " of " << rows.size()
            << " rows answered one with success. The others:\n";
  for (const RouteRow* row : rows) {
    const std::string name = std::string{dbackup::host::to_string(row->method)} + " " + row->path;
    if (!succeeded.contains(name)) std::cout << "  " << name << "\n";
  }
}

TEST(Contract, AnswersOnlyTheMethodsOfAPath) {
  World world{1};
  std::set<std::string> taken;
  for (const RouteRow* row : world.api->routes().rows())
    taken.insert(std::string{dbackup::host::to_string(row->method)} + " " + row->path);
  for (const RouteRow* row : world.api->routes().rows()) {
    std::string target;
    for (const std::string& segment : row->segments)
      target += "/" + (segment.starts_with('{') ? "some-id" : segment);
    const Answer options = world.send(Method::Options, target, {.key = "none"});
    EXPECT_EQ(options.status, 204) << row->path;
    const std::string allow{options.headers.get("Allow")};
    EXPECT_NE(allow.find(dbackup::host::to_string(row->method)), std::string::npos) << row->path;
    for (const Method method :
         {Method::Get, Method::Put, Method::Post, Method::Patch, Method::Delete}) {
      if (allow.find(to_string(method)) != std::string::npos) continue;
      const Answer answer = world.send(method, target);
      EXPECT_EQ(answer.status, 405) << dbackup::host::to_string(method) << " " << row->path;
      EXPECT_EQ(answer.headers.get("Allow"), allow);
      EXPECT_EQ(answer.body.value("success", true), false);
    }
  }
}

TEST(Contract, FindsAnswersThatTheirRowsDoNotDescribe) {
  World world{1};
  RouteRow row = *world.api->routes().rows().front();
  row.response = schema::object({schema::required("a", schema::flag())});
  row.success = 200;
  const auto fault = [&](int status, const std::string& body) {
    Answer answer{.status = status, .body = Json::parse(body, nullptr, false), .text = body};
    return testing::undocumented(row, Method::Get, answer);
  };
  EXPECT_EQ(fault(200, R"({"a":true})"), "");
  EXPECT_NE(fault(200, R"({"a":true,"b":1})"), "") << "an undescribed member";
  EXPECT_NE(fault(200, R"({"a":1})"), "") << "a wrong type";
  EXPECT_NE(fault(200, "{}"), "") << "a missing member";
  EXPECT_NE(fault(201, R"({"a":true})"), "") << "another success";
  EXPECT_NE(fault(418, R"({"success":false,"error":"x"})"), "") << "an unlisted status";
  EXPECT_NE(fault(400, R"({"error":"x"})"), "") << "an error without success false";
}

}  // namespace
}  // namespace dbackup::host
