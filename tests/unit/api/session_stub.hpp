#pragma once

#include <memory>
#include <sstream>
#include <utility>
#include <vector>

#include "api/authenticator.hpp"
#include "model/permission.hpp"
#include "tests/unit/api/api_fixture.hpp"

namespace dbackup::host::testing {

/// Takes "X-Test-Session: jobs:read,jobs:write" for a signed-in person with these permissions.
class SessionStub final : public Authenticator {
 public:
  std::optional<Principal> authenticate(const HttpRequest& request) override {
    const std::string* permission = request.headers.find("X-Test-Session");
    if (permission == nullptr) return std::nullopt;
    Principal who{.kind = PrincipalKind::Session, .id = "session-1", .name = "Ada"};
    std::istringstream names{*permission};
    for (std::string name; std::getline(names, name, ',');) {
      if (const auto known = parse_permission(name))
        who.permissions.set(static_cast<size_t>(*known));
    }
    return who;
  }
};

/// The API as signed-in people reach it.
struct SessionApi : ApiFixture {
  SessionApi() {
    std::vector<std::unique_ptr<Authenticator>> people;
    people.push_back(std::make_unique<SessionStub>());
    api = std::make_unique<ApiServer>(*services, ApiServerOptions{}, std::move(people));
  }
  Answer as(const std::string& permission, Method method, const std::string& target,
            const Json& body = nullptr) {
    return send(
        method, target,
        {.body = body.is_null() ? "" : body.dump(),
         .key = "none",
         .headers = {{"X-Test-Session", permission}, {"Origin", "http://backup.test:3000"}}});
  }
};

}  // namespace dbackup::host::testing
