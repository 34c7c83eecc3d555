#pragma once

#include <dbackup/table_page.hpp>
#include <string>
#include <vector>

#include "connection.hpp"

namespace dbackup::mysql {

/// Shows the tables of one database and the rows of one table, in one read-only snapshot.
class TableReader {
 public:
  /// Throws as Connection::open.
  TableReader(const Call& call, const Login& login, const std::string& database);

  void tables(ItemSink& sink);
  /// Throws Error{NotFound} for a table that is not there, {InvalidArgument} for a column.
  void rows(const RowsRequest& request, ItemSink& sink);

 private:
  struct Column {
    ColumnInfo info;
    std::string name;       ///< quoted
    bool is_bytes = false;  ///< shown in hexadecimal
  };
  std::vector<Column> columns_of(const std::string& table);
  int64_t count(const std::string& table, const std::string& where, int64_t estimate);
  std::string condition(const RowsRequest& request, const std::vector<Column>& columns) const;

  std::string database_;
  Connection connection_;
};

}  // namespace dbackup::mysql
