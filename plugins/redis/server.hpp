#pragma once

#include <map>
#include <optional>
#include <string>

#include "client.hpp"

namespace dbackup::redis {

/// What a connection is for.
enum class Purpose { Read, Write };

/// Connects to the configured server, or in sentinel mode to the master that the sentinels name
/// (for reading to one of its replicas when that is preferred), and makes sure that it is what they
/// say. Throws Error as Client::open() does, and {Unavailable} naming what each sentinel said.
Client connect(const Call& call, const Settings& settings, Purpose purpose,
               const std::optional<Login>& login = {});

/// What a server says about itself.
struct ServerInfo {
  std::string product = "Redis";  ///< or "Valkey"
  std::string version;            ///< "7.0.15"
  std::string role;               ///< "master", "slave"
  bool in_cluster = false;
  bool loading = false;
  std::map<int64_t, int64_t> keys;  ///< how many each database holds; empty ones are missing

  int major() const noexcept;
  /// The newest version of RDB payloads that a server of this version takes; 0: not known.
  int newest_rdb_version() const noexcept;
  bool is_valkey() const noexcept { return product == "Valkey"; }

  /// Reads the text of INFO.
  static ServerInfo parse(std::string_view info);
};

/// Asks INFO. Throws Error{PermissionDenied} naming the rights that are missing.
ServerInfo ask_info(Client& client);

/// How many databases there are: CONFIG GET databases, or 16 where that is not allowed.
int64_t count_databases(Client& client);

/// A setting of the server, or nothing where CONFIG is not allowed.
std::optional<std::string> config_value(Client& client, std::string_view name);

/// Makes `number` the client's database. Throws Error{NotFound}.
void select_database(Client& client, int64_t number);

/// The number of a database in a request; "" is `fallback`. Throws Error{NotFound}.
int64_t require_database(std::string_view name, int64_t fallback);

}  // namespace dbackup::redis
