#include <gtest/gtest.h>

#include "crypto/hash.hpp"
#include "tests/support/raw_http_client.hpp"
#include "tests/unit/api/api_fixture.hpp"

/// The API through its own sockets: what only shows on the wire.
namespace dbackup::host {
namespace {

using test::RawHttpClient;
using test::RawResponse;

struct RunningApi : testing::ApiFixture {
  RunningApi() { api->start(); }
  ~RunningApi() { api->drain_and_stop(std::chrono::seconds{5}); }

  RawResponse ask(const std::string& request, bool head_only = false) {
    RawHttpClient client{api->port()};
    const auto response = client.ask(request, head_only);
    EXPECT_TRUE(response) << request;
    return response.value_or(RawResponse{});
  }
  std::string credentials() const { return "Authorization: Bearer " + root_key + "\r\n"; }
};

Json body_of(const RawResponse& response) { return Json::parse(response.body, nullptr, false); }

TEST(RestOverSockets, ServesTheTriggerAndPollScript) {
  RunningApi running;
  const std::string job = running.make_job(running.make_source(), running.make_storage());
  // As curl sends it: no body, no content type, no length.
  const RawResponse run = running.ask("POST /api/jobs/" + job + "/run HTTP/1.1\r\nHost: x\r\n" +
                                      running.credentials() + "\r\n");
  ASSERT_EQ(run.status, 200) << run.body;
  const std::string id = body_of(run)["executionId"].get<std::string>();
  const RawResponse state =
      running.ask(test::raw_get("/api/executions/" + id, running.credentials()));
  EXPECT_EQ(state.status, 200);
  EXPECT_EQ(body_of(state)["data"]["status"], "Pending");
  EXPECT_EQ(running.ask(test::raw_get("/api/executions/" + id)).status, 401);
}

TEST(RestOverSockets, ServesTheListLinkAndDownloadScript) {
  RunningApi running;
  const std::string storage = running.make_storage();
  std::string bytes;
  for (int i = 0; bytes.size() < 8'000'000; ++i) bytes += std::to_string(i) + "\n";
  running.put_backup("Orders/big.dump", bytes, {{"version", 1}, {"checksum", sha256_hex(bytes)}});
  const RawResponse list =
      running.ask(test::raw_get("/api/storage/" + storage + "/files", running.credentials()));
  const std::string path = body_of(list)[0]["path"].get<std::string>();
  const RawResponse link =
      running.ask(test::raw_post("/api/storage/" + storage + "/download-url",
                                 Json{{"file", path}}.dump(), running.credentials()));
  std::string url = body_of(link)["url"].get<std::string>();
  ASSERT_TRUE(url.starts_with("http://")) << url;
  url = url.substr(url.find("/api"));
  const RawResponse head = running.ask("HEAD " + url + " HTTP/1.1\r\nHost: x\r\n\r\n", true);
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.header("Content-Length"), std::to_string(bytes.size()));
  const RawResponse file = running.ask(test::raw_get(url));
  EXPECT_EQ(file.status, 200);
  EXPECT_TRUE(file.complete);
  EXPECT_EQ(sha256_hex(file.body), sha256_hex(bytes));
  EXPECT_EQ(running.ask(test::raw_get(url)).status, 401);
  const RawResponse part =
      running.ask(test::raw_get("/api/storage/" + storage + "/download?file=" + path,
                                running.credentials() + "Range: bytes=1000000-1000099\r\n"));
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.body, bytes.substr(1'000'000, 100));
}

TEST(RestOverSockets, EveryErrorIsJsonWithTheSecurityHeaders) {
  RunningApi running;
  for (const std::string& request :
       {std::string{"garbage\r\n\r\n"}, test::raw_get("/api/nowhere"), test::raw_get("/api/jobs"),
        std::string{"PATCH /api/jobs HTTP/1.1\r\nHost: x\r\n\r\n"},
        test::raw_post("/api/jobs", "{", running.credentials()),
        test::raw_post("/api/jobs", std::string(2'000'000, ' '), running.credentials())}) {
    const RawResponse response = running.ask(request);
    EXPECT_GE(response.status, 400);
    EXPECT_LT(response.status, 500) << request.substr(0, 60);
    EXPECT_EQ(body_of(response)["success"], false) << response.body;
    EXPECT_EQ(response.header("X-Content-Type-Options"), "nosniff") << request.substr(0, 60);
  }
}

TEST(RestOverSockets, AnswersHealthWithoutCredentials) {
  RunningApi running;
  const RawResponse health = running.ask(test::raw_get("/api/health"));
  EXPECT_EQ(health.status, 200);
  EXPECT_EQ(body_of(health)["status"], "healthy");
  EXPECT_FALSE(health.header("X-Request-Id").empty());
}

}  // namespace
}  // namespace dbackup::host
