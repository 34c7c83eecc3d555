#include "dump_gaps.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "grants.hpp"

namespace dbackup::mysql {
namespace {

/// Since when both tool and server can write and take the history of a versioned table.
constexpr int kHistorySince = 101100;

/// Of these the tools write the definition alone: the rows are kept elsewhere.
constexpr std::array<std::string_view, 8> kRowsElsewhere{
    "mrg_myisam", "mrg_isam", "connect", "oqgraph", "spider", "vp", "federated", "s3"};

bool rows_are_elsewhere(const std::string& engine) {
  return std::find(kRowsElsewhere.begin(), kRowsElsewhere.end(), lower_case(engine)) !=
         kRowsElsewhere.end();
}

class Names {
 public:
  void add(const std::string& name, const std::string& more = "") {
    constexpr size_t kMost = 50;
    if (++count_ <= kMost) text_ += (text_.empty() ? "\"" : ", \"") + name + "\"" + more;
    if (count_ == kMost + 1) text_ += ", …";
  }
  bool empty() const { return count_ == 0; }
  const std::string& text() const { return text_; }

 private:
  size_t count_ = 0;
  std::string text_;
};

void warn_of_engines(const Call& call, Connection& server, const std::string& database) {
  Names outside;
  Names skipped;
  for (const Row& row : server.query(
           "SELECT t.TABLE_NAME, t.ENGINE, COALESCE(e.TRANSACTIONS, 'NO')"
           " FROM information_schema.TABLES t"
           " LEFT JOIN information_schema.ENGINES e ON e.ENGINE = t.ENGINE"
           " WHERE t.TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED') AND t.ENGINE IS NOT NULL"
           " AND t.TABLE_SCHEMA = " +
           server.literal(database) + " ORDER BY t.TABLE_NAME")) {
    const std::string engine = row[1].value_or("");
    const std::string shown = " (" + engine + ")";
    if (rows_are_elsewhere(engine)) {
      skipped.add(row[0].value_or(""), shown);
    } else if (row[2] != "YES") {
      outside.add(row[0].value_or(""), shown);
    }
  }
  if (!outside.empty()) {
    call.warning("these tables know no transactions and are not part of the snapshot: " +
                 outside.text());
  }
  if (!skipped.empty()) {
    call.warning(
        "the rows of these tables are kept elsewhere and are not in the backup, only their"
        " definitions: " +
        skipped.text());
  }
}

bool asks_for(const std::vector<std::string>& flags, std::string_view beginning) {
  return std::any_of(flags.begin(), flags.end(), [&](const std::string& flag) {
    std::string plain = flag;
    std::replace(plain.begin(), plain.end(), '_', '-');
    return plain.starts_with(beginning);
  });
}

/// Without a right the server does not refuse these objects: it shows none, and the tool believes
/// it.
void warn_of_rights(const Call& call, Connection& server, const std::string& database,
                    const std::vector<std::string>& user_flags) {
  Grants grants;
  try {
    for (const Row& row : server.query("SHOW GRANTS")) grants.add(row[0].value_or(""));
  } catch (const ServerError& error) {
    if (error.code() == ErrorCode::Unavailable) throw;
    return;  // --skip-grant-tables: there are no rights that could be missing
  }
  struct Need {
    const char* right;
    const char* lacking;
    const char* unless;  ///< the flag of a user who does not want them
  };
  constexpr std::array kNeeds{
      Need{"SELECT", "tables without a grant of their own (needs SELECT)", nullptr},
      Need{"SHOW VIEW", "views (needs SHOW VIEW)", nullptr},
      Need{"TRIGGER", "triggers (needs TRIGGER)", "--skip-triggers"},
      Need{"EVENT", "events (needs EVENT)", "--skip-events"}};
  std::string missing;
  const auto add = [&](const char* what) {
    missing += (missing.empty() ? "" : ", ") + std::string{what};
  };
  for (const Need& need : kNeeds) {
    if (need.unless != nullptr && asks_for(user_flags, need.unless)) continue;
    if (!grants.allow(need.right, database)) add(need.lacking);
  }
  const bool shows_routines =
      grants.allow("SHOW CREATE ROUTINE", database) || grants.allow_everywhere("SHOW_ROUTINE") ||
      grants.allow("EXECUTE", database) || grants.allow("ALTER ROUTINE", database) ||
      grants.allow_everywhere("SELECT") || grants.allow_table("SELECT", "mysql", "proc");
  if (!shows_routines && !asks_for(user_flags, "--skip-routines")) {
    add(!server.version().mariadb && server.version().number >= 80000
            ? "routines (needs SHOW_ROUTINE)"
            : "routines (needs SELECT on mysql.proc)");
  }
  if (missing.empty()) return;
  call.warning("user " + server.value("SELECT CURRENT_USER()") + " has not all rights on \"" +
               database + "\"; if there are any, the backup lacks: " + missing);
}

std::vector<std::string> history_flags(const Call& call, Connection& server,
                                       const std::string& database, const ToolVersion& tool,
                                       const std::vector<std::string>& user_flags) {
  if (!server.version().mariadb || server.version().number < 100300) return {};
  const auto list = [&](const std::string& query) {
    Names out;
    for (const Row& row : server.query(query + " AND TABLE_SCHEMA = " + server.literal(database) +
                                       " ORDER BY TABLE_NAME")) {
      out.add(row[0].value_or(""));
    }
    return out;
  };
  const Names versioned = list(
      "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_TYPE = 'SYSTEM VERSIONED'");
  if (versioned.empty()) return {};
  const Names by_transaction = list(
      "SELECT TABLE_NAME FROM information_schema.COLUMNS"
      " WHERE GENERATION_EXPRESSION = 'ROW START' AND DATA_TYPE = 'bigint'");
  std::string why;
  if (!by_transaction.empty()) {
    why = "it cannot be dumped while there are tables versioned by transaction (" +
          by_transaction.text() + ")";
  } else if (server.version().number < kHistorySince) {
    why = "that needs a server of version 10.11 or later";
  } else if (!tool.mariadb || tool.number < kHistorySince) {
    why = "that needs mariadb-dump of version 10.11 or later";
  } else if (asks_for(user_flags, "--replace") || asks_for(user_flags, "--as-of")) {
    why = "it cannot be had with --replace or --as-of";
  } else if (asks_for(user_flags, "--skip-dump-history")) {
    why = "\"options\" say so";
  } else {
    return {"--dump-history"};
  }
  call.warning("the history of these tables is not in the backup, only their current rows: " +
               versioned.text() + "; " + why);
  return {};
}

}  // namespace

std::vector<std::string> find_gaps(const Call& call, Connection& server,
                                   const std::string& database, const ToolVersion& tool,
                                   const std::vector<std::string>& user_flags) {
  warn_of_rights(call, server, database, user_flags);
  warn_of_engines(call, server, database);
  return history_flags(call, server, database, tool, user_flags);
}

void LongestLine::add(std::span<const std::byte> block) {
  while (!block.empty()) {
    const void* const end = std::memchr(block.data(), '\n', block.size());
    if (end == nullptr) {
      line_ += block.size();
      return;
    }
    const auto length = static_cast<size_t>(static_cast<const std::byte*>(end) - block.data());
    longest_ = std::max(longest_, line_ + length);
    line_ = 0;
    block = block.subspan(length + 1);
  }
}

void warn_of_packet(const Call& call, Connection& server, uint64_t longest_line) {
  const std::string packet = server.value("SELECT @@max_allowed_packet");
  if (longest_line <= std::strtoull(packet.c_str(), nullptr, 10)) return;
  constexpr uint64_t kMiB = uint64_t{1} << 20;
  constexpr uint64_t kAround = 64 * 1024;  // INSERT INTO … VALUES, and the packet's own head
  const std::string needed = std::to_string((longest_line + kAround + kMiB - 1) / kMiB) + "M";
  call.warning("a row of the backup takes " + std::to_string(longest_line) +
               " bytes, more than this server's max_allowed_packet (" + packet +
               "): the server that it is restored on needs max_allowed_packet = " + needed);
}

}  // namespace dbackup::mysql
