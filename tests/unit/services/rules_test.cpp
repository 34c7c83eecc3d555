#include <gtest/gtest.h>

#include "base/error.hpp"
#include "model/nouns.hpp"
#include "protocol/descriptor.hpp"
#include "services/adapter_fields.hpp"
#include "services/backup_path_rules.hpp"
#include "services/job_fields.hpp"
#include "services/redaction.hpp"
#include "services/restore_service.hpp"
#include "services/rights.hpp"

namespace dbackup::host {
namespace {

TEST(BackupPath, RefusesEverythingOutsideTheStorage) {
  for (const std::string& path :
       {std::string{}, std::string{"/etc/passwd"}, std::string{"../x"}, std::string{"a/../b"},
        std::string{"a\0b", 3}, std::string{"x.dump.meta.json"}, std::string{"a/.."}}) {
    EXPECT_THROW(check_backup_path(path), Error) << path;
  }
  EXPECT_NO_THROW(check_backup_path("Orders nightly/orders_2026.dump.zst.age"));
}

TEST(Redaction, RemovesSecretsAtAnyDepthByListAndByDescriptor) {
  protocol::AdapterDescriptor descriptor{
      .options = {{.name = "pin", .type = "string", .secret = true}}};
  const Json config{{"host", "db1"},
                    {"password", "p"},
                    {"pin", "1"},
                    {"deep", {{"token", "t"}, {"user", "u"}}},
                    {"list", {{{"apiKey", "k"}, {"port", 1}}}},
                    {"secret", {{"url", "x"}, {"privateKey", "y"}}}};
  const Json expected{{"host", "db1"},
                      {"deep", {{"user", "u"}}},
                      {"list", {{{"port", 1}}}},
                      {"secret", {{"url", "x"}}}};
  EXPECT_EQ(redacted(config, &descriptor), expected);
  EXPECT_EQ(secret_status(config, &descriptor), (Json{{"password", true}, {"pin", true}}));
  EXPECT_EQ(secret_status({{"password", ""}}, nullptr), (Json{{"password", false}}));
}

TEST(Redaction, KeepsSecretsThatAnUpdateLeavesOutAndDropsNulls) {
  const Json stored{
      {"host", "a"}, {"password", "old"}, {"token", "t"}, {"deep", {{"secret", "s"}, {"x", 1}}}};
  EXPECT_EQ(
      with_kept_secrets({{"host", "b"}, {"password", ""}, {"deep", {{"x", 2}}}}, stored, nullptr),
      (Json{{"host", "b"},
            {"password", "old"},
            {"token", "t"},
            {"deep", {{"secret", "s"}, {"x", 2}}}}));
  EXPECT_EQ(with_kept_secrets({{"password", nullptr}, {"token", "new"}}, stored, nullptr),
            (Json{{"token", "new"}}));
}

TEST(JobFields, NotificationEventsAndDatabaseCompressionFollowTheContract) {
  for (const char* good : {"ALWAYS", "FAILURE_ONLY", "SUCCESS_ONLY", "SUCCESS", "PARTIAL|FAILED",
                           "SUCCESS|PARTIAL|FAILED"}) {
    EXPECT_TRUE(is_notification_events(good)) << good;
  }
  for (const char* bad : {"", "NEVER", "SUCCESS|", "|FAILED", "success"})
    EXPECT_FALSE(is_notification_events(bad)) << bad;
  for (const char* good : {"", "NONE", "GZIP:0", "LZ4:1", "ZSTD:22"})
    EXPECT_TRUE(is_pg_compression(good)) << good;
  for (const char* bad : {"GZIP", "GZIP:", "ZSTD:23", "LZ4:-1", "BROTLI:1", "ZSTD:1x"})
    EXPECT_FALSE(is_pg_compression(bad)) << bad;
}

TEST(JobFields, NamesTheFieldThatIsWrong) {
  const std::pair<Json, const char*> cases[] = {
      {{{"name", ""}}, "name"},
      {{{"name", std::string(101, 'x')}}, "name"},
      {{{"schedule", "never"}}, "schedule"},
      {{{"destinations", Json::array()}}, "destinations"},
      {{{"destinations", {{{"configId", "a"}}, {{"configId", "a"}}}}}, "destinations[1].configId"},
      {{{"destinations", {{{"configId", "a"}, {"retention", {{"mode", "SIMPLE"}}}}}}}, "retention"},
      {{{"destinations",
         {{{"configId", "a"},
           {"retention", {{"mode", "SIMPLE"}, {"simple", {{"keepCount", 0}}}}}}}}},
       "keepCount"},
      {{{"sources", {{{"configId", "a"}, {"path", "../etc"}}}}}, "sources[0].path"},
      {{{"compression", "LZMA"}}, "compression"},
      {{{"pgCompression", "GZIP:99"}}, "pgCompression"},
      {{{"backupMode", "HALF"}}, "backupMode"},
      {{{"fullEveryDays", 0}}, "fullEveryDays"},
      {{{"notificationEvents", "SOMETIMES"}}, "notificationEvents"},
      {{{"databases", {1}}}, "databases"},
      {{{"enabled", "yes"}}, "enabled"},
  };
  for (const auto& [fields, name] : cases) {
    Job job;
    try {
      apply_job_fields(job, fields, 1);
      ADD_FAILURE() << fields;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::InvalidArgument);
      EXPECT_NE(std::string{error.what()}.find(name), std::string::npos) << error.what();
    }
  }
}

TEST(JobFields, LeavesWhatIsNotSentAndClearsWhatIsNull) {
  Job job{.name = "a", .encryption_profile_id = "p", .notification_ids = {"n"}};
  apply_job_fields(job, {{"encryptionProfileId", nullptr}, {"databases", "not a list"}}, 1);
  EXPECT_EQ(job.encryption_profile_id, "");
  EXPECT_TRUE(job.databases.empty());
  EXPECT_EQ(job.notification_ids, std::vector<std::string>{"n"});
  EXPECT_EQ(job.compression, "ZSTD");
}

TEST(JobFields, KeepsTheIdsOfDirectorySourcesThatStay) {
  Job job;
  apply_job_fields(
      job,
      {{"sources", {{{"configId", "c"}, {"path", "/a"}}, {{"configId", "c"}, {"path", "/b"}}}}}, 1);
  const std::string kept = job.directory_sources[1].id;
  apply_job_fields(
      job, {{"sources", {{{"configId", "c"}, {"path", "/b"}, {"stopContainers", "no"}}}}}, 2);
  ASSERT_EQ(job.directory_sources.size(), 1u);
  EXPECT_EQ(job.directory_sources[0].id, kept);
  EXPECT_EQ(job.directory_sources[0].stop_containers, true);
}

TEST(JobRun, NamesWhatThisVersionCannotDo) {
  const JobDestination one{.config_id = "a"};
  const std::pair<Job, const char*> cases[] = {
      {Job{.destinations = {one, one}}, "more than one destination"},
      {Job{.backup_mode = "INCREMENTAL", .destinations = {one}}, "INCREMENTAL"},
      {Job{.destinations = {one}, .directory_sources = {JobSource{.id = "folder"}}}, "directory sources"},
  };
  for (const auto& [job, what] : cases) {
    try {
      check_job_can_run(job);
      ADD_FAILURE() << what;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::Unimplemented);
      EXPECT_NE(std::string{error.what()}.find(what), std::string::npos) << error.what();
    }
  }
  EXPECT_NO_THROW(check_job_can_run(Job{.databases = {"a"}, .destinations = {one}}));
}

TEST(RestoreChecks, CompareEngineVersionsNumberByNumber) {
  EXPECT_TRUE(is_newer_engine("16.10", "16.9"));
  EXPECT_TRUE(is_newer_engine("PostgreSQL 17.0 (Debian)", "15.14"));
  EXPECT_FALSE(is_newer_engine("16.9", "16.10"));
  EXPECT_FALSE(is_newer_engine("16", "16.4"));
  EXPECT_FALSE(is_newer_engine("16.4", "16"));
  EXPECT_FALSE(is_newer_engine("", "16"));
  EXPECT_FALSE(is_newer_engine("8.4.3-log", "8.4.3"));
}

TEST(Rights, EveryAdapterTypeHasItsOwn) {
  EXPECT_EQ(read_permission("database"), Permission::SourcesView);
  EXPECT_EQ(write_permission("storage"), Permission::DestinationsWrite);
  EXPECT_EQ(read_permission("notification"), Permission::NotificationsRead);
  EXPECT_THROW(write_permission("invented"), Error);
}

}  // namespace
}  // namespace dbackup::host
