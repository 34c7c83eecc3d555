#include <sys/mount.h>

#include <cerrno>
#include <cstring>

#include "tests/fault/faulty_run.hpp"

namespace dbackup::testing {
namespace {

/// A file system of a few MiB that is really full when it is full.
class SmallDisk {
 public:
  explicit SmallDisk(const std::string& path) : path_{path} {
    std::filesystem::create_directories(path_);
    is_mounted_ = ::mount("tmpfs", path_.c_str(), "tmpfs", 0, "size=4m") == 0;
  }
  ~SmallDisk() {
    if (is_mounted_) ::umount2(path_.c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  bool is_mounted() const { return is_mounted_; }

 private:
  std::string path_;
  bool is_mounted_ = false;
};

TEST(FullDisk, AtTheDestinationFailsTheRunSaysSoAndLeavesNothing) {
  FaultyRun f;
  const std::string small = f.folder / "small";
  const SmallDisk disk{small};
  if (!disk.is_mounted()) GTEST_SKIP() << "this user may not mount a tmpfs: " << std::strerror(errno);
  const std::string destination = f.server.create_adapter("storage", "local-filesystem", {{"basePath", small}}, "Small disk");
  const Json run = f.server.wait_for(f.server.run_job(f.job(f.source({{"size_bytes", 50'000'000}, {"compressibility", 0}}), destination)));
  EXPECT_EQ(run.at("status"), "Failed");
  const std::string error = run.at("error").get<std::string>();
  EXPECT_NE(error.find("No space left"), std::string::npos) << error;
  EXPECT_NE(error.find("Small disk"), std::string::npos) << error;
  EXPECT_TRUE(files_below(small).empty()) << "room is given back";
  EXPECT_TRUE(f.server.files(destination).empty());

  const Json fits = f.server.wait_for(f.server.run_job(f.job(f.source({{"size_bytes", 500'000}}), destination)));
  EXPECT_EQ(fits.at("status"), "Success") << fits.at("error");
}

}  // namespace
}  // namespace dbackup::testing
