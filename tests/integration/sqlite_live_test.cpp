// Images of a database that others write to and checkpoint meanwhile.
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <iostream>
#include <random>
#include <thread>

#include "tests/integration/sqlite_test_base.hpp"

namespace dbackup::testing {
namespace {

constexpr int kAccounts = 200;
constexpr int kBalance = 1000;

struct Setup {
  const char* journal;
  int page_size;
  bool threads;
};

void make_bank(const std::string& path, const Setup& setup) {
  Sqlite db{path};
  db.run("PRAGMA page_size = " + std::to_string(setup.page_size));
  db.run("PRAGMA auto_vacuum = INCREMENTAL");
  db.text("PRAGMA journal_mode = " + std::string{setup.journal});
  db.run(
      "CREATE TABLE account (id INTEGER PRIMARY KEY, balance INTEGER, pad BLOB);"
      "CREATE TABLE booking (id INTEGER PRIMARY KEY, a INT, b INT, amount INT, note BLOB);"
      "CREATE INDEX booking_a ON booking (a, amount);"
      "CREATE TABLE total (bookings INTEGER);"
      "INSERT INTO total VALUES (0);"
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < " +
      std::to_string(kAccounts) + ") INSERT INTO account SELECT i, " + std::to_string(kBalance) +
      ", randomblob(3000) FROM n;");
}

/// Books money to and fro until it is killed; sometimes rolls back, shrinks the file or
/// checkpoints.
void hammer(const std::string& path, uint32_t seed, const std::function<bool()>& goes_on) {
  std::minstd_rand engine{seed};
  const auto random = [&] { return static_cast<uint32_t>(engine()); };
  Sqlite db{path};
  db.try_run("PRAGMA synchronous = OFF");
  db.try_run("PRAGMA cache_size = 12");  // spills: uncommitted pages reach the log
  db.try_run("PRAGMA wal_autocheckpoint = 40");
  const auto pick = [&](uint32_t n) { return std::to_string(1 + random() % n); };
  while (goes_on()) {
    if (db.try_run("BEGIN IMMEDIATE") != SQLITE_OK) continue;
    const uint32_t bookings = 1 + random() % 12;
    bool good = true;
    for (uint32_t i = 0; i < bookings; ++i) {
      const std::string a = pick(kAccounts);
      const std::string b = pick(kAccounts);
      const std::string amount = pick(50);
      good = good &&
             db.try_run("UPDATE account SET balance = balance - " + amount +
                        ", pad = randomblob(2000 + abs(random() % 2000)) WHERE id = " + a) ==
                 SQLITE_OK &&
             db.try_run("UPDATE account SET balance = balance + " + amount + " WHERE id = " + b) ==
                 SQLITE_OK &&
             db.try_run("INSERT INTO booking (a, b, amount, note) VALUES (" + a + "," + b + "," +
                        amount + ", randomblob(" + pick(900) + "))") == SQLITE_OK;
    }
    good = good &&
           db.try_run("UPDATE total SET bookings = (SELECT count(*) FROM booking)") == SQLITE_OK;
    if (random() % 10 == 0) {
      good = good && db.try_run(
                         "DELETE FROM booking WHERE id % 2 = 0;"
                         "UPDATE total SET bookings = (SELECT count(*) FROM booking);"
                         "PRAGMA incremental_vacuum") == SQLITE_OK;
    }
    const bool wanted = random() % 5 != 0;
    if (!good || !wanted || db.try_run("COMMIT") != SQLITE_OK) db.try_run("ROLLBACK");
    constexpr const char* kModes[] = {"PASSIVE", "FULL", "RESTART", "TRUNCATE"};
    if (random() % 4 == 0) {
      sqlite3_busy_timeout(db.raw(), 5);
      db.try_run(std::string{"PRAGMA wal_checkpoint("} + kModes[random() % 4] + ")");
      sqlite3_busy_timeout(db.raw(), 10'000);
    }
  }
}

class Hammering {
 public:
  Hammering(const std::string& path, bool threads, uint32_t seed) {
    constexpr uint32_t kWriters = 3;
    for (uint32_t i = 0; i < kWriters; ++i) {
      if (threads) {
        threads_.emplace_back(
            [this, path, seed, i] { hammer(path, seed + i, [this] { return !done_; }); });
        continue;
      }
      const pid_t pid = fork();
      if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        hammer(path, seed + i, [] { return true; });
        _exit(0);
      }
      processes_.push_back(pid);
    }
  }
  ~Hammering() {
    done_ = true;
    for (auto& thread : threads_) thread.join();
    for (const pid_t pid : processes_) {
      kill(pid, SIGKILL);
      waitpid(pid, nullptr, 0);
    }
  }

 private:
  std::atomic<bool> done_ = false;
  std::vector<std::thread> threads_;
  std::vector<pid_t> processes_;
};

class SqliteLive : public SqliteSourceTest, public ::testing::WithParamInterface<Setup> {};

TEST_P(SqliteLive, ImageUnderWritersAndCheckpointsIsConsistent) {
  make_bank(path_, GetParam());
  const auto seed = static_cast<uint32_t>(std::random_device{}());
  SCOPED_TRACE("seed " + std::to_string(seed));
  const SourceBench bench = source();
  int images = 0;
  const Stopwatch watch;
  {
    const Hammering writers{path_, GetParam().threads, seed};
    // Readers hold marks in the log, so that checkpoints and restarts find all kinds of positions.
    while (watch.ms() < 4000 || images < 5) {
      FakeCall call;
      MemoryWriter out;
      out.before_write([&](uint64_t nth) {
        if (nth % 2 == 0) poll(nullptr, 0, 3);  // a slow destination: writers get far ahead
      });
      const Outcome ended = bench.dump(call, {{"database", "live.db"}}, out);
      if (ended.status == DBACKUP_UNAVAILABLE) continue;  // no lock within the time limit: honest
      ASSERT_TRUE(ended.ok()) << ended.text();
      ASSERT_EQ(in_image(out.content(), "PRAGMA integrity_check"), "ok") << "image " << images;
      EXPECT_EQ(in_image(out.content(), "SELECT sum(balance), count(*) FROM account"),
                std::to_string(kAccounts * kBalance) + "|" + std::to_string(kAccounts));
      EXPECT_EQ(in_image(out.content(),
                         "SELECT (SELECT bookings FROM total) - (SELECT count(*) FROM booking)"),
                "0");
      ++images;
    }
  }
  std::cout << images << " images\n";
  EXPECT_EQ(Sqlite{path_}.text("PRAGMA integrity_check"), "ok");
}

INSTANTIATE_TEST_SUITE_P(Modes, SqliteLive,
                         ::testing::Values(Setup{"WAL", 4096, false}, Setup{"WAL", 512, false},
                                           Setup{"WAL", 65536, false}, Setup{"WAL", 1024, true},
                                           Setup{"DELETE", 4096, false}, Setup{"DELETE", 512, true},
                                           Setup{"TRUNCATE", 8192, false},
                                           Setup{"PERSIST", 1024, false}),
                         [](const auto& each) {
                           return std::string{each.param.journal} +
                                  std::to_string(each.param.page_size) +
                                  (each.param.threads ? "Threads" : "Processes");
                         });

/// What a writer may do in the middle of an image, and where the log stands when the image begins.
class SqliteInTheMiddle : public SqliteSourceTest {
 protected:
  /// Dumps while `middle` runs between two blocks, and returns the image.
  std::string dump_with(const std::function<void()>& middle) {
    const SourceBench bench = source();
    FakeCall call;
    MemoryWriter out;
    out.before_write([&](uint64_t nth) {
      if (nth == 2) middle();
    });
    const Outcome ended = bench.dump(call, {{"database", "live.db"}}, out);
    EXPECT_TRUE(ended.ok()) << ended.text();
    EXPECT_GT(out.calls(), 3U);
    return out.content();
  }
  void fill(Sqlite& db) {
    db.text("PRAGMA journal_mode = WAL");
    db.text("PRAGMA wal_autocheckpoint = 0");
    db.run("CREATE TABLE t (i INTEGER PRIMARY KEY, v INT, pad BLOB)");
    db.run(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)"
        "INSERT INTO t SELECT i, 0, randomblob(2000) FROM n");
  }
  static constexpr const char* kAll = "SELECT min(v), max(v), count(*) FROM t";
};

TEST_F(SqliteInTheMiddle, ALogThatIsRestartedDoesNotReachAnImageOfTheFileAlone) {
  Sqlite db{path_};
  fill(db);
  db.text("PRAGMA wal_checkpoint(PASSIVE)");  // all in the file: the reader does not need the log
  sqlite3_busy_timeout(db.raw(), 0);  // the reader holds a restart by checkpoint back, as it should
  const std::string image = dump_with([&] {
    for (int i = 1; i < 4; ++i) {
      db.run("UPDATE t SET v = " + std::to_string(i) + ", pad = randomblob(1500)");
      db.text("PRAGMA wal_checkpoint(RESTART)");
    }
  });
  EXPECT_EQ(in_image(image, kAll), "0|0|1000");
  EXPECT_EQ(in_image(image, "PRAGMA integrity_check"), "ok");
}

TEST_F(SqliteInTheMiddle, ACheckpointOfThePinnedFramesDoesNotChangeTheImage) {
  Sqlite db{path_};
  fill(db);
  db.text("PRAGMA wal_checkpoint(TRUNCATE)");
  db.run("UPDATE t SET v = 1 WHERE i % 3 = 0");
  db.run("UPDATE t SET v = 1");
  const std::string image = dump_with([&] {
    for (int i = 2; i < 5; ++i) {
      db.text("PRAGMA wal_checkpoint(PASSIVE)");
      db.run("UPDATE t SET v = " + std::to_string(i));
    }
    db.run("DELETE FROM t WHERE i > 500");
    db.text("PRAGMA wal_checkpoint(PASSIVE)");
  });
  EXPECT_EQ(in_image(image, kAll), "1|1|1000");
  EXPECT_EQ(in_image(image, "PRAGMA integrity_check"), "ok");
}

TEST_F(SqliteInTheMiddle, EverythingMayStillBeInTheLog) {
  Sqlite db{path_};
  fill(db);  // never checkpointed: the file has one page at most
  const std::string image = dump_with([] {});
  EXPECT_EQ(in_image(image, kAll), "0|0|1000");
}

TEST_F(SqliteInTheMiddle, AWriterInRollbackModeWaitsForTheImage) {
  Sqlite db{path_};
  fill(db);
  db.text("PRAGMA journal_mode = DELETE");
  sqlite3_busy_timeout(db.raw(), 0);
  int blocked = SQLITE_OK;
  const std::string image = dump_with([&] { blocked = db.try_run("UPDATE t SET v = 9"); });
  EXPECT_EQ(blocked, SQLITE_BUSY);
  EXPECT_EQ(in_image(image, kAll), "0|0|1000");
  EXPECT_EQ(db.try_run("UPDATE t SET v = 9"), SQLITE_OK);
}

TEST_F(SqliteInTheMiddle, AWriterInAnotherProcessDoesNotSeeTheLockVanish) {
  {
    Sqlite db{path_};
    fill(db);
    db.text("PRAGMA journal_mode = DELETE");
  }
  int blocked = -1;
  const std::string image = dump_with([&] {
    const pid_t pid = fork();
    if (pid == 0) {
      execl("/bin/sh", "sh", "-c", "exec sqlite3 \"$0\" 'UPDATE t SET v = 9' >/dev/null 2>&1",
            path_.c_str(), nullptr);
      _exit(127);
    }
    waitpid(pid, &blocked, 0);
  });
  ASSERT_TRUE(WIFEXITED(blocked));
  EXPECT_EQ(WEXITSTATUS(blocked), SQLITE_BUSY);
  EXPECT_EQ(in_image(image, kAll), "0|0|1000");
}

}  // namespace
}  // namespace dbackup::testing
