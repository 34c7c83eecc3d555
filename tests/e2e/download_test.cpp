#include "tests/e2e/scenario.hpp"

#include <atomic>
#include <thread>

namespace dbackup::testing {
namespace {

std::string download_path(const Scenario& s, const std::string& path, const std::string& more = "") {
  std::string encoded;
  for (const char c : path) encoded += c == ' ' ? "%20" : std::string(1, c);
  return "/api/storage/" + s.destination + "/download?file=" + encoded + more;
}

TEST(Download, GivesTheStoredBytesOrTheUnsealedOnes) {
  Scenario s;
  const std::string path = s.back_up().at("path").get<std::string>();
  const Answer stored = s.server.get(download_path(s, path));
  ASSERT_EQ(stored.status, 200) << stored.body.substr(0, 200);
  EXPECT_EQ(stored.body, read_file(s.stored(path)));
  EXPECT_EQ(stored.headers.at("content-length"), std::to_string(stored.body.size()));
  EXPECT_NE(stored.headers.at("content-disposition").find(".zst.age"), std::string::npos);

  const Answer plain = s.server.get(download_path(s, path, "&decrypt=true"));
  ASSERT_EQ(plain.status, 200);
  EXPECT_EQ(plain.body.substr(0, 4), "\x28\xB5\x2F\xFD") << "a zstd frame";
  EXPECT_EQ(plain.headers.at("content-disposition").find(".age"), std::string::npos);
  EXPECT_NE(plain.headers.at("etag"), stored.headers.at("etag"));
}

TEST(Download, RangesOfEitherFormAreSlicesOfTheWhole) {
  Scenario s;
  const std::string path = s.back_up().at("path").get<std::string>();
  for (const char* form : {"", "&decrypt=true"}) {
    const std::string target = download_path(s, path, form);
    const Answer whole = s.server.get(target);
    const size_t size = whole.body.size();
    const auto part = [&](const std::string& range, std::map<std::string, std::string> more = {}) {
      more["Range"] = range;
      return s.server.call("GET", target, nullptr, {.headers = more});
    };
    for (const auto& [first, last] : std::vector<std::pair<size_t, size_t>>{
             {0, 0}, {0, 99}, {65535, 65537}, {size - 1, size - 1}, {1000, size - 1}}) {
      const Answer answer = part("bytes=" + std::to_string(first) + "-" + std::to_string(last));
      ASSERT_EQ(answer.status, 206) << form;
      EXPECT_EQ(answer.body, whole.body.substr(first, last - first + 1)) << form << first;
      EXPECT_EQ(answer.headers.at("content-range"),
                "bytes " + std::to_string(first) + "-" + std::to_string(last) + "/" + std::to_string(size));
    }
    EXPECT_EQ(part("bytes=-10").body, whole.body.substr(size - 10));
    EXPECT_EQ(part("bytes=" + std::to_string(size) + "-").status, 416);
    EXPECT_EQ(part("bytes=0-9", {{"If-Range", "\"other\""}}).status, 200);
    EXPECT_EQ(part("bytes=0-9", {{"If-Range", whole.headers.at("etag")}}).status, 206);
  }
}

TEST(Download, ALinkWorksOnceForEverybodyAndHeadDoesNotUseItUp) {
  Scenario s;
  const std::string path = s.back_up().at("path").get<std::string>();
  const Answer made = s.server.post("/api/storage/" + s.destination + "/download-url", {{"file", path}});
  ASSERT_EQ(made.status, 200) << made.body;
  const std::string url = made.json().at("url").get<std::string>();
  EXPECT_TRUE(url.starts_with(s.server.url() + "/api/storage/public-download?token=")) << url;
  EXPECT_EQ(s.server.call("HEAD", url, nullptr, {.key = "-"}).status, 200);
  std::atomic<int> won{0};
  std::atomic<int> lost{0};
  std::vector<std::thread> clients;
  for (int i = 0; i < 8; ++i) {
    clients.emplace_back([&] {
      const Answer answer = s.server.call("GET", url, nullptr, {.key = "-"});
      if (answer.status == 200) ++won;
      if (answer.status == 401) ++lost;
    });
  }
  for (auto& client : clients) client.join();
  EXPECT_EQ(won, 1);
  EXPECT_EQ(lost, 7);
  EXPECT_EQ(s.server.post("/api/storage/" + s.destination + "/download-url", {{"file", "no/such.db"}}).status, 404);
}

TEST(Download, PathsThatLeaveTheStorageAreRefusedEverywhere) {
  Scenario s;
  s.back_up();
  write_file(s.folder / "outside.txt", "secret");
  for (const std::string path : {"../outside.txt", "/etc/passwd", "a/../../outside.txt"}) {
    EXPECT_EQ(s.server.get(download_path(s, path)).status, 400) << path;
    for (const char* call : {"download-url", "verify", "restore"}) {
      const Answer answer = s.server.post("/api/storage/" + s.destination + "/" + call, {{"file", path}, {"targetSourceId", s.source}});
      EXPECT_EQ(answer.status, 400) << call << path << answer.body;
    }
    EXPECT_EQ(s.server.call("DELETE", "/api/storage/" + s.destination + "/files", {{"path", path}}).status, 400);
  }
}

TEST(Download, TheServersOwnSecretsCannotBeReadThroughAnAdapter) {
  Scenario s;
  const std::string hidden = (s.server.data_dir() / "private").string();
  const Json body{{"name", "thief"}, {"type", "storage"}, {"adapterId", "local-filesystem"}, {"config", {{"basePath", hidden}}}};
  const Answer direct = s.server.post("/api/adapters", body);
  EXPECT_EQ(direct.status, 400) << direct.body;

  std::filesystem::create_directory_symlink(hidden, s.folder / "harmless");
  Json linked = body;
  linked["config"]["basePath"] = s.folder / "harmless";
  EXPECT_EQ(s.server.post("/api/adapters", linked).status, 400);

  // A folder above it would hold it: an adapter that lists everything would list the keys.
  Json above = body;
  above["config"]["basePath"] = s.server.data_dir().string();
  EXPECT_EQ(s.server.post("/api/adapters", above).status, 400);
  Json whole = body;
  whole["config"]["basePath"] = "/";
  EXPECT_EQ(s.server.post("/api/adapters", whole).status, 400);
}

}  // namespace
}  // namespace dbackup::testing
