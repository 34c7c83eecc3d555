#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <dbackup/testing/gtest.hpp>

#include "tests/integration/sqlite_test_base.hpp"

namespace dbackup::testing {
namespace {

class SqliteFile : public SqliteSourceTest {
 protected:
  void make(const std::string& path, const std::string& journal = "DELETE", int rows = 2000) {
    Sqlite db{path};
    db.text("PRAGMA journal_mode = " + journal);
    db.run(
        "CREATE TABLE t (i INTEGER PRIMARY KEY, v TEXT, pad BLOB); CREATE TABLE u (x); CREATE VIEW "
        "w AS"
        " SELECT 1; WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < " +
        std::to_string(rows) + ") INSERT INTO t SELECT i, 'first', randomblob(1000) FROM n");
  }
  static std::string content(const std::string& path) {
    if (!std::filesystem::exists(path)) return "absent";
    Sqlite db{path};
    return db.text("SELECT v, count(*), sum(length(pad)) FROM t GROUP BY v");
  }
};

TEST_F(SqliteFile, FulfilsTheConformanceChecks) {
  for (const char* journal : {"DELETE", "WAL"}) {
    const std::string path = file(std::string{"conform "} + journal);
    make(path, journal);
    EXPECT_TRUE(conforms(source().adapter(), {.config = {{"path", path}},
                                              .prompt = std::chrono::milliseconds{1000},
                                              .database = std::string{"conform "} + journal,
                                              .restore_database = "copy",
                                              .fingerprint = [&](const std::string& name) {
                                                return content(file(name));
                                              }}));
    std::filesystem::remove(file("copy"));
  }
}

TEST_F(SqliteFile, ListsTheOneDatabaseWithSizeAndTables) {
  make(path_);
  ItemList items;
  ASSERT_TRUE(source().list(items).ok());
  ASSERT_EQ(items.items().size(), 1U);
  EXPECT_EQ(items.items()[0].at("name"), "live.db");
  EXPECT_EQ(items.items()[0].at("tableCount"), 2);
  EXPECT_EQ(items.items()[0].at("sizeInBytes"), std::filesystem::file_size(path_));
}

TEST_F(SqliteFile, TestNamesTheMissingFile) {
  const Outcome ended = source().test();
  EXPECT_EQ(ended.status, DBACKUP_NOT_FOUND);
  EXPECT_NE(ended.message.find(path_), std::string::npos) << ended.message;
  EXPECT_EQ(listing(), "");  // and does not make it
}

TEST_F(SqliteFile, TestAnswersWithTheVersion) {
  make(path_);
  const Outcome ended = source().test();
  ASSERT_TRUE(ended.ok()) << ended.text();
  EXPECT_EQ(ended.result.at("version"), sqlite3_libversion());
}

TEST_F(SqliteFile, AnEmptyFileIsAnEmptyDatabase) {
  store(path_, "");
  const std::string image = source().dump("live.db");
  EXPECT_EQ(in_image(image, "PRAGMA integrity_check"), "ok");
  EXPECT_EQ(in_image(image, "SELECT count(*) FROM sqlite_schema"), "0");
  EXPECT_TRUE(source().restore("copy.db", image).ok());
}

TEST_F(SqliteFile, EncryptedAndDamagedFilesAreNamedAsSuch) {
  store(path_, std::string(8192, '\x5a'));
  EXPECT_NE(source().test().message.find("encrypted"), std::string::npos)
      << source().test().message;
  std::filesystem::remove(path_);
  make(path_);
  std::string bytes = load(path_);
  std::fill(bytes.begin() + 100, bytes.begin() + 4096, '\x77');
  store(path_, bytes);
  FakeCall call;
  MemoryWriter out;
  const Outcome ended = source().dump(call, {{"database", "live.db"}}, out);
  EXPECT_EQ(ended.status, DBACKUP_DATA_LOSS) << ended.text();
  EXPECT_NE(ended.message.find("damaged"), std::string::npos) << ended.message;
  EXPECT_EQ(out.size(), 0U);
}

TEST_F(SqliteFile, WhatIsNoRegularFileIsRefusedAtOnce) {
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  EXPECT_EQ(source().test().status, DBACKUP_INVALID_ARGUMENT);
}

TEST_F(SqliteFile, DamagedLogIsReportedBeforeAnythingIsWritten) {
  Sqlite db{path_};
  db.text("PRAGMA journal_mode = WAL");
  db.run("CREATE TABLE t (i, pad); INSERT INTO t VALUES (1, randomblob(50000))");
  {
    const int fd = open((path_ + "-wal").c_str(), O_RDWR | O_CLOEXEC);
    ASSERT_EQ(pwrite(fd, "damage", 6, 32 + 24 + 4096 + 24 + 700), 6);
    close(fd);
  }
  FakeCall call;
  MemoryWriter out;
  const Outcome ended = source().dump(call, {{"database", "live.db"}}, out);
  EXPECT_EQ(ended.status, DBACKUP_DATA_LOSS) << ended.text();
  EXPECT_EQ(out.size(), 0U);
}

TEST_F(SqliteFile, AHotJournalIsRolledBackFirst) {
  make(path_);
  const std::string before = content(path_);
  const pid_t pid = fork();
  if (pid == 0) {  // dies in the middle of a transaction that has reached the file
    Sqlite db{path_};
    db.run("PRAGMA cache_size = 5");
    db.run("BEGIN; UPDATE t SET v = 'second', pad = zeroblob(900)");
    _exit(0);
  }
  waitpid(pid, nullptr, 0);
  ASSERT_GT(std::filesystem::file_size(path_ + "-journal"), 0U);
  const std::string image = source().dump("live.db");
  EXPECT_EQ(in_image(image, "SELECT v, count(*), sum(length(pad)) FROM t GROUP BY v"), before);
}

TEST_F(SqliteFile, ABackupLeavesTheFilesAsTheyWere) {
  Sqlite db{path_};
  db.text("PRAGMA journal_mode = WAL");
  db.run("CREATE TABLE t (i); INSERT INTO t VALUES (1)");
  const std::string log = load(path_ + "-wal");
  const std::string bytes = load(path_);
  source().dump("live.db");
  EXPECT_EQ(load(path_ + "-wal"), log);
  EXPECT_EQ(load(path_), bytes);
  EXPECT_EQ(listing(), "live.db live.db-shm live.db-wal");
}

TEST_F(SqliteFile, AForbiddenFolderIsRefusedByAnyWayIntoIt) {
  std::filesystem::create_directory(file("private"));
  make(file("private/meta.db"));
  std::filesystem::create_directory_symlink(file("private"), file("way"));
  std::filesystem::create_symlink(file("private/meta.db"), file("link.db"));
  std::filesystem::create_hard_link(file("private/meta.db"), file("hard.db"));
  make(file("fine.db"));
  for (const char* name :
       {"private/meta.db", "way/meta.db", "link.db", "hard.db", "private/../private/meta.db"}) {
    path_ = file(name);
    const SourceBench bench = source({{"$forbiddenPaths", {file("private")}}});
    EXPECT_EQ(bench.test().status, DBACKUP_PERMISSION_DENIED) << name;
    FakeCall call;
    MemoryReader in{load(file("fine.db"))};
    EXPECT_EQ(bench.restore(call, {{"database", ""}}, in).status, DBACKUP_PERMISSION_DENIED)
        << name;
  }
  path_ = file("fine.db");
  EXPECT_TRUE(source({{"$forbiddenPaths", {file("private"), file("absent")}}}).test().ok());
}

TEST_F(SqliteFile, ReplacesContentAndKeepsModeOwnerAndCompanionsClean) {
  for (const char* journal : {"DELETE", "WAL"}) {
    make(path_, journal);
    const std::string image = source().dump("live.db");
    { Sqlite{path_}.run("UPDATE t SET v = 'second'"); }
    store(path_ + "-journal", "");
    ASSERT_EQ(chmod(path_.c_str(), 0640), 0);
    const bool root = geteuid() == 0;
    if (root) {
      ASSERT_EQ(chown(path_.c_str(), 1234, 4321), 0);
    }
    const Outcome ended = source().restore("live.db", image);
    ASSERT_TRUE(ended.ok()) << ended.text() << ended.detail;
    EXPECT_EQ(listing(), "live.db");
    EXPECT_EQ(content(path_).substr(0, 11), "first|2000|");
    struct stat found {};
    ASSERT_EQ(stat(path_.c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 07777U, 0640U);
    EXPECT_EQ(found.st_uid, root ? 1234U : geteuid());
    std::filesystem::remove(path_);
  }
}

TEST_F(SqliteFile, ALogOfTheOldContentNeverReachesTheNewOne) {
  make(path_, "WAL");
  const std::string image = source().dump("live.db");
  const pid_t pid = fork();
  if (pid == 0) {  // leaves a full log behind, as a crash would
    Sqlite db{path_};
    db.text("PRAGMA wal_autocheckpoint = 0");
    db.run("UPDATE t SET v = 'second'");
    _exit(0);
  }
  waitpid(pid, nullptr, 0);
  ASSERT_GT(std::filesystem::file_size(path_ + "-wal"), 0U);
  ASSERT_TRUE(source().restore("live.db", image).ok());
  EXPECT_EQ(content(path_).substr(0, 11), "first|2000|");
}

TEST_F(SqliteFile, RestoreIsRefusedWhileTheFileIsInUse) {
  for (const char* journal : {"DELETE", "WAL"}) {
    make(path_, journal);
    const std::string image = source().dump("live.db");
    {
      Sqlite user{path_};
      user.run("UPDATE t SET v = 'in use'");
      if (std::string_view{journal} == "DELETE") user.run("BEGIN; SELECT count(*) FROM t");
      const Outcome ended = source().restore("live.db", image);
      EXPECT_EQ(ended.status, DBACKUP_FAILED_PRECONDITION) << ended.text();
      EXPECT_NE(ended.message.find("in use"), std::string::npos) << ended.message;
      EXPECT_EQ(source().prepare({{"databases", {"live.db"}}}).status, DBACKUP_FAILED_PRECONDITION);
    }
    EXPECT_EQ(content(path_).substr(0, 12), "in use|2000|");
    std::filesystem::remove(path_);
  }
}

TEST_F(SqliteFile, AFileThatComesIntoUseMeanwhileIsLeftAlone) {
  make(path_, "WAL");
  const std::string image = source().dump("live.db");
  std::unique_ptr<Sqlite> user;
  FakeCall call;
  MemoryReader in{image, {.most_bytes = 100'000}};
  in.before_read([&](uint64_t nth) {
    if (nth != 5) return;
    user = std::make_unique<Sqlite>(path_);
    user->run("UPDATE t SET v = 'meanwhile'");
  });
  EXPECT_EQ(source().restore(call, {{"database", "live.db"}}, in).status,
            DBACKUP_FAILED_PRECONDITION);
  user.reset();
  EXPECT_EQ(content(path_).substr(0, 10), "meanwhile|");
  EXPECT_EQ(listing(), "live.db");
}

TEST_F(SqliteFile, DamagedBackupIsRefusedAndTheTargetStays) {
  make(path_);
  std::string image = source().dump("live.db");
  { Sqlite{path_}.run("UPDATE t SET v = 'kept'"); }
  const std::string cut = image.substr(0, image.size() - 4096);
  std::string broken = image;
  std::fill(broken.begin() + 40'960, broken.begin() + 49'152, '\x11');
  for (const std::string& bad :
       {cut, broken, std::string{"SQLite format 3"}, std::string(5000, 'x')}) {
    EXPECT_FALSE(source().restore("live.db", bad).ok());
    EXPECT_FALSE(source().restore("other.db", bad).ok());
    EXPECT_EQ(content(path_).substr(0, 10), "kept|2000|");
    EXPECT_EQ(listing(), "live.db");
  }
}

TEST_F(SqliteFile, ADamagedFileCanBeReplaced) {
  make(path_);
  const std::string image = source().dump("live.db");
  store(path_, std::string(9000, '\x5a'));
  ASSERT_TRUE(source().restore("live.db", image).ok());
  EXPECT_EQ(content(path_).substr(0, 11), "first|2000|");
}

TEST_F(SqliteFile, ANewNameIsANewFileBesideTheOld) {
  make(path_);
  const std::string image = source().dump("live.db");
  store(file("Über 'x' %20?.db-wal"), "a log that belongs to nothing");
  ASSERT_TRUE(source().restore("Über 'x' %20?.db", image).ok());
  EXPECT_EQ(content(file("Über 'x' %20?.db")), content(path_));
  for (const char* name : {"../up.db", "/tmp/abs.db", "a/b.db", "..", "live.db-wal"}) {
    EXPECT_EQ(source().restore(name, image).status, DBACKUP_INVALID_ARGUMENT) << name;
  }
}

TEST_F(SqliteFile, ALeftoverOfAKilledRestoreIsRemovedByTheNextOne) {
  make(path_);
  const std::string image = source().dump("live.db");
  store(file(".live.db.dbackup-0123456789abcdef"), "half");
  ASSERT_TRUE(source().restore("live.db", image).ok());
  EXPECT_EQ(listing(), "live.db");
}

TEST_F(SqliteFile, AnApplicationsOwnCollationDoesNotPreventARestore) {
  {
    Sqlite db{path_};
    const auto compare = [](void*, int, const void*, int, const void*) { return 0; };
    sqlite3_create_collation(db.raw(), "OWN", SQLITE_UTF8, nullptr, compare);
    db.run(
        "CREATE TABLE t (v TEXT COLLATE OWN PRIMARY KEY, pad); INSERT INTO t VALUES ('first', "
        "'x')");
  }
  const std::string image = source().dump("live.db");
  FakeCall call;
  MemoryReader in{image};
  const Outcome ended = source().restore(call, {{"database", "copy.db"}}, in);
  EXPECT_TRUE(ended.ok()) << ended.text() << ended.detail;
  ASSERT_FALSE(call.log_lines().empty());
}

}  // namespace
}  // namespace dbackup::testing
