#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <soci/soci.h>

#include <cstdlib>
#include <filesystem>
#include <set>
#include <thread>

#include "base/id.hpp"
#include "store/adapter_store.hpp"
#include "store/backup_store.hpp"
#include "store/database.hpp"
#include "store/execution_store.hpp"
#include "store/job_store.hpp"
#include "store/migrations.hpp"
#include "store/profile_store.hpp"

namespace dbackup::host {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class StoreTest : public ::testing::Test {
 protected:
  StoreTest() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "dbackup store XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
    database_ = open();
  }
  ~StoreTest() override {
    database_.reset();
    std::filesystem::remove_all(directory_);
  }
  std::unique_ptr<Database> open() {
    return Database::open({.url = "sqlite://" + (directory_ / "metadata.db").string()});
  }
  static AdapterConfig adapter(const std::string& id, const std::string& name) {
    return {.id = id,
            .name = name,
            .type = "database",
            .adapter_id = "postgres",
            .sealed_config = "v1:sealed",
            .metadata = nullptr,
            .created_at = 9'007'199'254'740'993};
  }
  static Execution execution(const std::string& id, TimeMs started_at) {
    return {.id = id, .type = "Backup", .started_at = started_at};
  }
  void add_execution(const Execution& e) {
    database_->write([&](Session& s) { ExecutionStore{}.insert(s, e); });
  }
  std::optional<Execution> claim(Database& database, const std::string& host, int64_t limit) {
    std::optional<Execution> out;
    database.write([&](Session& s) { out = ExecutionStore{}.claim_next(s, host, limit, 5000); });
    return out;
  }
  Execution read(const std::string& id) {
    std::optional<Execution> out;
    database_->read([&](Session& s) { out = ExecutionStore{}.find(s, id); });
    return out.value();
  }
  template <class Body>
  ErrorCode code_of(Body body) {
    try {
      database_->write(body);
    } catch (const Error& error) {
      return error.code();
    }
    ADD_FAILURE() << "nothing was thrown";
    return ErrorCode::Internal;
  }

  std::filesystem::path directory_;
  std::unique_ptr<Database> database_;
};

TEST_F(StoreTest, MakesAKeptStatementAnewAfterItsPreparationFailed) {
  add_execution(execution("run", 1));
  database_->write([](Session& s) { s.raw() << "ALTER TABLE executions RENAME TO elsewhere"; });
  // On every connection of the pool, whichever is leased next.
  for (int i = 0; i < 12; ++i) EXPECT_THROW(read("run"), Error);
  database_->write([](Session& s) { s.raw() << "ALTER TABLE elsewhere RENAME TO executions"; });
  for (int i = 0; i < 12; ++i) EXPECT_EQ(read("run").id, "run");
}

TEST_F(StoreTest, ForgetsASealedLoginHoweverItsRunEnds) {
  for (const std::string id : {"done", "abandoned", "cancelled"}) {
    Execution run = execution(id, 1);
    run.type = "Restore";
    run.options = {{"path", "a"}, {"sealedLogin", "v1:sealed"}};
    add_execution(run);
  }
  database_->write([](Session& s) {
    EXPECT_TRUE(ExecutionStore{}.cancel_pending(s, "cancelled", 2, "cancelled"));
    for (int i = 0; i < 2; ++i) EXPECT_TRUE(ExecutionStore{}.claim_next(s, "host", 10, 2));
    EXPECT_TRUE(ExecutionStore{}.end(s, "done", "host", {.status = "Success", .ended_at = 3}));
    EXPECT_TRUE(
        ExecutionStore{}.end_abandoned(s, "abandoned", {.status = "Failed", .ended_at = 3}));
  });
  for (const std::string id : {"done", "abandoned", "cancelled"}) {
    EXPECT_EQ(read(id).options["sealedLogin"], "") << id;
    EXPECT_EQ(read(id).options["path"], "a");
  }
}

TEST_F(StoreTest, IsReadableByItsOwnerAlone) {
  for (const auto& entry : std::filesystem::directory_iterator(directory_)) {
    const auto others = std::filesystem::perms::group_all | std::filesystem::perms::others_all;
    EXPECT_EQ(entry.status().permissions() & others, std::filesystem::perms::none) << entry.path();
  }
}

TEST_F(StoreTest, KeepsEveryFieldOfAnAdapterAndLargeTimes) {
  AdapterConfig in = adapter("a1", "It's \"quoted\" 数据库");
  in.metadata = {{"engineVersion", "15.2"}};
  in.primary_credential_id = "cred";
  in.last_health_check = 1'800'000'000'123;
  in.last_error = "refused";
  database_->write([&](Session& s) { AdapterStore{}.insert(s, in); });
  std::optional<AdapterConfig> out;
  database_->read([&](Session& s) { out = AdapterStore{}.find(s, "a1"); });
  ASSERT_TRUE(out);
  EXPECT_EQ(out->name, in.name);
  EXPECT_EQ(out->metadata, in.metadata);
  EXPECT_EQ(out->primary_credential_id, "cred");
  EXPECT_EQ(out->ssh_credential_id, "");
  EXPECT_EQ(out->last_health_check, in.last_health_check);
  EXPECT_EQ(out->created_at, in.created_at);
}

TEST_F(StoreTest, ATakenNameIsAlreadyExistsAndLeavesTheFirstRow) {
  database_->write([&](Session& s) { AdapterStore{}.insert(s, adapter("a1", "same")); });
  EXPECT_EQ(code_of([&](Session& s) { AdapterStore{}.insert(s, adapter("a2", "same")); }),
            ErrorCode::AlreadyExists);
  std::vector<AdapterConfig> rows;
  database_->read([&](Session& s) { rows = AdapterStore{}.list(s); });
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].id, "a1");
}

TEST_F(StoreTest, AnAdapterInUseCannotBeRemovedAndItsUsersAreNamed) {
  Job job{.id = "j1", .name = "Nightly", .schedule = "0 3 * * *", .source_id = "a1"};
  job.destinations.push_back({.id = "d1", .job_id = "j1", .config_id = "a2"});
  job.notification_ids = {"a3"};
  database_->write([&](Session& s) {
    for (const char* id : {"a1", "a2", "a3", "a4"}) AdapterStore{}.insert(s, adapter(id, id));
    JobStore{}.insert(s, job);
  });
  for (const char* id : {"a1", "a2", "a3"}) {
    EXPECT_EQ(code_of([&](Session& s) { AdapterStore{}.remove(s, id); }),
              ErrorCode::FailedPrecondition);
    std::vector<std::string> names;
    database_->read([&](Session& s) { names = JobStore{}.names_using_adapter(s, id); });
    EXPECT_THAT(names, ElementsAre("Nightly")) << id;
  }
  bool removed = false;
  database_->write([&](Session& s) { removed = AdapterStore{}.remove(s, "a4"); });
  EXPECT_TRUE(removed);
}

TEST_F(StoreTest, AJobComesBackWithItsChildrenInOrder) {
  Job job{.id = "j1", .name = "Nightly", .schedule = "0 3 * * *", .databases = {"orders", "crm"}};
  job.destinations = {{.id = "d2", .job_id = "j1", .config_id = "b", .priority = 1},
                      {.id = "d1", .job_id = "j1", .config_id = "a", .priority = 0}};
  job.notification_ids = {"b", "a"};
  database_->write([&](Session& s) {
    AdapterStore{}.insert(s, adapter("a", "a"));
    AdapterStore{}.insert(s, adapter("b", "b"));
    JobStore{}.insert(s, job);
  });
  std::optional<Job> out;
  database_->read([&](Session& s) { out = JobStore{}.find(s, "j1"); });
  ASSERT_TRUE(out);
  EXPECT_THAT(out->databases, ElementsAre("orders", "crm"));
  ASSERT_EQ(out->destinations.size(), 2U);
  EXPECT_EQ(out->destinations[0].id, "d1");
  EXPECT_THAT(out->notification_ids, ElementsAre("b", "a"));
}

TEST_F(StoreTest, DeletingAJobKeepsItsExecutions) {
  Execution run = execution("e1", 1);
  run.job_id = "j1";
  run.job_name = "Nightly";
  database_->write([&](Session& s) {
    JobStore{}.insert(s, {.id = "j1", .name = "Nightly", .schedule = "@daily"});
    ExecutionStore{}.insert(s, run);
    JobStore{}.remove(s, "j1");
  });
  EXPECT_EQ(read("e1").job_id, "");
  EXPECT_EQ(read("e1").job_name, "Nightly");
}

TEST_F(StoreTest, ClaimsInOrderOfArrivalWithinTheLimit) {
  add_execution(execution("late", 200));
  add_execution(execution("early", 100));
  EXPECT_EQ(claim(*database_, "host", 1)->id, "early");
  EXPECT_EQ(claim(*database_, "host", 1), std::nullopt);
  EXPECT_EQ(claim(*database_, "host", 2)->id, "late");
  EXPECT_EQ(read("early").status, "Running");
  EXPECT_EQ(read("early").host_id, "host");
}

TEST_F(StoreTest, EightClaimersNeverGetTheSameRow) {
  for (int i = 0; i < 60; ++i) add_execution(execution("e" + std::to_string(i), i));
  const auto other = open();
  std::mutex mutex;
  std::multiset<std::string> claimed;
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      Database& database = t % 2 == 0 ? *database_ : *other;
      while (const auto row = claim(database, "host" + std::to_string(t), 1000)) {
        const std::lock_guard lock{mutex};
        claimed.insert(row->id);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(claimed.size(), 60U);
  EXPECT_EQ(std::set<std::string>(claimed.begin(), claimed.end()).size(), 60U);
}

TEST_F(StoreTest, OnlyTheHostThatRunsAnExecutionEndsIt) {
  add_execution(execution("e", 1));
  claim(*database_, "mine", 1);
  bool ended = true;
  const ExecutionEnd end{.status = "Success", .path = "p", .size = 7, .ended_at = 9};
  database_->write([&](Session& s) { ended = ExecutionStore{}.end(s, "e", "other", end); });
  EXPECT_FALSE(ended);
  EXPECT_EQ(read("e").status, "Running");
  database_->write([&](Session& s) { ended = ExecutionStore{}.end(s, "e", "mine", end); });
  EXPECT_TRUE(ended);
  EXPECT_EQ(read("e").status, "Success");
  EXPECT_EQ(read("e").progress, 100);
  database_->write([&](Session& s) { ended = ExecutionStore{}.end(s, "e", "mine", end); });
  EXPECT_FALSE(ended) << "an ended run ends once";
}

TEST_F(StoreTest, CancelsAPendingRunAtOnceAndNoOther) {
  add_execution(execution("e", 1));
  bool cancelled = false;
  database_->write(
      [&](Session& s) { cancelled = ExecutionStore{}.cancel_pending(s, "e", 2, "asked"); });
  EXPECT_TRUE(cancelled);
  EXPECT_EQ(read("e").status, "Cancelled");
  EXPECT_EQ(claim(*database_, "host", 5), std::nullopt);
}

TEST_F(StoreTest, LogsAreAppendedAndReadFromAPlace) {
  add_execution(execution("e", 1));
  database_->write([&](Session& s) {
    ExecutionStore{}.append_logs(
        s, "e",
        {{.seq = 1, .at = 10, .level = "info", .message = "one"},
         {.seq = 2, .at = 20, .level = "error", .message = "two", .duration_ms = 5}});
  });
  std::vector<LogEntry> logs;
  database_->read([&](Session& s) { logs = ExecutionStore{}.logs(s, "e", 1); });
  ASSERT_EQ(logs.size(), 1U);
  EXPECT_EQ(logs[0].message, "two");
  EXPECT_EQ(logs[0].duration_ms, 5);
}

TEST_F(StoreTest, APathIsReservedOncePerDestinationUntilItIsReleased) {
  const auto reserve = [](const std::string& token, const std::string& destination) {
    return [=](Session& s) {
      ReservationStore{}.insert(
          s, {.token = token, .execution_id = "e", .destination_id = destination, .path = "p"});
    };
  };
  database_->write(reserve("t1", "d1"));
  database_->write(reserve("t2", "d2"));
  EXPECT_EQ(code_of(reserve("t3", "d1")), ErrorCode::AlreadyExists);
  database_->write([](Session& s) { ReservationStore{}.remove(s, "t1"); });
  EXPECT_NO_THROW(database_->write(reserve("t3", "d1")));
}

TEST_F(StoreTest, AbandonedReservationsAreThoseOfNoLiveExecution) {
  add_execution(execution("live", 1));
  database_->write([](Session& s) {
    ReservationStore{}.insert(
        s, {.token = "t1", .execution_id = "live", .destination_id = "d", .path = "p1"});
    ReservationStore{}.insert(
        s, {.token = "t2", .execution_id = "gone", .destination_id = "d", .path = "p2"});
  });
  std::vector<Reservation> found;
  database_->read([&](Session& s) { found = ReservationStore{}.abandoned(s); });
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].token, "t2");
}

TEST_F(StoreTest, TheCatalogListsNewestFirstAndKeepsALock) {
  const auto backup = [](const std::string& path, TimeMs at) {
    return StoredBackup{.id = new_uuid(),
                        .destination_id = "d",
                        .path = path,
                        .job_name = "J",
                        .modified_at = at,
                        .seen_at = at};
  };
  database_->write([&](Session& s) {
    BackupStore{}.upsert(s, backup("a", 100));
    BackupStore{}.upsert(s, backup("b", 200));
    BackupStore{}.upsert(s, backup("c", 200));
  });
  std::vector<StoredBackup> rows;
  database_->read([&](Session& s) { rows = BackupStore{}.list(s, "d"); });
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0].path, "c");
  EXPECT_EQ(rows[2].path, "a");
  database_->write([&](Session& s) {
    BackupStore{}.set_locked(s, rows[2].id, true);
    BackupStore{}.upsert(s, backup("a", 300));
    EXPECT_EQ(BackupStore{}.remove_unseen(s, "d", 250), 2);
  });
  std::optional<StoredBackup> latest;
  database_->read([&](Session& s) { latest = BackupStore{}.latest(s, "d", "", "J"); });
  ASSERT_TRUE(latest);
  EXPECT_EQ(latest->path, "a");
  EXPECT_TRUE(latest->locked);
}

TEST_F(StoreTest, FindsBackupsByTheProfileInTheirSidecar) {
  database_->write([](Session& s) {
    BackupStore{}.upsert(s, {.id = "1",
                             .destination_id = "d",
                             .path = "sealed",
                             .sidecar = {{"encryption", {{"profileId", "p1"}}}}});
    BackupStore{}.upsert(s, {.id = "2", .destination_id = "d", .path = "open"});
  });
  std::vector<std::string> paths;
  database_->read([&](Session& s) { paths = BackupStore{}.using_profile(s, "p1", 10); });
  EXPECT_THAT(paths, ElementsAre("sealed"));
}

TEST_F(StoreTest, AKeyIsFoundByItsHashWithItsPermissions) {
  ApiKey key{.id = "k", .name = "ci", .prefix = "dbackup_12345678", .hash = "h"};
  key.permissions.set(static_cast<size_t>(Permission::JobsExecute));
  database_->write([&](Session& s) { ApiKeyStore{}.insert(s, key); });
  std::optional<ApiKey> found;
  database_->read([&](Session& s) { found = ApiKeyStore{}.find_by_hash(s, "h"); });
  ASSERT_TRUE(found);
  EXPECT_EQ(found->permissions, key.permissions);
  EXPECT_EQ(found->user_id, "");
  EXPECT_FALSE(found->expires_at);
}

TEST_F(StoreTest, AProfileComesBackWithItsIdentities) {
  EncryptionProfile profile{.id = "p", .name = "main", .extra_recipients = {"age1x"}};
  profile.identities = {
      {.id = "i1", .sealed_identity = "s", .recipient = "age1y", .created_at = 1}};
  database_->write([&](Session& s) { EncryptionProfileStore{}.insert(s, profile); });
  std::optional<EncryptionProfile> out;
  database_->read([&](Session& s) { out = EncryptionProfileStore{}.find(s, "p"); });
  ASSERT_TRUE(out);
  ASSERT_EQ(out->identities.size(), 1U);
  EXPECT_EQ(out->identities[0].recipient, "age1y");
  EXPECT_THAT(out->extra_recipients, ElementsAre("age1x"));
  std::vector<EncryptionProfile> rows;
  database_->write([](Session& s) { EncryptionProfileStore{}.remove(s, "p"); });
  database_->read([&](Session& s) { rows = EncryptionProfileStore{}.list(s, true); });
  EXPECT_THAT(rows, IsEmpty());
}

TEST_F(StoreTest, AnIdempotencyKeyIsTakenOnceUntilForgotten) {
  const IdempotentAnswer request{.principal = "k", .route = "r", .key = "x", .body_hash = "h1"};
  IdempotentAnswer existing;
  bool first = false;
  bool second = true;
  database_->write([&](Session& s) { first = IdempotencyStore{}.begin(s, request, existing); });
  database_->write([&](Session& s) { second = IdempotencyStore{}.begin(s, request, existing); });
  EXPECT_TRUE(first);
  EXPECT_FALSE(second);
  EXPECT_EQ(existing.status, 0);
  EXPECT_EQ(existing.body_hash, "h1");
  database_->write([&](Session& s) { IdempotencyStore{}.forget(s, request); });
  database_->write([&](Session& s) { second = IdempotencyStore{}.begin(s, request, existing); });
  EXPECT_TRUE(second);
}

TEST_F(StoreTest, AFailedTransactionLeavesNothing) {
  EXPECT_EQ(code_of([](Session& s) {
              SettingStore{}.set(s, "key", "value");
              throw Error(ErrorCode::Aborted, "half way");
            }),
            ErrorCode::Aborted);
  std::optional<std::string> value;
  database_->read([&](Session& s) { value = SettingStore{}.get(s, "key"); });
  EXPECT_FALSE(value);
}

TEST_F(StoreTest, ErrorsNeverCarryBoundValues) {
  database_->write([&](Session& s) { AdapterStore{}.insert(s, adapter("a1", "hunter2")); });
  try {
    database_->write([&](Session& s) { AdapterStore{}.insert(s, adapter("a2", "hunter2")); });
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ((error.what() + error.detail()).find("hunter2"), std::string::npos);
  }
}

}  // namespace
}  // namespace dbackup::host
