#include "table_reader.hpp"

#include <algorithm>

namespace dbackup::postgres {
namespace {

/// Counting more costs more than the exact number is worth.
constexpr int64_t kMostCounted = 1'000'000;

// The planner's figure and the statistics collector's are both late, the one that knows more wins.
// Neither knows anything of a table that was filled and never looked at.
constexpr const char* kRelations =
    "SELECT c.oid, n.nspname, c.relname, c.relkind,"
    " CASE WHEN c.relkind = 'p' AND c.reltuples > 0 THEN c.reltuples::pg_catalog.int8"
    " WHEN c.relkind IN ('r', 'm') AND NOT (c.reltuples <= 0"
    " AND pg_catalog.pg_stat_get_live_tuples(c.oid) = 0"
    " AND pg_catalog.pg_relation_size(c.oid) > 0)"
    " THEN greatest(c.reltuples::pg_catalog.int8,"
    " pg_catalog.pg_stat_get_live_tuples(c.oid), 0) END,"
    " CASE WHEN c.relkind IN ('r', 'm') THEN pg_catalog.pg_total_relation_size(c.oid) END"
    " FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    " WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')"
    " AND n.nspname NOT IN ('pg_catalog', 'information_schema')"
    " AND n.nspname !~ '^pg_(toast|temp)'";
constexpr const char* kShownName =
    "CASE WHEN n.nspname = 'public' THEN c.relname::pg_catalog.text"
    " ELSE pg_catalog.concat(n.nspname, '.', c.relname) END";
// A name with a dot in "public" and a table of that schema would be called the same.
constexpr const char* kPublicFirst = " ORDER BY n.nspname <> 'public', n.nspname, c.relname";

constexpr const char* kColumns =
    "SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), NOT a.attnotnull,"
    " coalesce(a.attnum = ANY (i.indkey), false), pg_catalog.pg_get_expr(d.adbin, d.adrelid),"
    " a.atttypid = 'pg_catalog.bytea'::pg_catalog.regtype"
    " FROM pg_catalog.pg_attribute a"
    " LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum"
    " LEFT JOIN pg_catalog.pg_index i ON i.indrelid = a.attrelid AND i.indisprimary"
    " WHERE a.attrelid = $1::pg_catalog.oid AND a.attnum > 0 AND NOT a.attisdropped"
    " ORDER BY a.attnum";

const char* type_of(std::string_view relkind) {
  if (relkind == "v") return "view";
  return relkind == "m" ? "materialized_view" : "table";
}

/// A value's text by its type's output function.
std::string text(const std::string& column) {
  return "pg_catalog.concat(" + column + ") COLLATE pg_catalog.\"default\"";
}

}  // namespace

TableReader::TableReader(const Call& call, const Login& login, const std::string& database)
    : database_{database}, connection_{Connection::open(call, login, database)} {
  // Functions that views call may need the path; operators are ours first.
  connection_.query(
      "SELECT pg_catalog.set_config('search_path', pg_catalog.concat('pg_catalog, ',"
      " pg_catalog.current_setting('search_path')), false),"
      " pg_catalog.set_config('lock_timeout', '5s', false)");
  connection_.query("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY");
}

void TableReader::tables(ItemSink& sink) {
  for (const Row& row : connection_.query(std::string{kRelations} + kPublicFirst)) {
    const std::string schema = row[1].value_or("");
    const std::string name = row[2].value_or("");
    TableInfo table{.name = schema == "public" ? name : schema + "." + name,
                    .type = type_of(row[3].value_or("r"))};
    if (row[4]) table.row_count = std::stoll(*row[4]);
    if (row[5]) table.size_bytes = std::stoll(*row[5]);
    sink.item(to_json(table));
  }
}

TableReader::Table TableReader::find(const std::string& name) {
  const auto found = connection_.query(std::string{kRelations} + " AND " + kShownName +
                                           " = $1::pg_catalog.text" + kPublicFirst + " LIMIT 1",
                                       {name});
  if (found.empty()) {
    throw Error{ErrorCode::NotFound,
                "there is no table \"" + name + "\" in database \"" + database_ + "\""};
  }
  const Row& row = found.front();
  return {.oid = row[0].value_or(""),
          .name = connection_.identifier(row[1].value_or("")) + "." +
                  connection_.identifier(row[2].value_or("")),
          .estimate = row[4] ? std::stoll(*row[4]) : 0};
}

std::vector<TableReader::Column> TableReader::columns_of(const Table& table) {
  std::vector<Column> out;
  for (const Row& row : connection_.query(kColumns, {table.oid})) {
    Column column{.info = {.name = row[0].value_or(""),
                           .data_type = row[1].value_or(""),
                           .nullable = row[2] == "t",
                           .primary_key = row[3] == "t",
                           .default_value = row[4]}};
    column.name = "t." + connection_.identifier(column.info.name);
    column.is_bytes = row[5] == "t";
    out.push_back(std::move(column));
  }
  return out;
}

int64_t TableReader::count(const Table& table, const std::string& where,
                           const std::vector<std::string>& values) {
  const auto rows =
      connection_.query("SELECT pg_catalog.count(*) FROM (SELECT 1 FROM " + table.name + " AS t" +
                            where + " LIMIT " + std::to_string(kMostCounted + 1) + ") AS counted",
                        values);
  const int64_t counted = std::stoll(rows.at(0).at(0).value_or("0"));
  return counted > kMostCounted && where.empty() ? std::max(counted, table.estimate) : counted;
}

std::vector<Row> TableReader::page(const std::string& select, const RowsRequest& request,
                                   const std::vector<Column>& columns,
                                   const std::vector<std::string>& values) {
  const std::string end =
      " LIMIT " + std::to_string(request.page_size) + " OFFSET " + std::to_string(request.offset());
  std::string key;  // the last word on the order, so that pages fit together
  std::string wanted;
  for (const Column& column : columns) {
    if (column.info.name == request.sort_by) wanted = column.name;
    if (column.info.primary_key) key += ", " + column.name;
  }
  if (wanted.empty()) {
    const std::string order = key.empty() ? "" : " ORDER BY " + key.substr(2);
    return connection_.query(select + order + end, values);
  }
  const std::string tail = (request.descending ? " DESC" : " ASC") + (" NULLS LAST" + key) + end;
  connection_.query("SAVEPOINT ordered");
  try {
    return connection_.query(select + " ORDER BY " + wanted + tail, values);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::InvalidArgument) throw;
    // Types such as json have no order of their own.
    connection_.query("ROLLBACK TO SAVEPOINT ordered");
    return connection_.query(select + " ORDER BY " + text(wanted) + tail, values);
  }
}

void TableReader::rows(const RowsRequest& request, ItemSink& sink) {
  const Table table = find(request.table);
  const std::vector<Column> columns = columns_of(table);
  std::vector<ColumnInfo> infos;
  for (const Column& column : columns) infos.push_back(column.info);
  request.check_columns(infos);

  const size_t limit = cell_limit(columns.size(), request.page_size);
  std::string select;
  std::string where;
  std::vector<std::string> values;
  for (const Column& column : columns) {
    select += (select.empty() ? "SELECT CASE WHEN " : ", CASE WHEN ") + column.name +
              " IS NOT NULL THEN " +
              (column.is_bytes ? "E'\\\\x' || pg_catalog.encode(pg_catalog.substr(" + column.name +
                                     ", 1, " + std::to_string(limit / 2 + 1) + "), 'hex')"
                               : "pg_catalog.left(" + text(column.name) + ", " +
                                     std::to_string(limit + 1) + ")") +
              " END";
    const bool is_searched = request.search_column.empty()
                                 ? !column.is_bytes
                                 : column.info.name == request.search_column;
    if (request.search.empty() || !is_searched) continue;
    const bool exactly = request.match == RowsRequest::Match::Equals;
    where += (where.empty() ? " WHERE (" : " OR (") + column.name + " IS NOT NULL AND " +
             text(column.name) + (exactly ? " = " : " ILIKE ") + "$1::pg_catalog.text)";
    if (values.empty()) values.push_back(exactly ? request.search : request.like_pattern());
  }
  if (where.empty() && !request.search.empty()) where = " WHERE false";  // nothing can be searched
  if (columns.empty()) select = "SELECT";

  sink.item(rows_head(infos, count(table, where, values)));
  for (const Row& row :
       page(select + " FROM " + table.name + " AS t" + where, request, columns, values)) {
    Json item = Json::object();
    for (size_t i = 0; i < row.size(); ++i) item[infos[i].name] = cell(row[i], limit);
    sink.item(item);
  }
}

}  // namespace dbackup::postgres
