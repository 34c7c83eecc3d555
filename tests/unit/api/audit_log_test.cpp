#include <gtest/gtest.h>

#include "base/id.hpp"
#include "store/audit_store.hpp"
#include "store/query.hpp"
#include "store/user_store.hpp"
#include "tests/unit/api/api_fixture.hpp"

namespace dbackup::host {
namespace {

using testing::Answer;
using testing::ApiFixture;

/// Ten entries of other things, an hour apart; the newest at 2026-03-09T02:00:04.117Z.
struct AuditedApi : ApiFixture {
  AuditedApi() {
    database->write([&](Session& session) {
      session.raw() << "DELETE FROM audit_log";
      for (int i = 0; i < 10; ++i) {
        AuditEntry entry{.id = new_uuid(), .user_id = i % 2 == 0 ? "alice" : ""};
        entry.action = i < 4 ? "CREATE" : "LOGIN";
        entry.resource = i < 4 ? "JOB" : "AUTH";
        entry.resource_id = "thing-" + std::to_string(i);
        if (i == 3) entry.details = {{"name", "Orders 100%"}};
        entry.ip_address = "10.0.0." + std::to_string(i);
        entry.created_at = clock.now_ms() - (9 - i) * 3'600'000;
        AuditStore{}.insert(session, entry);
      }
    });
  }
  Json list(const std::string& query) { return get("/api/audit" + query).body["data"]; }
  std::vector<std::string> ids(const std::string& query) {
    std::vector<std::string> out;
    const Json data = list(query);
    for (const Json& entry : data["logs"]) out.push_back(entry["resourceId"].get<std::string>());
    return out;
  }
};

using Ids = std::vector<std::string>;

TEST(AuditLog, ComesInPagesNewestFirst) {
  AuditedApi api;
  EXPECT_EQ(api.ids("?limit=3"), (Ids{"thing-9", "thing-8", "thing-7"}));
  EXPECT_EQ(api.ids("?limit=3&page=4"), (Ids{"thing-0"}));
  EXPECT_EQ(api.list("?limit=3&page=2")["pagination"],
            (Json{{"total", 10}, {"pages", 4}, {"page", 2}, {"limit", 3}}));
  EXPECT_EQ(api.list("")["pagination"]["limit"], 20);
  for (const char* query : {"?page=0", "?limit=0", "?limit=201", "?page=x", "?action=SHOUT",
                            "?resource=MOON", "?startDate=yesterday", "?endDate=2026-13-01"}) {
    EXPECT_EQ(api.get(std::string{"/api/audit"} + query).status, 400) << query;
  }
}

TEST(AuditLog, ShowsWhoDidWhatToWhat) {
  AuditedApi api;
  const Json entry = api.list("?search=orders")["logs"].at(0);
  EXPECT_EQ(entry["action"], "CREATE");
  EXPECT_EQ(entry["resource"], "JOB");
  EXPECT_EQ(entry["resourceId"], "thing-3");
  EXPECT_EQ(Json::parse(entry["details"].get<std::string>()), (Json{{"name", "Orders 100%"}}));
  EXPECT_EQ(entry["ipAddress"], "10.0.0.3");
  EXPECT_TRUE(entry["userAgent"].is_null());
  EXPECT_TRUE(entry["userId"].is_null());
  EXPECT_EQ(entry["createdAt"], "2026-03-08T20:00:04.117Z");
  const Json of_alice = api.list("?userId=alice")["logs"].at(0);
  EXPECT_EQ(of_alice["userId"], "alice");
  EXPECT_TRUE(of_alice["user"].is_null()) << "there is no such account";
}

TEST(AuditLog, IsFilteredByEverythingTogether) {
  AuditedApi api;
  EXPECT_EQ(api.ids("?userId=alice&action=CREATE"), (Ids{"thing-2", "thing-0"}));
  EXPECT_EQ(api.ids("?resource=JOB&search=THING-1"), (Ids{"thing-1"}));
  EXPECT_EQ(api.ids("?search=100%25"), (Ids{"thing-3"})) << "a percent sign is no pattern";
  EXPECT_EQ(api.ids("?search=10.0.0.9"), (Ids{"thing-9"}));
  EXPECT_EQ(api.ids("?startDate=2026-03-09"), (Ids{"thing-9", "thing-8", "thing-7"}));
  EXPECT_EQ(api.ids("?endDate=2026-03-08").size(), 7U) << "the day is included";
  EXPECT_EQ(api.ids("?startDate=2026-03-08T20:00:04.117Z&endDate=2026-03-08T21:00:04.117Z"),
            (Ids{"thing-4", "thing-3"}));
}

TEST(AuditLog, CountsActionsAndResources) {
  AuditedApi api;
  EXPECT_EQ(
      api.get("/api/audit/stats").body["data"],
      (Json{{"actions", {{{"value", "CREATE"}, {"count", 4}}, {{"value", "LOGIN"}, {"count", 6}}}},
            {"resources", {{{"value", "AUTH"}, {"count", 6}}, {{"value", "JOB"}, {"count", 4}}}}}));
}

TEST(AuditLog, NamesTheAccountWhereThereIsOne) {
  AuditedApi api;
  api.database->write([](Session& session) {
    UserStore{}.insert(session, {.id = "alice", .name = "Alice", .email = "alice@example.net"});
  });
  EXPECT_EQ(
      api.list("?userId=alice")["logs"].at(0)["user"],
      (Json{
          {"id", "alice"}, {"name", "Alice"}, {"email", "alice@example.net"}, {"image", nullptr}}));
  EXPECT_TRUE(api.list("?search=thing-1")["logs"].at(0)["user"].is_null());
}

TEST(AuditLog, IsReadByThoseWhoMay) {
  AuditedApi api;
  EXPECT_EQ(api.get("/api/audit", {.key = api.key_with({"audit:read"})}).status, 200);
  EXPECT_EQ(api.get("/api/audit/stats", {.key = api.key_with({"settings:write"})}).status, 403);
}

}  // namespace
}  // namespace dbackup::host
