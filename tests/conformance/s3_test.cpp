#include "s3_test_base.hpp"

namespace dbackup::tests {
namespace {

using testing::FakeCall;
using testing::ItemList;
using testing::MemoryReader;
using testing::MemoryWriter;
using testing::Outcome;

class S3Conformance : public S3Test {
 protected:
  void conforms(const std::string& adapter, const Json& more = Json::object()) {
    Json config = server().adapter_config();
    config["partSizeMiB"] = 5;
    config["memoryMiB"] = 20;
    config.update(more);
    Json unreachable = config;
    unreachable["endpoint"] = "http://127.0.0.1:1";
    EXPECT_TRUE(testing::conforms(plugin_.adapter(adapter),
                                  {.config = config, .unreachable_config = unreachable}));
    expect_nothing_stored("after the checks");
  }
};

TEST_F(S3Conformance, AwsDoesWhatEveryStoragePromises) { conforms("s3-aws"); }

TEST_F(S3Conformance, GenericDoesWhatEveryStoragePromises) { conforms("s3-generic"); }

TEST_F(S3Conformance, GenericDoesSoWithoutConditionalWrites) {
  server_config_ = {{"conditional", "no"}};
  conforms("s3-generic");
}

TEST_F(S3Conformance, GenericDoesSoWhereTheServerIgnoresConditions) {
  server_config_ = {{"conditional", "ignored"}, {"page", 3}};
  conforms("s3-generic", {{"pathPrefix", ""}, {"checksum", "md5"}});
}

TEST_F(S3Conformance, R2DoesWhatEveryStoragePromises) {
  server_config_ = {{"region", "auto"}, {"equal_parts", true}};
  conforms("s3-r2", {{"region", "ignored"}});
}

TEST_F(S3Conformance, HetznerDoesWhatEveryStoragePromises) {
  server_config_ = {{"region", "nbg1"}};
  conforms("s3-hetzner", {{"region", "nbg1"}});
}

class S3 : public S3Test {};

TEST_F(S3, StoresAnySizeOfAnyName) {
  const auto storage = open();
  const size_t part = 5 * kMiB;
  int number = 0;
  for (const size_t size : {size_t{0}, size_t{1}, part - 1, part, part + 1, 2 * part, 23 * kMiB}) {
    const std::string path =
        "jobs/with space #? 100%/резерв 备份/" + std::to_string(++number) + "+&=.bin";
    const std::string content = pseudo_random(size);
    const Outcome stored = put(storage, path, content);
    ASSERT_TRUE(stored.ok()) << size << ": " << stored.text();
    EXPECT_EQ(stored.result.at("size"), size);
    std::string back;
    ASSERT_TRUE(get(storage, path, back).ok());
    EXPECT_TRUE(back == content) << size;
    EXPECT_TRUE(server().state().at("objects").contains("some/prefix/" + path)) << size;
    EXPECT_TRUE(server().state().at("uploads").empty());
  }
  EXPECT_EQ(list(storage).size(), 7u);
  EXPECT_EQ(server().state().at("objects").size(), 7u) << "a marker was left";
}

TEST_F(S3, UsesOneRequestForWhatFitsIntoAPart) {
  const auto storage = open();
  ASSERT_TRUE(put(storage, "one", pseudo_random(5 * kMiB)).ok());
  EXPECT_EQ(server().count("POST"), 0);
  ASSERT_TRUE(put(storage, "two", pseudo_random(5 * kMiB + 1)).ok());
  EXPECT_EQ(server().count("PUT", "partNumber"), 2);
}

TEST_F(S3, CutsEqualPartsForR2) {
  server_config_ = {{"region", "auto"}, {"equal_parts", true}};
  const auto storage = open({{"partSizeMiB", 6}}, "s3-r2");
  ASSERT_TRUE(put(storage, "big", pseudo_random(20 * kMiB)).ok());
  EXPECT_EQ(server().state().at("objects").at("some/prefix/big").at("part_sizes"),
            Json::array({6 * kMiB, 6 * kMiB, 6 * kMiB, 2 * kMiB}));
}

TEST_F(S3, ListsAnyNumberOfObjectsAndFolders) {
  server_config_ = {{"page", 7}};
  const auto storage = open();
  for (int n = 0; n < 40; ++n) {
    ASSERT_TRUE(put(storage, "job " + std::to_string(n % 20) + "/+ä" + std::to_string(n), "").ok());
  }
  EXPECT_EQ(list(storage).size(), 40u) << "objects without bytes are objects";
  FakeCall call;
  ItemList folders;
  ASSERT_TRUE(storage.run(storage.table().browse, call, {{"path", ""}}, folders).ok());
  EXPECT_EQ(folders.items().size(), 20u);
}

TEST_F(S3, StaysBelowItsPrefixWithEveryRequest) {
  const auto outside = open({{"pathPrefix", ""}});
  ASSERT_TRUE(put(outside, "some/prefix-beside/x", "x").ok());
  ASSERT_TRUE(put(outside, "elsewhere", "x").ok());
  server().clear();
  const auto storage = open({{"pathPrefix", "/some/prefix/"}});
  FakeCall call;
  EXPECT_EQ(storage.test(call).result.at("message"),
            "Connection successful (Write/Delete verified)");
  FakeCall ping;
  EXPECT_TRUE(storage.run(storage.table().ping, ping, Json::object()).ok());
  ASSERT_TRUE(put(storage, "big", pseudo_random(6 * kMiB)).ok());
  EXPECT_EQ(list(storage).size(), 1u);
  EXPECT_EQ(cleanup(storage), 0u);
  for (const Json& request : server().requests()) {
    const std::string where =
        request.at("key").get<std::string>() + request.at("query").value("prefix", "");
    EXPECT_TRUE(where.starts_with("some/prefix/")) << request.dump();
  }
}

TEST_F(S3, LeavesOutWhatIsNoBackup) {
  const auto storage = open();
  ASSERT_TRUE(put(storage, "job/kept", "x").ok());
  // As consoles make folders, and as careless tools make keys.
  for (const char* key : {"some/prefix/", "some/prefix/job/", "some/prefix/job//twice",
                          "some/prefix/job/../up", "some/prefix/.dbackup/uploads/t/n"}) {
    server().plant(key, "");
  }
  const auto found = list(storage);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].at("path"), "job/kept");
  EXPECT_EQ(log_.size(), 2u) << "keys that no request could name are told";
  EXPECT_EQ(put(storage, ".dbackup/uploads/token-1/x", "x").status, DBACKUP_INVALID_ARGUMENT);
}

TEST_F(S3, SendsClassEncryptionAndRetention) {
  const auto storage = open({{"storageClass", "DEEP_ARCHIVE"},
                             {"serverSideEncryption", "aws:kms"},
                             {"sseKmsKeyId", "key-1"},
                             {"objectLockMode", "GOVERNANCE"},
                             {"objectLockDays", 30}},
                            "s3-aws");
  ASSERT_TRUE(put(storage, "small", "x").ok());
  ASSERT_TRUE(put(storage, "small.meta.json", "x").ok());
  ASSERT_TRUE(put(storage, "big", pseudo_random(6 * kMiB)).ok());
  const Json objects = server().state().at("objects");
  for (const char* name : {"small", "small.meta.json", "big"}) {
    const Json headers = objects.at(std::string{"some/prefix/"} + name).at("headers");
    EXPECT_EQ(headers.at("x-amz-storage-class"),
              name == std::string{"small.meta.json"} ? "STANDARD" : "DEEP_ARCHIVE")
        << "side files are read with every list";
    EXPECT_EQ(headers.at("x-amz-server-side-encryption"), "aws:kms");
    EXPECT_EQ(headers.at("x-amz-server-side-encryption-aws-kms-key-id"), "key-1");
    EXPECT_EQ(headers.at("x-amz-object-lock-mode"), "GOVERNANCE");
    const auto until = headers.at("x-amz-object-lock-retain-until-date").get<std::string>();
    EXPECT_EQ(until.size(), 20u) << until;
    EXPECT_EQ(until[10], 'T');
    EXPECT_EQ(until.substr(16, 1), ":") << until;
  }
  EXPECT_EQ(list(storage, "").at(0).at("storageClass"), "DEEP_ARCHIVE");
}

TEST_F(S3, StoresIntoABucketThatInsistsOnChecksums) {
  server_config_ = {{"insist_on_checksums", true}};
  for (const char* checksum : {"none", "md5", "sha256"}) {
    const auto storage = open({{"checksum", checksum}});
    for (const size_t size : {size_t{1000}, 22 * kMiB}) {
      const std::string path = checksum + std::to_string(size);
      const std::string content = pseudo_random(size);
      const Outcome stored = put(storage, path, content);
      ASSERT_TRUE(stored.ok()) << path << ": " << stored.text();
      std::string back;
      ASSERT_TRUE(get(storage, path, back).ok());
      EXPECT_TRUE(back == content) << path;
    }
    FakeCall call;
    EXPECT_TRUE(storage.test(call).ok());
  }
  EXPECT_TRUE(server().state().at("uploads").empty());
  EXPECT_EQ(server().state().at("objects").size(), 6u);
}

TEST_F(S3, ComputesMd5OnlyWhereItIsAskedFor) {
  const auto storage = open({{"checksum", "none"}});
  ASSERT_TRUE(put(storage, "small", "x").ok());
  ASSERT_TRUE(put(storage, "big", pseudo_random(6 * kMiB)).ok());
  for (const Json& request : server().requests()) {
    const bool is_note =
        request.at("key").get<std::string>().find(".dbackup/") != std::string::npos;
    if (request.at("method") == "PUT") {
      EXPECT_EQ(request.at("headers").contains("content-md5"), is_note) << request.dump();
    }
  }
}

TEST_F(S3, SaysWhatToDoAboutAnArchivedObject) {
  const auto storage = open({{"storageClass", "GLACIER"}}, "s3-aws");
  ASSERT_TRUE(put(storage, "old", "x").ok());
  std::string content;
  const Outcome outcome = get(storage, "old", content);
  EXPECT_EQ(outcome.status, DBACKUP_FAILED_PRECONDITION);
  EXPECT_NE(outcome.message.find("archived (GLACIER)"), std::string::npos) << outcome.message;
  EXPECT_NE(outcome.message.find("restore it"), std::string::npos) << outcome.message;
}

TEST_F(S3, PutsTheBucketIntoTheHostOrThePath) {
  const std::string port = std::to_string(server().port());
  const auto hosted = open({{"endpoint", "http://localhost:" + port}});
  ASSERT_TRUE(put(hosted, "a b", "x").ok());
  EXPECT_EQ(server().requests().back().at("host"), "bucket.localhost:" + port);
  const auto path = open({{"endpoint", "http://localhost:" + port}, {"forcePathStyle", true}});
  std::string content;
  ASSERT_TRUE(get(path, "a b", content).ok());
  EXPECT_EQ(content, "x");
  EXPECT_EQ(server().requests().back().at("host"), "localhost:" + port);
}

TEST_F(S3, SaysWhatIsWrongWithTheConfiguration) {
  struct Case {
    Json config;
    dbackup_status status;
    const char* words;
  };
  for (const Case& wrong :
       {Case{{{"secretAccessKey", "wr0ng-secret"}}, DBACKUP_UNAUTHENTICATED, "secretAccessKey"},
        Case{{{"accessKeyId", "AKIDNOBODY"}}, DBACKUP_UNAUTHENTICATED, "does not exist"},
        Case{{{"region", "eu-west-9"}}, DBACKUP_INVALID_ARGUMENT, "in region \"us-east-1\""},
        Case{{{"bucket", "nobody"}}, DBACKUP_NOT_FOUND, "no bucket \"nobody\""}}) {
    const auto storage = open(wrong.config);
    for (const bool full : {true, false}) {
      FakeCall call;
      const Outcome outcome =
          full ? storage.test(call) : storage.run(storage.table().ping, call, Json::object());
      EXPECT_EQ(outcome.status, wrong.status) << outcome.text();
      EXPECT_NE(outcome.message.find(wrong.words), std::string::npos) << outcome.message;
      for (const char* secret : {"wr0ng-secret", "AKIDNOBODY", "test/secret+key"}) {
        EXPECT_EQ((outcome.message + outcome.detail).find(secret), std::string::npos);
      }
    }
  }
  server().configure({{"clock", 3600}});
  const auto storage = open();
  FakeCall call;
  const Outcome outcome = storage.test(call);
  EXPECT_EQ(outcome.status, DBACKUP_FAILED_PRECONDITION);
  EXPECT_NE(outcome.message.find("clock"), std::string::npos) << outcome.message;
}

TEST_F(S3, RefusesOptionsThatDoNotFit) {
  for (const Json& wrong :
       {Json{{"partSizeMiB", 16}, {"memoryMiB", 24}}, Json{{"bucket", "a/b"}},
        Json{{"pathPrefix", "a/../b"}}, Json{{"objectLockMode", "GOVERNANCE"}},
        Json{{"sseKmsKeyId", "k"}}, Json{{"endpoint", "ftp://127.0.0.1"}},
        Json{{"endpoint", "http://u:p@127.0.0.1"}}, Json{{"endpoint", "http://169.254.169.254"}}}) {
    Json config = server().adapter_config();
    config.update(wrong);
    Outcome outcome;
    (void)testing::StorageInstance::open(
        table("s3-generic"), testing::with_defaults(plugin_.adapter("s3-generic"), config),
        outcome);
    EXPECT_FALSE(outcome.ok()) << wrong.dump();
  }
}

TEST_F(S3, SendsSessionTokens) {
  server_config_ = {{"token", "session-1"}};
  FakeCall call;
  EXPECT_TRUE(open({{"sessionToken", "session-1"}}).test(call).ok());
  FakeCall without;
  EXPECT_EQ(open().test(without).status, DBACKUP_UNAUTHENTICATED);
}

TEST_F(S3, TellsWhenADeclaredAtomicServerIsNone) {
  server_config_ = {{"conditional", "no"}};
  const auto storage = open(Json::object(), "s3-aws");
  const Outcome outcome = put(storage, "x", "x");
  EXPECT_EQ(outcome.status, DBACKUP_FAILED_PRECONDITION);
  EXPECT_NE(outcome.message.find("s3-generic"), std::string::npos) << outcome.message;
  EXPECT_EQ(put(storage, "y", pseudo_random(6 * kMiB)).status, DBACKUP_FAILED_PRECONDITION);
  expect_nothing_stored("after the refusals");
}

}  // namespace
}  // namespace dbackup::tests
