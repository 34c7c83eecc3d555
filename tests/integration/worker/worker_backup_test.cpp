#include <cstdlib>

#include "crypto/age_keys.hpp"
#include "crypto/hash.hpp"
#include "model/compression.hpp"
#include "model/sidecar.hpp"
#include "tests/integration/worker/worker_fixture.hpp"

namespace dbackup::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr int64_t kBytes = 3'000'000;

struct Variant {
  std::string compression;
  bool sealed;
};
class BackupRoundTrip : public testing::TestWithParam<Variant> {};

/// What a shell pipeline prints: the way back that needs no DBackup.
std::string shell(const std::string& command) {
  std::string out;
  FILE* pipe = ::popen(command.c_str(), "r");
  char block[65536];
  while (const size_t n = ::fread(block, 1, sizeof block, pipe)) out.append(block, n);
  EXPECT_EQ(::pclose(pipe), 0) << command;
  return out;
}

TEST_P(BackupRoundTrip, IsListedFetchedVerifiedRestoredAndRemoved) {
  const auto [compression, sealed] = GetParam();
  const auto identity = host::AgeIdentity::generate();
  const std::string secret{identity.to_string().reveal()};
  TemporaryFolder work, store;
  WorkerSession worker;
  Json request = backup_of(probe_source({{"bytes", kBytes}}),
                           {destination("local", local_storage(store.path()))}, compression);
  if (sealed) request["recipients"] = {identity.recipient().to_string()};
  const auto done = worker.run("backup", request);
  ASSERT_TRUE(done.ok) << done.data;
  const std::string path = text_of(done.data, "path");
  EXPECT_EQ(path, "job/2026-01-02.sql" +
                      std::string{host::compression_suffix(*host::compression_from(compression))} +
                      (sealed ? ".age" : ""));
  EXPECT_TRUE(done.data.at("destinations")[0].at("success"));
  EXPECT_EQ(done.data.at("plain_size"), kBytes);
  const std::string stored = read_file(store / path);
  EXPECT_EQ(done.data.at("size"), stored.size());
  EXPECT_EQ(done.data.at("sha256"), host::sha256_hex(stored));
  EXPECT_EQ(files_in(store.path()), (std::set<std::string>{path, path + ".meta.json"}));

  const auto listed =
      worker.run("list", {{"adapter", local_storage(store.path())}, {"sidecars", true}});
  ASSERT_EQ(listed.items().size(), 1U);
  const std::string sidecar = text_of(listed.items()[0], "sidecar");
  EXPECT_EQ(host::check_sidecar(sidecar, "k1", std::string(32, '\xaa')),
            host::SidecarTrust::Signed);
  EXPECT_EQ(host::check_sidecar(sidecar, "k1", std::string(32, '\xab')),
            host::SidecarTrust::Tampered);
  const host::Sidecar parsed = host::parse_sidecar(sidecar);
  EXPECT_EQ(parsed.checksum, host::sha256_hex(stored));
  EXPECT_EQ(parsed.engine_version, "probe 1");
  EXPECT_EQ(parsed.execution_id, "e-1");

  const Json file{
      {"storage", local_storage(store.path())}, {"path", path}, {"identities", {secret}}};
  std::string bytes;
  ASSERT_TRUE(worker.fetch({{"file", file}}, bytes).ok);
  EXPECT_EQ(bytes, stored);
  ASSERT_TRUE(worker.fetch({{"file", file}, {"offset", 1000}, {"length", 70'000}}, bytes).ok);
  EXPECT_EQ(bytes, stored.substr(1000, 70'000));

  std::ofstream{work / "id"} << secret << "\n";
  std::ofstream{work / "plain"} << "";
  const std::map<std::string, std::string> open{
      {"NONE", "cat"}, {"ZSTD", "zstd -dc"}, {"GZIP", "gunzip -c"}, {"BROTLI", "brotli -dc"}};
  const std::string unseal = sealed ? "age -d -i '" + (work / "id") + "' '" + (store / path) + "'"
                                    : "cat '" + (store / path) + "'";
  const std::string plain = shell(unseal + " | " + open.at(compression));
  EXPECT_EQ(plain.size(), static_cast<size_t>(kBytes));
  const std::string compressed = shell(unseal);
  const auto fetched =
      worker.fetch({{"file", file}, {"unseal", true}, {"offset", 5}, {"length", 90'000}}, bytes);
  ASSERT_TRUE(fetched.ok) << fetched.data;
  EXPECT_EQ(bytes, compressed.substr(5, 90'000));
  ASSERT_TRUE(worker.fetch({{"file", file}, {"unseal", true}}, bytes).ok);
  EXPECT_EQ(bytes, compressed);

  const auto verified =
      worker.run("verify", {{"adapter", local_storage(store.path())}, {"path", path}});
  EXPECT_EQ(verified.data, Json({{"sha256", host::sha256_hex(stored)}, {"size", stored.size()}}));

  Json restore{{"file", file},
               {"source", probe_source({{"restoreTo", work / "restored"}})},
               {"database", "db"}};
  restore["file"]["sha256"] = host::sha256_hex(stored);
  const auto restored = worker.run("restore", restore);
  ASSERT_TRUE(restored.ok) << restored.data;
  EXPECT_EQ(read_file(work / "restored"), plain);

  const auto removed = worker.run("remove", {{"adapter", local_storage(store.path())},
                                             {"paths", {path, path + ".meta.json", "job/absent"}}});
  EXPECT_EQ(removed.data.at("removed"), Json({path, path + ".meta.json"}));
  EXPECT_TRUE(files_in(store.path()).empty());
}

INSTANTIATE_TEST_SUITE_P(AllForms, BackupRoundTrip,
                         testing::Values(Variant{"NONE", false}, Variant{"NONE", true},
                                         Variant{"ZSTD", false}, Variant{"ZSTD", true},
                                         Variant{"GZIP", false}, Variant{"GZIP", true},
                                         Variant{"BROTLI", false}, Variant{"BROTLI", true}),
                         [](const auto& variant) {
                           return variant.param.compression +
                                  (variant.param.sealed ? "Sealed" : "");
                         });

TEST(BackupNames, TakeTheFirstSuffixThatIsFreeEverywhere) {
  TemporaryFolder one, two;
  std::filesystem::create_directory(one / "job");
  std::filesystem::create_directory(two / "job");
  std::ofstream{one / "job/2026-01-02.sql"} << "foreign";
  std::ofstream{two / "job/2026-01-02-2.sql.meta.json"} << "foreign";
  WorkerSession worker;
  const auto done = worker.run(
      "backup",
      backup_of(probe_source({{"bytes", 10}}), {destination("one", local_storage(one.path())),
                                                destination("two", local_storage(two.path()))}));
  ASSERT_TRUE(done.ok) << done.data;
  EXPECT_EQ(done.data.at("path"), "job/2026-01-02-3.sql");
  EXPECT_EQ(read_file(one / "job/2026-01-02.sql"), "foreign");
}

TEST(BackupNames, GoOnWhenTheHostRefusesAReservation) {
  TemporaryFolder store;
  WorkerSession worker;
  worker.refuse_paths = 2;
  std::vector<std::string> asked;
  worker.send("backup", backup_of(probe_source({{"bytes", 10}}),
                                  {destination("a", local_storage(store.path()))}));
  const auto done = worker.finish([&](const Event& event) {
    if (event.kind == EventKind::Reserve) asked.push_back(text_of(event.data, "path"));
  });
  ASSERT_TRUE(done.ok) << done.data;
  EXPECT_THAT(asked,
              ElementsAre("job/2026-01-02.sql", "job/2026-01-02-2.sql", "job/2026-01-02-3.sql"));
  EXPECT_EQ(done.data.at("path"), "job/2026-01-02-3.sql");
}

TEST(BackupConfirmation, ReadsBackWhenAsked) {
  TemporaryFolder store;
  WorkerSession worker;
  Json request =
      backup_of(probe_source({{"bytes", 10}}), {destination("a", local_storage(store.path()))});
  request["confirm"] = "read";
  const auto read_back = worker.run("backup", request);
  EXPECT_EQ(read_back.data.at("destinations")[0].at("confirmed"), "sha256");
  const Json& verification = read_back.data.at("sidecar").at("verification");
  EXPECT_EQ(verification.at("passed"), true);
  EXPECT_EQ(verification.at("trigger"), "post-upload");
}

TEST(BackupStages, AreToldInOrder) {
  TemporaryFolder store;
  WorkerSession worker;
  const auto done = worker.run(
      "backup",
      backup_of(probe_source({{"bytes", 10}}), {destination("a", local_storage(store.path()))}));
  std::vector<std::string> stages;
  for (const Event& event : done.events) {
    if (event.kind == EventKind::Stage) stages.push_back(text_of(event.data, "name"));
  }
  EXPECT_THAT(stages, ElementsAre("Initializing", "Dumping Databases", "Uploading", "Verifying"));
}

TEST(StoredSidecar, IsReplacedByWriteSidecar) {
  TemporaryFolder store;
  WorkerSession worker;
  const Json adapter = local_storage(store.path());
  std::ofstream{store / "file.sql"} << "dump";
  for (const std::string content : {"{\"locked\":true}", "{\"locked\":false}"}) {
    const auto done = worker.run(
        "write_sidecar",
        {{"adapter", adapter}, {"path", "file.sql"}, {"content", content}, {"token", "t"}});
    EXPECT_TRUE(done.ok) << done.data;
    EXPECT_EQ(read_file(store / "file.sql.meta.json"), content);
  }
}

TEST(StoredList, HidesItsOwnFolderAndSkipsUnreadableSidecars) {
  TemporaryFolder store;
  std::filesystem::create_directory(store / ".dbackup");
  std::ofstream{store / ".dbackup/probe"} << "x";
  std::ofstream{store / "a.sql"} << "x";
  std::ofstream{store / "a.sql.meta.json"} << std::string(100'000, ' ');
  std::ofstream{store / "b.sql"} << "x";
  WorkerSession worker;
  const auto listed =
      worker.run("list", {{"adapter", local_storage(store.path())}, {"sidecars", true}});
  ASSERT_TRUE(listed.ok) << listed.data;
  std::set<std::string> paths;
  for (const Json& item : listed.items()) {
    paths.insert(text_of(item, "path"));
    EXPECT_FALSE(item.contains("sidecar"));
  }
  EXPECT_EQ(paths, (std::set<std::string>{"a.sql", "b.sql"}));
  EXPECT_THAT(listed.logs(), HasSubstr("a.sql"));
}

}  // namespace
}  // namespace dbackup::test
