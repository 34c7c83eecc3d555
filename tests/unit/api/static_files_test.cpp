#include "api/static_files.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "base/error.hpp"
#include "tests/unit/api/api_fixture.hpp"

namespace dbackup::host {
namespace {

using testing::Answer;
using testing::ApiFixture;

TEST(AcceptEncoding, FollowsNamesAndWeights) {
  EXPECT_TRUE(accepts_encoding("gzip, deflate, br", "br"));
  EXPECT_TRUE(accepts_encoding("GZIP;q=0.5", "gzip"));
  EXPECT_TRUE(accepts_encoding("*", "br"));
  EXPECT_TRUE(accepts_encoding("*;q=0, br", "br"));
  EXPECT_FALSE(accepts_encoding("*;q=0", "br"));
  EXPECT_FALSE(accepts_encoding("br;q=0, *", "br"));
  EXPECT_FALSE(accepts_encoding("br; q=0.000", "br"));
  EXPECT_FALSE(accepts_encoding("", "br"));
  EXPECT_FALSE(accepts_encoding("brotli", "br"));
}

struct Files : testing::TempFolder {
  Files() {
    std::ofstream{file("a.js")} << "plain";
    std::ofstream{file("a.js.br")} << "brotli";
    std::ofstream{file("a.js.gz")} << "gzipped";
    std::ofstream{file("secret.txt")} << "not listed";
    files.add_file("a.js", "text/javascript");
    files.add_file("absent.js", "text/javascript");
    files.add("own.js", "own", "text/javascript");
  }
  HttpResponse get(const std::string& name, HttpQuery query = {},
                   const std::vector<std::pair<std::string, std::string>>& headers = {}) {
    HttpRequest request;
    request.query = std::move(query);
    for (const auto& [field, value] : headers) request.headers.add(field, value);
    return files.answer(request, name);
  }
  static std::string text(const HttpResponse& response) {
    if (const auto* body = std::get_if<std::string>(&response.body)) return *body;
    std::string out(100, '\0');
    const auto& relay = std::get<HttpRelay>(response.body);
    out.resize(static_cast<size_t>(
        std::max<ssize_t>(0, ::read(relay.source.get(), out.data(), out.size()))));
    EXPECT_EQ(relay.length, out.size());
    return out;
  }

  StaticFiles files{path().string()};
};

TEST(StaticFiles, SendTheSmallestFormThatTheClientReads) {
  Files files;
  const auto form = [&](const std::string& accepted) {
    const HttpResponse response = files.get("a.js", {}, {{"Accept-Encoding", accepted}});
    EXPECT_EQ(response.headers.get("Vary"), "Accept-Encoding");
    return std::string{response.headers.get("Content-Encoding")} + ":" + Files::text(response);
  };
  EXPECT_EQ(form("gzip, deflate, br"), "br:brotli");
  EXPECT_EQ(form("gzip"), "gzip:gzipped");
  EXPECT_EQ(form("identity"), ":plain");
  std::filesystem::remove(files.file("a.js.br"));
  EXPECT_EQ(form("br"), ":plain");
  EXPECT_EQ(form("br, gzip"), "gzip:gzipped");
}

TEST(StaticFiles, NeverChangeUnderAnAddressThatNamesTheirVersion) {
  Files files;
  const std::string version = *files.files.version("a.js");
  EXPECT_EQ(files.get("a.js", {{"v", version}}).headers.get("Cache-Control"),
            "public, max-age=31536000, immutable");
  EXPECT_EQ(files.get("a.js", {{"v", "older"}}).headers.get("Cache-Control"), "no-cache");
  EXPECT_EQ(files.get("a.js").headers.get("Cache-Control"), "no-cache");
}

TEST(StaticFiles, TellEachFormApartByItsTag) {
  Files files;
  const HttpResponse plain = files.get("a.js");
  const HttpResponse packed = files.get("a.js", {}, {{"Accept-Encoding", "br"}});
  EXPECT_NE(plain.headers.get("ETag"), packed.headers.get("ETag"));
  const std::string tag{packed.headers.get("ETag")};
  EXPECT_EQ(files.get("a.js", {}, {{"Accept-Encoding", "br"}, {"If-None-Match", tag}}).status, 304);
  EXPECT_EQ(files.get("a.js", {}, {{"If-None-Match", tag}}).status, 200);
}

TEST(StaticFiles, AreOnlyThoseThatWereNamed) {
  Files files;
  EXPECT_EQ(Files::text(files.get("own.js")), "own");
  for (const char* name : {"secret.txt", "absent.js", "../a.js", "", ".", "a.js.br"}) {
    EXPECT_THROW(files.get(name), Error) << name;
  }
  EXPECT_EQ(files.files.version("absent.js"), std::nullopt);
  std::ofstream{files.file("absent.js")} << "installed later";
  EXPECT_NE(files.files.version("absent.js"), std::nullopt);
}

TEST(ApiReferencePage, AllowsItselfNothingFromElsewhere) {
  ApiFixture api;
  const Answer page = api.get("/docs/api", {.key = "none"});
  ASSERT_EQ(page.status, 200);
  const std::string policy{page.headers.get("Content-Security-Policy")};
  EXPECT_NE(policy.find("script-src 'self';"), std::string::npos);
  EXPECT_EQ(policy.find("http"), std::string::npos);
  for (const char* word : {"<script>", "onload=", "http:", "https:"}) {
    EXPECT_EQ(page.text.find(word), std::string::npos) << word;
  }
  EXPECT_EQ(api.get("/docs/api/reference.js").headers.get("Content-Type"),
            "text/javascript; charset=utf-8");
  EXPECT_EQ(api.get("/docs/api/..%2F..%2Fsecret").status, 404);
}

TEST(ApiReferencePage, PointsToTheDocumentsWhereTheBundleIsMissing) {
  ApiFixture api;
  ApiServer bare{*api.services, {.web_folder = api.folder.file("nothing")}};
  HttpRequest request{.method = Method::Get, .target = "/docs/api"};
  split_target(request);
  RequestHandler& handler = bare.handler();
  handler.route(request);
  const HttpResponse response = handler.handle(request);
  const auto& html = std::get<std::string>(response.body);
  EXPECT_EQ(response.status, 200);
  EXPECT_NE(html.find("is not installed"), std::string::npos);
  EXPECT_NE(html.find("href=\"/openapi.json\""), std::string::npos);
  EXPECT_EQ(html.find("<script"), std::string::npos);
}

}  // namespace
}  // namespace dbackup::host
