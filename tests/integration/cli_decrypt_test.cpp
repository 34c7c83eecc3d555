#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "tests/integration/cli_support.hpp"

// dbackup decrypt on files that the ordinary programs made: age, zstd, gzip, brotli.
namespace dbackup::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr size_t kPayloadNonce = 16;
constexpr size_t kSealedChunk = 64 * 1024 + 16;

/// Text and noise, several sealed chunks long.
std::string sample(size_t size) {
  std::mt19937 random{7};
  std::string out;
  while (out.size() < size) {
    out += "INSERT INTO orders VALUES (" + std::to_string(random()) + ", 'paid');\n";
    if (random() % 3 == 0) {
      for (int i = 0; i < 200; ++i) out += static_cast<char>(random());
    }
  }
  out.resize(size);
  return out;
}

class DecryptCommand : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new TemporaryFolder;
    write_file(*folder_ / "plain", sample(700'000));
    shell("cd " + folder_->path().string() +
          " && age-keygen -o id.txt 2>/dev/null && age-keygen -o other.txt 2>/dev/null"
          " && R=$(sed -n 's/^# public key: //p' id.txt)"
          " && zstd -q plain -o f.zst && gzip -c plain >f.gz && brotli -q 5 -c plain >f.br"
          " && for f in plain f.zst f.gz f.br; do age -r $R -o $f.age $f; done");
  }
  static void TearDownTestSuite() {
    delete folder_;
    folder_ = nullptr;
  }
  static std::string at(const std::string& name) { return *folder_ / name; }

  void SetUp() override { remove_output(); }
  static void remove_output() { std::filesystem::remove(at("out")); }

  /// decrypt FILE into "out" with the right identity.
  static ProgramResult open_to_file(const std::string& file, std::vector<std::string> more = {}) {
    std::vector<std::string> arguments{"decrypt", "--identity", at("id.txt"), "-o", at("out")};
    arguments.insert(arguments.end(), more.begin(), more.end());
    arguments.push_back(file);
    return dbackup(arguments);
  }
  /// What every refusal must look like: exit code 1, a sentence, and nothing that could be taken for a dump.
  static void expect_refused(const ProgramResult& result, const std::string& what) {
    EXPECT_EQ(result.exit_code, 1) << what << ": " << result.err;
    EXPECT_FALSE(result.err.empty()) << what;
    for (const auto& entry : std::filesystem::directory_iterator(folder_->path())) {
      EXPECT_FALSE(entry.path().filename().string().starts_with("out")) << what << " left " << entry.path();
    }
    remove_output();
  }
  static size_t header_size(const std::string& sealed) {
    const size_t mac = sealed.find("\n--- ");
    return sealed.find('\n', mac + 1) + 1;
  }

  static inline TemporaryFolder* folder_ = nullptr;
};

TEST_F(DecryptCommand, OpensWhatAgeAndACompressorMade) {
  const std::string plain = read_file(at("plain"));
  for (const char* name : {"f.zst.age", "f.gz.age", "f.br.age", "plain.age", "f.zst", "f.gz", "f.br"}) {
    remove_output();
    const auto opened = open_to_file(at(name), {"--decompress"});
    // A file that is not sealed needs no identity, and one given for it must not be ignored in silence.
    if (!std::string{name}.ends_with(".age")) {
      expect_refused(opened, name);
      EXPECT_EQ(dbackup({"decrypt", "--decompress", "-o", at("out"), at(name)}).exit_code, 0) << name;
    } else {
      EXPECT_EQ(opened.exit_code, 0) << name << ": " << opened.err;
    }
    EXPECT_EQ(read_file(at("out")), plain) << name;
  }
}

TEST_F(DecryptCommand, LeavesTheCompressionAloneUnlessAsked) {
  ASSERT_EQ(open_to_file(at("f.zst.age")).exit_code, 0);
  EXPECT_EQ(read_file(at("out")), read_file(at("f.zst")));
}

TEST_F(DecryptCommand, StreamsFromStandardInputToStandardOutput) {
  const auto opened = dbackup({"decrypt", "--identity", at("id.txt"), "--decompress", "-"}, {.stdin_file = at("f.zst.age")});
  EXPECT_EQ(opened.exit_code, 0) << opened.err;
  EXPECT_EQ(opened.out, read_file(at("plain")));
}

TEST_F(DecryptCommand, WritesAFileForItsOwnerAlone) {
  ASSERT_EQ(open_to_file(at("f.zst.age")).exit_code, 0);
  EXPECT_EQ(std::filesystem::status(at("out")).permissions(), std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST_F(DecryptCommand, TriesEveryIdentityOfTheFile) {
  shell("cat " + at("other.txt") + " " + at("id.txt") + " >" + at("both.txt"));
  EXPECT_EQ(dbackup({"decrypt", "--identity", at("both.txt"), "-o", at("out"), at("f.zst.age")}).exit_code, 0);
}

TEST_F(DecryptCommand, RefusesAnotherIdentity) {
  const auto result = dbackup({"decrypt", "--identity", at("other.txt"), "-o", at("out"), at("f.zst.age")});
  expect_refused(result, "another identity");
  EXPECT_THAT(result.err, HasSubstr("identit"));
}

TEST_F(DecryptCommand, AsksForTheIdentityOfASealedFile) {
  const auto result = dbackup({"decrypt", "-o", at("out"), at("f.zst.age")});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("--identity"));
}

TEST_F(DecryptCommand, NoticesEverySingleFlippedBit) {
  const std::string sealed = read_file(at("f.zst.age"));
  const size_t header = header_size(sealed);
  // Each byte of the header with one bit, then places of the payload: nonce, chunk borders, the last tag.
  std::vector<std::pair<size_t, int>> flips;
  for (size_t i = 0; i < header; ++i) flips.emplace_back(i, static_cast<int>(i % 7));
  for (const size_t offset : {header, header + kPayloadNonce - 1, header + kPayloadNonce, header + kPayloadNonce + kSealedChunk - 1,
                              header + kPayloadNonce + kSealedChunk, sealed.size() / 2, sealed.size() - 17, sealed.size() - 1}) {
    flips.emplace_back(offset, 0);
    flips.emplace_back(offset, 7);
  }
  for (const auto& [offset, bit] : flips) {
    std::string damaged = sealed;
    damaged[offset] = static_cast<char>(damaged[offset] ^ (1 << bit));
    write_file(at("damaged"), damaged);
    expect_refused(open_to_file(at("damaged"), {"--decompress"}), "bit " + std::to_string(bit) + " of byte " + std::to_string(offset));
  }
}

TEST_F(DecryptCommand, NoticesEveryCut) {
  const std::string sealed = read_file(at("f.zst.age"));
  const size_t payload = header_size(sealed) + kPayloadNonce;
  for (const size_t size : {size_t{0}, size_t{1}, size_t{21}, size_t{22}, payload - kPayloadNonce - 1, payload - kPayloadNonce, payload - 1, payload,
                            payload + 1, payload + 16, payload + kSealedChunk - 1, payload + kSealedChunk, payload + kSealedChunk + 1,
                            payload + 2 * kSealedChunk, sealed.size() - 16, sealed.size() - 1}) {
    write_file(at("damaged"), sealed.substr(0, size));
    expect_refused(open_to_file(at("damaged")), "cut to " + std::to_string(size));
    expect_refused(open_to_file(at("damaged"), {"--decompress"}), "cut to " + std::to_string(size) + ", decompressing");
  }
}

TEST_F(DecryptCommand, NoticesWhatWasAppendedOrMoved) {
  const std::string sealed = read_file(at("f.zst.age"));
  const size_t payload = header_size(sealed) + kPayloadNonce;
  std::string swapped = sealed;
  std::swap_ranges(swapped.begin() + static_cast<std::ptrdiff_t>(payload),
                   swapped.begin() + static_cast<std::ptrdiff_t>(payload + kSealedChunk),
                   swapped.begin() + static_cast<std::ptrdiff_t>(payload + kSealedChunk));
  for (const std::string& damaged : {sealed + "x", sealed + std::string(kSealedChunk, '\0'), sealed + sealed, swapped}) {
    write_file(at("damaged"), damaged);
    expect_refused(open_to_file(at("damaged")), "appended or moved");
  }
}

TEST_F(DecryptCommand, NoticesDamageWithinTheCompression) {
  const std::string recipient = shell("sed -n 's/^# public key: //p' " + at("id.txt"));
  for (const char* name : {"f.zst", "f.gz", "f.br"}) {
    const std::string whole = read_file(at(name));
    for (const std::string& damaged : {whole.substr(0, whole.size() - 1), whole.substr(0, whole.size() / 2), whole + "trailing"}) {
      write_file(at(name + std::string{".bad"}), damaged);
      // Named so that brotli, which has no magic, is known by its suffix.
      const std::string file = at(std::string{"bad"} + std::filesystem::path{name}.extension().string() + ".age");
      shell("age -r " + recipient.substr(0, recipient.find('\n')) + " -o " + file + " " + at(name + std::string{".bad"}));
      expect_refused(open_to_file(file, {"--decompress"}), std::string{name} + " of " + std::to_string(damaged.size()) + " bytes");
    }
  }
}

TEST_F(DecryptCommand, LeavesAnEarlierOutputAloneWhenItFails) {
  write_file(at("out"), "precious");
  write_file(at("damaged"), read_file(at("f.zst.age")).substr(0, 100'000));
  EXPECT_EQ(open_to_file(at("damaged")).exit_code, 1);
  EXPECT_EQ(read_file(at("out")), "precious");
}

TEST_F(DecryptCommand, WarnsOfAnIncompleteStandardOutput) {
  write_file(at("damaged"), read_file(at("f.zst.age")).substr(0, 200'000));
  const auto result = dbackup({"decrypt", "--identity", at("id.txt"), at("damaged")});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("not complete"));
}

TEST_F(DecryptCommand, SaysWhichFileIsMissing) {
  const auto result = open_to_file(at("nothing-here"));
  expect_refused(result, "a missing file");
  EXPECT_THAT(result.err, HasSubstr("nothing-here"));
  EXPECT_THAT(result.out, IsEmpty());
}

}  // namespace
}  // namespace dbackup::testing
