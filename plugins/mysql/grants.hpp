#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace dbackup::mysql {

/// What the lines of SHOW GRANTS allow on a whole database. Rights on single tables, columns and
/// routines do not count.
class Grants {
 public:
  void add(std::string_view line);

  /// On everything of `database`, or of the whole server.
  bool allow(const std::string& right, const std::string& database) const;
  bool allow_everywhere(const std::string& right) const;
  /// The same for one table, by a grant on it or on what it is in.
  bool allow_table(const std::string& right, const std::string& database,
                   const std::string& table) const;

 private:
  struct Entry {
    std::set<std::string> rights;
    std::string database;  ///< a pattern, as in LIKE
    std::string table;     ///< "" = all
    bool taken = false;    ///< MySQL 8: taken away again from what the whole server allows
  };

  /// Who has them: the user, and each active role.
  std::map<std::string, std::vector<Entry>> by_grantee_;
};

}  // namespace dbackup::mysql
