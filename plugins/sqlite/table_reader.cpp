#include "table_reader.hpp"

namespace dbackup::sqlite {
namespace {

/// Names that begin with "sqlite_" are SQLite's own.
constexpr const char* kRelations =
    "SELECT name, type FROM sqlite_schema WHERE type IN ('table', 'view')"
    " AND substr(name, 1, 7) <> 'sqlite_'";

/// A name with its quotes. Only names that are there are ever quoted: SQLite would take an unknown
/// one for a string.
std::string quoted_name(const std::string& name) {
  std::string out = "\"";
  for (const char c : name) out += c == '"' ? "\"\"" : std::string(1, c);
  return out + "\"";
}

std::optional<std::string_view> column_text(sqlite3_stmt* row, int column) {
  if (sqlite3_column_type(row, column) == SQLITE_NULL) return std::nullopt;
  const auto* raw = reinterpret_cast<const char*>(sqlite3_column_text(row, column));
  if (raw == nullptr) throw std::bad_alloc{};
  return std::string_view{raw, static_cast<size_t>(sqlite3_column_bytes(row, column))};
}

std::string copied(sqlite3_stmt* row, int column) {
  return std::string{column_text(row, column).value_or("")};
}

/// The start of a column's value as text, one character longer than what is shown.
std::string text(const std::string& column, size_t limit) {
  const std::string length = std::to_string(limit + 1);
  return "CASE typeof(" + column +
         ") WHEN 'null' THEN NULL WHEN 'blob' THEN '\\x' || lower(hex(substr(" + column + ", 1, " +
         std::to_string(limit / 2 + 1) + "))) ELSE substr(CAST(" + column + " AS TEXT), 1, " +
         length + ") END";
}

}  // namespace

TableReader::TableReader(const Call& call, const std::string& path)
    : database_{call, path, Database::Access::ReadWrite} {
  // Opened for writing because SQLite must be able to recover, never to write what a view may ask
  // for.
  database_.run("PRAGMA query_only = ON");
  database_.run("BEGIN");
}

void TableReader::tables(ItemSink& sink) {
  std::vector<TableInfo> tables;
  database_.run(std::string{kRelations} + " ORDER BY name", [&](sqlite3_stmt* row) {
    tables.push_back({.name = copied(row, 0), .type = copied(row, 1) == "view" ? "view" : "table"});
  });
  for (TableInfo& table : tables) {
    if (std::string_view{table.type} == "table") {
      try {
        table.row_count = database_.integer("SELECT count(*) FROM " + quoted_name(table.name));
      } catch (const Error& error) {
        if (error.code() == ErrorCode::Cancelled || error.code() == ErrorCode::DataLoss) throw;
        // A virtual table whose module is not here cannot be counted.
      }
    }
    sink.item(to_json(table));
  }
}

std::vector<ColumnInfo> TableReader::columns_of(const std::string& table) {
  bool is_known = false;
  database_.run(std::string{kRelations} + " AND name = ?1", [&](sqlite3_stmt*) { is_known = true; },
                {table});
  if (!is_known) throw Error{ErrorCode::NotFound, "there is no table \"" + table + "\""};
  std::vector<ColumnInfo> out;
  // 1: hidden columns of virtual tables, which are arguments rather than content.
  database_.run(
      "SELECT name, type, \"notnull\", pk, dflt_value FROM pragma_table_xinfo(?1) WHERE hidden <> "
      "1",
      [&](sqlite3_stmt* row) {
        ColumnInfo column{.name = copied(row, 0), .data_type = copied(row, 1)};
        column.nullable = sqlite3_column_int(row, 2) == 0;
        column.primary_key = sqlite3_column_int(row, 3) != 0;
        if (const auto value = column_text(row, 4)) column.default_value = std::string{*value};
        out.push_back(std::move(column));
      },
      {table});
  return out;
}

void TableReader::rows(const RowsRequest& request, ItemSink& sink) {
  const std::vector<ColumnInfo> columns = columns_of(request.table);
  request.check_columns(columns);

  const size_t limit = cell_limit(columns.size(), request.page_size);
  const bool exactly = request.match == RowsRequest::Match::Equals;
  std::string select;
  std::string where;
  std::string key;
  for (const ColumnInfo& column : columns) {
    const std::string name = quoted_name(column.name);
    select += (select.empty() ? "SELECT " : ", ") + text(name, limit);
    if (column.primary_key) key += ", " + name;
    if (request.search.empty()) continue;
    if (!request.search_column.empty() && request.search_column != column.name) continue;
    where += (where.empty() ? " WHERE " : " OR ") + ("CAST(" + name) + " AS TEXT) " +
             (exactly ? "= ?1" : "LIKE ?1 ESCAPE '\\'");
  }
  const std::string from = " FROM " + quoted_name(request.table) + where;
  std::vector<std::string> values;
  if (!where.empty()) values.push_back(exactly ? request.search : request.like_pattern());
  std::string order;
  if (!request.sort_by.empty()) {
    order = " ORDER BY " + quoted_name(request.sort_by) + (request.descending ? " DESC" : " ASC") +
            " NULLS LAST" + key;
  } else if (!key.empty()) {
    order = " ORDER BY " + key.substr(2);
  }

  int64_t total = 0;
  database_.run(
      "SELECT count(*)" + from, [&](sqlite3_stmt* row) { total = sqlite3_column_int64(row, 0); },
      values);
  sink.item(rows_head(columns, total));
  database_.run(
      select + from + order + " LIMIT " + std::to_string(request.page_size) + " OFFSET " +
          std::to_string(request.offset()),
      [&](sqlite3_stmt* row) {
        Json item = Json::object();
        for (size_t i = 0; i < columns.size(); ++i) {
          item[columns[i].name] = cell(column_text(row, static_cast<int>(i)), limit);
        }
        sink.item(item);
      },
      values);
}

}  // namespace dbackup::sqlite
