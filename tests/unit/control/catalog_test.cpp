#include "control/catalog.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "control/reading_keys.hpp"
#include "crypto/age_keys.hpp"
#include "store/profile_store.hpp"
#include "tests/unit/control/control_world.hpp"

namespace dbackup::host {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class CatalogTest : public ::testing::Test {
 protected:
  CatalogTest() : job_{world_.add_job()} { world_.save(job_); }

  static Json item(const std::string& path, TimeMs modified_at, const std::string& sidecar = "") {
    Json data{{"path", path}, {"size", 3}, {"modifiedMs", modified_at}};
    if (!sidecar.empty()) data["sidecar"] = sidecar;
    return {{"event", "item"}, {"data", data}};
  }
  void show(const std::vector<Json>& items) {
    Json steps = items;
    steps.push_back({{"result", Json::object()}});
    script_.set("list", steps);
  }
  std::vector<std::string> paths(bool refresh) {
    std::vector<std::string> out;
    for (const auto& row : world_.catalog.list(world_.destination, refresh)) out.push_back(row.path);
    return out;
  }
  std::string sidecar_with_checksum(const std::string& run) const {
    Sidecar out{.execution_id = run, .job_name = "nightly"};
    out.checksum = "abc";
    out.mac_key_id = world_.keys.key_id();
    return render_signed_sidecar(out, world_.keys.key(run).reveal());
  }
  std::string run_restore(const RestoreOptions& options, const std::string& identity = "") {
    Execution run{.id = new_uuid(), .type = "Restore", .started_at = 1};
    run.options = to_json(options);
    run.path = options.path;
    if (!identity.empty()) world_.secrets.put(run.id, SecretString{identity});
    world_.database->write([&](Session& s) { ExecutionStore{}.insert(s, run); });
    world_.queue.start();
    world_.queue.kick();
    return run.id;
  }

  ScriptedWorker script_;
  ControlWorld world_{script_, "host-a"};
  Job job_;
};

TEST_F(CatalogTest, ListsNewestFirstWithoutSideFiles) {
  show({item("a/old.dump", 1), item("a/new.dump", 9), item("a/new.dump.meta.json", 9), item(".dbackup/x", 9)});
  EXPECT_THAT(paths(false), ElementsAre("a/new.dump", "a/old.dump"));
}

TEST_F(CatalogTest, AsksTheDestinationOnlyWhenItMust) {
  show({item("a/x.dump", 1)});
  paths(false);
  paths(false);
  EXPECT_THAT(script_.requests("list"), SizeIs(1));
  show({});
  EXPECT_THAT(paths(false), SizeIs(1));
  EXPECT_THAT(paths(true), IsEmpty());
}

TEST_F(CatalogTest, ForgetsWhatIsGoneThoughTheClockIsSetBack) {
  struct : Clock {
    TimeMs now_ms() const override { return now; }
    TimeMs now = 9000;
  } clock;
  const ControlContext context{.database = *world_.database,
                               .box = world_.box,
                               .clock = clock,
                               .host_id = "host-b",
                               .program_version = "0",
                               .data_dir = world_.context.data_dir,
                               .live = world_.live};
  Catalog catalog{context, world_.workers, world_.resolver, world_.keys};
  show({item("a/x.dump", 1), item("a/y.dump", 2)});
  ASSERT_THAT(catalog.list(world_.destination, true), SizeIs(2));
  show({item("a/y.dump", 2)});
  EXPECT_THAT(catalog.list(world_.destination, true), SizeIs(1));
  clock.now = 1000;
  show({});
  EXPECT_THAT(catalog.list(world_.destination, true), IsEmpty());
}

TEST_F(CatalogTest, KeepsWhatItKnowsWhenAListingFails) {
  show({item("a/x.dump", 1)});
  paths(true);
  script_.set("list", {item("a/y.dump", 2), {{"signal", SIGSEGV}}});
  EXPECT_THROW(paths(true), Error);
  EXPECT_THAT(paths(false), ElementsAre("a/x.dump"));
}

TEST_F(CatalogTest, KeepsWhatItKnowsOfASidecarThatCannotBeReadNow) {
  show({item("a/x.dump", 1, sidecar_with_checksum("run-1"))});
  ASSERT_EQ(world_.catalog.list(world_.destination, true).at(0).signature, "signed");
  Json seen = item("a/x.dump", 1);
  seen["data"]["sidecarUnreadable"] = true;
  show({seen});
  const auto rows = world_.catalog.list(world_.destination, true);
  ASSERT_THAT(rows, SizeIs(1));
  EXPECT_EQ(rows[0].signature, "signed");
  EXPECT_EQ(rows[0].sidecar.at("checksum"), "abc");
}

TEST_F(CatalogTest, KeepsWhatLiesInAFolderThatCannotBeLookedInto) {
  show({item("a/x.dump", 1), item("a/b/y.dump", 2), item("ab/z.dump", 3)});
  ASSERT_THAT(paths(true), SizeIs(3));
  show({{{"event", "item"}, {"data", {{"path", "a"}, {"unreadable", true}}}}});
  EXPECT_THAT(paths(true), ElementsAre("a/b/y.dump", "a/x.dump"));
}

TEST_F(CatalogTest, JudgesSidecarsAndFillsInWhatIsMissing) {
  const std::string own = world_.sidecar("run-1", 3);
  Json altered = Json::parse(own);
  altered["jobName"] = "another";
  show({item("nightly/1.dump", 4, own), item("nightly/2.dump", 3, altered.dump()), item("my%2Fjob/3.dump", 2),
        item("nightly/4.dump", 1, "not JSON")});
  const auto rows = world_.catalog.list(world_.destination);
  ASSERT_THAT(rows, SizeIs(4));
  EXPECT_EQ(rows[0].signature, "signed");
  EXPECT_EQ(rows[0].execution_id, "run-1");
  EXPECT_FALSE(rows[0].locked);
  EXPECT_EQ(rows[1].signature, "tampered");
  EXPECT_TRUE(rows[1].locked);
  EXPECT_EQ(rows[2].signature, "unsigned");
  EXPECT_EQ(rows[2].job_name, "my/job");
  EXPECT_EQ(rows[3].signature, "unsigned");
  EXPECT_TRUE(rows[3].sidecar.empty());
}

TEST_F(CatalogTest, LooksOnceMoreBeforeItSaysThatABackupDoesNotExist) {
  show({});
  paths(true);
  show({item("a/x.dump", 1)});
  EXPECT_EQ(world_.catalog.find(world_.destination, "a/x.dump").size, 3);
  EXPECT_THROW(world_.catalog.find(world_.destination, "a/y.dump"), Error);
}

TEST_F(CatalogTest, LocksInTheSidecarAndSignsItAgain) {
  show({item("nightly/1.dump", 1, world_.sidecar("run-1", 3))});
  script_.set("write_sidecar", {{{"result", Json::object()}}});
  world_.catalog.set_locked(world_.destination, "nightly/1.dump", true);
  const std::string written =
      script_.requests("write_sidecar").at(0).at("body").at("content").get<std::string>();
  EXPECT_TRUE(parse_sidecar(written).locked);
  EXPECT_EQ(world_.keys.signature_of(written), "signed");
  EXPECT_TRUE(world_.catalog.find(world_.destination, "nightly/1.dump").locked);
  world_.catalog.set_locked(world_.destination, "nightly/1.dump", false);
  EXPECT_FALSE(world_.catalog.find(world_.destination, "nightly/1.dump").locked);
}

TEST_F(CatalogTest, StaysLockedWhenTheSidecarCannotBeWritten) {
  show({item("nightly/1.dump", 1, world_.sidecar("run-1", 3))});
  script_.set("write_sidecar", {{{"error", {{"code", 14}, {"message", "away"}}}}});
  EXPECT_THROW(world_.catalog.set_locked(world_.destination, "nightly/1.dump", true), Error);
  EXPECT_TRUE(world_.catalog.find(world_.destination, "nightly/1.dump").locked);
}

TEST_F(CatalogTest, RemovesTheBackupBeforeItsSideFiles) {
  show({item("a/x.dump", 1)});
  paths(true);
  script_.set("remove", {{{"result", Json::object()}}});
  world_.catalog.remove(world_.destination, "a/x.dump");
  EXPECT_EQ(script_.requests("remove").at(0).at("body").at("paths"),
            Json::array({"a/x.dump", "a/x.dump.meta.json", "a/x.dump.index"}));
  EXPECT_THAT(paths(false), IsEmpty());
}

TEST_F(CatalogTest, VerifiesAgainstTheChecksumOfTheSidecar) {
  show({item("nightly/1.dump", 2, sidecar_with_checksum("run-1")), item("nightly/2.dump", 1)});
  script_.set("write_sidecar", {{{"result", Json::object()}}});
  const auto status = [&](const char* path) {
    return world_.catalog.verify(world_.destination, path, {}).status;
  };
  script_.set("verify", {{{"result", {{"sha256", "abc"}, {"size", 3}}}}});
  EXPECT_EQ(status("nightly/1.dump"), "passed");
  EXPECT_EQ(status("nightly/2.dump"), "no_metadata");
  script_.set("verify", {{{"result", {{"sha256", "abd"}, {"size", 3}}}}});
  EXPECT_EQ(status("nightly/1.dump"), "failed");
  script_.set("verify", {{{"error", {{"code", 14}, {"message", "away"}}}}});
  EXPECT_EQ(status("nightly/1.dump"), "download_error");
  const auto sidecars = script_.requests("write_sidecar");
  ASSERT_THAT(sidecars, SizeIs(2));
  EXPECT_FALSE(parse_sidecar(sidecars[1].at("body").at("content").get<std::string>()).verification->passed);
}

TEST_F(CatalogTest, RestoresWithTheKeyGivenAndForgetsIt) {
  show({item("nightly/1.dump.age", 1)});
  script_.set("restore", {{{"result", Json::object()}}});
  const RestoreOptions options{.destination_id = world_.destination, .path = "nightly/1.dump.age",
                               .target_source_id = job_.source_id, .database = "copy", .needs_identity = true};
  const std::string with_key = run_restore(options, "AGE-SECRET-KEY-1X");
  EXPECT_EQ(world_.wait_ended(with_key).status, "Success") << world_.row(with_key).error;
  const Json body = script_.requests("restore").at(0).at("body");
  EXPECT_EQ(body.at("database"), "copy");
  EXPECT_EQ(body.at("file").at("identities"), Json::array({"AGE-SECRET-KEY-1X"}));
  EXPECT_FALSE(world_.secrets.take(with_key).has_value());
  const Execution lost = world_.wait_ended(run_restore(options));
  EXPECT_EQ(lost.status, "Failed");
  EXPECT_THAT(lost.error, ::testing::HasSubstr("kept in memory only and is lost"));
}

TEST_F(CatalogTest, TriesTheProfileOfTheBackupFirstAndThenAllOthers) {
  std::vector<std::string> keys;
  for (const char* id : {"a", "b", "c"}) {
    EncryptionProfile profile{.id = id, .name = id, .retired = std::string(id) == "c"};
    EncryptionIdentity identity{.id = std::string("identity-") + id};
    const AgeIdentity made = AgeIdentity::generate();
    keys.emplace_back(made.to_string().reveal());
    identity.sealed_identity = world_.box.seal(keys.back(), "identity/" + identity.id);
    identity.recipient = made.recipient().to_string();
    profile.identities = {identity};
    world_.database->write([&](Session& s) { EncryptionProfileStore{}.insert(s, profile); });
  }
  StoredBackup backup{.path = "x.dump.age"};
  backup.sidecar = {{"encryption", {{"enabled", true}, {"profileId", "b"}}}};
  EXPECT_THAT(identities_for(world_.context, backup), ElementsAre(keys[1], keys[0], keys[2]));
  EXPECT_THAT(identities_for(world_.context, backup, "c"), ElementsAre(keys[2], keys[1], keys[0]));
  EXPECT_THROW(identities_for(world_.context, backup, "none"), Error);
  EXPECT_THAT(identities_for(world_.context, {.path = "x.dump"}), IsEmpty());
}

TEST_F(CatalogTest, AsksForAKeyWhenThereIsNone) {
  try {
    identities_for(world_.context, {.path = "x.dump.age"});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::FailedPrecondition);
    EXPECT_EQ(error.reason(), "encryption_key_required");
  }
}

TEST_F(CatalogTest, OpensALoginForItsOwnRunOnly) {
  const std::string sealed = seal_login(world_.box, "run-1", {.user = "root", .password = "s3cret"});
  EXPECT_EQ(open_login(world_.box, "run-1", sealed).password, "s3cret");
  EXPECT_EQ(open_login(world_.box, "run-1", "").user, "");
  EXPECT_THROW(open_login(world_.box, "run-2", sealed), Error);
}

}  // namespace
}  // namespace dbackup::host
