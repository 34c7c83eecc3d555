#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <soci/soci.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <set>

#include "store/database.hpp"
#include "store/migrations.hpp"

namespace dbackup::host {
namespace {

class MigrationTest : public ::testing::Test {
 protected:
  MigrationTest() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "dbackup-migration-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
    database_ = open();
  }
  ~MigrationTest() override {
    database_.reset();
    std::filesystem::remove_all(directory_);
  }
  std::unique_ptr<Database> open() {
    return Database::open({.url = "sqlite://" + (directory_ / "metadata.db").string()});
  }

  std::filesystem::path directory_;
  std::unique_ptr<Database> database_;
};

TEST_F(MigrationTest, AreInOrderAndRunOnce) {
  EXPECT_TRUE(std::ranges::is_sorted(migrations(), {}, &Migration::name));
  EXPECT_NO_THROW(open());
}

TEST_F(MigrationTest, AddAStepThatWasWrittenBesideALaterOne) {
  const std::string early{migrations()[1].name};
  database_->write([&](Session& s) {
    s.raw() << "DELETE FROM schema_migrations WHERE name = :n", soci::use(early);
    s.raw() << "DROP TABLE audit_log";
  });
  open();
  std::set<std::string> names;
  database_->read([&](Session& s) {
    const soci::rowset<std::string> rows = s.raw().prepare << "SELECT name FROM schema_migrations";
    names.insert(rows.begin(), rows.end());
  });
  EXPECT_EQ(names.size(), migrations().size());
  EXPECT_TRUE(names.contains(early));
}

TEST_F(MigrationTest, RefuseASchemaThatIsNewerThanTheProgram) {
  database_->write([](Session& s) {
    s.raw() << "INSERT INTO schema_migrations (version, name) VALUES (9999, 'from the future')";
  });
  try {
    open();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::FailedPrecondition);
    EXPECT_THAT(error.what(), ::testing::HasSubstr("from the future"));
  }
}

}  // namespace
}  // namespace dbackup::host
