#include "remote_file.hpp"

#include <climits>

#include "location.hpp"

namespace dbackup::sqlite {
namespace {

constexpr const char* kTimeout = ".timeout 15000";
constexpr const char* kRelations =
    "FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";

std::string text_literal(const std::string& text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\0') throw Error{ErrorCode::InvalidArgument, "a text must not contain NUL"};
    out += c == '\'' ? "''" : std::string{c};
  }
  return out + "'";
}

std::string quoted(const std::string& name) {
  std::string out = "\"";
  for (const char c : name) {
    if (c == '\0') throw Error{ErrorCode::InvalidArgument, "a name must not contain NUL"};
    out += c == '"' ? "\"\"" : std::string{c};
  }
  return out + "\"";
}

/// A value as query() reads it: "n" or "t" and hexadecimal digits, so that nothing in it can be
/// taken for the end of a line or a column.
std::string cell_of(const std::string& expression) {
  return "CASE WHEN (" + expression + ") IS NULL THEN 'n' ELSE 't' || hex(CAST((" + expression +
         ") AS TEXT)) END";
}

std::string from_hex(std::string_view digits) {
  const auto value = [](char c) { return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10; };
  std::string out;
  for (size_t i = 0; i + 1 < digits.size(); i += 2) {
    out += static_cast<char>(value(digits[i]) * 16 + value(digits[i + 1]));
  }
  return out;
}

}  // namespace

std::string dot_word(const std::string& word) {
  std::string out = "\"";
  for (const char c : word) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

void failed(const std::string& path, const ExitStatus& status) {
  std::string why = status.errors.substr(0, status.errors.find('\n'));
  if (why.empty()) why = "sqlite3 ended with " + std::to_string(status.exit_code);
  const bool busy = why.find("locked") != std::string::npos;
  throw Error{busy ? ErrorCode::FailedPrecondition : ErrorCode::Aborted, "\"" + path + "\": " + why,
              status.errors};
}

RemoteFile::RemoteFile(const Config& config)
    : path_{config.required("path")}, program_{config.text_or("sqliteBinaryPath", "sqlite3")} {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/_.-";
  if (program_.empty() || program_.front() == '-' ||
      program_.find_first_not_of(kPlain) != std::string::npos) {
    throw Error{ErrorCode::InvalidArgument,
                "\"sqliteBinaryPath\" must be letters, digits and any of / _ . -"};
  }
  if (path_.front() != '/' || path_.find('\0') != std::string::npos) {
    throw Error{ErrorCode::InvalidArgument, "\"path\" must be an absolute path"};
  }
  folder_ = folder_of(path_);
  name_ = base_of(path_);
  check_name(name_);
}

std::vector<std::string> RemoteFile::tool(const std::string& database) const {
  // Not the settings of the account: they may change how output looks.
  return {program_, "-init", "/dev/null", "-batch", "-bail", "-noheader", "-list", database};
}

std::string RemoteFile::require_file(Call& call) const {
  Exec exec{call};
  // sqlite3 would make a file that is not there.
  if (!exec.run({"test", "-e", path_}).ok()) {
    throw Error{ErrorCode::NotFound, "there is no database \"" + path_ + "\""};
  }
  if (!exec.run({"test", "-f", path_}).ok()) {
    throw Error{ErrorCode::InvalidArgument, "\"" + path_ + "\" is not a regular file"};
  }
  return path_;
}

std::vector<RemoteFile::Row> RemoteFile::query(Call& call, const std::string& path,
                                               const std::string& sql) const {
  auto argv = tool(path);
  argv.insert(argv.end(), {kTimeout, sql});
  Process process = Exec{call}.start(argv);
  std::string text;
  std::vector<std::byte> block(size_t{64} * 1024);
  constexpr size_t kMost = size_t{32} * 1024 * 1024;
  while (const size_t n = process.read(block)) {
    text.append(reinterpret_cast<const char*>(block.data()), n);
    if (text.size() > kMost) {
      throw Error{ErrorCode::ResourceExhausted, "\"" + path + "\" answers more than can be shown"};
    }
  }
  const ExitStatus status = process.wait();
  if (!status.ok()) failed(path, status);
  std::vector<Row> out;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    Row row;
    for (size_t from = at; from <= end;) {
      const size_t bar = std::min(text.find('|', from), end);
      const std::string_view part = std::string_view{text}.substr(from, bar - from);
      if (part.starts_with('t')) {
        row.emplace_back(from_hex(part.substr(1)));
      } else {
        row.emplace_back(std::nullopt);
      }
      from = bar + 1;
    }
    out.push_back(std::move(row));
    at = end + 1;
  }
  return out;
}

int64_t RemoteFile::number(Call& call, const std::string& path, const std::string& sql) const {
  const auto rows = query(call, path, "SELECT " + cell_of("(" + sql + ")"));
  if (rows.empty() || rows.front().empty() || !rows.front().front()) return 0;
  return std::strtoll(rows.front().front()->c_str(), nullptr, 10);
}

TestResult RemoteFile::test(Call& call) const {
  Exec exec{call};
  const ExitStatus version = exec.run({program_, "-version"});
  if (!version.ok()) failed(program_, version);
  number(call, require_file(call), "SELECT count(*) FROM sqlite_master");
  return {.message = "SQLite connection successful.",
          .version = version.output.substr(0, version.output.find(' '))};
}

DumpResult RemoteFile::dump(Call& call, Writer& out) const {
  Exec exec{call};
  const std::string path = require_file(call);
  const ExitStatus version = exec.run({program_, "-version"});
  StagingFile copy = exec.staging_file(".db");
  // The open read transaction holds the state still: without it the copying would begin anew
  // whenever somebody writes.
  auto argv = tool(path);
  argv.insert(argv.end(), {kTimeout, "BEGIN", "SELECT count(*) FROM sqlite_master",
                           ".backup main " + dot_word(copy.path()), "COMMIT"});
  const ExitStatus status = exec.run(argv);
  if (!status.ok()) failed(path, status);
  if (copy.size() == 0) throw Error{ErrorCode::DataLoss, "\"" + path + "\" was copied to nothing"};
  copy.copy_to(out, call);
  return {.engine_version = version.output.substr(0, version.output.find(' ')),
          .already_compressed = false};
}

void RemoteFile::describe(Call& call, const std::function<void(const DatabaseInfo&)>& found) const {
  const std::string path = require_file(call);
  DatabaseInfo info{.name = name_};
  info.table_count =
      number(call, path, "SELECT count(*) " + std::string{kRelations} + " AND type = 'table'");
  info.size_bytes =
      number(call, path, "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size");
  found(info);
}

void RemoteFile::tables(Call& call, ItemSink& sink) const {
  const std::string path = require_file(call);
  const auto relations = query(
      call, path,
      "SELECT " + cell_of("name") + ", " + cell_of("type") + " " + kRelations + " ORDER BY name");
  std::string counts;
  for (const Row& row : relations) {
    if (*row.at(1) != "table") continue;
    counts += (counts.empty() ? "SELECT " : " UNION ALL SELECT ") +
              cell_of("(SELECT count(*) FROM " + quoted(*row.at(0)) + ")");
  }
  std::vector<Row> counted;
  try {
    if (!counts.empty()) counted = query(call, path, counts);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::Cancelled || error.code() == ErrorCode::Unavailable) throw;
    // A virtual table whose module is not there cannot be counted.
  }
  size_t next = 0;
  for (const Row& row : relations) {
    TableInfo table{.name = *row.at(0), .type = *row.at(1) == "view" ? "view" : "table"};
    if (*row.at(1) == "table" && next < counted.size()) {
      table.row_count = std::strtoll(counted[next++].at(0).value_or("0").c_str(), nullptr, 10);
    }
    sink.item(to_json(table));
  }
}

void RemoteFile::rows(Call& call, const RowsRequest& request, ItemSink& sink) const {
  const std::string path = require_file(call);
  const std::string table = text_literal(request.table);
  if (number(call, path, "SELECT count(*) " + std::string{kRelations} + " AND name = " + table) ==
      0) {
    throw Error{ErrorCode::NotFound, "there is no table \"" + request.table + "\""};
  }
  std::vector<ColumnInfo> columns;
  for (const Row& row :
       query(call, path,
             "SELECT " + cell_of("name") + ", " + cell_of("type") + ", " + cell_of("\"notnull\"") +
                 ", " + cell_of("pk") + ", " + cell_of("dflt_value") + " FROM pragma_table_xinfo(" +
                 table + ") WHERE hidden <> 1")) {
    ColumnInfo column{.name = row.at(0).value_or(""), .data_type = row.at(1).value_or("")};
    column.nullable = row.at(2) == "0";
    column.primary_key = row.at(3) != "0";
    column.default_value = row.at(4);
    columns.push_back(std::move(column));
  }
  request.check_columns(columns);
  const size_t limit = cell_limit(columns.size(), request.page_size);
  const bool exactly = request.match == RowsRequest::Match::Equals;
  const std::string wanted = exactly
                                 ? "= " + text_literal(request.search)
                                 : "LIKE " + text_literal(request.like_pattern()) + " ESCAPE '\\'";
  std::string select, where, key;
  for (const ColumnInfo& column : columns) {
    const std::string name = quoted(column.name);
    const std::string shown =
        "CASE typeof(" + name +
        ") WHEN 'null' THEN NULL WHEN 'blob' THEN '\\x' || lower(hex(substr(" + name + ", 1, " +
        std::to_string(limit / 2 + 1) + "))) ELSE substr(CAST(" + name + " AS TEXT), 1, " +
        std::to_string(limit + 1) + ") END";
    select += (select.empty() ? "SELECT " : ", ") + cell_of(shown);
    if (column.primary_key) key += ", " + name;
    if (request.search.empty()) continue;
    if (!request.search_column.empty() && request.search_column != column.name) continue;
    where += (where.empty() ? " WHERE " : " OR ") + ("CAST(" + name) + " AS TEXT) " + wanted;
  }
  const std::string from = " FROM " + quoted(request.table) + where;
  std::string order;
  if (!request.sort_by.empty()) {
    const std::string by = quoted(request.sort_by);
    order = " ORDER BY " + by + " IS NULL, " + by + (request.descending ? " DESC" : " ASC") + key;
  } else if (!key.empty()) {
    order = " ORDER BY " + key.substr(2);
  }
  sink.item(rows_head(columns, number(call, path, "SELECT count(*)" + from)));
  for (const Row& row :
       query(call, path,
             select + from + order + " LIMIT " + std::to_string(request.page_size) + " OFFSET " +
                 std::to_string(request.offset()))) {
    Json item = Json::object();
    for (size_t i = 0; i < columns.size() && i < row.size(); ++i) {
      item[columns[i].name] = row[i] ? cell(std::string_view{*row[i]}, limit) : Json{};
    }
    sink.item(item);
  }
}

}  // namespace dbackup::sqlite
