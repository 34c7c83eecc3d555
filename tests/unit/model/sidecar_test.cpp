#include "model/sidecar.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "base/error.hpp"
#include "base/json.hpp"
#include "crypto/hash.hpp"
#include "tests/support/paths.hpp"

namespace dbackup::host {
namespace {

const std::string kKey(32, '\x07');
constexpr const char* kKeyId = "0123456789abcdef";

std::string golden(const std::string& name) {
  std::ifstream file{::dbackup::test::source_dir() + "/tests/data/sidecar/" + name};
  EXPECT_TRUE(file.good()) << name;
  return {std::istreambuf_iterator<char>{file}, {}};
}

Sidecar example() {
  Sidecar sidecar;
  sidecar.execution_id = "6f2d1a34-2f0e-4a55-9a3f-0d9f5c1b7e21";
  sidecar.job_id = "9b0c4a7e-54fb-4b5e-8a2c-3a1f6f0f4d10";
  sidecar.job_name = "Nightly Büro";
  sidecar.source_name = "Shop";
  sidecar.source_type = "postgres";
  sidecar.source_id = "1d6c2b6a-3f2b-4b6e-9a77-c0a8a4b6f001";
  sidecar.database_count = 1;
  sidecar.database_names = {"shop"};
  sidecar.engine_version = "15.14";
  sidecar.timestamp = "2026-03-09T02:00:04.117Z";
  sidecar.original_file_name = "shop_2026-03-09.dump.zst.age";
  sidecar.compression = Compression::Zstd;
  sidecar.encryption = SidecarEncryption{.profile_id = "77c7f2d5-0c55-4a17-8e0d-0f3b1a0c9d55",
                                         .algorithm = "age-x25519",
                                         .iv = {},
                                         .auth_tag = {}};
  sidecar.checksum = std::string(64, 'a');
  sidecar.size = 5'000'000'000;
  sidecar.plain_size = 21'000'000'000;
  sidecar.labels = {{"build", "1234"}};
  sidecar.trigger = SidecarTrigger{.type = "manual", .actor = "admin"};
  sidecar.mac_key_id = kKeyId;
  return sidecar;
}

TEST(Sidecar, IsWrittenAsTheGoldenFile) {
  EXPECT_EQ(render_signed_sidecar(example(), kKey), golden("v3.meta.json"));
  EXPECT_EQ(check_sidecar(golden("v3.meta.json"), kKeyId, kKey), SidecarTrust::Signed);
}

TEST(Sidecar, IsReadAsItWasWritten) {
  const Sidecar read = parse_sidecar(golden("v3.meta.json"));
  EXPECT_EQ(read.format_version, 3);
  EXPECT_EQ(read.job_name, "Nightly Büro");
  EXPECT_EQ(read.database_names, std::vector<std::string>{"shop"});
  EXPECT_EQ(read.compression, Compression::Zstd);
  ASSERT_TRUE(read.encryption);
  EXPECT_EQ(read.encryption->algorithm, "age-x25519");
  EXPECT_EQ(read.size, 5'000'000'000);
  EXPECT_EQ(read.plain_size, 21'000'000'000);
  EXPECT_EQ(read.labels.at("build"), "1234");
  ASSERT_TRUE(read.trigger);
  EXPECT_EQ(read.trigger->actor, "admin");
  EXPECT_EQ(render_signed_sidecar(read, kKey), golden("v3.meta.json"));
}

TEST(SidecarMac, CoversTheCanonicalFormWithoutItself) {
  const std::string canonical = R"({"a":{"x":1,"y":"ü"},"b":[1,2]})";
  EXPECT_EQ(sidecar_mac(R"({ "b": [1, 2], "mac": "old", "a": {"y": "ü", "x": 1} })", kKey),
            sidecar_mac(canonical, kKey));
  // Independently: `printf %s '<canonical>' | openssl dgst -sha256 -mac HMAC -macopt hexkey:0707…`
  EXPECT_EQ(sidecar_mac(canonical, kKey),
            "879565e20fd2e0c269b0ccdfb12b76a32f452561c1b4276dae149f9a9436212e");
}

TEST(SidecarMac, NoticesEveryChangedValueAndMember) {
  const std::string text = render_signed_sidecar(example(), kKey);
  Json object = parse_json(text, "sidecar");
  for (const auto& [key, value] : object.items()) {
    if (key == "mac" || key == "macKeyId") continue;
    Json changed = object;
    changed[key] = "changed";
    EXPECT_EQ(check_sidecar(changed.dump(), kKeyId, kKey), SidecarTrust::Tampered) << key;
    changed.erase(key);
    EXPECT_EQ(check_sidecar(changed.dump(), kKeyId, kKey), SidecarTrust::Tampered) << key;
  }
  Json more = object;
  more["locked2"] = true;
  EXPECT_EQ(check_sidecar(more.dump(), kKeyId, kKey), SidecarTrust::Tampered);
  more = object;
  more["fraction"] = 0.5;
  EXPECT_EQ(check_sidecar(more.dump(), kKeyId, kKey), SidecarTrust::Tampered);
  EXPECT_EQ(check_sidecar(object.dump(), kKeyId, kKey), SidecarTrust::Signed);
  EXPECT_EQ(check_sidecar(text, kKeyId, std::string(32, '\x08')), SidecarTrust::Tampered);
}

TEST(SidecarMac, DoesNotJudgeWhatAnotherInstanceWrote) {
  EXPECT_EQ(check_sidecar(render_sidecar(example()), kKeyId, kKey), SidecarTrust::Unsigned);
  EXPECT_EQ(check_sidecar(golden("v3.meta.json"), "another key", kKey), SidecarTrust::Unsigned);
  EXPECT_EQ(check_sidecar(golden("reference-v1.meta.json"), kKeyId, kKey), SidecarTrust::Unsigned);
}

TEST(Sidecar, KeepsMembersItDoesNotKnowWhenRewritten) {
  Sidecar sidecar = parse_sidecar(golden("reference-v1.meta.json"));
  EXPECT_EQ(sidecar.format_version, 1);
  EXPECT_EQ(sidecar.job_name, "Old job");
  EXPECT_EQ(sidecar.compression, Compression::Gzip);
  ASSERT_TRUE(sidecar.encryption);
  EXPECT_EQ(sidecar.encryption->algorithm, "aes-256-gcm");
  EXPECT_EQ(sidecar.encryption->auth_tag, "000102030405060708090a0b0c0d0e0f");
  sidecar.locked = true;
  sidecar.verification = SidecarVerification{.verified_at = "2026-03-10T00:00:00.000Z",
                                             .passed = true,
                                             .trigger = "manual",
                                             .actual_checksum = {}};
  const Json rewritten = parse_json(render_sidecar(sidecar), "sidecar");
  EXPECT_EQ(rewritten.at("chain").at("index"), 4);
  EXPECT_EQ(rewritten.at("multiDb").at("format"), "tar");
  EXPECT_EQ(rewritten.at("locked"), true);
  EXPECT_EQ(rewritten.at("verification").at("passed"), true);
  EXPECT_EQ(rewritten.at("verification").at("note"), "kept");
}

TEST(Sidecar, UnderstandsTheOldFlatForms) {
  const Sidecar flat = parse_sidecar(
      R"({"encryptionProfileId":"p","iv":"00","authTag":"11","databases":["a","b"]})");
  ASSERT_TRUE(flat.encryption);
  EXPECT_EQ(flat.encryption->profile_id, "p");
  EXPECT_EQ(flat.encryption->iv, "00");
  EXPECT_EQ(flat.database_count, 2);
  EXPECT_EQ(parse_sidecar(R"({"databases":7})").database_count, 7);
  EXPECT_FALSE(parse_sidecar(R"({"encryption":{"enabled":false}})").encryption);
}

TEST(Sidecar, ToleratesMissingAndOddlyTypedFieldsButNoOtherText) {
  const Sidecar odd = parse_sidecar(
      R"({"jobName":5,"size":"big","labels":[1],"trigger":"x","locked":"yes","databases":null,"plainSize":18446744073709551615,"compression":"LZ4"})");
  EXPECT_EQ(odd.job_name, "");
  EXPECT_FALSE(odd.size);
  EXPECT_FALSE(odd.plain_size);
  EXPECT_FALSE(odd.locked);
  EXPECT_FALSE(odd.trigger);
  EXPECT_EQ(odd.compression, Compression::None);
  for (const char* text : {"", "[]", "null", "{", "{}x", "\xff"})
    EXPECT_THROW(parse_sidecar(text), Error) << text;
}

TEST(Sidecar, RefusesToSignAFraction) {
  Sidecar sidecar = parse_sidecar(R"({"speed":1.5})");
  EXPECT_NO_THROW(render_sidecar(sidecar));
  EXPECT_THROW(render_signed_sidecar(sidecar, kKey), Error);
}

}  // namespace
}  // namespace dbackup::host
