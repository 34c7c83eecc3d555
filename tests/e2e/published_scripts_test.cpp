#include "tests/e2e/scenario.hpp"

// Scripts that know only the published API, run by the shell as they are.
namespace dbackup::testing {
namespace {

constexpr const char* kTriggerAndPoll = R"sh(
set -eu
id=$(curl -fsS -X POST -H "Authorization: Bearer $KEY" "$BASE/api/jobs/$JOB/run" | jq -er .executionId)
for i in $(seq 1 300); do
  answer=$(curl -fsS -H "Authorization: Bearer $KEY" "$BASE/api/executions/$id")
  [ "$(printf %s "$answer" | jq -r .success)" = true ]
  status=$(printf %s "$answer" | jq -er .data.status)
  case $status in
    Success) echo done; exit 0 ;;
    Failed) printf %s "$answer" | jq -r .data.error >&2; exit 1 ;;
    Pending|Running) sleep 0.1 ;;
    *) exit 2 ;;
  esac
done
exit 3
)sh";

constexpr const char* kListLinkDownload = R"sh(
set -eu
path=$(curl -fsS -H "Authorization: Bearer $KEY" "$BASE/api/storage/$STORAGE/files" | jq -er '.[0].path')
url=$(curl -fsS -X POST -H "Authorization: Bearer $KEY" -H 'Content-Type: application/json' \
  -d "$(jq -n --arg file "$path" '{file: $file}')" "$BASE/api/storage/$STORAGE/download-url" | jq -er .url)
wget -q -O "$OUT" "$url"
echo "$path"
)sh";

std::pair<int, std::string> shell(const std::string& script, const std::map<std::string, std::string>& variables) {
  std::vector<std::string> argv{"env"};
  for (const auto& [name, value] : variables) argv.push_back(name + "=" + value);
  for (const char* word : {"sh", "-c"}) argv.emplace_back(word);
  argv.push_back(script);
  return run_program(argv);
}

TEST(PublishedScripts, StartABackupAndWaitForIt) {
  Scenario s;
  const std::string job = s.job();
  const std::string key = s.server.make_key("jobs:execute,history:read");
  const auto [status, out] = shell(kTriggerAndPoll, {{"KEY", key}, {"BASE", s.server.url()}, {"JOB", job}});
  EXPECT_EQ(status, 0);
  EXPECT_EQ(out, "done\n");
}

TEST(PublishedScripts, EndWithTheCauseWhenABackupFails) {
  Scenario s;
  const std::string source = s.server.create_adapter("database", "sqlite", {{"mode", "local"}, {"path", s.folder / "none.db"}});
  const std::string job = s.job({{"sourceId", source}});
  const auto [status, out] = shell(kTriggerAndPoll, {{"KEY", s.server.key()}, {"BASE", s.server.url()}, {"JOB", job}});
  EXPECT_EQ(status, 1);
}

TEST(PublishedScripts, DownloadTheNewestBackupByAPlainLink) {
  Scenario s;
  s.back_up({{"name", "older"}});
  sqlite(s.database, "INSERT INTO notes VALUES (9999, 'the newest', NULL)");
  const Json newest = s.back_up({{"name", "a newer one, with a blank"}});
  const std::string key = s.server.make_key("storage:read,storage:download");
  const std::string file = s.folder / "got.zst";
  const auto [status, out] =
      shell(kListLinkDownload, {{"KEY", key}, {"BASE", s.server.url()}, {"STORAGE", s.destination}, {"OUT", file}});
  EXPECT_EQ(status, 0);
  EXPECT_EQ(out, newest.at("path").get<std::string>() + "\n");
  ASSERT_EQ(run_program({"zstd", "-q", "-d", file, "-o", s.folder / "got.db"}).first, 0) << "links unseal by default";
  EXPECT_EQ(s.content(s.folder / "got.db"), s.content(s.database));
}

TEST(PublishedScripts, AWrongKeyOrJobIsNeverRetriedByCurl) {
  Scenario s;
  const std::string job = s.job();
  EXPECT_EQ(s.server.call("POST", "/api/jobs/" + job + "/run", nullptr, {.key = "dbackup_wrong"}).status, 401);
  EXPECT_EQ(s.server.post("/api/jobs/none/run").status, 404);
  const std::string key = s.server.make_key("history:read");
  EXPECT_EQ(s.server.call("POST", "/api/jobs/" + job + "/run", nullptr, {.key = key}).status, 403);
}

}  // namespace
}  // namespace dbackup::testing
