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

/// Writes until nothing fits any more.
void fill(const std::string& file) {
  std::ofstream out{file, std::ios::binary};
  const std::string block(4096, 'x');
  while (out.write(block.data(), static_cast<std::streamsize>(block.size())).flush()) {
  }
}

TEST(FullDisk, UnderTheMetadataLosesNothingAndIsOverOnceThereIsRoom) {
  TempFolder folder;
  const SmallDisk disk{folder / "small"};
  if (!disk.is_mounted()) GTEST_SKIP() << "this user may not mount a tmpfs: " << std::strerror(errno);
  FaultyRun f{{{"DBACKUP_DATA_DIR", folder / "small/data"}}};
  const std::string job = f.job(f.source({{"wait_at_byte", 4'000'000}}));
  const std::string execution = f.server.run_job(job);
  f.wait_until_streaming(execution);
  fill(folder / "small/filler");

  // What needs room is refused with the reason, again and again; what does not goes on.
  bool was_refused = false;
  for (int i = 0; i < 400 && !was_refused; ++i) {
    const Answer answer = f.server.post("/api/adapters", {{"name", "Adapter " + std::to_string(i)},
                                                          {"type", "database"},
                                                          {"adapterId", "synthetic"},
                                                          {"config", Json::object()}});
    was_refused = answer.status == 507;
    EXPECT_TRUE(was_refused || answer.status == 201) << answer.status << answer.body;
    if (was_refused) {
      EXPECT_NE(answer.body.find("full"), std::string::npos) << answer.body;
    }
  }
  EXPECT_TRUE(was_refused);
  EXPECT_EQ(f.server.post("/api/jobs/" + job + "/run").status, 507);
  EXPECT_EQ(f.server.get("/api/jobs").status, 200);
  EXPECT_EQ(f.server.get("/api/executions/" + execution).json()["data"]["status"], "Running");
  for (const pid_t worker : f.server.descendants()) ::kill(worker, SIGKILL);
  EXPECT_TRUE(wait_until([&] { return f.server.log().find("cannot be written yet") != std::string::npos; }));

  std::filesystem::remove(folder / "small/filler");
  const Json run = f.server.wait_for(execution);
  EXPECT_EQ(run.at("status"), "Failed");
  EXPECT_NE(run.at("error").get<std::string>().find("signal 9"), std::string::npos) << run.at("error");
  f.expect_nothing_left();
  f.expect_others_work();
  f.server.stop();
  const auto [status, words] = run_program({"sqlite3", folder / "small/data/private/metadata.db", "PRAGMA integrity_check"});
  EXPECT_EQ(words, "ok\n");
}

}  // namespace
}  // namespace dbackup::testing
