#include "redis_source.hpp"

#include "key_reader.hpp"
#include "replication.hpp"
#include "restore_check.hpp"
#include "restorer.hpp"
#include "server.hpp"

namespace dbackup::redis {
namespace {

std::optional<Login> login_of(const std::optional<PrivilegedLogin>& privileged) {
  if (!privileged || (privileged->user.empty() && privileged->password.empty())) return {};
  return Login{privileged->user, privileged->password};
}

/// Without a name a backup comes back whole, as it was taken; with one only that database does, and
/// no other is touched.
RestorePlan plan_of(const std::string& database, const std::string& original_name,
                    RestoreMode mode) {
  RestorePlan out{.mode = mode};
  if (database.empty()) return out;
  out.whole = false;
  out.to_database = require_database(database, 0);
  out.from_database = require_database(original_name, out.to_database);
  return out;
}

void require_in_range(Client& client, int64_t number) {
  const int64_t count = count_databases(client);
  if (number < count) return;
  throw Error{ErrorCode::NotFound, "there is no database \"" + std::to_string(number) +
                                       "\": the server has " + std::to_string(count)};
}

}  // namespace

RedisSource::RedisSource(const Config& config) : settings_{Settings::from(config)} {}

TestResult RedisSource::test(Call& call) {
  Client client = connect(call, settings_, Purpose::Read);
  const Reply pong = client.demand({"PING"});
  if (pong.text != "PONG") {
    throw Error{ErrorCode::DataLoss, client.where() + " does not answer as a Redis server does"};
  }
  return {.message = "Connection successful", .version = ask_info(client).version};
}

DumpResult RedisSource::dump(Call& call, const DumpRequest& request, Writer& out) {
  const int64_t database = require_database(request.database, settings_.database);
  Client client = connect(call, settings_, Purpose::Read);
  require_in_range(client, database);
  if (settings_.has_options) call.warning("\"options\" have no effect: no program is run");
  const ServerInfo info = ask_info(client);
  if (info.loading) {
    throw Error{ErrorCode::Unavailable, client.where() + " is still loading its own data"};
  }
  if (info.in_cluster) {
    call.warning(client.where() +
                 " is a node of a cluster: the backup holds only the keys of its own "
                 "slots; back up a node of each shard");
  }
  call.info("the backup holds all databases of " + client.where() + " (" + info.product + " " +
            info.version + ", " + (info.role == "slave" ? "a replica" : "a master") + ")");
  stream_snapshot(call, client, info, settings_.login.username, out);
  return {.engine_version = info.version, .already_compressed = false};
}

void RedisSource::restore(Call& call, const RestoreRequest& request, Reader& in) {
  const RestorePlan plan = plan_of(request.database, request.original_name, settings_.restore_mode);
  const auto privileged = login_of(request.privileged);
  Client client = connect(call, settings_, Purpose::Write, privileged);
  const ServerInfo info = ask_info(client);
  RestoreTarget target = check_restore(
      call, client, info, plan, privileged ? privileged->username : settings_.login.username);
  if (!plan.whole) require_in_range(client, plan.to_database);
  target.newest_version = newest_rdb_version(client, info);
  Restorer restorer{call, client, std::move(target), plan};
  read_rdb(call, in, settings_.max_value_bytes, restorer);
  restorer.finish();
}

void RedisSource::list_databases(Call& call,
                                 const std::function<void(const DatabaseInfo&)>& found) {
  Client client = connect(call, settings_, Purpose::Read);
  const int64_t count = count_databases(client);
  std::map<int64_t, int64_t> keys;
  const Reply info = client.ask({"INFO", "keyspace"});
  const bool is_counted = !info.is_error();
  if (is_counted) keys = ServerInfo::parse(info.text).keys;
  for (int64_t number = 0; number < count; ++number) {
    DatabaseInfo one{.name = std::to_string(number)};
    if (is_counted) one.table_count = keys.contains(number) ? keys[number] : 0;
    found(one);
  }
}

void RedisSource::prepare_restore(Call& call, const PrepareRestoreRequest& request) {
  const auto privileged = login_of(request.privileged);
  Client client = connect(call, settings_, Purpose::Write, privileged);
  for (const std::string& name : request.databases) {
    require_in_range(client, require_database(name, settings_.database));
  }
  const std::string first = request.databases.empty() ? "" : request.databases.front();
  check_restore(call, client, ask_info(client), plan_of(first, "", settings_.restore_mode),
                privileged ? privileged->username : settings_.login.username);
}

void RedisSource::tables(Call& call, const Config& request, ItemSink& sink) {
  const int64_t database = require_database(request.text("database"), settings_.database);
  Client client = connect(call, settings_, Purpose::Read);
  KeyReader{call, client, database}.tables(sink);
}

void RedisSource::rows(Call& call, const Config& request, ItemSink& sink) {
  const RowsRequest wanted = RowsRequest::parse(request);
  const int64_t database = require_database(wanted.database, settings_.database);
  Client client = connect(call, settings_, Purpose::Read);
  KeyReader{call, client, database}.rows(wanted, sink);
}

}  // namespace dbackup::redis
