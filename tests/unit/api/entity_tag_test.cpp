#include "api/entity_tag.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "store/before_write.hpp"
#include "store/profile_store.hpp"
#include "tests/unit/api/api_fixture.hpp"

namespace dbackup::host {
namespace {

using testing::Answer;
using testing::ApiFixture;

struct TaggedJob : ApiFixture {
  std::string path = "/api/jobs/" + make_job(make_source(), make_storage());

  std::string tag() { return std::string{get(path).headers.get("ETag")}; }
  Answer put(const Json& body, const std::string& if_match) {
    return send(Method::Put, path, {.body = body.dump(), .headers = {{"If-Match", if_match}}});
  }
};

TEST(EntityTag, FollowsTheContentAndSparesItsTransfer) {
  TaggedJob job;
  const std::string tag = job.tag();
  EXPECT_EQ(tag.size(), 34u) << tag;
  EXPECT_EQ(job.tag(), tag) << "unchanged";
  const Answer known = job.get(job.path, {.headers = {{"If-None-Match", "\"x\", " + tag}}});
  EXPECT_EQ(known.status, 304);
  EXPECT_TRUE(known.text.empty());
  EXPECT_EQ(known.headers.get("ETag"), tag);
  EXPECT_EQ(job.send(Method::Head, job.path).headers.get("ETag"), tag);
  ASSERT_EQ(job.put({{"enabled", false}}, tag).status, 200);
  EXPECT_NE(job.tag(), tag);
  EXPECT_EQ(job.get(job.path, {.headers = {{"If-None-Match", tag}}}).status, 200);
}

TEST(EntityTag, LetsNobodyChangeWhatHeHasNotSeen) {
  TaggedJob job;
  const std::string tag = job.tag();
  ASSERT_EQ(job.put({{"name", "first"}}, tag).status, 200);
  const Answer late = job.put({{"name", "second"}}, tag);
  EXPECT_EQ(late.status, 412) << late.text;
  EXPECT_EQ(job.get(job.path).body["name"], "first");
  EXPECT_EQ(job.send(Method::Delete, job.path, {.headers = {{"If-Match", tag}}}).status, 412);
  EXPECT_EQ(job.put({{"name", "x"}}, "W/" + job.tag()).status, 412) << "weak tags match nothing";
  EXPECT_EQ(job.put({{"name", "x"}}, "no tag").status, 412);
  EXPECT_EQ(job.put({{"name", "third"}}, "\"other\", " + job.tag()).status, 200);
  EXPECT_EQ(job.put({{"name", "fourth"}}, "*").status, 200);
  EXPECT_EQ(job.send(Method::Delete, job.path, {.headers = {{"If-Match", job.tag()}}}).status, 200);
  EXPECT_EQ(job.put({{"name", "fifth"}}, "*").status, 404);
}

TEST(EntityTag, NeedsThePermissionToReadWhatItCompares) {
  TaggedJob job;
  const std::string writer = job.key_with({"jobs:write"});
  const auto put = [&](std::vector<std::pair<std::string, std::string>> headers) {
    return job.send(Method::Put, job.path, {.body = "{}", .key = writer, .headers = headers})
        .status;
  };
  EXPECT_EQ(put({}), 200);
  EXPECT_EQ(put({{"If-Match", "*"}}), 403);
}

TEST(EntityTag, LetsOneOfManyRacingWritersThrough) {
  TaggedJob job;
  for (int round = 0; round < 5; ++round) {
    const std::string tag = job.tag();
    std::atomic<int> done = 0, refused = 0;
    std::vector<std::thread> writers;
    for (int i = 0; i < 6; ++i) {
      writers.emplace_back([&, i] {
        const int status = job.put({{"name", "w" + std::to_string(round * 10 + i)}}, tag).status;
        done += status == 200 ? 1 : 0;
        refused += status == 412 ? 1 : 0;
      });
    }
    for (auto& writer : writers) writer.join();
    EXPECT_EQ(done, 1);
    EXPECT_EQ(refused, 5);
  }
}

TEST(ConditionalChanges, LookAgainInsideTheTransactionOfTheChange) {
  testing::TestDatabase store;
  ConditionalChanges changes{*store.database};
  const auto value = [&] {
    std::string text;
    store.database->read(
        [&](Session& session) { text = SettingStore{}.get(session, "k").value_or("none"); });
    return text;
  };
  const auto set = [&](const std::string& text) {
    store.database->write([&](Session& session) { SettingStore{}.set(session, "k", text); });
  };
  HttpRequest request;
  request.segments = {"k"};
  request.headers.add("If-Match", entity_tag(HttpResponse::json(200, "none")));
  const auto current = [&] { return HttpResponse::json(200, value()); };
  // Somebody else writes after the first comparison: what a bulk call or another host may do.
  EXPECT_THROW(changes.run(request, current,
                           [&] {
                             std::thread{[&] { set("theirs"); }}.join();
                             set("mine");
                             return HttpResponse::json(200, "{}");
                           }),
               Error);
  EXPECT_EQ(value(), "theirs");
  request.headers.set("If-Match", entity_tag(current()));
  changes.run(request, current, [&] {
    set("mine");
    set("mine, twice");
    return HttpResponse::json(200, "{}");
  });
  EXPECT_EQ(value(), "mine, twice") << "its own first change does not stop its second";
}

TEST(Database, RefusesATransactionInsideAnother) {
  testing::TestDatabase store;
  EXPECT_ANY_THROW(
      store.database->write([&](Session&) { store.database->write([](Session&) {}); }));
  EXPECT_NO_THROW(store.database->write([](Session&) {}));
}

}  // namespace
}  // namespace dbackup::host
