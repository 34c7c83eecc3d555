#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "api/entity_tag.hpp"
#include "api/idempotency.hpp"
#include "base/error.hpp"
#include "store/profile_store.hpp"
#include "tests/support/postgres_server.hpp"

/// What several hosts on one PostgreSQL promise to clients that repeat or race.
namespace dbackup::host {
namespace {

struct Hosts {
  Hosts() {
    server.sql("postgres", "create database meta");
    server.sql("postgres", "create user meta password 'meta' superuser");
    for (auto& host : hosts) {
      host = Database::open(
          {.url = "postgresql://meta:meta@127.0.0.1:" + std::to_string(server.port()) + "/meta",
           .connections = 4});
    }
  }
  void set(Database& host, const std::string& value) {
    host.write([&](Session& session) { SettingStore{}.set(session, "k", value); });
  }
  std::string get(Database& host) {
    std::string value;
    host.read([&](Session& session) { value = SettingStore{}.get(session, "k").value_or(""); });
    return value;
  }

  ::dbackup::testing::PostgresServer server;
  std::unique_ptr<Database> hosts[2];
};

TEST(SharedMetadata, LetsOneOfManyRacingWritersOfTwoHostsThrough) {
  if (!::dbackup::testing::PostgresServer::installed())
    GTEST_SKIP() << "no PostgreSQL server on this machine";
  Hosts hosts;
  ConditionalChanges changes[2]{ConditionalChanges{*hosts.hosts[0]},
                                ConditionalChanges{*hosts.hosts[1]}};
  for (int round = 0; round < 8; ++round) {
    hosts.set(*hosts.hosts[0], "before " + std::to_string(round));
    HttpRequest request;
    request.segments = {"api", "thing"};
    request.headers.add("If-Match",
                        entity_tag(HttpResponse::json(200, hosts.get(*hosts.hosts[0]))));
    std::atomic<int> done = 0, refused = 0;
    std::vector<std::thread> writers;
    for (size_t i = 0; i < 8; ++i) {
      writers.emplace_back([&, i] {
        Database& host = *hosts.hosts[i % 2];
        try {
          changes[i % 2].run(
              request, [&] { return HttpResponse::json(200, hosts.get(host)); },
              [&] {
                hosts.set(host, "writer " + std::to_string(i));
                return HttpResponse::json(200, "{}");
              });
          ++done;
        } catch (const Error& error) {
          EXPECT_EQ(error.reason(), "if_match") << error.what();
          ++refused;
        }
      });
    }
    for (auto& writer : writers) writer.join();
    EXPECT_EQ(done, 1) << "round " << round;
    EXPECT_EQ(refused, 7);
  }
}

TEST(SharedMetadata, DoesOnceWhatIsSentToTwoHostsAtOnce) {
  if (!::dbackup::testing::PostgresServer::installed())
    GTEST_SKIP() << "no PostgreSQL server on this machine";
  Hosts hosts;
  const SystemClock clock;
  Idempotency hosts_of[2]{{*hosts.hosts[0], clock}, {*hosts.hosts[1], clock}};
  for (int round = 0; round < 8; ++round) {
    const IdempotentRequest request{.principal = "p",
                                    .route = "POST /api/jobs",
                                    .key = "key-" + std::to_string(round),
                                    .body = "{}"};
    std::atomic<int> made = 0, answered = 0;
    std::vector<std::thread> clients;
    for (size_t i = 0; i < 6; ++i) {
      clients.emplace_back([&, i] {
        try {
          hosts_of[i % 2].answer(request, [&] {
            hosts.set(*hosts.hosts[i % 2], "made");
            ++made;
            return HttpResponse::json(201, "{}");
          });
          ++answered;
        } catch (const Error& error) {
          EXPECT_EQ(error.code(), ErrorCode::Aborted) << error.what();
        }
      });
    }
    for (auto& client : clients) client.join();
    EXPECT_EQ(made, 1);
    EXPECT_GE(answered, 1);
    EXPECT_EQ(
        hosts_of[round % 2].answer(request, [] { return HttpResponse::json(500, ""); }).status,
        201);
  }
}

TEST(SharedMetadata, IsThereAgainOnceTheServerIs) {
  if (!::dbackup::testing::PostgresServer::installed())
    GTEST_SKIP() << "no PostgreSQL server on this machine";
  Hosts hosts;
  Database& host = *hosts.hosts[0];
  hosts.set(host, "before");
  hosts.server.sql(
      "postgres",
      "select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = 'meta'");
  try {
    hosts.get(host);
    FAIL() << "a connection that was cut goes on";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::Unavailable) << error.what();
  }
  // The other three were cut as well, and nobody is told so a second time.
  for (int i = 0; i < 8; ++i) EXPECT_EQ(hosts.get(host), "before");
  hosts.set(host, "after");
  EXPECT_EQ(hosts.get(host), "after");
}

}  // namespace
}  // namespace dbackup::host
