#pragma once

#include <algorithm>
#include <dbackup/config.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What a source that offers tables() and rows() shows of them.
namespace dbackup {

/// One table, view or collection. Counts may be estimates.
struct TableInfo {
  std::string name;
  const char* type = "table";  ///< table, view, materialized_view, collection
  std::optional<int64_t> row_count = {};
  std::optional<int64_t> size_bytes = {};
};

inline Json to_json(const TableInfo& table) {
  Json out{{"name", table.name}, {"type", table.type}};
  if (table.row_count) out["rowCount"] = *table.row_count;
  if (table.size_bytes) out["sizeInBytes"] = *table.size_bytes;
  return out;
}

struct ColumnInfo {
  std::string name;
  std::string data_type;
  std::optional<bool> nullable = {};
  bool primary_key = false;
  std::optional<std::string> default_value = {};  ///< as the engine writes it
};

inline Json to_json(const ColumnInfo& column) {
  Json out{{"name", column.name}, {"dataType", column.data_type}};
  if (column.nullable) out["nullable"] = *column.nullable;
  if (column.primary_key) out["primaryKey"] = true;
  if (column.default_value) out["defaultValue"] = *column.default_value;
  return out;
}

/// One page of a table. Names and texts come from a client as they are: quote the names with the
/// engine's own function, bind the texts, and refuse a column that the table does not have.
struct RowsRequest {
  enum class Match { Contains, Equals, Starts, Ends };

  std::string database;
  std::string table;
  int64_t page = 1;
  int64_t page_size = 50;     ///< at most 200
  std::string search;         ///< "": all rows
  std::string search_column;  ///< "": any column
  Match match = Match::Contains;
  std::string sort_by;  ///< "": as the engine likes
  bool descending = false;

  /// Throws Error{InvalidArgument} naming the member.
  static RowsRequest parse(const Config& request) {
    RowsRequest out{.database = request.text("database"), .table = request.required("table")};
    out.page = request.integer_or("page", 1);
    out.page_size = request.integer_or("pageSize", 50);
    if (out.page < 1 || out.page > 1'000'000'000) throw bad("page", "be 1 or more");
    if (out.page_size < 1 || out.page_size > 200) throw bad("pageSize", "be 1 to 200");
    out.search = request.text("search");
    out.search_column = request.text("searchColumn");
    const std::string match = request.text_or("matchMode", "contains");
    if (match == "equals") {
      out.match = Match::Equals;
    } else if (match == "starts") {
      out.match = Match::Starts;
    } else if (match == "ends") {
      out.match = Match::Ends;
    } else if (match != "contains") {
      throw bad("matchMode", "be contains, equals, starts or ends");
    }
    out.sort_by = request.text("sortBy");
    const std::string direction = request.text_or("sortDir", "asc");
    if (direction != "asc" && direction != "desc") throw bad("sortDir", "be asc or desc");
    out.descending = direction == "desc";
    return out;
  }
  /// How many rows come before the page.
  int64_t offset() const noexcept { return (page - 1) * page_size; }

  /// Throws Error{InvalidArgument} when search or order name a column that is none of `columns`.
  void check_columns(const std::vector<ColumnInfo>& columns) const {
    const auto check = [&](const char* member, const std::string& name) {
      const auto is_it = [&](const ColumnInfo& column) { return column.name == name; };
      if (name.empty() || std::any_of(columns.begin(), columns.end(), is_it)) return;
      throw bad(member, "be a column of \"" + table + "\", and \"" + name + "\" is none");
    };
    check("searchColumn", search_column);
    check("sortBy", sort_by);
  }

  /// The search as a pattern of LIKE with the escape character '\'; not for Equals.
  std::string like_pattern() const {
    std::string out = match == Match::Starts ? "" : "%";
    for (const char c : search) {
      if (c == '\\' || c == '%' || c == '_') out += '\\';
      out += c;
    }
    if (match != Match::Ends) out += '%';
    return out;
  }

 private:
  static Error bad(const char* member, const std::string& must) {
    return Error{ErrorCode::InvalidArgument, "\"" + std::string{member} + "\" must " + must};
  }
};

/// How many characters a cell may have, so that a row and a page of them stay within what the host
/// takes. Ask the engine for one character more, and cell() shows that there was more.
inline size_t cell_limit(size_t columns, int64_t page_size) {
  constexpr size_t kPage = size_t{8} * 1024 * 1024;
  constexpr size_t kRow = size_t{128} * 1024;
  constexpr size_t kMost = 4096;
  constexpr size_t kLeast = 16;
  const size_t count = std::max<size_t>(columns, 1);
  const size_t rows = static_cast<size_t>(std::max<int64_t>(page_size, 1));
  return std::clamp(std::min(kPage / rows, kRow) / count, kLeast, kMost);
}

namespace detail {

/// Bytes of the UTF-8 character at the front of `text`; 0: it is none.
inline size_t character_length(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || length > text.size()) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  const bool is_short = (first == 0xE0 && byte(1) < 0xA0) || (first == 0xF0 && byte(1) < 0x90);
  const bool is_none = (first == 0xED && byte(1) > 0x9F) || (first == 0xF4 && byte(1) > 0x8F);
  return is_short || is_none ? 0 : length;
}

inline std::string hex_text(std::string_view bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out = "\\x";
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += {kDigits[byte >> 4], kDigits[byte & 15]};
  }
  return out;
}

}  // namespace detail

/// A value as a cell: null, or its text. Bytes that are no UTF-8 come as "\x…" in hexadecimal; what
/// is longer than `limit` characters is cut and ends with "…".
inline Json cell(std::optional<std::string_view> value, size_t limit) {
  if (!value) return nullptr;
  size_t characters = 0;
  size_t end = 0;  // of what is shown
  bool is_cut = false;
  for (size_t at = 0; at < value->size();) {
    const size_t length = detail::character_length(value->substr(at));
    if (length == 0) return cell(detail::hex_text(value->substr(0, limit)), limit);
    if (characters == limit) {
      is_cut = true;
      break;
    }
    ++characters;
    at += length;
    end = at;
  }
  std::string text{value->substr(0, end)};
  if (is_cut) text += "\xE2\x80\xA6";
  return text;
}

/// The first item of rows(): what the cells of the rows after it are called.
inline Json rows_head(const std::vector<ColumnInfo>& columns, int64_t total_count) {
  Json list = Json::array();
  for (const ColumnInfo& column : columns) list.push_back(to_json(column));
  return {{"columns", std::move(list)}, {"totalCount", total_count}};
}

}  // namespace dbackup
