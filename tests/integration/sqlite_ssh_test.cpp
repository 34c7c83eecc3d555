#include "tests/integration/sqlite_test_base.hpp"
#include "tests/integration/ssh_source_base.hpp"

namespace dbackup::test {
namespace {

using dbackup::testing::Sqlite;
using host::ErrorCode;
using host::Json;
using ::testing::HasSubstr;

class SqliteOverSsh : public SshSource {
 protected:
  SqliteOverSsh() {
    Sqlite database{file("it's a db.sqlite")};
    database.run("PRAGMA journal_mode = WAL; CREATE TABLE \"t|x\" (id INTEGER PRIMARY KEY, v)");
    database.run(
        "WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) "
        "INSERT INTO \"t|x\" SELECT i, 'row|' || i || char(10) || '''' FROM n");
    database.run("INSERT INTO \"t|x\" VALUES (9001, x'00ff'), (9002, NULL)");
  }

  std::string file(const std::string& name) const { return folder_ / name; }
  host::protocol::AdapterRef source() const {
    return ref("sqlite", {{"mode", "ssh"},
                          {"path", file("it's a db.sqlite")},
                          {"host", ssh_->host()},
                          {"port", ssh_->port()},
                          {"username", ssh_->user()},
                          {"authType", "privateKey"},
                          {"privateKey", ssh_->key()}});
  }
  std::string dumped() {
    StringSink out;
    open(source())->dump({.database = "it's a db.sqlite"}, out);
    return std::move(out.text);
  }
  std::string content(const std::string& name) const {
    return Sqlite{file(name)}.text("SELECT id, quote(v) FROM \"t|x\" ORDER BY id");
  }
  /// Where a program writes that was killed: a file, and committed rows in its log alone.
  void leave_a_log(const std::string& name) const {
    Sqlite writer{file("it's a db.sqlite")};
    writer.run("PRAGMA wal_autocheckpoint = 0; INSERT INTO \"t|x\" VALUES (9003, 'in the log')");
    for (const char* suffix : {"", "-wal"}) {
      std::filesystem::copy(file("it's a db.sqlite") + suffix, file(name) + suffix);
    }
    ASSERT_GT(std::filesystem::file_size(file(name) + "-wal"), 0U);
  }
  /// A sqlite3 whose shell finds `program` to be this script.
  std::string sqlite_with(const std::string& program, const std::string& script) const {
    write_script(file("bin-" + program), script, program);
    write_script(file("tools"), "PATH=" + file("bin-" + program) + ":$PATH exec sqlite3 \"$@\"",
                 "sqlite3");
    return file("tools/sqlite3");
  }
  static void write_script(const std::filesystem::path& folder, const std::string& script,
                           const std::string& name) {
    std::filesystem::create_directory(folder);
    std::ofstream{folder / name} << "#!/bin/sh\n" << script << "\n";
    std::filesystem::permissions(folder / name, std::filesystem::perms{0755});
  }
  size_t files() const {
    return static_cast<size_t>(
        std::distance(std::filesystem::directory_iterator{folder_ / ""}, {}));
  }

  TemporaryFolder folder_;
};

TEST_F(SqliteOverSsh, RestoresWhatItDumped) {
  const Sqlite writer{file("it's a db.sqlite")};  // open meanwhile, as an application has it
  const std::string dump = dumped();
  ASSERT_TRUE(dump.starts_with("SQLite format 3"));
  auto target = open(source());
  host::TextSource in{dump};
  target->prepare_restore({"a copy.db"}, {});
  target->restore({.database = "a copy.db", .token = "token-1"}, in);
  EXPECT_EQ(content("a copy.db"), content("it's a db.sqlite"));
}

TEST_F(SqliteOverSsh, ReplacesTheFileAtOnceAndKeepsItsMode) {
  const std::string dump = dumped();
  const std::string before = content("it's a db.sqlite");
  Sqlite{file("it's a db.sqlite")}.run("DELETE FROM \"t|x\"");
  std::filesystem::permissions(file("it's a db.sqlite"), std::filesystem::perms{0640});
  host::TextSource in{dump};
  open(source())->restore({.database = "", .token = "token-2"}, in);
  EXPECT_EQ(content("it's a db.sqlite"), before);
  EXPECT_EQ(std::filesystem::status(file("it's a db.sqlite")).permissions(),
            std::filesystem::perms{0640});
}

TEST_F(SqliteOverSsh, RefusesAFileThatIsInUse) {
  const std::string dump = dumped();
  Sqlite user{file("it's a db.sqlite")};
  user.text("SELECT count(*) FROM \"t|x\"");
  host::TextSource in{dump};
  const auto refused = failure([&] { open(source())->restore({.token = "token-3"}, in); });
  EXPECT_EQ(refused.code(), ErrorCode::FailedPrecondition) << refused.what();
  EXPECT_THAT(refused.what(), HasSubstr("in use"));
}

TEST_F(SqliteOverSsh, RefusesADamagedBackupAndLeavesTheFileAsItWas) {
  std::string dump = dumped();
  const std::string before = content("it's a db.sqlite");
  for (const std::string& bad : {dump.substr(0, dump.size() - 4096), [&] {
                                   std::string flipped = dump;
                                   flipped.replace(8192, 4096, std::string(4096, '\x55'));
                                   return flipped;
                                 }()}) {
    host::TextSource in{bad};
    const auto refused = failure([&] { open(source())->restore({.token = "token-4"}, in); });
    EXPECT_EQ(refused.code(), ErrorCode::DataLoss) << refused.what();
    EXPECT_EQ(content("it's a db.sqlite"), before);
  }
}

TEST_F(SqliteOverSsh, KeepsEveryRowWhenTheNewFileCannotTakeItsPlace) {
  const std::string dump = dumped();
  leave_a_log("killed.db");
  auto target = source();
  target.config["sqliteBinaryPath"] = sqlite_with("mv", "echo 'mv: not permitted' >&2; exit 1");
  host::TextSource in{dump};
  const auto failed =
      failure([&] { open(target)->restore({.database = "killed.db", .token = "token-6"}, in); });
  EXPECT_EQ(failed.code(), ErrorCode::Aborted) << failed.what();
  EXPECT_THAT(failed.what(), HasSubstr("mv: not permitted"));
  EXPECT_THAT(content("killed.db"), HasSubstr("9003|'in the log'"));
  EXPECT_THAT(content("killed.db"), HasSubstr("9001|"));
}

TEST_F(SqliteOverSsh, ReplacesAFileWithALeftoverLog) {
  const std::string dump = dumped();
  leave_a_log("killed.db");
  host::TextSource in{dump};
  open(source())->restore({.database = "killed.db", .token = "token-7"}, in);
  EXPECT_THAT(content("killed.db"), ::testing::Not(HasSubstr("9003")));
  EXPECT_THAT(content("killed.db"), HasSubstr("9002|NULL"));
}

TEST_F(SqliteOverSsh, ReplacesNothingThatItCannotHold) {
  const std::string dump = dumped();
  leave_a_log("foreign.db");
  auto target = source();
  write_script(file("tools"),
               "case $* in *'BEGIN EXCLUSIVE'*) echo 'Error: disk I/O error' >&2; exit 1;; esac\n"
               "exec sqlite3 \"$@\"",
               "sqlite3");
  target.config["sqliteBinaryPath"] = file("tools/sqlite3");
  host::TextSource in{dump};
  const auto failed =
      failure([&] { open(target)->restore({.database = "foreign.db", .token = "token-8"}, in); });
  EXPECT_EQ(failed.code(), ErrorCode::Aborted) << failed.what();
  EXPECT_THAT(failed.what(), HasSubstr("disk I/O error"));
  EXPECT_THAT(content("foreign.db"), HasSubstr("9003|'in the log'"));
}

TEST_F(SqliteOverSsh, ReplacesADamagedFile) {
  const std::string dump = dumped();
  std::filesystem::copy(file("it's a db.sqlite"), file("cut.db"));
  std::filesystem::resize_file(file("cut.db"), 8192);
  std::filesystem::copy(file("it's a db.sqlite"), file("scribbled.db"));
  std::fstream{file("scribbled.db")}.seekp(100) << std::string(3996, 'x');
  std::ofstream{file("none.db")} << std::string(20'000, 'x');
  for (const char* name : {"cut.db", "scribbled.db", "none.db"}) {
    host::TextSource in{dump};
    open(source())->restore({.database = name, .token = "token-9"}, in);
    EXPECT_EQ(content(name), content("it's a db.sqlite")) << name;
  }
}

TEST_F(SqliteOverSsh, NamesAFileThatIsNotThere) {
  std::filesystem::remove(file("it's a db.sqlite"));
  const auto missing = failure([&] { dumped(); });
  EXPECT_EQ(missing.code(), ErrorCode::NotFound);
  EXPECT_THAT(missing.what(), HasSubstr("it's a db.sqlite"));
  EXPECT_FALSE(std::filesystem::exists(file("it's a db.sqlite")));
}

TEST_F(SqliteOverSsh, ShowsTablesAndRows) {
  auto there = open(source());
  EXPECT_THAT(host::get_string(there->test(), "version").value_or(""), HasSubstr("3."));
  std::vector<Json> items;
  const auto take = [&](const Json& item) { items.push_back(item); };
  there->list_databases(take);
  ASSERT_EQ(items.size(), 1U);
  EXPECT_EQ(items[0].at("tableCount"), 1);
  items.clear();
  there->tables("it's a db.sqlite", take);
  ASSERT_EQ(items.size(), 1U);
  EXPECT_EQ(items[0], Json({{"name", "t|x"}, {"type", "table"}, {"rowCount", 5002}}));
  items.clear();
  there->rows({{"database", "it's a db.sqlite"},
               {"table", "t|x"},
               {"pageSize", 3},
               {"sortBy", "id"},
               {"sortDir", "desc"}},
              take);
  ASSERT_EQ(items.size(), 4U);
  EXPECT_EQ(items[0].at("totalCount"), 5002);
  EXPECT_TRUE(items[1].at("v").is_null());
  EXPECT_EQ(items[2].at("v"), "\\x00ff");
  EXPECT_EQ(items[3].at("v"), "row|5000\n'");
  items.clear();
  there->rows({{"database", ""}, {"table", "t|x"}, {"pageSize", 50}, {"search", "|77\n'"}}, take);
  EXPECT_EQ(items.at(0).at("totalCount"), 1);
  EXPECT_EQ(failure([&] {
              there->rows({{"table", "nope"}, {"pageSize", 1}}, take);
            }).code(),
            ErrorCode::NotFound);
}

TEST_F(SqliteOverSsh, FailsWhenTheConnectionIsCutInTheMiddleOfADump) {
  StringSink out;
  bool cut = false;
  out.on_write = [&](size_t) {
    if (!std::exchange(cut, true)) ssh_->kill_connections();
  };
  Sqlite{file("it's a db.sqlite")}.run("CREATE TABLE big AS SELECT randomblob(30000000) AS b");
  const auto lost = failure([&] { open(source())->dump({.database = ""}, out); });
  EXPECT_TRUE(cut);
  EXPECT_EQ(lost.code(), ErrorCode::Unavailable) << lost.what();
  EXPECT_THAT(lost.what(), HasSubstr("was lost"));
}

TEST_F(SqliteOverSsh, LeavesTheFileAsItWasWhenTheConnectionIsCutInTheMiddleOfARestore) {
  const std::string dump = dumped();
  const std::string before = content("it's a db.sqlite");
  const size_t count = files();
  HalfwaySource in{dump, [] { ssh_->kill_connections(); }};
  const auto lost = failure([&] { open(source())->restore({.token = "token-5"}, in); });
  EXPECT_EQ(lost.code(), ErrorCode::Unavailable) << lost.what();
  EXPECT_EQ(content("it's a db.sqlite"), before);
  open(source())->cleanup_restore("", "token-5", {});
  EXPECT_LE(files(), count + 2);  // -wal and -shm of the reading above
}

}  // namespace
}  // namespace dbackup::test
