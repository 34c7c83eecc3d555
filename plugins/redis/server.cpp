#include "server.hpp"

#include <array>
#include <charconv>

namespace dbackup::redis {
namespace {

constexpr int64_t kUsualDatabases = 16;

int64_t to_number(std::string_view text, int64_t fallback) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end != text.data() ? value : fallback;
}

/// What role the far side has by ROLE, or by INFO where the user may not ask that.
std::string role_of(Client& client) {
  const Reply role = client.ask({"ROLE"});
  if (role.kind == Reply::Kind::Array && !role.items.empty()) return role.items.front().text;
  const Reply info = client.ask({"INFO", "replication"});
  return info.kind == Reply::Kind::Bulk ? info_field(info.text, "role") : "";
}

/// The values of a flat list of names and values.
std::string field_of(const Reply& flat, std::string_view name) {
  for (size_t i = 0; i + 1 < flat.items.size(); i += 2) {
    if (flat.items[i].text == name) return flat.items[i + 1].text;
  }
  return {};
}

std::optional<Address> address_of(const std::string& host, const std::string& port) {
  const int64_t number = to_number(port, 0);
  if (host.empty() || number < 1 || number > 65535) return {};
  return Address{host, number};
}

std::vector<Address> replicas_of(Client& sentinel, const std::string& master) {
  Reply list = sentinel.ask({"SENTINEL", "replicas", master});
  if (list.is_error()) list = sentinel.ask({"SENTINEL", "slaves", master});  // before version 5
  std::vector<Address> out;
  for (const Reply& one : list.items) {
    const bool usable =
        field_of(one, "flags") == "slave" && field_of(one, "master-link-status") == "ok";
    const auto address = address_of(field_of(one, "ip"), field_of(one, "port"));
    if (usable && address) out.push_back(*address);
  }
  return out;
}

Address master_of(Client& sentinel, const std::string& master) {
  const Reply found = sentinel.demand({"SENTINEL", "get-master-addr-by-name", master});
  if (found.is_nil()) {
    throw Error{ErrorCode::NotFound, sentinel.where() + " knows no master \"" + master + "\""};
  }
  if (found.items.size() == 2) {
    if (auto address = address_of(found.items[0].text, found.items[1].text)) return *address;
  }
  throw Error{ErrorCode::DataLoss, sentinel.where() + " gave no address of a master"};
}

Client open_as(const Call& call, const Address& address, const Settings& settings,
               const Login& login, const char* role) {
  Client client = Client::open(call, address, settings.tls, login);
  const std::string found = role_of(client);
  if (found == role) return client;
  throw Error{ErrorCode::Unavailable, address.text() + " is not a " + std::string{role} +
                                          (found.empty() ? "" : " but a " + found)};
}

Client connect_by_sentinel(const Call& call, const Settings& settings, Purpose purpose,
                           const Login& login) {
  std::string said;
  std::optional<ErrorCode> code;  // of the last node; all the same: it is the whole's
  for (const Address& node : settings.sentinels) {
    try {
      Client sentinel = Client::open(call, node, settings.tls, settings.sentinel_login);
      if (settings.prefer_replica && purpose == Purpose::Read) {
        for (const Address& replica : replicas_of(sentinel, settings.master_name)) {
          try {
            return open_as(call, replica, settings, login, "slave");
          } catch (const Error& error) {
            if (error.code() == ErrorCode::Cancelled) throw;
            call.warning(std::string{"a replica is passed over: "} + error.what());
          }
        }
        call.warning("no replica can be used: reading from the master");
      }
      return open_as(call, master_of(sentinel, settings.master_name), settings, login, "master");
    } catch (const Error& error) {
      if (error.code() == ErrorCode::Cancelled) throw;
      said += (said.empty() ? "" : "; ") + std::string{error.what()};
      if (settings.sentinels.size() > 1) {
        call.info("sentinel " + node.text() + ": " + error.what());
      }
      code = code && *code != error.code() ? ErrorCode::Unavailable : error.code();
    }
  }
  throw Error{code.value_or(ErrorCode::Unavailable),
              "no sentinel leads to the master \"" + settings.master_name + "\": " + said};
}

/// "db3:keys=12,expires=1,avg_ttl=0"
void add_keyspace(std::string_view line, std::map<int64_t, int64_t>& keys) {
  const size_t colon = line.find(":keys=");
  if (!line.starts_with("db") || colon == std::string_view::npos) return;
  const auto number = database_number(line.substr(2, colon - 2));
  if (number) keys[*number] = to_number(line.substr(colon + 6), 0);
}

}  // namespace

Client connect(const Call& call, const Settings& settings, Purpose purpose,
               const std::optional<Login>& login) {
  const Login& who = login ? *login : settings.login;
  if (settings.by_sentinel) return connect_by_sentinel(call, settings, purpose, who);
  return Client::open(call, settings.server, settings.tls, who);
}

int ServerInfo::major() const noexcept { return static_cast<int>(to_number(version, 0)); }

int ServerInfo::newest_rdb_version() const noexcept {
  if (is_valkey()) return major() <= 8 ? 11 : 0;  // the first of them was Redis 7.2
  struct Row {
    std::string_view series;
    int version;
  };
  constexpr std::array kSeries{Row{"2.", 6},    Row{"3.0.", 6}, Row{"3.", 7},    Row{"4.", 8},
                               Row{"5.", 9},    Row{"6.", 9},   Row{"7.0.", 10}, Row{"7.2.", 11},
                               Row{"7.4.", 12}, Row{"8.0.", 12}};
  for (const Row& row : kSeries) {
    if (version.starts_with(row.series)) return row.version;
  }
  return 0;
}

ServerInfo ServerInfo::parse(std::string_view info) {
  ServerInfo out;
  out.version = info_field(info, "valkey_version");
  if (!out.version.empty()) {
    out.product = "Valkey";
  } else {
    out.version = info_field(info, "redis_version");
  }
  out.role = info_field(info, "role");
  out.in_cluster = info_field(info, "cluster_enabled") == "1";
  out.loading = info_field(info, "loading") == "1";
  while (!info.empty()) {
    const size_t end = std::min(info.find('\n'), info.size());
    add_keyspace(info.substr(0, end), out.keys);
    info.remove_prefix(std::min(end + 1, info.size()));
  }
  return out;
}

ServerInfo ask_info(Client& client) {
  const Reply reply = client.ask({"INFO"});
  if (reply.is_error()) throw error_of(reply, "cannot ask " + client.where() + " about itself");
  return ServerInfo::parse(reply.text);
}

std::optional<std::string> config_value(Client& client, std::string_view name) {
  const Reply reply = client.ask({"CONFIG", "GET", name});
  if (reply.items.size() != 2) return {};
  return reply.items[1].text;
}

int64_t count_databases(Client& client) {
  const auto value = config_value(client, "databases");
  const int64_t count = value ? to_number(*value, kUsualDatabases) : kUsualDatabases;
  return count > 0 ? count : kUsualDatabases;
}

void select_database(Client& client, int64_t number) {
  const Reply reply = client.ask({"SELECT", std::to_string(number)});
  if (!reply.is_error()) return;
  const bool missing = reply.is_error("ERR DB index") || reply.is_error("ERR invalid DB index");
  const Error error = error_of(reply, "cannot use database \"" + std::to_string(number) + "\"");
  throw Error{missing ? ErrorCode::NotFound : error.code(), error.what()};
}

int64_t require_database(std::string_view name, int64_t fallback) {
  if (name.empty()) return fallback;
  const auto number = database_number(name);
  if (number) return *number;
  throw Error{ErrorCode::NotFound, "there is no database \"" + std::string{name} +
                                       "\": databases are called 0, 1, 2, …"};
}

}  // namespace dbackup::redis
