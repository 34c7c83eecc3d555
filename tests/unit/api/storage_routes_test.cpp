#include <gtest/gtest.h>

#include <latch>
#include <thread>

#include "api/route_table.hpp"
#include "crypto/age_keys.hpp"
#include "crypto/hash.hpp"
#include "store/execution_store.hpp"
#include "tests/unit/api/api_fixture.hpp"

namespace dbackup::host {
namespace {

using testing::Answer;
using testing::ApiFixture;

const std::string kBytes = "SEALED:0123456789";

/// One storage with one sealed backup and one open one.
struct Stored : ApiFixture {
  std::string profile =
      post("/api/encryption-profiles", {{"name", "vault"}}).body["data"]["id"].get<std::string>();
  std::string storage = make_storage();
  std::string base = "/api/storage/" + storage;

  Stored() {
    put_backup("Orders/sealed.dump.zst.age", kBytes, sidecar(profile));
    put_backup("Orders/open.dump", "open bytes",
               {{"version", 1}, {"jobName", "Orders"}, {"sourceType", "scripted-db"}});
  }
  static Json sidecar(const std::string& profile_id) {
    return {{"version", 1},
            {"jobName", "Orders nightly"},
            {"jobId", "job-1"},
            {"sourceType", "scripted-db"},
            {"sourceName", "DB"},
            {"engineVersion", "16.4"},
            {"databases", {{"count", 1}, {"names", {"orders"}}}},
            {"compression", "ZSTD"},
            {"checksum", sha256_hex(kBytes)},
            {"backupType", "full"},
            {"encryption",
             {{"enabled", true}, {"profileId", profile_id}, {"algorithm", "age-x25519"}}}};
  }
  std::string link(const Json& body) {
    const Answer answer = post(base + "/download-url", body);
    EXPECT_EQ(answer.status, 200) << answer.text;
    const std::string url = answer.body.value("url", "");
    EXPECT_TRUE(url.starts_with("http://backup.test:3000/api/storage/public-download?token="))
        << url;
    return url.substr(url.find("/api"));
  }
  std::string file(const std::string& query) { return base + "/download?file=Orders/" + query; }
};

TEST(StorageFiles, AreABareArrayWithWhatTheSideFileSays) {
  Stored stored;
  const Answer answer = stored.get(stored.base + "/files");
  ASSERT_EQ(answer.status, 200) << answer.text;
  ASSERT_EQ(answer.body.size(), 2u);
  EXPECT_GE(answer.body[0]["lastModified"].get<std::string>(),
            answer.body[1]["lastModified"].get<std::string>());
  const Json latest = stored.get(stored.base + "/files/latest?jobName=Orders%20nightly").body;
  EXPECT_EQ(latest["path"], "Orders/sealed.dump.zst.age");
  EXPECT_EQ(latest["isEncrypted"], true);
  EXPECT_EQ(latest["encryptionProfileId"], stored.profile);
  EXPECT_EQ(latest["compression"], "ZSTD");
  EXPECT_EQ(latest["dbInfo"], (Json{{"count", 1}, {"label", "orders"}}));
  EXPECT_EQ(latest["locked"], false);
  EXPECT_EQ(stored.get(stored.base + "/files/latest?jobName=other").status, 404);
  EXPECT_EQ(stored.get(stored.base + "/files?typeFilter=SYSTEM").body.size(), 0u);
  EXPECT_EQ(stored.get("/api/storage/" + stored.make_source() + "/files").status, 400)
      << "no storage";
}

TEST(Downloads, GiveTheStoredFileOrItsOpenedBytes) {
  Stored stored;
  const Answer sealed = stored.get(stored.file("sealed.dump.zst.age"));
  EXPECT_EQ(sealed.status, 200);
  EXPECT_EQ(sealed.text, kBytes);
  EXPECT_EQ(sealed.relay_length, kBytes.size());
  EXPECT_EQ(sealed.headers.get("Content-Type"), "application/octet-stream");
  EXPECT_EQ(sealed.headers.get("Content-Disposition"),
            "attachment; filename=\"sealed.dump.zst.age\"");
  EXPECT_EQ(sealed.headers.get("ETag"), "\"" + sha256_hex(kBytes) + "\"");
  const Answer opened = stored.get(stored.file("sealed.dump.zst.age&decrypt=true"));
  EXPECT_EQ(opened.text, "0123456789");
  EXPECT_EQ(opened.headers.get("Content-Disposition"), "attachment; filename=\"sealed.dump.zst\"");
  EXPECT_EQ(opened.headers.get("ETag"), "\"" + sha256_hex(kBytes) + "-plain\"");
  EXPECT_EQ(stored.get(stored.file("open.dump&decrypt=true")).text, "open bytes");
}

TEST(Downloads, ServeRangesOfBothForms) {
  Stored stored;
  const auto ranged = [&](const std::string& file, const std::string& range,
                          const std::string& condition = "") {
    testing::Sent sent{.headers = {{"Range", range}}};
    if (!condition.empty()) sent.headers.emplace_back("If-Range", condition);
    return stored.get(stored.file(file), sent);
  };
  const Answer plain = ranged("sealed.dump.zst.age&decrypt=true", "bytes=-3");
  EXPECT_EQ(plain.status, 206);
  EXPECT_EQ(plain.text, "789");
  EXPECT_EQ(plain.headers.get("Content-Range"), "bytes 7-9/10");
  const Answer raw = ranged("sealed.dump.zst.age", "bytes=0-5");
  EXPECT_EQ(raw.text, "SEALED");
  EXPECT_EQ(raw.headers.get("Content-Range"), "bytes 0-5/17");
  const Answer beyond = ranged("sealed.dump.zst.age", "bytes=17-");
  EXPECT_EQ(beyond.status, 416);
  EXPECT_EQ(beyond.headers.get("Content-Range"), "bytes */17");
  EXPECT_EQ(ranged("sealed.dump.zst.age", "bytes=0-1,3-4").status, 200);
  const std::string etag = "\"" + sha256_hex(kBytes) + "\"";
  EXPECT_EQ(ranged("sealed.dump.zst.age", "bytes=0-5", etag).status, 206);
  EXPECT_EQ(ranged("sealed.dump.zst.age", "bytes=0-5", "\"old\"").status, 200);
  EXPECT_EQ(
      stored.get(stored.file("sealed.dump.zst.age"), {.headers = {{"If-None-Match", etag}}}).status,
      304);
  const Answer head = stored.send(Method::Head, stored.file("sealed.dump.zst.age&decrypt=true"));
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.relay_length, 10u);
}

TEST(Downloads, RefusePathsOutsideAndFilesThatAreNotThere) {
  Stored stored;
  for (const char* path : {"", "..%2Fsecret", "%2Fetc%2Fpasswd", "a%2F..%2Fb"}) {
    EXPECT_EQ(stored.get(stored.base + "/download?file=" + path).status, 400) << path;
  }
  EXPECT_EQ(stored.get(stored.file("missing")).status, 404);
  for (const char* path : {"../x", "/x", ""}) {
    EXPECT_EQ(stored.post(stored.base + "/download-url", {{"file", path}}).status, 400);
    EXPECT_EQ(stored.post(stored.base + "/verify", {{"file", path}}).status, 400);
    EXPECT_EQ(
        stored.post(stored.base + "/restore", {{"file", path}, {"targetSourceId", "x"}}).status,
        400);
    EXPECT_EQ(
        stored.send(Method::Delete, stored.base + "/files", {.body = Json{{"path", path}}.dump()})
            .status,
        400);
  }
  EXPECT_EQ(stored.post(stored.base + "/download-url", {{"file", "Orders/missing"}}).status, 404);
}

TEST(Downloads, SayThatAFileIsGoneWhichIsStillListed) {
  Stored stored;
  ASSERT_EQ(stored.get(stored.file("open.dump")).status, 200) << "the catalog knows it now";
  for (const auto& entry : std::filesystem::recursive_directory_iterator{stored.disk()}) {
    if (entry.path().filename() == "open.dump") std::filesystem::remove(entry.path());
  }
  const Answer gone = stored.get(stored.file("open.dump"));
  EXPECT_EQ(gone.status, 404) << gone.text;
}

TEST(Downloads, AskForTheKeyThatIsNotHere) {
  Stored stored;
  const std::string recipient = AgeIdentity::generate().recipient().to_string();
  const std::string write_only =
      stored
          .post("/api/encryption-profiles",
                {{"name", "w"}, {"recipients", {recipient}}, {"writeOnly", true}})
          .body["data"]["id"]
          .get<std::string>();
  stored.put_backup("Orders/w.dump.age", kBytes, Stored::sidecar(write_only));
  const Answer refused = stored.post(stored.base + "/download-url",
                                     {{"file", "Orders/w.dump.age"}, {"decrypt", true}});
  EXPECT_EQ(refused.status, 422);
  EXPECT_EQ(refused.body["code"], "ENCRYPTION_KEY_REQUIRED");
  EXPECT_EQ(refused.body["profileId"], write_only);
  EXPECT_EQ(stored.get(stored.link({{"file", "Orders/w.dump.age"}}), {.key = "none"}).text, kBytes)
      << "the stored file";
  EXPECT_EQ(stored.get("/api/vault/" + write_only + "/recovery-kit").status, 409);
}

TEST(DownloadLinks, WorkOnceWithoutCredentials) {
  Stored stored;
  const std::string target = stored.link({{"file", "Orders/sealed.dump.zst.age"}});
  EXPECT_EQ(stored.send(Method::Head, target, {.key = "none"}).status, 200)
      << "looking does not use it up";
  EXPECT_EQ(stored.get(target, {.key = "none", .headers = {{"Range", "bytes=99-"}}}).status, 416)
      << "nor does nothing";
  const Answer first = stored.get(target, {.key = "none"});
  EXPECT_EQ(first.status, 200);
  EXPECT_EQ(first.text, "0123456789") << "opened by default";
  EXPECT_EQ(stored.get(target, {.key = "none"}).status, 401);
  EXPECT_EQ(stored.send(Method::Head, target, {.key = "none"}).status, 401);
  EXPECT_EQ(stored.get("/api/storage/public-download", {.key = "none"}).status, 400);
  EXPECT_EQ(stored
                .get(stored.link({{"file", "Orders/sealed.dump.zst.age"}, {"decrypt", false}}),
                     {.key = "none"})
                .text,
            kBytes);
}

TEST(DownloadLinks, GiveTheFileToExactlyOneOfTwoThreads) {
  Stored stored;
  const std::string target = stored.link({{"file", "Orders/open.dump"}});
  int first = 0;
  std::latch start{2};
  std::thread other{[&] {
    start.arrive_and_wait();
    first = stored.get(target, {.key = "none"}).status;
  }};
  start.arrive_and_wait();
  const int second = stored.get(target, {.key = "none"}).status;
  other.join();
  EXPECT_EQ(first + second, 200 + 401);
}

TEST(DownloadLinks, StayUsableWhenTheDownloadCouldNotBegin) {
  Stored stored;
  const std::string target = stored.link({{"file", "Orders/open.dump"}});
  const std::string hidden = stored.folder.file("hidden");
  std::filesystem::rename(stored.disk() + "/Orders/open.dump", hidden);
  EXPECT_GE(stored.get(target, {.key = "none"}).status, 400);
  std::filesystem::rename(hidden, stored.disk() + "/Orders/open.dump");
  EXPECT_EQ(stored.get(target, {.key = "none"}).text, "open bytes");
}

TEST(StorageVerify, ComparesTheHash) {
  Stored stored;
  const auto verify = [&](const std::string& file) {
    return stored.post(stored.base + "/verify", {{"file", file}});
  };
  EXPECT_EQ(verify("Orders/sealed.dump.zst.age").body["data"]["status"], "passed");
  EXPECT_EQ(verify("Orders/open.dump").body["data"]["status"], "no_checksum");
  stored.put_backup("Orders/sealed.dump.zst.age", "SEALED:012345678X");
  EXPECT_EQ(verify("Orders/sealed.dump.zst.age").body["data"]["status"], "failed");
}

TEST(StorageDelete, RemovesFileAndSideFileButNothingLocked) {
  Stored stored;
  Json locked = Stored::sidecar(stored.profile);
  locked["locked"] = true;
  stored.put_backup("Orders/kept.dump.age", kBytes, locked);
  const auto remove = [&](const std::string& path) {
    return stored
        .send(Method::Delete, stored.base + "/files", {.body = Json{{"path", path}}.dump()})
        .status;
  };
  EXPECT_EQ(remove("Orders/kept.dump.age"), 409);
  EXPECT_EQ(remove("Orders/open.dump"), 200);
  EXPECT_FALSE(std::filesystem::exists(stored.disk() + "/Orders/open.dump"));
  EXPECT_FALSE(std::filesystem::exists(stored.disk() + "/Orders/open.dump.meta.json"));
  EXPECT_EQ(remove("Orders/open.dump"), 404);
  EXPECT_EQ(stored.get(stored.base + "/files").body.size(), 2u);
}

TEST(Restore, ChecksBeforeItAccepts) {
  Stored stored;
  const std::string source = stored.make_source();
  const Json good{{"file", "Orders/sealed.dump.zst.age"},
                  {"targetSourceId", source},
                  {"targetDatabaseName", "copy"}};
  const auto restore = [&](const Json& change) {
    Json body = good;
    body.update(change);
    return stored.post(stored.base + "/restore", body);
  };
  EXPECT_EQ(restore({{"file", "Orders/missing"}}).status, 404);
  EXPECT_EQ(restore({{"targetSourceId", "missing"}}).status, 404);
  EXPECT_EQ(restore({{"targetSourceId", stored.storage}}).status, 400);
  EXPECT_EQ(restore({{"targetSourceId", nullptr}}).status, 400);
  EXPECT_EQ(restore({{"targetSourceId", stored.make_source({{"version", "15.9"}})}}).status, 409);
  EXPECT_EQ(restore({{"targetSourceId", stored.make_source({{"host", "unreachable"}})}}).status,
            500);
  EXPECT_EQ(restore({{"targetDatabaseName", "forbidden"}}).status, 409);
  EXPECT_EQ(restore({{"databaseMapping", {{"other", "x"}}}}).status, 400);
  EXPECT_EQ(restore({{"databaseMapping", {{"orders", "x"}, {"crm", "y"}}}}).status, 400);
  EXPECT_EQ(restore({{"scope", "files"}}).status, 501);
  EXPECT_EQ(restore({{"identity", "AGE-SECRET-KEY-1NONSENSE"}}).status, 400);
  EXPECT_EQ(restore({{"profileIdOverride", "missing"}}).status, 404);
  Json foreign = Stored::sidecar(stored.profile);
  foreign["sourceType"] = "mysql";
  stored.put_backup("Orders/m.sql", "x", foreign);
  EXPECT_EQ(restore({{"file", "Orders/m.sql"}}).status, 400);
  EXPECT_EQ(stored.get("/api/history").body["executions"].size(), 0u);
}

TEST(Restore, QueuesWithItsLoginSealedAndItsIdentityInMemory) {
  Stored stored;
  const std::string identity{AgeIdentity::generate().to_string().reveal()};
  const Answer accepted =
      stored.post(stored.base + "/restore",
                  {{"file", "Orders/sealed.dump.zst.age"},
                   {"targetSourceId", stored.make_source()},
                   {"databaseMapping",
                    {{{"originalName", "orders"}, {"targetName", "copy"}, {"selected", true}}}},
                   {"privilegedAuth", {{"user", "postgres"}, {"password", "hunter2-root"}}},
                   {"identity", identity}});
  ASSERT_EQ(accepted.status, 202) << accepted.text;
  const std::string id = accepted.body["executionId"].get<std::string>();
  EXPECT_EQ(stored.get("/api/executions/" + id).body["data"]["type"], "Restore");
  std::optional<Execution> row;
  stored.database->read([&](Session& session) { row = ExecutionStore{}.find(session, id); });
  const std::string kept = row->options.dump();
  EXPECT_EQ(kept.find("hunter2"), std::string::npos);
  EXPECT_EQ(kept.find(identity), std::string::npos);
  const RestoreOptions options = restore_options(row->options);
  EXPECT_EQ(options.database, "copy");
  EXPECT_EQ(open_login(stored.box, id, options.sealed_login).password, "hunter2-root");
  EXPECT_EQ(stored.control->secrets().take(id)->reveal(), identity);
}

TEST(Secrets, AreInNoAnswer) {
  Stored stored;
  const std::string source = stored.make_source({{"password", "hunter2-pass"},
                                                 {"pin", "hunter2-pin"},
                                                 {"deep", {{"token", "hunter2-token"}}}});
  const std::string job =
      stored.make_job(source, stored.storage, {{"encryptionProfileId", stored.profile}});
  stored.post("/api/jobs/" + job + "/run", Json::object());
  for (const RouteRow* row : stored.api->routes().rows()) {
    // What is asked for its secret.
    if (row->path.find("recovery-kit") != std::string::npos || row->path.ends_with("/reveal"))
      continue;
    for (const std::string& id : {source, stored.storage, job, stored.profile}) {
      std::string path = row->path;
      if (const size_t at = path.find("{id}"); at != std::string::npos) path.replace(at, 4, id);
      for (const char* query : {"", "?type=database", "?type=storage", "?includeLogs=true"}) {
        if (row->method != Method::Get) continue;
        const std::string text = stored.get(path + query).text;
        for (const char* secret : {"hunter2", "AGE-SECRET-KEY", "v1:"}) {
          EXPECT_EQ(text.find(secret), std::string::npos) << path << query << " shows " << secret;
        }
        EXPECT_EQ(text.find(stored.root_key.substr(20)), std::string::npos) << path;
      }
    }
  }
}

TEST(RecoveryKitRoutes, AnswerBothPaths) {
  Stored stored;
  for (const std::string& path : {"/api/vault/" + stored.profile + "/recovery-kit",
                                  "/api/vault/recovery-kit?ids=" + stored.profile}) {
    const Answer kit = stored.get(path);
    EXPECT_EQ(kit.status, 200);
    EXPECT_EQ(kit.headers.get("Content-Type"), "application/zip");
    EXPECT_EQ(kit.headers.get("Content-Disposition"),
              "attachment; filename=\"recovery_kit_vault.zip\"");
    EXPECT_EQ(kit.text.substr(0, 2), "PK");
  }
  EXPECT_EQ(stored.get("/api/vault/recovery-kit?ids=").status, 400);
  EXPECT_EQ(stored.get("/api/vault/unknown/recovery-kit").status, 404);
}

}  // namespace
}  // namespace dbackup::host
