#include "control/notification.hpp"

#include <gtest/gtest.h>

#include "base/json.hpp"

namespace dbackup::host {
namespace {

TEST(NotificationRules, ChooseByTheWordsOfTheJob) {
  struct Case {
    const char* events;
    bool success, partial, failed;
  };
  for (const Case& each : {Case{"ALWAYS", true, true, true}, Case{"", true, true, true},
                           Case{"FAILURE_ONLY", false, true, true}, Case{"SUCCESS_ONLY", true, false, false},
                           Case{"SUCCESS|PARTIAL", true, true, false}, Case{"FAILED", false, false, true}}) {
    SCOPED_TRACE(each.events);
    EXPECT_EQ(wants_notification(each.events, "Success"), each.success);
    EXPECT_EQ(wants_notification(each.events, "Partial"), each.partial);
    EXPECT_EQ(wants_notification(each.events, "Failed"), each.failed);
    EXPECT_EQ(wants_notification(each.events, "Cancelled"), each.failed);
  }
}

std::string names_of(const Json& event) {
  std::string out;
  for (const Json& field : event.at("fields")) out += field.at("name").get<std::string>() + " ";
  return out;
}

TEST(BackupEvent, HoldsTheFieldsOfItsKind) {
  Execution run{.job_name = "nightly", .status = "Success", .started_at = 1000};
  run.ended_at = 62'500;
  run.size = 1536;
  Json event = backup_event(run, "db", 63'000);
  EXPECT_EQ(event.at("eventType"), "backup_success");
  EXPECT_EQ(names_of(event), "Job Source Duration Size Time ");
  EXPECT_EQ(event.at("fields").at(2).at("value"), "61s");
  EXPECT_EQ(event.at("fields").at(3).at("value"), "1.5 KB");
  EXPECT_FALSE(event.contains("badge"));

  run.status = "Failed";
  run.error = "no room";
  event = backup_event(run, "", 63'000);
  EXPECT_EQ(event.at("eventType"), "backup_failure");
  EXPECT_EQ(event.at("success"), false);
  EXPECT_EQ(names_of(event), "Job Error Time ");
  EXPECT_EQ(event.at("fields").at(1).at("inline"), false);

  run.status = "Partial";
  event = backup_event(run, "db", 63'000);
  EXPECT_EQ(event.at("badge"), "Partial");
  EXPECT_EQ(names_of(event), "Job Source Duration Size Details Time ");
}

TEST(RestoreEvent, HoldsTheFieldsOfItsKind) {
  Execution run{.type = "Restore", .status = "Success", .started_at = 1000};
  run.ended_at = 4000;
  run.size = 2048;
  const RestoreFacts facts{.source_name = "db",
                           .adapter_id = "postgres",
                           .database = "orders",
                           .storage_name = "disk",
                           .file = "a/b.dump"};
  Json event = restore_event(run, facts, 5000);
  EXPECT_EQ(event.at("eventType"), "restore_complete");
  EXPECT_EQ(event.at("success"), true);
  EXPECT_EQ(names_of(event), "Source Database Type Target DB Storage Backup File Size Duration Time ");
  EXPECT_EQ(event.at("fields").at(1).at("value"), "POSTGRES");
  run.status = "Cancelled";
  run.error = "cancelled by admin";
  event = restore_event(run, facts, 5000);
  EXPECT_EQ(event.at("eventType"), "restore_failure");
  EXPECT_EQ(names_of(event), "Source Database Type Target DB Backup File Error Duration Time ");
  EXPECT_EQ(event.at("message"), "\"a/b.dump\" was not restored into \"db\": cancelled by admin");
}

}  // namespace
}  // namespace dbackup::host
