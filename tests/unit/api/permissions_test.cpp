#include <gtest/gtest.h>

#include <map>
#include <set>

#include "store/profile_store.hpp"
#include "tests/unit/api/browser.hpp"

/// Every route with every permission and every kind of credentials: only what its row lists opens
/// it.
namespace dbackup::host {
namespace {

using testing::Answer;
using testing::ApiFixture;
using testing::Browser;

std::string with_ids(const RouteRow& row) {
  std::string path = row.path;
  for (size_t at = path.find('{'); at != std::string::npos; at = path.find('{', at)) {
    path.replace(at, path.find('}', at) - at + 1, "x");
  }
  return path;
}

struct Permissions : ::testing::Test {
  Permissions() { EXPECT_EQ(chief.sign_up("chief@example.org").status, 200); }

  /// Asks a route as somebody; a body that no schema takes keeps every route from changing
  /// anything.
  int ask(const RouteRow& row, const std::string& key, const std::string& cookie) {
    testing::Sent sent{.body = "{", .key = key};
    sent.headers = {{"Content-Type", "application/json"}, {"Origin", "http://backup.test:3000"}};
    if (!cookie.empty()) sent.headers.emplace_back("Cookie", "better-auth.session_token=" + cookie);
    return api.send(row.method, with_ids(row), sent).status;
  }

  /// Whether the dispatcher let the request through to the handler.
  static bool is_open(int status) { return status != 401 && status != 403; }

  std::string session_with(const std::string& name, const Json& permissions, bool grouped = true) {
    std::string group;
    if (grouped) {
      const Answer made =
          chief.post("/api/groups", {{"name", "only " + name}, {"permissions", permissions}});
      EXPECT_EQ(made.status, 201) << made.text;
      group = made.body["data"]["id"].get<std::string>();
    }
    const std::string email = "u" + std::to_string(++users) + "@example.org";
    EXPECT_EQ(chief
                  .post("/api/users", {{"name", name},
                                       {"email", email},
                                       {"password", Browser::kPassword},
                                       {"groupId", group}})
                  .status,
              201);
    Browser browser{api};
    EXPECT_EQ(browser.sign_in(email).status, 200);
    return browser.jar.at("better-auth.session_token");
  }

  ApiFixture api;
  Browser chief{api};
  int users = 0;
};

/// Ending all sessions would end the one that asks.
bool ends_sessions(const RouteRow& row) { return row.path.ends_with("/revoke-sessions"); }

/// Routes whose handlers look at the object to decide: what they need is checked by their own
/// tests.
bool decides_by_object(const RouteRow& row) {
  return row.access.kind() == Access::Kind::AdapterRead ||
         row.access.kind() == Access::Kind::AdapterWrite ||
         row.access.kind() == Access::Kind::Authenticated;
}

TEST_F(Permissions, OpenEachRouteByKeyAndBySessionExactlyAsItsRowSays) {
  for (const auto& permission : kPermissions) {
    const std::string name{permission.name};
    const std::string key = api.key_with({name});
    const std::string cookie = session_with(name, {name});
    Principal by_key{.kind = PrincipalKind::ApiKey};
    by_key.permissions.set(static_cast<size_t>(permission.permission));
    Principal by_session = by_key;
    by_session.kind = PrincipalKind::Session;
    for (const RouteRow* row : api.api->routes().rows()) {
      if (row->access.is_public() || ends_sessions(*row)) continue;
      const int keyed = ask(*row, key, "");
      const int signed_in = ask(*row, "none", cookie);
      EXPECT_LT(keyed, 502) << row->path;
      EXPECT_NE(keyed, 500) << row->path;
      EXPECT_NE(signed_in, 500) << row->path;
      if (decides_by_object(*row)) {
        EXPECT_NE(keyed, 401) << row->path;
        continue;
      }
      EXPECT_EQ(is_open(keyed), row->access.admits(by_key))
          << name << " " << to_string(row->method) << row->path << keyed;
      EXPECT_EQ(is_open(signed_in), row->access.admits(by_session))
          << name << " " << to_string(row->method) << row->path << signed_in;
    }
  }
}

TEST_F(Permissions, AreOfNoUseWithoutValidCredentials) {
  std::vector<std::string> all;
  for (const auto& row : kPermissions) all.emplace_back(row.name);
  const std::string disabled = api.key_with(all);
  const std::string expired = api.key_with(all);
  api.database->write([&](Session& s) {
    for (ApiKey key : ApiKeyStore{}.list(s)) {
      if (disabled.starts_with(key.prefix)) key.enabled = false;
      if (expired.starts_with(key.prefix)) key.expires_at = api.clock.now_ms() - 1;
      ApiKeyStore{}.update(s, key);
    }
  });
  api.services->key_verifier.forget_all();
  const std::string groupless = session_with("nobody", Json::array(), false);
  const std::string unknown = "dbackup_" + std::string(60, 'a');
  const std::string stale(64, 'b');
  for (const RouteRow* row : api.api->routes().rows()) {
    if (row->access.is_public()) continue;
    for (const std::string& key : {std::string{"none"}, disabled, expired, unknown}) {
      EXPECT_EQ(ask(*row, key, ""), 401) << row->path;
    }
    EXPECT_EQ(ask(*row, "none", stale), 401) << row->path;
    if (ends_sessions(*row)) continue;
    const int without_group = ask(*row, "none", groupless);
    if (!row->access.admits_groupless()) {
      EXPECT_EQ(without_group, 401) << row->path;
    } else {
      EXPECT_TRUE(is_open(without_group)) << row->path;
    }
  }
}

}  // namespace
}  // namespace dbackup::host
