#pragma once

#include <dbackup/table_page.hpp>
#include <string>
#include <vector>

#include "database.hpp"

namespace dbackup::sqlite {

/// Shows the tables of a file and pages of their rows, in one read transaction that cannot write.
class TableReader {
 public:
  /// Throws Error as Database does.
  TableReader(const Call& call, const std::string& path);

  /// Tables and views; SQLite's own are left out.
  void tables(ItemSink& sink);
  /// Throws Error{NotFound} for an unknown table, {InvalidArgument} for an unknown column.
  void rows(const RowsRequest& request, ItemSink& sink);

 private:
  std::vector<ColumnInfo> columns_of(const std::string& table);

  Database database_;
};

}  // namespace dbackup::sqlite
