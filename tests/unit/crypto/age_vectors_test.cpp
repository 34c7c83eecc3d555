// Runs the vectors of tests/data/age-testkit; their README says what the keys mean.
#include <gmock/gmock.h>
#include <zlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "crypto/hash.hpp"
#include "tests/unit/crypto/age_support.hpp"
#include "tests/support/paths.hpp"

namespace dbackup::host {
namespace {

using test::Bytes;

struct Vector {
  std::string name;
  std::multimap<std::string, std::string> keys;
  Bytes file;

  std::string value(const std::string& key) const {
    const auto found = keys.find(key);
    return found == keys.end() ? "" : found->second;
  }
  /// Empty when the vector applies to DBackup.
  std::string skip_reason() const {
    if (keys.contains("armored")) return "armor";
    if (keys.contains("passphrase")) return "passphrase";
    const auto [first, last] = keys.equal_range("identity");
    if (std::any_of(first, last,
                    [](const auto& key) { return key.second.starts_with("AGE-SECRET-KEY-PQ-"); })) {
      return "hybrid";
    }
    return {};
  }
  std::vector<AgeIdentity> identities() const {
    std::vector<AgeIdentity> all;
    const auto [first, last] = keys.equal_range("identity");
    for (auto it = first; it != last; ++it) all.push_back(AgeIdentity::parse(it->second));
    return all;
  }
};

std::string inflate_all(std::string_view packed) {
  std::string out(size_t{32} << 20, '\0');
  uLongf size = out.size();
  const int result = uncompress(reinterpret_cast<Bytef*>(out.data()), &size,
                                reinterpret_cast<const Bytef*>(packed.data()), packed.size());
  if (result != Z_OK) throw std::runtime_error{"a vector cannot be unpacked"};
  out.resize(size);
  return out;
}

Vector load(const std::filesystem::path& path) {
  std::ifstream in{path, std::ios::binary};
  std::stringstream all;
  all << in.rdbuf();
  const std::string text = all.str();
  const size_t border = text.find("\n\n");
  Vector vector{.name = path.filename(), .keys = {}, .file = {}};
  std::istringstream head{text.substr(0, border)};
  for (std::string line; std::getline(head, line);) {
    const size_t colon = line.find(": ");
    vector.keys.emplace(line.substr(0, colon), line.substr(colon + 2));
  }
  const std::string body = text.substr(border + 2);
  vector.file = test::to_bytes(vector.keys.contains("compressed") ? inflate_all(body) : body);
  return vector;
}

const std::vector<Vector>& vectors() {
  static const std::vector<Vector> all = [] {
    std::vector<Vector> loaded;
    for (const auto& entry :
         std::filesystem::directory_iterator{::dbackup::test::source_dir() + "/tests/data/age-testkit"}) {
      if (entry.path().filename() != "README.md") loaded.push_back(load(entry.path()));
    }
    return loaded;
  }();
  return all;
}

/// The outcome in the words of the vectors.
std::string outcome(const test::Opened& opened) {
  if (opened.ok()) return "success";
  if (opened.reason() == "encryption_key_required") return "no match";
  EXPECT_EQ(opened.error->code(), ErrorCode::DataLoss) << opened.error->what();
  if (opened.reason() == "age_header_mac") return "HMAC failure";
  if (opened.reason() == "age_header") return "header failure";
  return "payload failure";
}

/// Opens every vector that applies, handing over `step` bytes at a time; returns how many there
/// were.
int run_all(size_t step) {
  int count = 0;
  for (const auto& vector : vectors()) {
    if (!vector.skip_reason().empty()) continue;
    ++count;
    SCOPED_TRACE(vector.name);
    const auto opened = test::open(vector.file, vector.identities(), step);
    EXPECT_EQ(outcome(opened), vector.value("expect"));
    const std::string released = sha256_hex(test::as_text(opened.plain));
    const std::string expected = vector.value("payload");
    EXPECT_EQ(released, expected.empty() ? sha256_hex("") : expected);
  }
  return count;
}

TEST(AgeVectors, AllThatApplyGiveTheExpectedOutcomeAndPlaintext) {
  EXPECT_EQ(run_all(SIZE_MAX), 67);
}

TEST(AgeVectors, AllThatApplyGiveTheSameWhenFedByteByByte) { EXPECT_EQ(run_all(1), 67); }

TEST(AgeVectors, SkippedOnesAreKnownByReason) {
  std::map<std::string, int> skipped;
  for (const auto& vector : vectors()) {
    if (!vector.skip_reason().empty()) ++skipped[vector.skip_reason()];
  }
  const std::map<std::string, int> expected{{"armor", 33}, {"passphrase", 25}, {"hybrid", 18}};
  EXPECT_EQ(skipped, expected);
  EXPECT_EQ(vectors().size(), 143U);
}

TEST(AgeVectors, FilesForOtherKindsOfKeyAreNeverOpened) {
  const std::vector<AgeIdentity> identities{AgeIdentity::generate()};
  for (const auto& vector : vectors()) {
    if (vector.skip_reason().empty()) continue;
    EXPECT_FALSE(test::open(vector.file, identities).ok()) << vector.name;
  }
}

}  // namespace
}  // namespace dbackup::host
