#include "tests/unit/api/api_fixture.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <future>
#include <stdexcept>

#include "api/http_later.hpp"
#include "api/route_table.hpp"
#include "base/id.hpp"
#include "services/account_rules.hpp"
#include "store/user_store.hpp"
#include "tests/support/paths.hpp"

namespace dbackup::host::testing {
namespace {

Principal everybody() {
  Principal who{.kind = PrincipalKind::ApiKey, .id = "root", .name = "root"};
  who.permissions.set();
  return who;
}

std::string drain(HttpRelay relay) {
  std::string out;
  char block[4096];
  ssize_t got = 0;
  while (relay.source && (got = ::read(relay.source.get(), block, sizeof block)) > 0) {
    out.append(block, static_cast<size_t>(got));
  }
  relay.finish(relay.length == out.size());
  return out;
}

}  // namespace

std::string undocumented(const RouteRow& row, Method method, const Answer& answer) {
  const std::vector<int> listed = answers_of(row);
  if (std::ranges::find(listed, answer.status) == listed.end())
    return "answers " + std::to_string(answer.status) + ", which its row does not list";
  if (answer.status == 204 || answer.status == 304 || method == Method::Head) return "";
  const bool is_error = answer.status >= 400 && answer.status != row.success;
  if (!is_error && !row.response) return "";
  // A row with a schema and another media type answers one or the other.
  if (!is_error && answer.headers.get("Content-Type") == row.produces &&
      row.produces != "application/json")
    return "";
  try {
    schema::check_answer(is_error ? schema::error_answer() : *row.response, answer.body);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

ApiFixture::ApiFixture() {
  std::filesystem::create_directories(disk());
  std::filesystem::create_directories(folder.file("data/private"));
  std::filesystem::create_directories(folder.file("plugins"));
  std::ofstream{folder.file("plugins/scripted.so")} << "a stand-in";
  ControlContext context{.database = *database,
                         .box = box,
                         .clock = clock,
                         .host_id = "test-host",
                         .program_version = "test",
                         .data_dir = folder.file("data"),
                         .live = live};
  ControlPlaneOptions options;
  options.worker.path = ::dbackup::test::binary_dir() + "/bin/dbackup_scripted_worker";
  options.plugin_directories = {folder.file("plugins")};
  control = std::make_unique<ControlPlane>(std::move(context), master_key, options);
  // The queue stays idle: executions wait in the state in which the API left them.
  control->plugins().refresh();
  services = std::make_unique<Services>(*control);
  api = std::make_unique<ApiServer>(
      *services,
      ApiServerOptions{.web_folder = ::dbackup::test::binary_dir() + "/share/dbackup/web"});
  std::vector<std::string> all;
  for (const auto& row : kPermissions) all.emplace_back(row.name);
  root_key = key_with(all);
}

ApiFixture::~ApiFixture() = default;

std::string ApiFixture::key_with(const std::vector<std::string>& permissions) {
  return std::string{
      services->api_keys.create(everybody(), {.name = "test", .permissions = permissions})
          .raw.reveal()};
}

Answer ApiFixture::send(Method method, const std::string& target, const Sent& sent) {
  HttpRequest request;
  request.method = method;
  request.method_text = to_string(method);
  request.target = target;
  request.id = "req-1";
  request.headers.add("Host", "backup.test:3000");
  if (sent.key != "none")
    request.headers.add("Authorization", "Bearer " + (sent.key.empty() ? root_key : sent.key));
  for (const auto& [name, value] : sent.headers) request.headers.set(name, value);
  if (!split_target(request).empty()) throw std::runtime_error{"bad target " + target};
  RouteInfo info = api->handler().route(request);
  HttpResponse response;
  if (info.answer) {
    response = std::move(*info.answer);
  } else {
    request.body = sent.body;
    response = api->handler().handle(request);
  }
  if (const auto later = response.later) {
    std::promise<HttpResponse> promise;
    auto given = promise.get_future();
    later->attach([&](HttpResponse answer) { promise.set_value(std::move(answer)); });
    response = given.get();
  }
  api->handler().decorate(&request, response);
  Answer answer{.status = response.status, .headers = response.headers};
  for (const auto& [name, value] : response.fixed_headers)
    answer.headers.add(std::string{name}, std::string{value});
  if (auto* relay = std::get_if<HttpRelay>(&response.body)) {
    answer.relay_length = relay->length;
    answer.text = method == Method::Head ? "" : drain(std::move(*relay));
  } else if (auto* text = std::get_if<std::string>(&response.body)) {
    answer.text = *text;
  }
  answer.body = Json::parse(answer.text, nullptr, false);
  if (answer.body.is_discarded()) answer.body = nullptr;
  if (const auto* match = static_cast<const RouteMatch*>(request.route_context.get())) {
    const std::string fault = documented_checks ? undocumented(*match->row, method, answer) : "";
    EXPECT_EQ(fault, "") << dbackup::host::to_string(method) << " " << match->row->path << ": "
                         << answer.text;
  }
  return answer;
}

std::vector<std::pair<std::string, std::string>> ApiFixture::open_session() {
  std::string cookie;
  database->write([&](Session& session) {
    std::optional<User> chief;
    for (User& user : UserStore{}.list(session)) {
      if (user.is_super_admin()) chief = std::move(user);
    }
    if (!chief) {
      chief.emplace(User{.id = new_uuid(), .name = "Chief", .email = new_uuid() + "@example.org"});
      const UserGroup group = ensure_super_admin(session, clock.now_ms());
      chief->group_id = group.id;
      chief->created_at = chief->updated_at = clock.now_ms();
      UserStore{}.insert(session, *chief);
      chief = UserStore{}.find(session, chief->id);
    }
    cookie = services->sign_in.open_session(session, {}, *chief, true, "test").cookie.reveal();
  });
  root_session = {{"Cookie", "better-auth.session_token=" + cookie},
                  {"Origin", "http://backup.test:3000"}};
  return root_session;
}

Answer ApiFixture::send_to(const RouteRow& row, const std::string& target, Sent sent) {
  if (row.access.is_session_only() && sent.key.empty()) {
    if (root_session.empty()) open_session();
    sent.key = "none";
    sent.headers.insert(sent.headers.end(), root_session.begin(), root_session.end());
  }
  return send(row.method, target, sent);
}

Answer ApiFixture::post(const std::string& target, const Json& body, const std::string& key) {
  return send(Method::Post, target,
              {.body = body.dump(), .key = key, .headers = {{"Content-Type", "application/json"}}});
}

namespace {
std::string id_of(const Answer& answer) {
  if (answer.status != 201) throw std::runtime_error{"not created: " + answer.text};
  return answer.body.at("id").get<std::string>();
}
}  // namespace

std::string ApiFixture::make_source(const Json& config) {
  static int count = 0;
  return id_of(post("/api/adapters", {{"name", "Source " + std::to_string(++count)},
                                      {"type", "database"},
                                      {"adapterId", "scripted-db"},
                                      {"config", config}}));
}

std::string ApiFixture::make_storage() {
  static int count = 0;
  return id_of(post("/api/adapters",
                    {{"name", "Disk " + std::to_string(++count)},
                     {"type", "storage"},
                     {"adapterId", "scripted-disk"},
                     {"config", {{"basePath", disk()}, {"secretAccessKey", "hunter2-key"}}}}));
}

std::string ApiFixture::make_job(const std::string& source, const std::string& storage,
                                 const Json& more) {
  static int count = 0;
  Json body{{"name", "Job " + std::to_string(++count)},
            {"schedule", "0 3 * * *"},
            {"sourceId", source},
            {"destinations", {{{"configId", storage}}}}};
  body.update(more);
  return id_of(post("/api/jobs", body));
}

void ApiFixture::put_backup(const std::string& path, const std::string& bytes,
                            const Json& sidecar) {
  const std::filesystem::path file = disk() + "/" + path;
  std::filesystem::create_directories(file.parent_path());
  std::ofstream{file, std::ios::binary} << bytes;
  if (!sidecar.is_null()) std::ofstream{file.string() + ".meta.json"} << sidecar.dump();
}

}  // namespace dbackup::host::testing
