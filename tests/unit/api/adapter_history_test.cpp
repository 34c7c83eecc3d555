#include <gtest/gtest.h>

#include "base/id.hpp"
#include "store/adapter_store.hpp"
#include "store/observation_store.hpp"
#include "tests/unit/api/api_fixture.hpp"

namespace dbackup::host {
namespace {

using testing::Answer;
using testing::ApiFixture;

constexpr TimeMs kMinute = 60'000;
constexpr TimeMs kDay = 24 * 60 * kMinute;

struct HistoryApi : ApiFixture {
  template <class Row>
  void insert(const Row& row) {
    database->write([&](Session& s) { ObservationStore{}.insert(s, row); });
  }
  void add_checks(const std::string& id, int count) {
    const TimeMs now = clock.now_ms();
    for (int i = 0; i < count; ++i) {
      const bool is_up = i % 3 != 0;
      insert(HealthCheck{.id = new_uuid(),
                         .adapter_id = id,
                         .status = is_up ? "ONLINE" : "DEGRADED",
                         .latency_ms = is_up ? 10 + i : 15'000,
                         .error = is_up ? "" : "connection refused",
                         .created_at = now - i * kMinute});
    }
  }
};

TEST(HealthHistory, ShowsTheNewestChecksAndWhatTheyComeTo) {
  HistoryApi api;
  const std::string path = "/api/adapters/" + api.make_source() + "/health-history";
  EXPECT_EQ(api.get(path).body,
            (Json{{"history", Json::array()},
                  {"stats", {{"uptime", 0.0}, {"avgLatency", 0}, {"totalChecks", 0}}}}));
  api.add_checks(path.substr(14, 36), 6);
  const Json body = api.get(path).body;
  ASSERT_EQ(body["history"].size(), 6U);
  EXPECT_EQ(body["history"][0]["createdAt"], format_iso8601(api.clock.now_ms()));
  EXPECT_EQ(body["history"][0]["status"], "DEGRADED");
  EXPECT_EQ(body["history"][0]["error"], "connection refused");
  EXPECT_EQ(body["history"][1]["latencyMs"], 11);
  EXPECT_TRUE(body["history"][1]["error"].is_null());
  EXPECT_EQ(body["stats"], (Json{{"uptime", 66.67}, {"avgLatency", 13}, {"totalChecks", 6}}));

  EXPECT_EQ(api.get(path + "?limit=2").body["stats"],
            (Json{{"uptime", 50.0}, {"avgLatency", 11}, {"totalChecks", 2}}))
      << "of the rows in the answer";
  const std::string from = format_iso8601(api.clock.now_ms() - 2 * kMinute);
  EXPECT_EQ(api.get(path + "?from=" + from).body["history"].size(), 3U);
  for (const char* bad : {"?limit=many", "?limit=0", "?limit=-1", "?from=yesterday"}) {
    EXPECT_EQ(api.get(path + bad).status, 400) << bad;
  }
  EXPECT_EQ(api.get(path + "?limit=100000").status, 200);
  EXPECT_EQ(api.get("/api/adapters/unknown/health-history").status, 404);
}

TEST(HealthHistory, IsForWhoeverMaySeeSourcesOrDestinations) {
  HistoryApi api;
  const std::string path = "/api/adapters/" + api.make_storage() + "/health-history";
  EXPECT_EQ(api.get(path, {.key = api.key_with({"sources:view"})}).status, 200);
  EXPECT_EQ(api.get(path, {.key = api.key_with({"destinations:read"})}).status, 200);
  EXPECT_EQ(api.get(path, {.key = api.key_with({"notifications:read"})}).status, 403);
}

TEST(VersionHistory, ShowsChangesNewestFirst) {
  HistoryApi api;
  const std::string id = api.make_source();
  const std::string path = "/api/adapters/" + id + "/version-history";
  const TimeMs now = api.clock.now_ms();
  api.insert(VersionChange{
      .id = "v1", .adapter_id = id, .new_version = "15.4", .detected_at = now - kDay});
  api.insert(VersionChange{.id = "v2",
                           .adapter_id = id,
                           .previous_version = "15.4",
                           .new_version = "16.1",
                           .edition = "Community",
                           .detected_at = now});
  const Json second{{"id", "v2"},
                    {"previousVersion", "15.4"},
                    {"newVersion", "16.1"},
                    {"edition", "Community"},
                    {"detectedAt", format_iso8601(now)}};
  const Json first{{"id", "v1"},
                   {"previousVersion", nullptr},
                   {"newVersion", "15.4"},
                   {"edition", nullptr},
                   {"detectedAt", format_iso8601(now - kDay)}};
  EXPECT_EQ(api.get(path).body, (Json{{"success", true}, {"history", {second, first}}}));
  for (const char* limit : {"1", "0", "-7"}) {
    EXPECT_EQ(api.get(path + "?limit=" + limit).body["history"], (Json{second})) << "clamped";
  }
  EXPECT_EQ(api.get(path + "?limit=few").status, 400);
}

TEST(StorageHistory, ShowsHowADestinationFilled) {
  HistoryApi api;
  const std::string id = api.make_storage();
  const std::string path = "/api/storage/" + id + "/history";
  const TimeMs now = api.clock.now_ms();
  for (const TimeMs age : {400, 40, 20, 1}) {
    api.insert(StorageSnapshot{.id = new_uuid(),
                               .adapter_id = id,
                               .size_bytes = 5'000'000'000 - age,
                               .file_count = 100 - age,
                               .created_at = now - age * kDay});
  }
  const Json data = api.get(path).body["data"];
  ASSERT_EQ(data.size(), 2U) << "thirty days";
  EXPECT_EQ(data[0]["date"], format_iso8601(now - 20 * kDay)) << "oldest first";
  const std::string date = format_iso8601(now - kDay);
  EXPECT_EQ(data[1], (Json{{"date", date},
                           {"size", 4'999'999'999},
                           {"count", 99},
                           {"createdAt", date},
                           {"totalSize", 4'999'999'999},
                           {"fileCount", 99}}));
  EXPECT_EQ(api.get(path + "?days=0").body["data"].size(), 1U) << "taken as one day";
  EXPECT_EQ(api.get(path + "?days=9999").body["data"].size(), 3U) << "taken as a year";
  EXPECT_EQ(api.get(path + "?days=x").status, 400);
  EXPECT_EQ(api.get("/api/storage/" + api.make_source() + "/history").status, 400);
  EXPECT_EQ(api.get("/api/storage/unknown/history").status, 404);
}

TEST(Observations, GoWithTheirAdapter) {
  HistoryApi api;
  const std::string id = api.make_storage();
  api.add_checks(id, 3);
  api.insert(VersionChange{.id = "v1", .adapter_id = id, .new_version = "1"});
  api.insert(StorageSnapshot{.id = "s1", .adapter_id = id});
  EXPECT_EQ(api.send(Method::Delete, "/api/adapters/" + id).status, 200);
  api.database->read([&](Session& s) {
    EXPECT_TRUE(ObservationStore{}.health(s, id, 0, 10).empty());
    EXPECT_TRUE(ObservationStore{}.versions(s, id, 10).empty());
    EXPECT_TRUE(ObservationStore{}.snapshots(s, id, 0).empty());
  });
}

TEST(Observations, AreNoChangeThatAWriterHasToKnow) {
  HistoryApi api;
  const std::string id = api.make_source();
  const std::string path = "/api/adapters/" + id;
  const std::string tag{api.get(path).headers.get("ETag")};
  const auto put_if = [&](const std::string& if_match, const std::string& body) {
    return api.send(Method::Put, path, {.body = body, .headers = {{"If-Match", if_match}}}).status;
  };
  api.database->write([&](Session& s) {
    AdapterStore{}.record_health(s,
                                 {.adapter_id = id,
                                  .status = "DEGRADED",
                                  .error = "connection refused",
                                  .created_at = api.clock.now_ms()},
                                 1);
    const auto row = AdapterStore{}.find(s, id).value();
    EXPECT_TRUE(AdapterStore{}.replace_metadata(s, row, {{"engineVersion", "16.4"}}));
    EXPECT_FALSE(AdapterStore{}.replace_metadata(s, row, {{"engineVersion", "16.5"}}))
        << "somebody was faster";
  });
  const Answer seen = api.get(path, {.headers = {{"If-None-Match", tag}}});
  EXPECT_EQ(seen.status, 200) << "who polls sees the new health";
  EXPECT_EQ(seen.body["lastStatus"], "DEGRADED");
  EXPECT_EQ(put_if(tag, R"({"name":"first"})"), 200);
  EXPECT_EQ(put_if(tag, R"({"name":"second"})"), 412) << "that one was a change";
  const Json after = api.get(path).body;
  EXPECT_EQ(after["lastStatus"], "DEGRADED") << "a change of the name is no health check";
  EXPECT_EQ(after["metadata"], R"({"engineVersion":"16.4"})");
  EXPECT_EQ(put_if("\"" + std::string(32, '0') + "-x\"", "{}"), 412);
}

}  // namespace
}  // namespace dbackup::host
