// A worker that knows its lines: speaks the protocol, and keeps its "storage" in a plain folder.
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

#include "base/error.hpp"
#include "crypto/hash.hpp"
#include "protocol/message_json.hpp"

namespace {

using namespace dbackup::host;
using protocol::EventKind;
using protocol::Operation;

int events_fd = 1;
int bulk_fd = -1;
std::string request_id;
uint64_t sequence = 0;

void write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written <= 0) ::_exit(4);
    bytes.remove_prefix(static_cast<size_t>(written));
  }
}

void say(EventKind kind, Json data) {
  write_all(
      events_fd,
      protocol::encode(protocol::Event{
          .request_id = request_id, .kind = kind, .seq = ++sequence, .data = std::move(data)}));
}

Json option(const char* name, const char* type, bool secret = false) {
  return {{"name", name},
          {"type", type},
          {"help", ""},
          {"required", type == std::string_view{"path"}},
          {"secret", secret}};
}

Json described() {
  const Json source{
      {"kind", "source"},
      {"id", "scripted-db"},
      {"name", "Scripted database"},
      {"credentials", {{"primary", "USERNAME_PASSWORD"}, {"ssh", "SSH_KEY"}}},
      {"options",
       {option("host", "string"), option("port", "integer"), option("password", "string", true),
        option("pin", "string", true), option("version", "string")}},
      {"capabilities",
       {{"extension", "dump"},
        {"listDatabases", true},
        {"tables", true},
        {"rows", true},
        {"prepareRestore", true},
        {"combinable", true}}}};
  const Json file{{"kind", "source"},
                  {"id", "scripted-file"},
                  {"name", "Scripted file"},
                  {"options", {option("host", "string"), option("password", "string", true)}},
                  {"credentials", {{"primary", "USERNAME_PASSWORD"}, {"primaryOptional", true}}},
                  {"capabilities", {{"extension", "db"}}}};
  const Json storage{
      {"kind", "storage"},
      {"id", "scripted-disk"},
      {"name", "Scripted disk"},
      {"options", {option("basePath", "path"), option("secretAccessKey", "string", true)}},
      {"capabilities",
       {{"roles", {"DESTINATION", "SOURCE"}}, {"rangedGet", true}, {"browse", true}}}};
  const Json channel{{"kind", "notifier"},
                     {"id", "scripted-channel"},
                     {"name", "Scripted channel"},
                     {"options", {option("webhookUrl", "url", true)}}};
  return protocol::DescribeResult{.plugin_id = "test",
                                  .name = "test",
                                  .version = "1",
                                  .abi_major = 1,
                                  .adapters = {source, file, storage, channel}};
}

std::string read_file(const std::string& path) {
  std::ifstream in{path, std::ios::binary};
  if (!in) throw Error(ErrorCode::NotFound, "no such file");
  return {std::istreambuf_iterator<char>{in}, {}};
}

std::string place(const protocol::AdapterRef& adapter, const std::string& path) {
  return adapter.config.at("basePath").get<std::string>() + "/" + path;
}

Json test(const protocol::AdapterRef& adapter) {
  const std::string host = adapter.config.value("host", "");
  if (host == "unreachable") throw Error(ErrorCode::Unavailable, "connection refused");
  if (host == "crash") std::abort();
  if (host == "silent") ::pause();
  if (host == "locked" && adapter.config.value("password", "") != "hunter2-secret") {
    throw Error(ErrorCode::Unauthenticated, "login refused");
  }
  return {{"message", "connected"}, {"version", adapter.config.value("version", "16.4")}};
}

Json list(const protocol::ListRequest& request) {
  const std::filesystem::path base = request.adapter.config.at("basePath").get<std::string>();
  if (!std::filesystem::exists(base)) throw Error(ErrorCode::Unavailable, "the disk is gone");
  for (const auto& entry : std::filesystem::recursive_directory_iterator{base}) {
    const std::string path = std::filesystem::relative(entry.path(), base).string();
    if (!entry.is_regular_file() || path.ends_with(".meta.json")) continue;
    const auto age = std::chrono::file_clock::to_sys(entry.last_write_time()).time_since_epoch();
    Json item{{"path", path},
              {"size", entry.file_size()},
              {"modifiedMs", std::chrono::duration_cast<std::chrono::milliseconds>(age).count()}};
    if (std::filesystem::exists(entry.path().string() + ".meta.json")) {
      item["sidecar"] = read_file(entry.path().string() + ".meta.json");
    }
    say(EventKind::Item, std::move(item));
  }
  return Json::object();
}

void require_database(const std::string& name) {
  if (name != "orders" && name != "crm") throw Error(ErrorCode::NotFound, "no such database");
}

/// One row that shows what was asked for.
Json rows(const protocol::RowsRequest& request) {
  test(request.adapter);
  require_database(request.query.value("database", ""));
  if (request.query.value("sortBy", "") == "no-column") {
    throw Error(ErrorCode::InvalidArgument, "\"sortBy\" must be a column");
  }
  const Json column{{"name", "query"}, {"dataType", "text"}, {"nullable", true}};
  say(EventKind::Item,
      {{"columns", {column, {{"name", "none"}, {"dataType", "int"}}}}, {"totalCount", 1204}});
  say(EventKind::Item, {{"query", request.query.dump()}, {"none", nullptr}});
  return Json::object();
}

Json browse(const protocol::BrowseRequest& request) {
  const std::string folder = place(request.adapter, request.path);
  std::error_code failed;  // a name may be longer than any file system takes
  if (!std::filesystem::is_directory(folder, failed))
    throw Error(ErrorCode::NotFound, "no such folder");
  for (const auto& entry : std::filesystem::directory_iterator{folder}) {
    if (!entry.is_directory()) continue;
    const std::string name = entry.path().filename().string();
    say(EventKind::Item,
        {{"name", name}, {"path", request.path.empty() ? name : request.path + "/" + name}});
  }
  return Json::object();
}

/// "Sealed" files are plain ones behind the seven characters "SEALED:".
Json fetch(const protocol::FetchRequest& request) {
  std::string bytes = read_file(place(request.file.storage, request.file.path));
  if (request.unseal) {
    if (request.file.identities.empty()) {
      throw Error(ErrorCode::FailedPrecondition, "no key opens it", {}, "encryption_key_required");
    }
    bytes.erase(0, 7);
  }
  const auto offset = static_cast<size_t>(request.offset);
  const size_t rest = bytes.size() - std::min(offset, bytes.size());
  const size_t length =
      request.length < 0 ? rest : std::min(rest, static_cast<size_t>(request.length));
  say(EventKind::Start, {{"total", bytes.size()}, {"offset", offset}, {"length", length}});
  write_all(bulk_fd, std::string_view{bytes}.substr(offset, length));
  ::close(bulk_fd);
  return Json::object();
}

Json answer(const protocol::Request& request) {
  switch (request.op) {
    case Operation::Describe:
      return described();
    case Operation::Test:
    case Operation::Ping:
      return test(protocol::body_as<protocol::AdapterRequest>(request.body).adapter);
    case Operation::ListDatabases:
      test(protocol::body_as<protocol::AdapterRequest>(request.body).adapter);
      for (const char* name : {"orders", "crm"}) say(EventKind::Item, {{"name", name}});
      return Json::object();
    case Operation::DatabaseStats: {
      const auto body = protocol::body_as<protocol::AdapterRequest>(request.body);
      const Json tested = test(body.adapter);
      say(EventKind::Item, {{"name", "orders"}, {"sizeInBytes", 7340032}, {"tableCount", 31}});
      say(EventKind::Item, {{"name", "crm"}});
      return {{"version", tested["version"]}};
    }
    case Operation::Tables: {
      const auto body = protocol::body_as<protocol::TablesRequest>(request.body);
      test(body.adapter);
      require_database(body.database);
      say(EventKind::Item,
          {{"name", "items"}, {"type", "table"}, {"rowCount", 12}, {"sizeInBytes", 8192}});
      say(EventKind::Item, {{"name", "totals"}, {"type", "view"}});
      return Json::object();
    }
    case Operation::Rows:
      return rows(protocol::body_as<protocol::RowsRequest>(request.body));
    case Operation::Browse:
      return browse(protocol::body_as<protocol::BrowseRequest>(request.body));
    case Operation::TestSsh: {
      const auto body = protocol::body_as<protocol::SshRequest>(request.body);
      const std::string host = body.config.value(body.prefix.empty() ? "host" : "sshHost", "");
      if (host == "down") throw Error(ErrorCode::Unavailable, "cannot connect to the SSH server");
      if (host == "new") {
        say(EventKind::HostKey, {{"host", "New"},
                                 {"port", 2222},
                                 {"type", "ssh-ed25519"},
                                 {"fingerprint", "SHA256:first"}});
      }
      return {{"message", body.ssh.policy + " " + (body.ssh.known.empty()
                                                       ? "-"
                                                       : body.ssh.known.front().fingerprint)}};
    }
    case Operation::ListRemote:
      say(EventKind::Item, {{"name", "b.db"}, {"type", "file"}, {"size", 3}});
      say(EventKind::Item, {{"name", "a"}, {"type", "directory"}});
      return {{"path", "/srv"}};
    case Operation::PrepareRestore: {
      const auto body = protocol::body_as<protocol::PrepareRestoreRequest>(request.body);
      if (body.databases.at(0) == "forbidden")
        throw Error(ErrorCode::PermissionDenied, "may not create it");
      return Json::object();
    }
    case Operation::List:
      return list(protocol::body_as<protocol::ListRequest>(request.body));
    case Operation::Fetch:
      return fetch(protocol::body_as<protocol::FetchRequest>(request.body));
    case Operation::Verify: {
      const auto body = protocol::body_as<protocol::PathRequest>(request.body);
      const std::string bytes = read_file(place(body.adapter, body.path));
      return {{"sha256", sha256_hex(bytes)}, {"size", bytes.size()}};
    }
    case Operation::Remove: {
      const auto body = protocol::body_as<protocol::RemoveRequest>(request.body);
      for (const auto& path : body.paths) std::filesystem::remove(place(body.adapter, path));
      return {{"removed", body.paths}};
    }
    case Operation::WriteSidecar: {
      const auto body = protocol::body_as<protocol::WriteSidecarRequest>(request.body);
      std::ofstream{place(body.adapter, body.path) + ".meta.json"} << body.content;
      return Json::object();
    }
    default:
      throw Error(ErrorCode::Unimplemented, "not in the script");
  }
}

}  // namespace

int main(int argc, char** argv) {
  for (int i = 1; i + 1 < argc; ++i) {
    if (std::string_view{argv[i]} == "--events-fd") events_fd = std::atoi(argv[i + 1]);
    if (std::string_view{argv[i]} == "--bulk-fd") bulk_fd = std::atoi(argv[i + 1]);
  }
  write_all(events_fd, dump_json(protocol::greeting("test")) + "\n");
  std::string line;
  std::getline(std::cin, line);
  while (std::getline(std::cin, line)) {
    if (Json::parse(line).value("op", "") == "cancel") return 0;
    const protocol::Request request = protocol::decode_request(line);
    request_id = request.id;
    try {
      Json result = answer(request);
      say(EventKind::Result, std::move(result));
    } catch (const Error& error) {
      say(EventKind::Error, {{"code", static_cast<int>(error.code())},
                             {"reason", error.reason()},
                             {"message", error.what()},
                             {"detail", error.detail()}});
    }
  }
  return 0;
}
