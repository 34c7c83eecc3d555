// The `age` program is the second reader and writer of every file (Debian package age).
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/unique_fd.hpp"
#include "tests/unit/crypto/age_support.hpp"

extern "C" char** environ;

namespace dbackup::host {
namespace {

using test::Bytes;
namespace fs = std::filesystem;

class AgeProgram : public testing::Test {
 protected:
  AgeProgram() {
    std::string name = (fs::temp_directory_path() / "dbackup-age-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    write("identity.txt", std::string{identity_.to_string().reveal()} + "\n");
  }
  ~AgeProgram() override { fs::remove_all(folder_); }

  void SetUp() override {
    if (!fs::exists("/usr/bin/age")) GTEST_SKIP() << "the program age is not installed";
  }

  fs::path path(const std::string& name) const { return folder_ / name; }
  void write(const std::string& name, std::string_view bytes) const {
    std::ofstream{path(name), std::ios::binary} << bytes;
  }
  Bytes read(const std::string& name) const {
    std::ifstream in{path(name), std::ios::binary};
    std::stringstream all;
    all << in.rdbuf();
    return test::to_bytes(all.str());
  }

  /// Exit status of the program; its standard output is appended to `output`.
  static int run(std::vector<std::string> words, std::string* output = nullptr) {
    auto pipe = make_pipe();
    const pid_t child = ::fork();
    if (child == 0) {
      ::dup2(pipe.write_end.get(), STDOUT_FILENO);
      std::vector<char*> argv;
      for (auto& word : words) argv.push_back(word.data());
      argv.push_back(nullptr);
      ::execve(argv[0], argv.data(), environ);
      ::_exit(127);
    }
    pipe.write_end.reset();
    char buffer[4096];
    for (ssize_t count = 0; (count = ::read(pipe.read_end.get(), buffer, sizeof buffer)) > 0;) {
      if (output != nullptr) output->append(buffer, static_cast<size_t>(count));
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  AgeIdentity identity_ = AgeIdentity::generate();
  fs::path folder_;
};

constexpr size_t kSizes[] = {0, 1, 65535, 65536, 65537, 3 * 65536, 1234567};

TEST_F(AgeProgram, OpensWhatWeSeal) {
  for (const size_t size : kSizes) {
    const Bytes plain = test::sample(size);
    const auto other = AgeIdentity::generate();
    write("x.age", test::as_text(test::seal(plain, {other.recipient(), identity_.recipient()})));
    ASSERT_EQ(
        run({"/usr/bin/age", "-d", "-i", path("identity.txt"), "-o", path("x"), path("x.age")}), 0)
        << size;
    EXPECT_EQ(read("x"), plain) << size;
  }
}

TEST_F(AgeProgram, SealsWhatWeOpen) {
  for (const size_t size : kSizes) {
    const Bytes plain = test::sample(size);
    write("y", test::as_text(plain));
    ASSERT_EQ(run({"/usr/bin/age", "-r", AgeIdentity::generate().recipient().to_string(), "-r",
                   identity_.recipient().to_string(), "-o", path("y.age"), path("y")}),
              0);
    const auto opened = test::open(read("y.age"), {identity_}, 5000);
    EXPECT_TRUE(opened.ok()) << size << ": " << opened.reason();
    EXPECT_EQ(opened.plain, plain) << size;
  }
}

TEST_F(AgeProgram, DerivesTheSameRecipient) {
  std::string recipient;
  ASSERT_EQ(run({"/usr/bin/age-keygen", "-y", path("identity.txt")}, &recipient), 0);
  EXPECT_EQ(recipient, identity_.recipient().to_string() + "\n");
}

TEST_F(AgeProgram, MakesIdentitiesWeRead) {
  ASSERT_EQ(run({"/usr/bin/age-keygen", "-o", path("made.txt")}), 0);
  const auto made = parse_age_identities(test::as_text(read("made.txt")));
  ASSERT_EQ(made.size(), 1U);
  std::string recipient;
  ASSERT_EQ(run({"/usr/bin/age-keygen", "-y", path("made.txt")}, &recipient), 0);
  EXPECT_EQ(recipient, made[0].recipient().to_string() + "\n");
}

}  // namespace
}  // namespace dbackup::host
