#include "api/run_events.hpp"

#include <gtest/gtest.h>

#include <set>

#include "store/execution_store.hpp"
#include "tests/support/raw_http_client.hpp"
#include "tests/unit/api/api_fixture.hpp"

/// Runs followed over the server's own sockets.
namespace dbackup::host {
namespace {

using test::raw_get;
using test::RawHttpClient;

struct Event {
  std::string id, name;
  Json data;
};

/// The client's side of a stream.
class Follower {
 public:
  Follower(uint16_t port, const std::string& path, const std::string& headers,
           int receive_buffer = 0)
      : client_{port, {.receive_buffer = receive_buffer}} {
    EXPECT_TRUE(client_.send(raw_get(path, headers)));
  }
  /// The next event; without a name when the stream is over.
  Event next() {
    for (;;) {
      if (is_head_read_) {
        if (const size_t end = text_.find("\n\n"); end != std::string::npos) {
          const std::string one = text_.substr(0, end + 1);
          text_.erase(0, end + 2);
          if (one.starts_with(":")) {
            ++comments;
            continue;
          }
          return parsed(one);
        }
      } else if (const size_t end = text_.find("\r\n\r\n"); end != std::string::npos) {
        head = text_.substr(0, end);
        text_.erase(0, end + 4);
        is_head_read_ = true;
        if (head.find(" 200 ") == std::string::npos) return {};
        continue;
      }
      const std::string more = client_.read_some(65536);
      if (more.empty()) return {};
      text_ += more;
    }
  }
  /// Up to an event of that name.
  Event next(const std::string& name) {
    for (Event event = next();; event = next()) {
      if (event.name == name || event.name.empty()) return event;
    }
  }
  RawHttpClient& client() { return client_; }

  std::string head;
  int comments = 0;

 private:
  static Event parsed(const std::string& text) {
    Event out;
    for (size_t at = 0; at < text.size();) {
      const size_t end = text.find('\n', at);
      const std::string line = text.substr(at, end - at);
      if (line.starts_with("id: ")) out.id = line.substr(4);
      if (line.starts_with("event: ")) out.name = line.substr(7);
      if (line.starts_with("data: ")) out.data = Json::parse(line.substr(6));
      at = end + 1;
    }
    return out;
  }

  RawHttpClient client_;
  std::string text_;
  bool is_head_read_ = false;
};

struct RunningApi : testing::ApiFixture {
  RunningApi() { api->start(); }
  explicit RunningApi(const ApiServerOptions& options) {
    api.reset();  // news of runs have one listener
    api = std::make_unique<ApiServer>(*services, options);
    api->start();
  }
  ~RunningApi() { api->drain_and_stop(std::chrono::seconds{5}); }

  std::string credentials(const std::string& key = "") const {
    return "Authorization: Bearer " + (key.empty() ? root_key : key) + "\r\n";
  }
  Follower follow(const std::string& path, const std::string& headers = "") {
    return Follower{api->port(), path, credentials() + headers};
  }
  void add(const std::string& id, const std::string& status = "Running") {
    Execution run{.id = id,
                  .status = status,
                  .stage = "Initializing",
                  .started_at = clock.now_ms(),
                  .host_id = "other"};
    database->write([&](Session& session) { ExecutionStore{}.insert(session, run); });
  }
  void add_line(const std::string& id, const std::string& message) {
    database->write([&](Session& session) {
      LogEntry line{.seq = ExecutionStore{}.last_log_seq(session, id) + 1, .at = clock.now_ms()};
      line.level = "info";
      line.type = "general";
      line.message = message;
      ExecutionStore{}.append_logs(session, id, {line});
    });
    control->context().news->tell(id, RunNews::What::Progress);
  }
  void set_progress(const std::string& id, int64_t percent, const std::string& stage) {
    database->write([&](Session& session) {
      ExecutionStore{}.set_progress(session, id, percent, stage, "", clock.now_ms());
    });
    control->context().news->tell(id, RunNews::What::Progress);
  }
  /// `is_told` false: as another host would.
  void end(const std::string& id, bool is_told = true) {
    database->write([&](Session& session) {
      ExecutionStore{}.end_abandoned(
          session, id, {.status = "Success", .path = "J/x", .ended_at = clock.now_ms() + 1});
    });
    if (is_told) control->context().news->tell(id, RunNews::What::Status);
  }
};

TEST(RunEvents, TellARunFromItsFirstLineToItsEnd) {
  RunningApi running;
  running.add("run");
  running.add_line("run", "one");
  Follower follower = running.follow("/api/executions/run/events");
  const Event one = follower.next();
  EXPECT_NE(follower.head.find("200"), std::string::npos) << follower.head;
  EXPECT_NE(follower.head.find("text/event-stream"), std::string::npos);
  EXPECT_EQ(one.name, "log");
  EXPECT_EQ(one.id, "1");
  EXPECT_EQ(one.data["message"], "one");
  EXPECT_EQ(one.data["index"], 1);
  const Event status = follower.next();
  EXPECT_EQ(status.name, "status");
  EXPECT_EQ(status.id, "") << "only lines move Last-Event-ID";
  EXPECT_EQ(status.data["status"], "Running");
  EXPECT_EQ(follower.next().name, "stage");
  EXPECT_EQ(follower.next().name, "progress");
  running.add_line("run", "two");
  EXPECT_EQ(follower.next().data["message"], "two");
  running.set_progress("run", 40, "Uploading");
  EXPECT_EQ(follower.next().data["stage"], "Uploading");
  EXPECT_EQ(follower.next().data["progress"], 40);
  running.add_line("run", "three");
  running.end("run");
  EXPECT_EQ(follower.next("log").data["message"], "three");
  EXPECT_EQ(follower.next("status").data["status"], "Success");
  const Event end = follower.next("end");
  EXPECT_EQ(end.id, "3.end");
  EXPECT_EQ(end.data["path"], "J/x");
  EXPECT_EQ(follower.next().name, "") << "nothing follows";
  EXPECT_TRUE(follower.client().closed_by_peer());
}

TEST(RunEvents, GoOnExactlyAfterTheLastEventId) {
  RunningApi running;
  running.add("run");
  for (int i = 1; i <= 250; ++i) running.add_line("run", std::to_string(i));
  std::string last;
  {
    Follower follower = running.follow("/api/executions/run/events");
    for (int i = 1; i <= 120; ++i) last = follower.next().id;
    EXPECT_EQ(last, "120");
  }
  Follower again =
      running.follow("/api/executions/run/events?after=7", "Last-Event-ID: " + last + "\r\n");
  for (int i = 121; i <= 250; ++i) EXPECT_EQ(again.next().data["message"], std::to_string(i));
  Follower by_index = running.follow("/api/executions/run/events?after=249");
  EXPECT_EQ(by_index.next().id, "250");
  running.end("run");
  EXPECT_EQ(again.next("end").id, "250.end");
  RawHttpClient client{running.api->port()};
  const auto over = client.ask(
      raw_get("/api/executions/run/events", running.credentials() + "Last-Event-ID: 250.end\r\n"));
  EXPECT_EQ(over.value().status, 204) << "so that browsers stop coming back";
  Follower late = running.follow("/api/executions/run/events", "Last-Event-ID: 249\r\n");
  EXPECT_EQ(late.next("log").id, "250") << "of a run that has ended the rest is told all the same";
  EXPECT_EQ(late.next("end").data["status"], "Success");
}

TEST(RunEvents, ShowWhatAnotherHostWrites) {
  RunningApi running;
  running.add("run");
  Follower follower = running.follow("/api/executions/run/events");
  EXPECT_EQ(follower.next("status").data["status"], "Running");
  running.end("run", /*is_told=*/false);
  EXPECT_EQ(follower.next("end").data["status"], "Success");
}

TEST(RunEvents, AreForThoseWhoMayReadHistory) {
  RunningApi running;
  running.add("run");
  const auto status = [&](const std::string& path, const std::string& headers) {
    RawHttpClient client{running.api->port()};
    return client.ask(raw_get(path, headers)).value().status;
  };
  const std::string jobs = running.credentials(running.key_with({"jobs:read"}));
  for (const char* path : {"/api/executions/run/events", "/api/events"}) {
    EXPECT_EQ(status(path, ""), 401);
    EXPECT_EQ(status(path, jobs), 403);
    EXPECT_EQ(status(path, running.credentials() + "Last-Event-ID: soon\r\n"), 400);
  }
  EXPECT_EQ(status("/api/executions/unknown/events", running.credentials()), 404);
  EXPECT_EQ(status("/api/executions/run/events?after=-1", running.credentials()), 400);
}

TEST(RunEvents, EndWithTheCredentialsTheyWereAskedForWith) {
  ApiServerOptions options;
  options.follower.check = std::chrono::milliseconds{50};
  RunningApi running{options};
  running.add("run");
  const std::string key = running.key_with({"history:read"});
  Follower one{running.api->port(), "/api/executions/run/events", running.credentials(key)};
  Follower all{running.api->port(), "/api/events", running.credentials(key)};
  Follower other = running.follow("/api/executions/run/events");
  for (Follower* follower : {&one, &all, &other})
    EXPECT_EQ(follower->next("status").data["id"], "run");
  const auto keys = running.get("/api/api-keys");
  std::string id;
  for (const Json& row : keys.body["data"]) {
    if (row["permissions"] == Json{"history:read"}) id = row["id"].get<std::string>();
  }
  ASSERT_EQ(running.send(Method::Delete, "/api/api-keys/" + id).status, 200);
  EXPECT_EQ(one.next("end").name, "") << "cut off";
  EXPECT_EQ(all.next("end").name, "");
  running.end("run");
  EXPECT_EQ(other.next("end").name, "end") << "others go on";
}

TEST(RunEvents, LetASlowReaderHaveEveryLine) {
  RunningApi running;
  running.add("run");
  const std::string long_line(3000, 'x');
  std::vector<LogEntry> lines;
  constexpr int kLines = 3000;  // some 9 MB, far beyond every buffer on the way
  for (int i = 1; i <= kLines; ++i) {
    lines.push_back({.seq = i, .at = 1, .level = "info", .type = "general"});
    lines.back().message = std::to_string(i) + long_line;
  }
  running.database->write(
      [&](Session& session) { ExecutionStore{}.append_logs(session, "run", lines); });
  Follower slow{running.api->port(), "/api/executions/run/events", running.credentials(), 4096};
  Follower quick = running.follow("/api/executions/run/events");
  running.end("run");
  for (Follower* follower : {&quick, &slow}) {
    for (int i = 1; i <= kLines; ++i) ASSERT_EQ(follower->next().id, std::to_string(i));
    EXPECT_EQ(follower->next("end").id, std::to_string(kLines) + ".end");
  }
}

TEST(RunEvents, LeaveTheServerFreeWhileManyAreIdle) {
  RunningApi running;
  running.add("run");
  std::vector<std::unique_ptr<Follower>> idle;
  for (int i = 0; i < 200; ++i) {
    const char* path = i % 2 == 0 ? "/api/executions/run/events" : "/api/events";
    idle.push_back(std::make_unique<Follower>(running.api->port(), path, running.credentials()));
  }
  for (auto& follower : idle) EXPECT_EQ(follower->next("status").data["status"], "Running");
  RawHttpClient client{running.api->port()};
  EXPECT_EQ(client.ask(raw_get("/api/executions/run", running.credentials())).value().status, 200);
  running.end("run");
  for (auto& follower : idle) EXPECT_EQ(follower->next("status").data["status"], "Success");
}

TEST(RunEvents, AreLimitedInNumber) {
  ApiServerOptions options;
  options.follower.most = 3;
  RunningApi running{options};
  running.add("run");
  std::vector<Follower> open;
  for (int i = 0; i < 3; ++i) {
    open.push_back(running.follow("/api/executions/run/events"));
    open.back().next("status");
  }
  RawHttpClient client{running.api->port()};
  const auto refused = client.ask(raw_get("/api/events", running.credentials())).value();
  EXPECT_EQ(refused.status, 503);
  EXPECT_FALSE(refused.header("Retry-After").empty());
  EXPECT_EQ(client.ask(raw_get("/api/executions/run?wait=5", running.credentials())).value().status,
            503);
  open.clear();
  for (;;) {  // the places are free once the server has noticed
    Follower follower = running.follow("/api/executions/run/events");
    if (follower.next("status").name == "status") break;
  }
}

TEST(AllEvents, TellOfEveryRunOnceForEachStatus) {
  RunningApi running;
  running.add("old", "Success");
  running.add("active");
  Follower follower = running.follow("/api/events");
  EXPECT_EQ(follower.next().data["id"], "active") << "what is under way comes first";
  running.add("new", "Pending");
  running.control->context().news->tell("new", RunNews::What::Status);
  EXPECT_EQ(follower.next().data["status"], "Pending");
  running.database->write(
      [](Session& session) { ExecutionStore{}.claim_next(session, "host", 10, 5000); });
  Event event = follower.next();
  EXPECT_EQ(event.name, "status");
  EXPECT_EQ(event.data["id"], "new");
  EXPECT_EQ(event.data["status"], "Running");
  running.clock.advance(1000);
  running.end("new");
  event = follower.next();
  EXPECT_EQ(event.data["status"], "Success");
  EXPECT_FALSE(event.id.empty());
  running.end("active", /*is_told=*/false);
  EXPECT_EQ(follower.next().data["id"], "active");
  Follower again = running.follow("/api/events", "Last-Event-ID: " + event.id + "\r\n");
  std::set<std::string> told;
  told.insert(again.next().data["id"].get<std::string>());
  told.insert(again.next().data["id"].get<std::string>());
  EXPECT_EQ(told, (std::set<std::string>{"active", "new"}))
      << "what may have been missed is told once more";
}

TEST(WaitingClients, HoldNoThreadOfThePools) {
  ApiServerOptions options;
  options.http.quick = {.threads = 1, .queue = 64};
  RunningApi running{options};
  running.add("run");
  std::vector<std::unique_ptr<RawHttpClient>> waiting;
  for (int i = 0; i < 50; ++i) {
    waiting.push_back(std::make_unique<RawHttpClient>(running.api->port()));
    // Two requests at once: the second is answered after the first, on the same connection.
    const std::string request = raw_get("/api/executions/run?wait=300", running.credentials());
    ASSERT_TRUE(
        waiting.back()->send(request + raw_get("/api/executions/run", running.credentials())));
    RawHttpClient other{running.api->port()};
    ASSERT_EQ(other.ask(raw_get("/api/executions/run", running.credentials())).value().status, 200);
  }
  running.end("run");
  for (auto& client : waiting) {
    const auto first = client->read_response();
    ASSERT_TRUE(first);
    EXPECT_EQ(first->status, 200);
    EXPECT_EQ(Json::parse(first->body)["data"]["status"], "Success");
    EXPECT_FALSE(first->header("ETag").empty());
    EXPECT_FALSE(first->header("X-Request-Id").empty());
    EXPECT_EQ(client->read_response().value().status, 200);
  }
}

TEST(WaitingClients, ThatLeaveMakeRoomAtOnce) {
  ApiServerOptions options;
  options.follower.most = 1;
  RunningApi running{options};
  running.add("run");
  const std::string request = raw_get("/api/executions/run?wait=300", running.credentials());
  for (int i = 0; i < 5; ++i) {
    for (;;) {
      RawHttpClient client{running.api->port(), {.patience = std::chrono::milliseconds{100}}};
      ASSERT_TRUE(client.send(request));
      if (!client.read_response()) break;  // it waits; otherwise the one before was not noticed yet
    }
  }
}

TEST(WaitingClients, AreAnsweredWhenTheServerStops) {
  RunningApi running;
  running.add("run");
  RawHttpClient waiting{running.api->port()};
  ASSERT_TRUE(waiting.send(raw_get("/api/executions/run?wait=300", running.credentials())));
  Follower follower = running.follow("/api/executions/run/events");
  follower.next("progress");
  EXPECT_TRUE(running.api->drain_and_stop(std::chrono::seconds{10}));
  const auto answer = waiting.read_response();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(Json::parse(answer->body)["data"]["status"], "Running");
  EXPECT_EQ(follower.next("end").name, "");
}

}  // namespace
}  // namespace dbackup::host
