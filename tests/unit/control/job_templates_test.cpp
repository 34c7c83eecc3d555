#include "control/job_templates.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/adapter_store.hpp"
#include "store/template_store.hpp"
#include "tests/unit/services/test_database.hpp"

namespace dbackup::host {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class JobTemplates : public ::testing::Test, protected testing::TestDatabase {
 protected:
  void add(Template row) {
    if (row.name.empty()) row.name = row.id;
    database->write([&](Session& s) {
      for (const auto& channel : row.channels) {
        if (AdapterStore{}.find(s, channel.config_id)) continue;
        AdapterStore{}.insert(s, {.id = channel.config_id,
                                  .name = channel.config_id,
                                  .type = "notification",
                                  .adapter_id = "hook"});
      }
      TemplateStore{}.insert(s, row);
    });
  }
  void clear_default(TemplateKind kind) {
    database->write([&](Session& s) { TemplateStore{}.clear_default(s, kind, 1); });
  }
  std::string pattern(const Job& job) {
    std::string out;
    database->read([&](Session& s) { out = name_pattern_of(s, job, "of the settings"); });
    return out;
  }
  std::string mode(const JobDestination& destination) {
    std::string out;
    database->read([&](Session& s) { out = retention_in_force(s, destination).value("mode", ""); });
    return out;
  }
  std::vector<std::string> channels(const Job& job, const std::string& status) {
    std::vector<std::string> out;
    database->read([&](Session& s) { out = channels_of(s, job, status); });
    return out;
  }
};

TEST_F(JobTemplates, NameFilesByTheJobsTemplateThenTheDefaultThenTheSetting) {
  add({.id = "own", .kind = TemplateKind::NamingTemplate, .content = {{"pattern", "own"}}});
  EXPECT_EQ(pattern({.naming_template_id = "own"}), "own");
  EXPECT_EQ(pattern({}), "{job_name}_yyyy-MM-dd_HH-mm-ss_{chain}");
  clear_default(TemplateKind::NamingTemplate);
  EXPECT_EQ(pattern({}), "of the settings");
}

TEST_F(JobTemplates, PutTheLinkedPolicyBeforeTheOwnObjectBeforeTheDefault) {
  const Json own{{"mode", "SIMPLE"}, {"simple", {{"keepCount", 2}}}};
  EXPECT_EQ(mode({.retention = own, .retention_policy_id = "retention-gvs-default"}), "SMART");
  EXPECT_EQ(mode({.retention = own}), "SIMPLE");
  EXPECT_EQ(mode({}), "NONE");
  add({.id = "usual",
       .kind = TemplateKind::RetentionPolicy,
       .content = {{"config", {{"mode", "SMART"}}}},
       .is_default = true});
  EXPECT_EQ(mode({}), "SMART");
  EXPECT_TRUE(removes_backups(own));
  EXPECT_FALSE(removes_backups({{"mode", "NONE"}}));
  EXPECT_FALSE(removes_backups(Json::object()));
}

TEST_F(JobTemplates, ChooseChannelsByTemplatesThenByTheJobThenByTheDefault) {
  add({.id = "first",
       .kind = TemplateKind::NotificationTemplate,
       .channels = {{"c1", "mail", "FAILED"}, {"c2", "chat", "SUCCESS|PARTIAL"}}});
  add({.id = "second",
       .kind = TemplateKind::NotificationTemplate,
       .channels = {{"c3", "mail", "SUCCESS"}, {"c4", "chat", "SUCCESS"}}});
  const Job templated{.notification_events = "ALWAYS",
                      .notification_ids = {"older"},
                      .notification_templates = {{"l1", "first", 0}, {"l2", "second", 1}}};
  EXPECT_THAT(channels(templated, "Success"), ElementsAre("chat", "mail")) << "each once";
  EXPECT_THAT(channels(templated, "Failed"), ElementsAre("mail"));
  EXPECT_THAT(channels(templated, "Partial"), ElementsAre("chat"));
  const Job older{.notification_events = "FAILURE_ONLY", .notification_ids = {"older"}};
  EXPECT_THAT(channels(older, "Failed"), ElementsAre("older"));
  EXPECT_THAT(channels(older, "Success"), IsEmpty());
  EXPECT_THAT(channels({}, "Success"), IsEmpty());
  add({.id = "usual",
       .kind = TemplateKind::NotificationTemplate,
       .channels = {{"c5", "pager", "FAILED"}},
       .is_default = true});
  EXPECT_THAT(channels({}, "Failed"), ElementsAre("pager"));
  EXPECT_THAT(channels(older, "Success"), IsEmpty()) << "a job with channels has chosen";
}

}  // namespace
}  // namespace dbackup::host
