#include <gtest/gtest.h>
#include <soci/soci.h>

#include <algorithm>

#include "store/audit_store.hpp"
#include "store/query.hpp"
#include "tests/unit/api/api_fixture.hpp"

/// Copies, bulk calls, locks and prepared downloads, with the audit entries they leave.
namespace dbackup::host {
namespace {

using testing::Answer;
using testing::ApiFixture;

struct Family : ApiFixture {
  Answer put(const std::string& target, const Json& body, const std::string& key = "") {
    return send(
        Method::Put, target,
        {.body = body.dump(), .key = key, .headers = {{"Content-Type", "application/json"}}});
  }
  Answer erase(const std::string& target, const Json& body = nullptr) {
    return send(Method::Delete, target, {.body = body.is_null() ? "" : body.dump()});
  }
  /// "ACTION RESOURCE" of every audit entry, oldest first.
  std::vector<std::string> audited() {
    std::vector<std::string> out;
    std::string action, resource;
    database->read([&](Session& session) {
      Query query{session, "SELECT action, resource FROM audit_log ORDER BY rowid"};
      query.out(action).out(resource);
      while (query.next()) out.push_back(action + " " + resource);
    });
    return out;
  }
  void expect_audited(const std::string& entry) {
    const auto all = audited();
    EXPECT_NE(std::ranges::find(all, entry), all.end()) << entry;
  }

  std::string source = make_source();
  std::string storage = make_storage();
  std::string base = "/api/storage/" + storage;
};

TEST(AdapterClone, CopiesSecretsAndStartsWithFreshHealth) {
  Family f;
  const Answer copy = f.post("/api/adapters/" + f.source + "/clone", Json::object());
  ASSERT_EQ(copy.status, 201) << copy.text;
  EXPECT_EQ(copy.body["secretStatus"]["password"], true);
  EXPECT_EQ(copy.body["lastStatus"], "ONLINE");
  EXPECT_EQ(copy.text.find("hunter2"), std::string::npos);
  const Answer counterpart = f.post("/api/adapters/" + f.storage + "/clone", {{"role", "SOURCE"}});
  ASSERT_EQ(counterpart.status, 201) << counterpart.text;
  EXPECT_EQ(counterpart.body["storageRole"], "SOURCE");
  EXPECT_EQ(f.post("/api/adapters/" + f.storage + "/clone", {{"role", "BOTH"}}).status, 400);
  EXPECT_EQ(f.post("/api/adapters/unknown/clone", Json::object()).status, 404);
  EXPECT_EQ(
      f.post("/api/adapters/" + f.storage + "/clone", Json::object(), f.key_with({"sources:write"}))
          .status,
      403);
  f.expect_audited("CREATE ADAPTER");
}

TEST(AdapterBulk, RefusesWhatIsInUseAndDeletesTheRest) {
  Family f;
  f.make_job(f.source, f.storage, {{"name", "Nightly"}});
  const std::string idle = f.make_source();
  const Answer answer =
      f.post("/api/adapters/bulk", {{"action", "delete"}, {"ids", {f.source, idle}}});
  ASSERT_EQ(answer.status, 200) << answer.text;
  EXPECT_EQ(answer.body["data"]["succeeded"], Json::array({idle}));
  EXPECT_NE(answer.body["data"]["failed"][0]["error"].get<std::string>().find("Nightly"),
            std::string::npos);
  EXPECT_EQ(f.post("/api/adapters/bulk", {{"action", "delete"}, {"ids", {"unknown"}}}).status, 404);
  EXPECT_EQ(f.post("/api/adapters/bulk", {{"action", "delete"}, {"ids", {f.source}}},
                   f.key_with({"destinations:write"}))
                .status,
            403);
}

TEST(StoredBackups, AreLockedAndUnlockedAlsoMany) {
  Family f;
  for (const char* name : {"a.dump", "b.dump"}) {
    f.put_backup(std::string{"Orders/"} + name, "bytes", {{"version", 1}, {"jobName", "Orders"}});
  }
  f.get(f.base + "/files?refresh=true");
  EXPECT_EQ(f.put(f.base + "/files/lock", {{"path", "Orders/a.dump"}, {"locked", true}}).status,
            200);
  EXPECT_EQ(f.erase(f.base + "/files", {{"path", "Orders/a.dump"}}).status, 409);
  const auto bulk = [&](const std::string& action, const Json& paths) {
    return f.post(f.base + "/files/bulk", {{"action", action}, {"paths", paths}});
  };
  const Answer refused = bulk("delete", {"Orders/a.dump", "../b", "Orders/none.dump"});
  ASSERT_EQ(refused.status, 200) << refused.text;
  EXPECT_EQ(refused.body["message"], "Could not delete 3 backups");
  EXPECT_EQ(bulk("unlock", {"Orders/a.dump"}).body["message"], "1 backup unlocked");
  EXPECT_EQ(bulk("delete", {"Orders/a.dump", "Orders/b.dump"}).body["message"],
            "2 backups deleted");
  EXPECT_EQ(f.get(f.base + "/files").body.size(), 0u);
  EXPECT_EQ(f.put("/api/storage/unknown/files/lock", {{"path", "a"}, {"locked", true}}).status,
            404);
  f.expect_audited("UPDATE DESTINATION");
  f.expect_audited("DELETE DESTINATION");
}

TEST(PreparedDownload, WorksOnceForItsOwnerAlone) {
  Family f;
  f.put_backup("Orders/open.dump", "open bytes", {{"version", 1}, {"jobName", "Orders"}});
  const Answer made =
      f.post(f.base + "/download", {{"file", "Orders/open.dump"}, {"prepare", true}});
  ASSERT_EQ(made.status, 200) << made.text;
  EXPECT_EQ(made.headers.get("Cache-Control"), "no-store");
  const std::string token = made.body["data"]["token"].get<std::string>();
  EXPECT_EQ(token.size(), 64u);
  const std::string target = f.base + "/download?token=" + token;
  EXPECT_EQ(f.get(target, {.key = f.key_with({"storage:download"})}).status, 410)
      << "somebody else's";
  EXPECT_EQ(f.get("/api/storage/public-download?token=" + token, {.key = "none"}).status, 401)
      << "no public link";
  EXPECT_EQ(f.get("/api/storage/" + f.make_storage() + "/download?token=" + token).status, 410);
  EXPECT_EQ(f.get(target).text, "open bytes");
  EXPECT_EQ(f.get(target).status, 410);
  EXPECT_EQ(f.post(f.base + "/download", {{"file", "Orders/open.dump"}}).text, "open bytes");
  EXPECT_EQ(f.post(f.base + "/download", {{"file", "Orders/none.dump"}, {"prepare", true}}).status,
            404);
  EXPECT_EQ(
      f.post(f.base + "/download", {{"file", "a"}, {"rawKeyHex", std::string(64, 'a')}}).status,
      501);
  EXPECT_EQ(f.get(f.base + "/download").status, 400);
  f.expect_audited("EXPORT DESTINATION");
}

TEST(StoredBackups, TellWhatTheyHold) {
  Family f;
  f.put_backup("Orders/a.dump", "bytes",
               {{"version", 1},
                {"jobName", "Orders"},
                {"sourceType", "scripted-db"},
                {"databases", {{"count", 1}, {"names", {"orders"}}}}});
  f.put_backup("Orders/bare.dump", "bytes");
  const Answer told = f.post(f.base + "/analyze", {{"file", "Orders/a.dump"}});
  ASSERT_EQ(told.status, 200) << told.text;
  EXPECT_EQ(told.body["databases"], Json::array({"orders"}));
  EXPECT_EQ(told.body["sourceType"], "scripted-db");
  EXPECT_EQ(f.post(f.base + "/analyze", {{"file", "Orders/bare.dump"}, {"type", "postgres"}})
                .body["sourceType"],
            "postgres");
  EXPECT_EQ(f.post(f.base + "/browse-archive", {{"file", "Orders/a.dump"}}).status, 400);
  EXPECT_EQ(f.post(f.base + "/browse-archive", {{"file", "Orders/bare.dump"}}).status, 404);
  EXPECT_EQ(f.post(f.base + "/restore-files",
                   {{"file", "Orders/a.dump"}, {"target", {{"kind", "download"}}}})
                .status,
            400);
  EXPECT_EQ(f.post(f.base + "/restore-files",
                   {{"file", "Orders/a.dump"}, {"target", {{"kind", "origin"}}}},
                   f.key_with({"storage:download"}))
                .status,
            403);
  EXPECT_EQ(f.get(f.base + "/restore-files?token=x").status, 410);
  EXPECT_EQ(f.post(f.base + "/check-path", {{"path", "Orders/"}}).body["status"], "occupied");
  EXPECT_EQ(f.post(f.base + "/check-path", {{"path", "Nothing"}}).body["status"], "empty");
  EXPECT_EQ(f.post(f.base + "/check-path", {{"path", "../etc"}}).status, 400);
}

TEST(StoredBackups, AreVerifiedAsAnExecution) {
  Family f;
  f.put_backup("Orders/a.dump", "bytes", {{"version", 1}, {"jobName", "Orders"}});
  const Answer started = f.post(f.base + "/verify-async", {{"file", "Orders/a.dump"}});
  ASSERT_EQ(started.status, 200) << started.text;
  const Answer run = f.get("/api/executions/" + started.body["executionId"].get<std::string>());
  EXPECT_EQ(run.body["data"]["type"], "Verification");
  EXPECT_EQ(run.body["data"]["path"], "Orders/a.dump");
  EXPECT_EQ(f.post(f.base + "/verify-async", {{"file", "Orders/none.dump"}}).status, 404);
  EXPECT_EQ(f.post("/api/storage/unknown/verify-async", {{"file", "a"}}).status, 404);
}

TEST(StorageAlerts, KeepWhatIsSetAndDefaultTheRest) {
  Family f;
  EXPECT_EQ(f.get(f.base + "/alerts").body["data"]["missingBackupHours"], 48);
  const Answer changed =
      f.put(f.base + "/alerts", {{"missingBackupEnabled", true}, {"missingBackupHours", 12}});
  ASSERT_EQ(changed.status, 200) << changed.text;
  const Json alerts = f.get(f.base + "/alerts").body["data"];
  EXPECT_EQ(alerts["missingBackupHours"], 12);
  EXPECT_EQ(alerts["missingBackupEnabled"], true);
  EXPECT_EQ(alerts["usageSpikeThresholdPercent"], 50);
  EXPECT_EQ(f.put(f.base + "/alerts", {{"missingBackupHours", 0}}).status, 400);
  EXPECT_EQ(f.put("/api/storage/" + f.source + "/alerts", {{"missingBackupHours", 1}}).status, 400);
  EXPECT_EQ(f.get("/api/storage/unknown/alerts").status, 404);
}

}  // namespace
}  // namespace dbackup::host
