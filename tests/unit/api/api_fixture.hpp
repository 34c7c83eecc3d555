#pragma once

#include <memory>
#include <string>

#include "api/api_server.hpp"
#include "api/http_handler.hpp"
#include "api/route_table.hpp"
#include "base/json.hpp"
#include "services/services.hpp"
#include "tests/unit/services/test_database.hpp"

namespace dbackup::host::testing {

struct Answer {
  int status = 0;
  Json body;         ///< null when it is no JSON
  std::string text;  ///< whole body; of a relay, what came through
  HttpHeaders headers;
  std::optional<uint64_t> relay_length;
};

struct Sent {
  std::string body;
  std::string key;  ///< of whom; "": the one that may do everything; "none": nobody
  std::vector<std::pair<std::string, std::string>> headers;
};

/// What about an answer its row does not describe: status, a member, a type; "" when all is well.
std::string undocumented(const RouteRow& row, Method method, const Answer& answer);

/// The whole API over real services, a real SQLite database and workers that follow a script;
/// requests go in and out as values, without sockets.
class ApiFixture : public TestDatabase {
 public:
  ApiFixture();
  ~ApiFixture();

  Answer send(Method method, const std::string& target, const Sent& sent = {});
  Answer get(const std::string& target, const Sent& sent = {}) {
    return send(Method::Get, target, sent);
  }
  /// The headers of a SuperAdmin's browser; opens a session, of a user made for it if there is
  /// none.
  std::vector<std::pair<std::string, std::string>> open_session();
  /// May do everything: by key, or by a session where no key opens a row.
  Answer send_to(const RouteRow& row, const std::string& target, Sent sent = {});
  Answer post(const std::string& target, const Json& body, const std::string& key = "");
  /// A key with these permissions alone.
  std::string key_with(const std::vector<std::string>& permissions);

  /// Ids of things made through the API.
  std::string make_source(const Json& config = {{"host", "db1"}, {"password", "hunter2-secret"}});
  std::string make_storage();
  std::string make_job(const std::string& source, const std::string& storage,
                       const Json& more = Json::object());
  /// Puts a file and its side file into the storage's folder.
  void put_backup(const std::string& path, const std::string& bytes, const Json& sidecar = nullptr);
  std::string disk() const { return folder.file("disk"); }

  /// Without limits, which tests of limits set.
  LiveSettings live{Settings::load({.environment = {{"DBACKUP_RATE_LIMITS_ENABLED", "false"}}})};
  std::unique_ptr<ControlPlane> control;
  std::unique_ptr<Services> services;
  std::unique_ptr<ApiServer> api;
  std::string root_key;
  std::vector<std::pair<std::string, std::string>> root_session;  ///< of the last open_session()
  /// Every answer of every test is held to its row.
  bool documented_checks = true;
};

}  // namespace dbackup::host::testing
