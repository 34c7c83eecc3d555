#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "worker/plugin/adapter_instance.hpp"

namespace dbackup::host {

struct DumpAnswer {
  std::string engine_version;
  bool already_compressed = false;
};

/// A source plugin's instance. One call at a time, on any thread.
class SourceProxy : public AdapterInstance<dbackup_source> {
 public:
  SourceProxy(const protocol::AdapterRef& ref, Journal& journal, CancelToken cancel);

  /// {message, version?, edition?}
  Json test() { return ask(table().test, Json::object()); }

  struct DumpOrder {
    std::string database;
    bool compressed_by_host = false;
    Json options = Json::object();
  };
  /// Writes one dump to `out`, which is not finished. Throws the sink's own error when that failed.
  DumpAnswer dump(const DumpOrder& order, ByteSink& out);

  struct RestoreOrder {
    std::string database;
    std::string original_name;
    std::string token;
    protocol::PrivilegedLogin privileged;
    Json options = Json::object();
  };
  /// Throws the reader's own error when that failed. Returning does not mean that `in` was read to
  /// its end: what is left has not been checked by anybody yet.
  void restore(const RestoreOrder& order, ByteSource& in);

  /// Each item has a "name". Error{Unimplemented} when the adapter does not offer it.
  void list_databases(const std::function<void(const Json&)>& found);
  /// Items {name, type, rowCount?, sizeInBytes?}, checked. Error{Unimplemented} when the adapter
  /// does not offer it.
  void tables(const std::string& database, const std::function<void(const Json&)>& found);
  /// The first item is {columns, totalCount}, each of the others a row: of those columns, texts or
  /// null, at most as many as `query` asks for. Error{Unimplemented} when the adapter does not
  /// offer it.
  void rows(const Json& query, const std::function<void(const Json&)>& found);
  /// Nothing to do for an adapter that does not offer it.
  void prepare_restore(const std::vector<std::string>& databases,
                       const protocol::PrivilegedLogin& privileged);
  void cleanup_restore(const std::string& database, const std::string& token,
                       const protocol::PrivilegedLogin& privileged);

 private:
  Json table_item(const Json& item) const;
  Json checked(const std::function<Json()>& read) const;
  Json rows_head(const Json& item, std::set<std::string>& names) const;
  std::string item_text(const Json& item, const char* key) const;
  Error described_wrongly(const std::string& what) const;
};

}  // namespace dbackup::host
