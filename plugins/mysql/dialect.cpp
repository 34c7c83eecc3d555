#include "dialect.hpp"

#include <algorithm>
#include <charconv>

namespace dbackup::mysql {
namespace {

/// "10.11.19-MariaDB" → 101119, and where the number ends.
int dotted_number(std::string_view text, size_t& end) {
  int parts[3] = {0, 0, 0};
  const char* at = text.data();
  const char* const last = text.data() + text.size();
  for (int& part : parts) {
    const auto [next, error] = std::from_chars(at, last, part);
    if (error != std::errc{}) break;
    at = next;
    if (at == last || *at != '.' || &part == &parts[2]) break;
    ++at;
  }
  end = static_cast<size_t>(at - text.data());
  return parts[0] * 10000 + parts[1] * 100 + parts[2];
}

bool names_mariadb(std::string_view text) {
  return lower_case(text).find("mariadb") != std::string::npos;
}

}  // namespace

std::string lower_case(std::string_view text) {
  std::string out{text};
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::string identifier(std::string_view name) {
  std::string out = "`";
  for (const char c : name) {
    if (c == '`') out += '`';
    out += c;
  }
  return out += '`';
}

std::string grant_pattern(std::string_view name) {
  std::string escaped;
  for (const char c : name) {
    if (c == '_' || c == '%' || c == '\\') escaped += '\\';
    escaped += c;
  }
  return identifier(escaped);
}

ServerVersion ServerVersion::parse(std::string_view text) {
  ServerVersion out;
  out.mariadb = names_mariadb(text);
  // Old MariaDB servers put this before their own version, for clients that knew MySQL 5 only.
  constexpr std::string_view kDisguise = "5.5.5-";
  if (out.mariadb && text.starts_with(kDisguise)) text.remove_prefix(kDisguise.size());
  size_t end = 0;
  out.number = dotted_number(text, end);
  out.shown = text.substr(0, end);
  return out;
}

ToolVersion ToolVersion::parse(std::string_view line) {
  ToolVersion out;
  out.mariadb = names_mariadb(line);
  // "Ver 10.19 Distrib 10.11.19-MariaDB" and "from 11.4.2-MariaDB": the first number is the
  // program's own, which says nothing.
  for (const std::string_view mark : {"Distrib ", "from ", "Ver "}) {
    const size_t at = line.find(mark);
    if (at == std::string_view::npos) continue;
    size_t end = 0;
    out.number = dotted_number(line.substr(at + mark.size()), end);
    if (out.number > 0) break;
  }
  return out;
}

bool runs_conditional(const ServerVersion& server, bool is_mariadb_only, int number) {
  if (is_mariadb_only && !server.mariadb) return false;
  if (number == 0) return true;
  // Numbers of MySQL 5.7 and later say nothing about MariaDB, which therefore skips them.
  if (server.mariadb && !is_mariadb_only && number >= 50700 && number <= 99999) return false;
  return number <= server.number;
}

}  // namespace dbackup::mysql
