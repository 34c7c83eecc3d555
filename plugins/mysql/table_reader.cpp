#include "table_reader.hpp"

#include <algorithm>
#include <array>

namespace dbackup::mysql {
namespace {

/// Counting more costs more than the exact number is worth.
constexpr int64_t kMostCounted = 1'000'000;

constexpr std::array<std::string_view, 16> kBytes{
    "binary",   "varbinary",  "tinyblob",        "blob",         "mediumblob",
    "longblob", "bit",        "geometry",        "point",        "linestring",
    "polygon",  "multipoint", "multilinestring", "multipolygon", "geometrycollection",
    "vector"};

bool is_bytes(const std::string& data_type) {
  return std::find(kBytes.begin(), kBytes.end(), data_type) != kBytes.end();
}

std::string text(const std::string& column) { return "CONVERT(" + column + " USING utf8mb4)"; }

}  // namespace

TableReader::TableReader(const Call& call, const Login& login, const std::string& database)
    : database_{database}, connection_{Connection::open(call, login, database)} {
  connection_.execute(
      "SET SESSION lock_wait_timeout = 5, collation_connection = utf8mb4_general_ci");
  connection_.execute("SET SESSION TRANSACTION READ ONLY");
  connection_.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT");
}

void TableReader::tables(ItemSink& sink) {
  for (const Row& row : connection_.query(
           "SELECT TABLE_NAME, TABLE_TYPE, TABLE_ROWS, DATA_LENGTH + INDEX_LENGTH"
           " FROM information_schema.TABLES WHERE TABLE_SCHEMA = " +
           connection_.literal(database_) + " AND TABLE_TYPE <> 'SEQUENCE' ORDER BY TABLE_NAME")) {
    TableInfo table{.name = row[0].value_or(""), .type = row[1] == "VIEW" ? "view" : "table"};
    if (row[2]) table.row_count = std::stoll(*row[2]);
    if (row[3]) table.size_bytes = std::stoll(*row[3]);
    sink.item(to_json(table));
  }
}

std::vector<TableReader::Column> TableReader::columns_of(const std::string& table) {
  std::vector<Column> out;
  for (const Row& row : connection_.query(
           "SELECT COLUMN_NAME, COLUMN_TYPE, IS_NULLABLE, COLUMN_KEY, COLUMN_DEFAULT, DATA_TYPE"
           " FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = " +
           connection_.literal(database_) + " AND TABLE_NAME = " + connection_.literal(table) +
           " ORDER BY ORDINAL_POSITION")) {
    Column column{.info = {.name = row[0].value_or(""),
                           .data_type = row[1].value_or(""),
                           .nullable = row[2] == "YES",
                           .primary_key = row[3] == "PRI",
                           .default_value = row[4]},
                  .name = "t." + identifier(row[0].value_or("")),
                  .is_bytes = is_bytes(lower_case(row[5].value_or("")))};
    out.push_back(std::move(column));
  }
  return out;
}

int64_t TableReader::count(const std::string& table, const std::string& where, int64_t estimate) {
  const std::string counted =
      connection_.value("SELECT COUNT(*) FROM (SELECT 1 FROM " + identifier(table) + " AS t" +
                        where + " LIMIT " + std::to_string(kMostCounted + 1) + ") AS counted");
  const int64_t number = std::stoll("0" + counted);
  return number > kMostCounted && where.empty() ? std::max(number, estimate) : number;
}

std::string TableReader::condition(const RowsRequest& request,
                                   const std::vector<Column>& columns) const {
  if (request.search.empty()) return "";
  const bool exactly = request.match == RowsRequest::Match::Equals;
  const std::string wanted =
      exactly ? " = " + connection_.literal(request.search)
              : " LIKE " + connection_.literal(request.like_pattern()) + " ESCAPE '\\\\'";
  std::string out;
  for (const Column& column : columns) {
    const bool is_searched = request.search_column.empty()
                                 ? !column.is_bytes
                                 : column.info.name == request.search_column;
    if (!is_searched) continue;
    const std::string value =
        column.is_bytes ? "CONCAT('\\\\x', LOWER(HEX(" + column.name + ")))" : text(column.name);
    out += (out.empty() ? " WHERE " : " OR ") + value + " COLLATE utf8mb4_general_ci" + wanted;
  }
  return out.empty() ? " WHERE FALSE" : out;  // nothing can be searched
}

void TableReader::rows(const RowsRequest& request, ItemSink& sink) {
  const auto found = connection_.query(
      "SELECT TABLE_ROWS FROM information_schema.TABLES WHERE TABLE_SCHEMA = " +
      connection_.literal(database_) + " AND TABLE_NAME = " + connection_.literal(request.table));
  if (found.empty()) {
    throw Error{ErrorCode::NotFound,
                "there is no table \"" + request.table + "\" in database \"" + database_ + "\""};
  }
  const std::vector<Column> columns = columns_of(request.table);
  std::vector<ColumnInfo> infos;
  for (const Column& column : columns) infos.push_back(column.info);
  request.check_columns(infos);

  const size_t limit = cell_limit(columns.size(), request.page_size);
  std::string select;
  std::string key;  // the last word on the order, so that pages fit together
  std::string order;
  for (const Column& column : columns) {
    select += (select.empty() ? "SELECT " : ", ");
    select += column.is_bytes
                  ? "CONCAT('\\\\x', LOWER(HEX(SUBSTRING(" + column.name + ", 1, " +
                        std::to_string(limit / 2 + 1) + "))))"
                  : "LEFT(" + text(column.name) + ", " + std::to_string(limit + 1) + ")";
    if (column.info.primary_key) key += ", " + column.name;
    // Without a value comes last, whichever way the order goes.
    if (column.info.name == request.sort_by) {
      order = column.name + " IS NULL, " + column.name + (request.descending ? " DESC" : " ASC");
    }
  }
  const std::string where = condition(request, columns);
  order = order.empty() ? key.substr(std::min<size_t>(2, key.size())) : order + key;

  const int64_t estimate = found.front()[0] ? std::stoll(*found.front()[0]) : 0;
  sink.item(rows_head(infos, count(request.table, where, estimate)));
  for (const Row& row : connection_.query(select + " FROM " + identifier(request.table) + " AS t" +
                                          where + (order.empty() ? "" : " ORDER BY " + order) +
                                          " LIMIT " + std::to_string(request.page_size) +
                                          " OFFSET " + std::to_string(request.offset()))) {
    Json item = Json::object();
    for (size_t i = 0; i < row.size(); ++i) item[infos[i].name] = cell(row[i], limit);
    sink.item(item);
  }
}

}  // namespace dbackup::mysql
