#pragma once

#include <dbackup/table_page.hpp>
#include <string>
#include <vector>

#include "server.hpp"

namespace dbackup::redis {

/// The one table that a database shows: its keys, each with its type and how long it still lives.
inline constexpr const char* kKeysTable = "Keys";

/// Shows pages of the keys of one database by SCAN, which finds every key that is there all the
/// time. What is walked is bounded: see the README.
class KeyReader {
 public:
  /// Makes `database` the client's. Throws Error{NotFound}.
  KeyReader(const Call& call, Client& client, int64_t database);

  void tables(ItemSink& sink);
  /// Throws Error{NotFound} for another table, {InvalidArgument} for an unknown column or a page
  /// that is too far away.
  void rows(const RowsRequest& request, ItemSink& sink);

 private:
  struct Key {
    std::string name;
    std::string type;
    int64_t ttl_ms = -1;  ///< -1: none, -2: gone
  };

  int64_t count();
  void look_at(std::vector<Key>& keys, size_t first);
  bool is_found(const RowsRequest& request, const Key& key) const;
  static std::string ttl_text(int64_t ttl_ms);

  Call call_;
  Client& client_;
};

/// `text` as the pattern of MATCH that only it fits.
std::string glob_escaped(std::string_view text);

}  // namespace dbackup::redis
