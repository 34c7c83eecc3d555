#include "services/recovery_kit.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "base/json.hpp"
#include "services/audit_log.hpp"
#include "tests/unit/services/test_database.hpp"

namespace dbackup::host {
namespace {

struct Kits : testing::TestDatabase {
  AuditLog audit{*database, clock};
  EncryptionProfileService profiles{*database, clock, box, audit};
  RecoveryKitService kits{*database, clock, profiles, audit};
  testing::TempFolder work;

  int sh(const std::string& script) const {
    const std::string line =
        "cd '" + work.path().string() + "' && { " + script + " ; } >/dev/null 2>&1";
    return WEXITSTATUS(std::system(line.c_str()));
  }
  std::string read(const std::string& name) const {
    std::ifstream in{work.file(name), std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
  }
  void unpack(const std::vector<std::string>& ids) {
    std::ofstream{work.file("kit.zip"), std::ios::binary} << kits.make({.name = "tester"}, ids).zip;
    ASSERT_EQ(sh("python3 -m zipfile -e kit.zip kit && chmod +x kit/recover.sh"), 0);
  }
};

TEST(RecoveryKit, OpensASealedFileWithThePublicPrograms) {
  Kits kit;
  const auto profile = kit.profiles.create({}, {.name = "Main Vault!"}).profile;
  kit.unpack({profile.id});
  const std::string seal = "age -r " + profile.identities[0].recipient;
  ASSERT_EQ(kit.sh("seq 1 200000 > plain.dump && zstd -q -c plain.dump | " + seal +
                   " > x.dump.zst.age"
                   " && gzip -c plain.dump | " +
                   seal + " > y.sql.gz.age && " + seal +
                   " < plain.dump > z.db.age"
                   " && zstd -q plain.dump -o open.dump.zst"),
            0);
  for (const char* file : {"x.dump.zst.age", "y.sql.gz.age", "z.db.age", "open.dump.zst"}) {
    EXPECT_EQ(
        kit.sh(std::string{"kit/recover.sh "} + file + " out && cmp out plain.dump && rm out"), 0)
        << file;
  }
  EXPECT_EQ(kit.sh("kit/recover.sh x.dump.zst.age && cmp x.dump plain.dump"), 0) << "default name";
}

TEST(RecoveryKit, GivesNoOutputForDamagedOrForeignFiles) {
  Kits kit;
  const auto profile = kit.profiles.create({}, {.name = "a"}).profile;
  const auto other = kit.profiles.create({}, {.name = "b"}).profile;
  kit.unpack({profile.id});
  ASSERT_EQ(kit.sh("seq 1 200000 | zstd -q | age -r " + profile.identities[0].recipient +
                   " > x.dump.zst.age"
                   " && head -c 100000 x.dump.zst.age > cut.dump.zst.age"
                   " && seq 1 9 | age -r " +
                   other.identities[0].recipient + " > foreign.db.age"),
            0);
  for (const char* file : {"cut.dump.zst.age", "foreign.db.age", "missing.age"}) {
    EXPECT_EQ(kit.sh(std::string{"kit/recover.sh "} + file + " out"), 1) << file;
    EXPECT_EQ(kit.sh("test ! -e out && test ! -e out.partial"), 0) << file;
  }
  EXPECT_EQ(kit.sh("echo keep > out; kit/recover.sh x.dump.zst.age out"), 1)
      << "overwrites nothing";
  EXPECT_EQ(kit.read("out"), "keep\n");
}

TEST(RecoveryKit, HoldsOneFileForEachOfSeveralProfiles) {
  Kits kit;
  const auto first = kit.profiles.create({}, {.name = "Büro A"}).profile;
  const auto second = kit.profiles.create({}, {.name = "B__ro A"}).profile;
  EXPECT_EQ(kit.kits.make({}, {first.id}).file_name, "recovery_kit_b__ro_a.zip");
  EXPECT_EQ(kit.kits.make({}, {first.id, second.id, first.id}).file_name,
            "recovery_kit_2_profiles.zip");
  kit.unpack({first.id, second.id});
  const Json index = Json::parse(kit.read("kit/keys/keys.json"));
  ASSERT_EQ(index["keys"].size(), 2u);
  EXPECT_NE(index["keys"][0]["file"], index["keys"][1]["file"]);
  ASSERT_EQ(kit.sh("seq 1 99 | age -r " + second.identities[0].recipient + " > s.db.age"), 0);
  EXPECT_EQ(kit.sh("kit/recover.sh s.db.age && seq 1 99 | cmp - s.db"), 0);
}

TEST(RecoveryKit, IsRefusedForProfilesWhoseKeyIsElsewhere) {
  Kits kit;
  const auto with_key = kit.profiles.create({}, {.name = "a"}).profile;
  const auto write_only = kit.profiles
                              .create({}, {.name = "w",
                                           .recipients = {with_key.identities[0].recipient},
                                           .write_only = true})
                              .profile;
  EXPECT_THROW(kit.kits.make({}, {write_only.id}), Error);
  EXPECT_THROW(kit.kits.make({}, {"unknown"}), Error);
  EXPECT_THROW(kit.kits.make({}, std::vector<std::string>{}), Error);
}

}  // namespace
}  // namespace dbackup::host
