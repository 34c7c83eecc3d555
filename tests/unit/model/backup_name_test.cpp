#include "model/backup_name.hpp"

#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "base/encoding.hpp"
#include "base/error.hpp"

namespace dbackup::host {
namespace {

TEST(JobFolder, EncodesOnlyWhatAFolderMustNotHave) {
  EXPECT_EQ(job_folder("Nightly shop"), "Nightly shop");
  EXPECT_EQ(job_folder("a/b\\c%d"), "a%2Fb%5Cc%25d");
  EXPECT_EQ(job_folder(".hidden"), "%2Ehidden");
  EXPECT_EQ(job_folder(".."), "%2E%2E");
  EXPECT_EQ(job_folder("."), "%2E");
  EXPECT_EQ(job_folder("dot.inside"), "dot.inside");
  EXPECT_EQ(job_folder("v1..v2...x"), "v1.%2Ev2.%2E%2Ex");
  EXPECT_EQ(job_folder("end."), "end%2E");
  EXPECT_EQ(job_folder("end "), "end%20");
  EXPECT_EQ(job_folder("a\tb\x7f"), "a%09b%7F");
  EXPECT_EQ(job_folder("Büro"), "Büro");
}

TEST(JobFolder, IsReversible) {
  for (const char* name : {"a/b\\c%d", "..", "v1..v2", "x ", "Büro %2F", "plain"})
    EXPECT_EQ(decode_path_component(job_folder(name)), name);
  EXPECT_EQ(decode_path_component("%zz"), std::nullopt);
}

TEST(JobFolder, KeepsLongNamesApartWithinTheLimit) {
  std::set<std::string> folders;
  for (const char* unit : {"/", "😀", "é", "a/"}) {
    for (const char* end : {"x", "y"}) {
      std::string name;
      for (int i = 0; i < 99; ++i) name += unit;
      const std::string folder = job_folder(name + end);
      EXPECT_LE(folder.size(), kMaxPathComponentBytes);
      EXPECT_TRUE(is_text(folder));
      EXPECT_TRUE(folder.size() < 250 || decode_path_component(folder)) << folder;
      folders.insert(folder);
    }
  }
  EXPECT_EQ(folders.size(), 8U);
}

TEST(BackupName, PutsItsSuffixesInTheOrderInWhichTheyAreTakenOff) {
  BackupName name{.stem = "shop_2026-03-09",
                  .extension = "dump",
                  .compression = Compression::Zstd,
                  .sealed = true};
  EXPECT_EQ(name.file_name(), "shop_2026-03-09.dump.zst.age");
  EXPECT_EQ(name.file_name(2), "shop_2026-03-09-2.dump.zst.age");
  EXPECT_EQ(backup_path("Nightly/shop", name, 3), "Nightly%2Fshop/shop_2026-03-09-3.dump.zst.age");
  name.sealed = false;
  name.compression = Compression::None;
  EXPECT_EQ(name.file_name(), "shop_2026-03-09.dump");
}

TEST(BackupName, IsReadBackFromEveryNameItWrites) {
  for (const CompressionRow& row : compressions()) {
    for (const bool sealed : {false, true}) {
      const BackupName name{
          .stem = "a.b/c", .extension = "sql", .compression = row.compression, .sealed = sealed};
      const auto read = parse_backup_name(name.file_name());
      ASSERT_TRUE(read);
      EXPECT_EQ(read->stem, name.stem);
      EXPECT_EQ(read->extension, name.extension);
      EXPECT_EQ(read->compression, name.compression);
      EXPECT_EQ(read->sealed, sealed);
    }
  }
  EXPECT_FALSE(parse_backup_name(""));
  EXPECT_EQ(parse_backup_name("README")->extension, "");
  EXPECT_EQ(parse_backup_name(".age")->sealed, false);
}

TEST(BackupName, LeavesRoomForItsSidecarAndTemporaryName) {
  for (const char* unit : {"a", "é", "/"}) {
    BackupName name{
        .stem = {}, .extension = "dump", .compression = Compression::Brotli, .sealed = true};
    for (int i = 0; i < 300; ++i) name.stem += unit;
    const std::string file = name.file_name(17);
    EXPECT_LE(file.size() + kSidecarSuffix.size() + kTemporaryNameBytes, kMaxPathComponentBytes);
    EXPECT_TRUE(file.ends_with("-17.dump.br.age"));
    EXPECT_TRUE(is_text(file));
    EXPECT_TRUE(decode_path_component(file)) << file;
    EXPECT_NE(file, name.file_name(18));
  }
}

TEST(BackupName, RefusesAnExtensionThatLeadsElsewhere) {
  // No path that has ".." is taken: neither inside nor where a cut stem meets its extension.
  for (const std::string& stem : {std::string{"a..b"}, std::string{"..."}, "a.b." + std::string(200, 'x')}) {
    for (size_t extra = 0; extra < 60; ++extra) {
      const BackupName name{.stem = stem + std::string(extra, '.'), .extension = "sql"};
      EXPECT_EQ(name.file_name(2).find(".."), std::string::npos) << name.file_name(2);
    }
  }
  const std::vector<std::string> bad = {"../../x", "a/b", ".x", "a b", std::string(250, 'x')};
  for (const std::string& extension : bad)
    EXPECT_THROW((BackupName{.stem = "s", .extension = extension}.file_name()), Error);
}

TEST(DownloadName, LosesTheSuffixesOfWhatWasUndone) {
  EXPECT_EQ(without_sealed_suffix("x.dump.zst.age"), "x.dump.zst");
  EXPECT_EQ(without_sealed_suffix("x.dump.zst"), "x.dump.zst");
  EXPECT_EQ(without_codec_suffixes("x.dump.zst.age"), "x.dump");
  EXPECT_EQ(without_codec_suffixes("x.sql.gz"), "x.sql");
  EXPECT_EQ(without_codec_suffixes("x.sql"), "x.sql");
  EXPECT_EQ(base_name("job/x.dump"), "x.dump");
  EXPECT_EQ(base_name("x.dump"), "x.dump");
  EXPECT_TRUE(is_sidecar_path(sidecar_path("job/x.dump")));
  EXPECT_FALSE(is_sidecar_path("job/x.dump"));
}

}  // namespace
}  // namespace dbackup::host
