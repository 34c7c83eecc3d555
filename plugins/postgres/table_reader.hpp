#pragma once

#include <dbackup/table_page.hpp>
#include <string>
#include <vector>

#include "connection.hpp"

namespace dbackup::postgres {

/// Shows the tables of one database and pages of their rows, all in one read-only transaction.
/// Values are written by the types' own output functions: a cast to text may be a function of
/// whoever made the type, and would run with our rights.
class TableReader {
 public:
  /// Throws Error as Connection::open() does.
  TableReader(const Call& call, const Login& login, const std::string& database);

  /// Tables, views and materialized views; those outside the schema "public" are called
  /// "schema.name".
  void tables(ItemSink& sink);
  /// Throws Error{NotFound} for an unknown table, {InvalidArgument} for an unknown column.
  void rows(const RowsRequest& request, ItemSink& sink);

 private:
  struct Table {
    std::string oid;
    std::string name;  ///< quoted
    int64_t estimate = 0;
  };
  struct Column {
    ColumnInfo info;
    std::string name;  ///< quoted, with "t."
    bool is_bytes = false;
  };

  Table find(const std::string& name);
  std::vector<Column> columns_of(const Table& table);
  int64_t count(const Table& table, const std::string& where,
                const std::vector<std::string>& values);
  std::vector<Row> page(const std::string& select, const RowsRequest& request,
                        const std::vector<Column>& columns, const std::vector<std::string>& values);

  std::string database_;
  Connection connection_;
};

}  // namespace dbackup::postgres
