#pragma once

#include <string>
#include <string_view>

namespace dbackup::mysql {

std::string lower_case(std::string_view text);

/// `name` as an SQL identifier: `…` with every ` doubled.
std::string identifier(std::string_view name);

/// `name` in the place of a database of GRANT, where '_' and '%' would be wildcards.
std::string grant_pattern(std::string_view name);

/// What stands behind a version text of a server: "10.11.19-MariaDB-0+deb12u1", "8.4.3".
struct ServerVersion {
  bool mariadb = false;
  int number = 0;     ///< as servers count: 101119, 80403
  std::string shown;  ///< "10.11.19"

  static ServerVersion parse(std::string_view text);
};

/// What stands behind the version line of a client program:
/// "mariadb-dump  Ver 10.19 Distrib 10.11.19-MariaDB, for …", "mysqldump  Ver 8.0.36 for Linux …".
struct ToolVersion {
  bool mariadb = false;
  int number = 0;

  static ToolVersion parse(std::string_view line);
};

/// Would a server of this version run what stands in `/*!12345 … */`, or `/*M!12345 … */`? `number`
/// 0: no number was given.
bool runs_conditional(const ServerVersion& server, bool is_mariadb_only, int number);

}  // namespace dbackup::mysql
