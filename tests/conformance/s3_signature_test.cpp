// Signatures against what AWS published: the Signature Version 4 test suite (service "service"),
// and the examples of "Authenticating Requests: Using the Authorization Header" in the S3 API
// reference.
#include <gtest/gtest.h>

#include <ranges>

#include "plugins/common/percent_encoding.hpp"
#include "plugins/s3/completion.hpp"
#include "plugins/s3/part_plan.hpp"
#include "plugins/s3/settings.hpp"
#include "plugins/s3/sigv4.hpp"

namespace dbackup::plugins::s3 {
namespace {

constexpr const char* kEmptyHash =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

struct Vector {
  const char* name;
  Signable request;
  const char* signature;
};

std::string signature_of(const std::string& header) {
  return header.substr(header.find("Signature=") + 10);
}

TEST(S3Signature, IsThatOfThePublishedTestSuite) {
  const Credentials credentials{"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"};
  const Pairs headers{{"host", "example.amazonaws.com"}, {"x-amz-date", "20150830T123600Z"}};
  const std::string letters = "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  Pairs form = headers;
  form.emplace_back("content-type", "application/x-www-form-urlencoded");
  const Vector vectors[] = {
      {"get-vanilla",
       {"GET", "/", {}, headers, kEmptyHash},
       "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
      {"get-vanilla-query-order-key-case",
       {"GET", "/", {{"Param2", "value2"}, {"Param1", "value1"}}, headers, kEmptyHash},
       "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
      {"get-vanilla-utf8-query",
       {"GET", "/", {{"ሴ", "bar"}}, headers, kEmptyHash},
       "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"},
      {"get-vanilla-query-unreserved",
       {"GET", "/", {{letters, letters}}, headers, kEmptyHash},
       "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197"},
      {"get-unreserved",
       {"GET", percent_encoded_path("/" + letters), {}, headers, kEmptyHash},
       "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"},
      {"get-utf8",
       {"GET", percent_encoded_path("/ሴ"), {}, headers, kEmptyHash},
       "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"},
      {"get-space",
       {"GET", percent_encoded_path("/example space/"), {}, headers, kEmptyHash},
       "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741"},
      {"post-vanilla",
       {"POST", "/", {}, headers, kEmptyHash},
       "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
      {"post-x-www-form-urlencoded",
       {"POST", "/", {}, form, hex(sha256(std::as_bytes(std::span{"Param1=value1", 13})))},
       "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"},
  };
  for (const Vector& vector : vectors) {
    EXPECT_EQ(signature_of(authorization(vector.request, credentials, "us-east-1", "service")),
              vector.signature)
        << vector.name;
  }
  EXPECT_EQ(authorization(vectors[0].request, credentials, "us-east-1", "service"),
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
            "SignedHeaders=host;x-amz-date, "
            "Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
}

TEST(S3Signature, IsThatOfTheExamplesInTheS3Reference) {
  const Credentials credentials{"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"};
  const auto with = [](Pairs more, const std::string& hash) {
    more.emplace_back("host", "examplebucket.s3.amazonaws.com");
    more.emplace_back("x-amz-date", "20130524T000000Z");
    more.emplace_back("x-amz-content-sha256", hash);
    return more;
  };
  const std::string body = "Welcome to Amazon S3.";
  const std::string hash = hex(sha256(std::as_bytes(std::span{body})));
  EXPECT_EQ(hash, "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072");
  const Vector vectors[] = {
      {"GET Object",
       {"GET", "/test.txt", {}, with({{"range", "bytes=0-9"}}, kEmptyHash), kEmptyHash},
       "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"},
      {"PUT Object",
       {"PUT",
        percent_encoded_path("/test$file.text"),
        {},
        with({{"date", "Fri, 24 May 2013 00:00:00 GMT"},
              {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
             hash),
        hash},
       "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"},
      {"GET Bucket Lifecycle",
       {"GET", "/", {{"lifecycle", ""}}, with({}, kEmptyHash), kEmptyHash},
       "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"},
      {"Get Bucket (List Objects)",
       {"GET", "/", {{"max-keys", "2"}, {"prefix", "J"}}, with({}, kEmptyHash), kEmptyHash},
       "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"},
  };
  for (const Vector& vector : vectors) {
    EXPECT_EQ(signature_of(authorization(vector.request, credentials, "us-east-1")),
              vector.signature)
        << vector.name;
  }
}

TEST(S3Signature, EncodesWhatIsNotUnreserved) {
  EXPECT_EQ(percent_encoded_path("a b+c/ä?#%~"), "a%20b%2Bc/%C3%A4%3F%23%25~");
  EXPECT_EQ(percent_encoded("a/b"), "a%2Fb");
  EXPECT_EQ(canonical_query({{"b", "2"}, {"a", ""}, {"a", "1 2"}}), "a=&a=1%202&b=2");
}

TEST(S3PartPlan, GrowsWithinTheMemoryAndKnowsItsLargestObject) {
  constexpr uint64_t kMiB = 1 << 20;
  const PartPlan plan{8 * kMiB, 64 * kMiB, false};
  EXPECT_EQ(plan.size_of(1), 8 * kMiB);
  EXPECT_EQ(plan.size_of(1000), 8 * kMiB);
  EXPECT_EQ(plan.size_of(1001), 16 * kMiB);
  EXPECT_EQ(plan.size_of(2001), 32 * kMiB);
  EXPECT_EQ(plan.size_of(10'000), 32 * kMiB) << "two parts must fit into the memory";
  EXPECT_EQ(plan.largest_object(), uint64_t{8'000 + 16'000 + 8'000 * 32} * kMiB);
  EXPECT_EQ((PartPlan{8 * kMiB, 65'536 * kMiB, false}.largest_object()), kLargestObject);
  const PartPlan equal{16 * kMiB, 64 * kMiB, true};
  EXPECT_EQ(equal.size_of(10'000), 16 * kMiB);
  EXPECT_EQ(equal.largest_object(), uint64_t{160'000} * kMiB);
}

TEST(S3Conflict, IsToldFromOtherFailuresByTheWordsOfCeph) {
  const auto refused = [](const std::string& message) {
    return service_error(
        {}, "cannot complete \"x\"",
        {.status = 500,
         .body = "<Error><Code>InternalError</Code><Message>" + message + "</Message></Error>"});
  };
  EXPECT_TRUE(Conflict::is_under_way(refused("This multipart completion is already in progress")));
  EXPECT_FALSE(Conflict::is_under_way(refused("We encountered an internal error")));
}

Settings settings(Flavour flavour, const Json& more) {
  Json config{{"bucket", "backups"},
              {"accessKeyId", "a"},
              {"secretAccessKey", "b"},
              {"pathPrefix", "//deep/er/"}};
  config.update(more);
  return parse_settings(Config{config}, flavour);
}

TEST(S3Address, IsMadeFromWhatEachServiceIsNamedBy) {
  const Settings aws = settings(Flavour::Aws, {{"region", "eu-central-1"}});
  EXPECT_EQ(aws.scheme + "://" + aws.host, "https://backups.s3.eu-central-1.amazonaws.com");
  EXPECT_EQ(aws.base_path, "");
  EXPECT_EQ(aws.prefix, "deep/er/");
  EXPECT_EQ(aws.storage_class, "STANDARD");
  EXPECT_TRUE(aws.atomic_commit);
  EXPECT_EQ(settings(Flavour::Aws, {{"region", "cn-north-1"}}).host,
            "backups.s3.cn-north-1.amazonaws.com.cn");
  const Settings r2 = settings(Flavour::R2, {{"accountId", "0a1b"}});
  EXPECT_EQ(r2.host, "backups.0a1b.r2.cloudflarestorage.com");
  EXPECT_EQ(r2.region, "auto");
  EXPECT_TRUE(r2.equal_parts);
  EXPECT_EQ(settings(Flavour::R2, {{"accountId", "0a1b"}, {"jurisdiction", "eu"}}).host,
            "backups.0a1b.eu.r2.cloudflarestorage.com");
  EXPECT_EQ(settings(Flavour::Hetzner, Json::object()).host, "backups.fsn1.your-objectstorage.com");
  EXPECT_EQ(settings(Flavour::Hetzner, {{"region", "hel1"}}).region, "hel1");
  EXPECT_THROW(settings(Flavour::Hetzner, {{"pathPrefix", "/"}}), Error);
}

TEST(S3Address, TakesWhatWasLeftEmptyForTheDefault) {
  const Settings hetzner = settings(Flavour::Hetzner, {{"region", ""}, {"endpoint", ""}});
  EXPECT_EQ(hetzner.region, "fsn1");
  EXPECT_EQ(hetzner.host, "backups.fsn1.your-objectstorage.com");
  const Settings generic =
      settings(Flavour::Generic, {{"region", ""}, {"endpoint", "s3.example.org"}});
  EXPECT_EQ(generic.region, "us-east-1");
  EXPECT_EQ(generic.scheme + "://" + generic.host, "https://backups.s3.example.org");
  EXPECT_EQ(settings(Flavour::R2, {{"accountId", "0a1b"}, {"jurisdiction", ""}}).host,
            "backups.0a1b.r2.cloudflarestorage.com");
  EXPECT_EQ(settings(Flavour::Aws, {{"region", "eu-west-1"}, {"checksum", ""}}).checksum,
            Checksum::Sha256);
}

TEST(S3Address, TakesTheBucketIntoThePathWhereAHostCannotHoldIt) {
  const Settings plain = settings(Flavour::Generic, {{"endpoint", "https://s3.example.org:9000/"}});
  EXPECT_EQ(plain.host, "backups.s3.example.org:9000");
  EXPECT_EQ(plain.base_path, "");
  const Settings path = settings(
      Flavour::Generic, {{"endpoint", "https://example.org/storage/s3"}, {"forcePathStyle", true}});
  EXPECT_EQ(path.host, "example.org");
  EXPECT_EQ(path.base_path, "/storage/s3/backups");
  EXPECT_EQ(settings(Flavour::Generic, {{"endpoint", "http://10.0.0.1:443"}}).base_path,
            "/backups");
  EXPECT_EQ(settings(Flavour::Generic, {{"endpoint", "http://[::1]:80"}}).host, "[::1]");
  const Settings dotted = settings(Flavour::Aws, {{"region", "eu-west-1"}, {"bucket", "a.b"}});
  EXPECT_EQ(dotted.host, "s3.eu-west-1.amazonaws.com") << "no certificate covers a.b.s3.…";
  EXPECT_EQ(dotted.base_path, "/a.b");
}

}  // namespace
}  // namespace dbackup::plugins::s3
