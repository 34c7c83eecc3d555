#include "key_reader.hpp"

#include <unordered_set>

namespace dbackup::redis {
namespace {

constexpr size_t kMostKeys = 100'000;  // that one page walks and holds
constexpr size_t kMostBytes = 64 * 1024 * 1024;
constexpr const char* kScanCount = "1000";
constexpr size_t kAtOnce = 500;  // keys that are looked at in one go

std::string scan_pattern(const RowsRequest& request) {
  const std::string text = glob_escaped(request.search);
  switch (request.match) {
    case RowsRequest::Match::Equals:
      return text;
    case RowsRequest::Match::Starts:
      return text + "*";
    case RowsRequest::Match::Ends:
      return "*" + text;
    default:
      return "*" + text + "*";
  }
}

bool fits(const RowsRequest& request, std::string_view text) {
  switch (request.match) {
    case RowsRequest::Match::Equals:
      return text == request.search;
    case RowsRequest::Match::Starts:
      return text.starts_with(request.search);
    case RowsRequest::Match::Ends:
      return text.ends_with(request.search);
    default:
      return text.find(request.search) != std::string_view::npos;
  }
}

}  // namespace

std::string glob_escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (std::string_view{"*?[]^-\\"}.find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

KeyReader::KeyReader(const Call& call, Client& client, int64_t database)
    : call_{call}, client_{client} {
  select_database(client_, database);
}

int64_t KeyReader::count() { return client_.demand({"DBSIZE"}).integer; }

void KeyReader::tables(ItemSink& sink) {
  sink.item(to_json(TableInfo{.name = kKeysTable, .type = "collection", .row_count = count()}));
}

std::string KeyReader::ttl_text(int64_t ttl_ms) {
  if (ttl_ms == -1) return "no expiry";
  if (ttl_ms < 0) return "expired";
  return std::to_string((ttl_ms + 999) / 1000) + "s";
}

void KeyReader::look_at(std::vector<Key>& keys, size_t first) {
  for (size_t begin = first; begin < keys.size(); begin += kAtOnce) {
    const size_t end = std::min(begin + kAtOnce, keys.size());
    for (size_t i = begin; i < end; ++i) {
      client_.queue({"TYPE", keys[i].name});
      client_.queue({"PTTL", keys[i].name});
    }
    client_.flush();
    for (size_t i = begin; i < end; ++i) {
      const Reply type = client_.receive();
      const Reply ttl = client_.receive();
      if (type.is_error()) throw error_of(type, "cannot run TYPE");
      if (ttl.is_error()) throw error_of(ttl, "cannot run PTTL");
      keys[i].type = type.text;
      keys[i].ttl_ms = ttl.integer;
    }
  }
}

bool KeyReader::is_found(const RowsRequest& request, const Key& key) const {
  const std::string& column = request.search_column;
  return ((column.empty() || column == "key") && fits(request, key.name)) ||
         ((column.empty() || column == "type") && fits(request, key.type)) ||
         ((column.empty() || column == "ttl") && fits(request, ttl_text(key.ttl_ms)));
}

void KeyReader::rows(const RowsRequest& request, ItemSink& sink) {
  if (request.table != kKeysTable) {
    throw Error{ErrorCode::NotFound, "there is no table \"" + request.table + "\", only \"Keys\""};
  }
  std::vector<ColumnInfo> columns(3);
  columns[0] = {.name = "key", .data_type = "string", .nullable = false, .primary_key = true};
  columns[1].name = "type";
  columns[2].name = "ttl";
  columns[1].data_type = columns[2].data_type = "string";
  request.check_columns(columns);

  const bool is_searched = !request.search.empty();
  const bool by_pattern = is_searched && request.search_column == "key";
  const bool by_all = is_searched && !by_pattern;
  const bool sort_by_look = request.sort_by == "type" || request.sort_by == "ttl";

  std::vector<Key> keys;
  std::unordered_set<std::string> seen;  // SCAN may give a key twice
  size_t bytes = 0;
  size_t walked = 0;
  bool is_whole = true;
  std::string cursor = "0";
  const std::string pattern = by_pattern ? scan_pattern(request) : "*";
  do {
    const Reply page = client_.demand({"SCAN", cursor, "MATCH", pattern, "COUNT", kScanCount});
    if (page.items.size() != 2) throw Error{ErrorCode::DataLoss, "SCAN gave no cursor"};
    cursor = page.items[0].text;
    walked += std::stoul(kScanCount);
    const size_t first = keys.size();
    for (const Reply& name : page.items[1].items) {
      if (!seen.insert(name.text).second) continue;
      bytes += 2 * name.text.size();
      keys.push_back({.name = name.text, .type = {}});
    }
    if (by_all) {
      look_at(keys, first);
      const auto lost =
          std::remove_if(keys.begin() + static_cast<std::ptrdiff_t>(first), keys.end(),
                         [&](const Key& key) { return !is_found(request, key); });
      keys.erase(lost, keys.end());
    }
    // A pattern is cheap for both sides, so it may go through more.
    const size_t most = by_pattern ? 100 * kMostKeys : kMostKeys;
    is_whole = cursor == "0";
    if (keys.size() > kMostKeys || bytes > kMostBytes || (!is_whole && walked >= most)) break;
  } while (!is_whole);

  if (!is_whole && !request.sort_by.empty()) {
    throw Error{ErrorCode::InvalidArgument,
                "the database has too many keys to be sorted; search, or show them unsorted"};
  }
  const auto offset = static_cast<size_t>(request.offset());
  if (!is_whole && offset >= keys.size()) {
    throw Error{ErrorCode::InvalidArgument, "pages beyond the first " +
                                                std::to_string(keys.size()) +
                                                " keys are not shown; search for a key instead"};
  }
  if (is_whole) {  // the order of SCAN changes whenever the server likes
    if (sort_by_look && !by_all) look_at(keys, 0);
    const auto before = [&](const Key& a, const Key& b) {
      if (request.sort_by == "type" && a.type != b.type) return a.type < b.type;
      if (request.sort_by == "ttl" && a.ttl_ms != b.ttl_ms) {
        if (a.ttl_ms == -1 || b.ttl_ms == -1) return b.ttl_ms == -1;  // for ever is longest
        return a.ttl_ms < b.ttl_ms;
      }
      return a.name < b.name;
    };
    std::sort(keys.begin(), keys.end(), [&](const Key& a, const Key& b) {
      return request.descending && !request.sort_by.empty() ? before(b, a) : before(a, b);
    });
  }
  const int64_t found = static_cast<int64_t>(keys.size());
  sink.item(rows_head(columns, is_whole ? found : std::max(found + 1, is_searched ? 0 : count())));

  keys.erase(keys.begin(),
             keys.begin() + static_cast<std::ptrdiff_t>(std::min(offset, keys.size())));
  keys.resize(std::min(keys.size(), static_cast<size_t>(request.page_size)));
  look_at(keys, 0);
  const size_t limit = cell_limit(columns.size(), request.page_size);
  for (const Key& key : keys) {
    sink.item({{"key", cell(key.name, limit)},
               {"type", cell(key.type, limit)},
               {"ttl", ttl_text(key.ttl_ms)}});
  }
}

}  // namespace dbackup::redis
