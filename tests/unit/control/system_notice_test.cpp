#include <gtest/gtest.h>

#include <atomic>

#include "control/adapter_observer.hpp"
#include "control/notification_settings.hpp"
#include "control/system_events.hpp"
#include "control/system_notices.hpp"
#include "store/notification_log_store.hpp"
#include "tests/unit/control/control_world.hpp"

/// Events that are no run's: what they hold, when they are told, and to whom.
namespace dbackup::host {
namespace {

class MovedClock final : public Clock {
 public:
  TimeMs now_ms() const override { return now; }
  std::atomic<TimeMs> now = 1'786'240'805'000;
};

std::string names_of(const Json& event) {
  std::string out;
  for (const Json& field : event.at("fields")) out += field.at("name").get<std::string>() + " ";
  return out;
}

struct NoticedWorld {
  ScriptedWorker script;
  ControlWorld world{script};
  MovedClock clock;
  ControlContext context{.database = *world.database,
                         .box = world.box,
                         .clock = clock,
                         .host_id = "h",
                         .program_version = "0",
                         .data_dir = script.path("data"),
                         .live = world.live};
  std::vector<Json> told;
  AdapterObserver observer{
      context, world.workers, world.plugins, world.resolver, world.catalog, {}, [this](Json event) {
        told.push_back(std::move(event));
      }};

  void check(bool answers) {
    script.set("ping",
               Json::array({answers ? Json{{"result", Json::object()}}
                                    : Json{{"error", {{"code", 14}, {"message", "refused"}}}}}));
    observer.health_check();
  }
  void settle(const std::function<void(NotificationSettings&)>& change) {
    world.database->write([&](Session& s) {
      NotificationSettings settings = notification_settings(s);
      change(settings);
      store_notification_settings(s, settings);
    });
  }
  /// The addresses that mail went to, "-" for a channel without one.
  std::vector<std::string> receivers() const {
    std::vector<std::string> out;
    for (const Json& request : script.requests("notify")) {
      const Json config = request.at("body").at("adapter").at("config");
      out.push_back(get_string(config, "to").value_or("-"));
    }
    return out;
  }
};

TEST(ConnectionNotice, IsToldAtTheThirdFailureOnceAndWhenItAnswersAgain) {
  NoticedWorld seen;
  seen.world.add_adapter("database", "postgres", "orders");
  seen.check(true);
  for (int i = 0; i < 2; ++i) seen.check(false);
  EXPECT_TRUE(seen.told.empty());
  for (int i = 0; i < 3; ++i) seen.check(false);
  ASSERT_EQ(seen.told.size(), 1U);
  EXPECT_EQ(seen.told[0].at("eventType"), "connection_offline");
  EXPECT_EQ(seen.told[0].at("title"), "Source Offline");
  EXPECT_EQ(seen.told[0].at("badge"), "Offline");
  EXPECT_EQ(names_of(seen.told[0]), "Source Type Failed Checks Last Error Time ");
  EXPECT_EQ(seen.told[0].at("fields")[2].at("value"), "3");
  seen.clock.now += 90 * 60'000;
  seen.check(true);
  seen.check(true);
  ASSERT_EQ(seen.told.size(), 2U);
  EXPECT_EQ(seen.told[1].at("eventType"), "connection_online");
  EXPECT_EQ(names_of(seen.told[1]), "Source Type Downtime Time ");
  EXPECT_EQ(seen.told[1].at("fields")[2].at("value"), "1h 30m");
  for (int i = 0; i < 2; ++i) seen.check(false);
  seen.check(true);
  EXPECT_EQ(seen.told.size(), 2U) << "it was never offline";
}

TEST(ConnectionNotice, IsRepeatedAfterTheHoursThatTheSettingsName) {
  constexpr TimeMs kHour = 3'600'000;
  NoticedWorld seen;
  seen.world.add_adapter("storage", "disk", "vault");
  const auto fail_at = [&](TimeMs hours) {
    seen.clock.now += hours * kHour;
    seen.check(false);
    return seen.told.size();
  };
  for (int i = 0; i < 3; ++i) fail_at(0);
  EXPECT_EQ(fail_at(23), 1U);
  EXPECT_EQ(fail_at(1), 2U) << "a day by default";
  EXPECT_EQ(seen.told[1].at("title"), "Destination Offline");
  EXPECT_EQ(seen.told[1].at("fields")[2].at("value"), "5");
  seen.settle([](NotificationSettings& s) { s.events["connection_offline"].reminder_hours = 2; });
  EXPECT_EQ(fail_at(1), 2U);
  EXPECT_EQ(fail_at(1), 3U);
}

TEST(VersionNotice, SaysWhetherTheServerBecameNewerOrOlder) {
  NoticedWorld seen;
  seen.world.add_adapter("database", "postgres", "orders");
  for (const char* version : {"15.9", "15.9", "15.10", "15.2"}) {
    seen.script.set("test", Json::array({{{"result", {{"version", version}}}}}));
    seen.observer.update_db_versions();
  }
  ASSERT_EQ(seen.told.size(), 2U) << "the first version is no change";
  EXPECT_EQ(seen.told[0].at("title"), "Database Version Upgraded: orders");
  EXPECT_EQ(seen.told[0].at("success"), true);
  EXPECT_EQ(names_of(seen.told[0]), "Source Adapter Previous Version New Version Time ");
  EXPECT_EQ(seen.told[1].at("title"), "Database Version Downgraded: orders");
  EXPECT_EQ(seen.told[1].at("color"), "#f59e0b");
  EXPECT_TRUE(is_older_version("9.6.24", "15.0"));
  EXPECT_FALSE(is_older_version("8.0.36-28", "8.0.36-28"));
}

TEST(UserNotice, GoesToTheUserByMailAsTheSettingsSay) {
  const User user{.id = "u", .name = "Ann", .email = "ann@example.org"};
  const struct {
    const char* notify_user;
    std::vector<std::string> receivers;
  } table[] = {
      {"none", {"-", "-"}}, {"also", {"-", "-", "ann@example.org"}}, {"only", {"ann@example.org"}}};
  for (const auto& row : table) {
    NoticedWorld seen;
    seen.script.set("notify", Json::array({{{"result", Json::object()}}}));
    const std::string hook = seen.world.add_adapter("notification", "hook", "chat");
    const std::string mail = seen.world.add_adapter("notification", "email", "mail");
    NotificationRouter& router = seen.world.notifications;
    const Json event = user_login_event(user, "10.0.0.7", seen.clock.now_ms());
    EXPECT_EQ(names_of(event), "User Email IP Address Time ");
    router.system_event(event, user.email);
    EXPECT_TRUE(seen.receivers().empty()) << "it is off unless somebody turns it on";
    seen.settle([&](NotificationSettings& s) {
      s.global_channels = {hook, mail};
      s.events["user_login"].enabled = true;
      s.events["user_login"].notify_user = row.notify_user;
    });
    router.system_event(event, user.email);
    EXPECT_EQ(seen.receivers(), row.receivers) << row.notify_user;
  }
}

TEST(SystemNotices, AreSentBehindTheBackOfWhoTellsThem) {
  NoticedWorld seen;
  seen.script.set("notify", Json::array({{{"await_file", seen.script.path("go")}},
                                         {{"result", Json::object()}}}));
  const std::string hook = seen.world.add_adapter("notification", "hook", "chat");
  seen.settle([&](NotificationSettings& s) {
    s.global_channels = {hook};
    s.events["user_created"].enabled = true;
  });
  const User user{.id = "u", .name = "Ann", .email = "ann@example.org"};
  const Json event = user_created_event(user, "Bob", seen.clock.now_ms());
  EXPECT_EQ(names_of(event), "User Email Created By Time ");
  {
    SystemNotices notices{seen.world.notifications};
    notices.tell(event, user.email);
    notices.tell(event, user.email);
    seen.script.make_file("go");
    ControlWorld::wait_for([&] { return seen.receivers().size() == 2; });
  }
  SystemNotices idle{seen.world.notifications};  // and goes away without anything to do
}

}  // namespace
}  // namespace dbackup::host
