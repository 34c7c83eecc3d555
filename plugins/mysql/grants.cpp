#include "grants.hpp"

#include <algorithm>
#include <utility>

#include "sql_tokens.hpp"

namespace dbackup::mysql {
namespace {

bool holds(const std::set<std::string>& rights, const std::string& right) {
  return rights.count(right) != 0 || rights.count("ALL PRIVILEGES") != 0 ||
         rights.count("ALL") != 0;
}

/// As LIKE, with '\' before what stands for itself.
bool matches(std::string_view pattern, std::string_view name) {
  if (pattern.empty()) return name.empty();
  if (pattern.front() == '%') {
    for (size_t skipped = 0; skipped <= name.size(); ++skipped) {
      if (matches(pattern.substr(1), name.substr(skipped))) return true;
    }
    return false;
  }
  if (name.empty()) return false;
  if (pattern.front() == '_') return matches(pattern.substr(1), name.substr(1));
  if (pattern.front() == '\\' && pattern.size() > 1) pattern.remove_prefix(1);
  return pattern.front() == name.front() && matches(pattern.substr(1), name.substr(1));
}

/// How much of a pattern comes before its first wildcard: the server takes the longest alone.
size_t exactness(const std::string& pattern) {
  for (size_t at = 0; at < pattern.size(); ++at) {
    if (pattern[at] == '\\') {
      ++at;
    } else if (pattern[at] == '%' || pattern[at] == '_') {
      return at;
    }
  }
  return std::string::npos;
}

constexpr std::string_view kEverywhere = "*";

}  // namespace

void Grants::add(std::string_view line) {
  const ServerVersion any;
  TokenReader reader{line, any, {}};
  Token token = reader.next();
  Entry entry{.rights = {}, .database = {}, .table = {}, .taken = token.is_word("REVOKE")};
  if (!entry.taken && !token.is_word("GRANT")) return;
  std::string right;
  for (token = reader.next(); !token.is_word("ON"); token = reader.next()) {
    if (token.kind == Token::Kind::Word) {
      right += (right.empty() ? "" : " ") + token.value;
    } else if (token.is_mark(',')) {
      entry.rights.insert(std::exchange(right, ""));
    } else if (token.is_mark('(')) {  // on columns alone
      while (!token.is_mark(')') && token.kind != Token::Kind::End) token = reader.next();
      right.clear();
    } else {
      return;  // a role, or nothing that is known
    }
  }
  entry.rights.insert(right);
  entry.rights.erase("");
  entry.database = reader.next().value;
  if (!reader.next().is_mark('.')) return;  // PROCEDURE `x`.`y`
  entry.table = reader.next().value;
  if (entry.table == kEverywhere) entry.table.clear();
  reader.next();  // TO
  std::string grantee = reader.next().value;
  if (reader.next().is_mark('@')) grantee += "@" + reader.next().value;
  by_grantee_[grantee].push_back(std::move(entry));
}

bool Grants::allow_everywhere(const std::string& right) const {
  return std::any_of(by_grantee_.begin(), by_grantee_.end(), [&](const auto& of) {
    return std::any_of(of.second.begin(), of.second.end(), [&](const Entry& entry) {
      return entry.database == kEverywhere && holds(entry.rights, right);
    });
  });
}

bool Grants::allow(const std::string& right, const std::string& database) const {
  bool taken = false;
  bool everywhere = false;
  for (const auto& [grantee, entries] : by_grantee_) {
    const Entry* closest = nullptr;
    for (const Entry& entry : entries) {
      if (!entry.table.empty()) continue;
      if (entry.database == kEverywhere) {
        everywhere |= holds(entry.rights, right);
      } else if (entry.taken) {
        taken |= matches(entry.database, database) && holds(entry.rights, right);
      } else if (matches(entry.database, database) &&
                 (closest == nullptr || exactness(entry.database) > exactness(closest->database))) {
        closest = &entry;
      }
    }
    if (closest != nullptr && holds(closest->rights, right)) return true;
  }
  return everywhere && !taken;
}

bool Grants::allow_table(const std::string& right, const std::string& database,
                         const std::string& table) const {
  if (allow(right, database)) return true;
  return std::any_of(by_grantee_.begin(), by_grantee_.end(), [&](const auto& of) {
    return std::any_of(of.second.begin(), of.second.end(), [&](const Entry& entry) {
      return entry.database == database && entry.table == table && holds(entry.rights, right);
    });
  });
}

}  // namespace dbackup::mysql
